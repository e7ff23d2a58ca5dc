"""Variants aimed at the checks of build files; each says what allows it."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.build import API, API_OPTIONS, write
from twin.variants.build_worker import IMPORT, WORKER

START = f'CMD ["uvicorn", "main:app", {API_OPTIONS}, "--limit-max-requests", "1000"]'
SOURCES = """COPY main.py ./
COPY api/ ./api/
COPY backend/shared/ ./backend/shared/
COPY config/render/ ./config/render/
COPY supabase/migrations/ ./supabase/migrations/
"""


def _replace(plan: Plan, old: str, new: str) -> None:
    plan.replace_in_source(API, old, new)


@variant("W01", "the name of the API's requirements file stands in an ARG, which COPY and RUN refer to")
def requirements_by_argument(plan: Plan) -> None:
    """§1 included_paths name requirements-prod.txt; how the Dockerfile spells it is left open."""
    _replace(
        plan, "COPY requirements-prod.txt ./\n", "ARG REQUIREMENTS=requirements-prod.txt\nCOPY ${REQUIREMENTS} /tmp/build/\n"
    )
    _replace(plan, "-r requirements-prod.txt", "-r /tmp/build/$REQUIREMENTS")


@variant("W02", "the API's CMD sets a mask for new files, and then becomes the server")
def command_after_a_mask(plan: Plan) -> None:
    """Field: CMD in shell form is right; the container runs the start command of §1."""
    _replace(
        plan,
        START,
        "CMD umask 027 && exec uvicorn main:app --host 0.0.0.0 --port 8000 --workers 1 --timeout-keep-alive 75"
        " --limit-max-requests 1000",
    )


@variant("W03", "the API's ENTRYPOINT is a script that says which release starts, and becomes what CMD names")
def entrypoint_script(plan: Plan) -> None:
    """§1 start_command is CMD as it stands; an ENTRYPOINT that ends in exec "$@" runs it unchanged."""
    write(plan, "config/render/entrypoint.sh", '#!/bin/sh\nset -e\necho "release ${APP_VERSION:-unknown}"\nexec "$@"\n')
    _replace(plan, "COPY config/render/ ./config/render/", "COPY --chmod=0755 config/render/ ./config/render/")
    _replace(plan, START, f'ENTRYPOINT ["./config/render/entrypoint.sh"]\n{START}')


@variant("W04", "the API's sources come by one COPY --parents, which keeps their folders")
def copied_with_parents(plan: Plan) -> None:
    """§1 says what the image is built from, not by which instructions; Docker documents --parents."""
    _replace(plan, "FROM python:3.11-slim\n", "# syntax=docker/dockerfile:1.20\nFROM python:3.11-slim\n")
    _replace(plan, SOURCES, "COPY --parents main.py api backend/shared config/render supabase/migrations ./\n")


@variant("W05", "the API's requirements are bare names; the versions are in constraints, which the image's build names")
def constraints_of_the_build(plan: Plan) -> None:
    """§1 names the requirements file and no form of its lines; pip's -c bounds each of them (§9 Dependency Updates)."""
    file = plan.source / "requirements-prod.txt"
    lines = file.read_text().splitlines()
    write(plan, "config/render/constraints.txt", "\n".join(lines) + "\n")
    write(plan, "requirements-prod.txt", "".join(f"{line.split('>')[0]}\n" for line in lines))
    _replace(plan, "COPY requirements-prod.txt ./\n", "COPY requirements-prod.txt config/render/constraints.txt ./\n")
    _replace(plan, "-r requirements-prod.txt", "-r requirements-prod.txt -c constraints.txt")


@variant("W06", "the worker is started through /usr/bin/env, which finds Python in the image")
def started_by_env(plan: Plan) -> None:
    """§2 start_command names `python`, as found in PATH: env runs the same program."""
    write(
        plan,
        WORKER,
        f"""FROM python:3.11-slim
WORKDIR /app
COPY requirements.txt pyproject.toml ./
RUN pip install --no-cache-dir -r requirements.txt
COPY backend/workers/ ./backend/workers/
COPY backend/shared/ ./backend/shared/
COPY config/render/ ./config/render/
COPY supabase/migrations/ ./supabase/migrations/
RUN useradd --create-home app
USER app
HEALTHCHECK --interval=30s --timeout=30s CMD python -c "{IMPORT}"
ENTRYPOINT ["/usr/bin/env", "python"]
CMD ["backend/workers/enhanced_runner.py"]
""",
    )
