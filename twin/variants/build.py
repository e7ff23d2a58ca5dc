"""Variants of the API's build files: other words that build the same image."""

from __future__ import annotations

from importlib.metadata import version

from twin.plan import Plan
from twin.variants import variant

API = "Dockerfile"
API_OPTIONS = '"--host", "0.0.0.0", "--port", "8000", "--workers", "1", "--timeout-keep-alive", "75"'
LOCKED = """annotated-doc annotated-types anyio asyncpg certifi click fastapi h11 httpcore httpx idna pydantic pydantic-core
            starlette typing-extensions typing-inspection uvicorn"""


def write(plan: Plan, path: str, text: str) -> None:
    """Write a file of the release."""
    file = plan.source / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())


@variant("V10", "the API's image is built in stages, with ARG before FROM, a platform, aliases, COPY --from and --chown")
def several_stages(plan: Plan) -> None:
    write(
        plan,
        API,
        f"""# syntax=docker/dockerfile:1
ARG PYTHON_VERSION=3.11
ARG FLAVOUR="slim"
FROM --platform=linux/amd64 python:${{PYTHON_VERSION}}-${{FLAVOUR}} AS builder
RUN python -m venv /opt/venv
COPY --link requirements-prod.txt /build/requirements.txt
RUN --mount=type=cache,target=/root/.cache/pip /opt/venv/bin/pip install --requirement /build/requirements.txt

FROM builder AS checked
COPY tests/ ./tests/
RUN /opt/venv/bin/python -m unittest discover tests

FROM python:${{PYTHON_VERSION}}-${{FLAVOUR}} as runtime
ARG APP_UID=10001
RUN apt-get update && apt-get install -y curl
COPY --link --from=builder /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /app
COPY --chown=10001:10001 --link main.py ./
COPY --chown=${{APP_UID}}:${{APP_UID}} api/ ./api/
COPY --chmod=0444 backend/shared/ backend/shared/
COPY config/render config/render
COPY supabase/migrations supabase/migrations
LABEL org.opencontainers.image.title="api" maintainer="team"
USER ${{APP_UID}}:${{APP_UID}}
EXPOSE 8000/tcp
HEALTHCHECK --start-period=10s --retries=3 --timeout=30s --interval=0m30s CMD curl -f http://localhost:8000/health
CMD ["uvicorn", "main:app", {API_OPTIONS}, "--limit-max-requests", "1000"]
""",
    )


@variant("V11", "the API's image has an ENTRYPOINT for the program, CMD for its options, and a check in JSON form")
def entrypoint_with_options(plan: Plan) -> None:
    write(
        plan,
        API,
        f"""FROM library/python:3.11-slim
RUN apt-get update && apt-get install -y curl
ADD requirements-prod.txt /app/
RUN cd /app && python -m pip install --no-cache-dir -r ./requirements-prod.txt
WORKDIR /app
ADD main.py .
ADD api api
ADD backend/shared backend/shared
ADD config/render config/render
ADD supabase/migrations supabase/migrations
USER 1000
EXPOSE 8000
HEALTHCHECK --timeout=30s --interval=30s --start-interval=5s CMD ["curl", "-f", "http://localhost:8000/health"]
ENTRYPOINT ["uvicorn", "main:app"]
CMD [{API_OPTIONS}, \\
     "--limit-max-requests", "1000"]
""",
    )


@variant("V12", "the API's image is written in lower case, with tabs, a shell-form CMD with exec, ${PORT:-8000} and old ENV")
def lower_case_with_tabs(plan: Plan) -> None:
    write(
        plan,
        API,
        """from\tpython:3.11-slim
arg\tservice_port=8000
env\tAPP_PORT $service_port
env PYTHONUNBUFFERED=1 \\
\t# nothing is cached
\tPIP_NO_CACHE_DIR=1
env HELP "OPENAI_API_KEY and DATABASE_URL are set by the platform"
arg OPENAI_API_KEY=""
run\tapt-get update && \\
\tapt-get install -y curl
workdir\t/srv
workdir\tapp
copy\trequirements-prod.txt\t./
run\tpip install \\
\t\t-r requirements-prod.txt
copy\tmain.py\t./
copy\tapi/\t./api/
copy\tbackend/shared/\t./backend/shared/
copy\tconfig/render/\t./config/render/
copy\tsupabase/migrations/\t./supabase/migrations/
user\tnobody:nogroup
expose\t${APP_PORT}
healthcheck\t--interval=30s\t--timeout=30s\\
\tcmd curl --fail --silent --show-error "http://127.0.0.1:${PORT:-8000}/health" || exit 1
cmd\texec uvicorn main:app --host 0.0.0.0 \\
\t--port ${PORT:-8000} --workers 1 \\

\t--timeout-keep-alive 75 --limit-max-requests 1000
""",
    )


@variant("V13", "the API's image has heredocs whose lines look like instructions")
def heredocs(plan: Plan) -> None:
    write(
        plan,
        API,
        f"""# syntax=docker/dockerfile:1.7
# check=skip=JSONArgsRecommended
FROM python:3.11-slim
RUN <<EOF
apt-get update
apt-get install -y curl
USER=root
CMD="nothing"
EOF
WORKDIR /app
COPY requirements-prod.txt .
RUN <<-'INSTALL' /bin/bash -e
\tpip install -r requirements-prod.txt
\tFROM scratch 2>/dev/null || true
\tINSTALL
COPY <<"NOTE" <<LICENCE /app/notes/
USER root
NOTE
EXPOSE 9999
LICENCE
COPY main.py ./
COPY api/ ./api/
COPY backend/shared/ ./backend/shared/
COPY config/render/ ./config/render/
COPY supabase/migrations/ ./supabase/migrations/
RUN python3 <<PY
print("HEALTHCHECK NONE")
PY
USER 1001
EXPOSE 8000
HEALTHCHECK CMD ["/usr/bin/curl", "-sf", "http://localhost:8000/health"]
CMD ["/usr/local/bin/uvicorn", "main:app", {API_OPTIONS}, "--limit-max-requests", "1000"]
""",
    )


@variant("V14", "the API's image copies by wildcards, JSON lists and absolute sources, and sets relative folders")
def wildcards(plan: Plan) -> None:
    write(
        plan,
        API,
        """FROM python:3.11-slim
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN apt-get update && apt-get install -y curl
ENV HOME_OF_APP="/opt/the app"
WORKDIR $HOME_OF_APP
COPY ["requirements-*.txt", "./"]
RUN pip install -r requirements-prod.txt
COPY /main.py ./
COPY mai?.py ./again/
COPY api/[a-z_]*.py ./api/
COPY ./backend/shared/ ./backend/shared
COPY config/*/ ./config/render/
COPY supabase/migrations/*.sql ./supabase/migrations/
USER app
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=30s CMD curl -f http://localhost:8000/health
CMD ["/bin/bash", "-c", "exec uvicorn main:app --host=0.0.0.0 --port=${SERVICE_PORT:-8000} --workers=1 \\
  --limit-max-requests 1000 --timeout-keep-alive 75"]
""",
    )


@variant("V15", "the API starts under an init, as a module of Python, with its options in another order")
def started_by_an_init(plan: Plan) -> None:
    plan.replace_in_source(API, "install -y --no-install-recommends curl", "install -y --no-install-recommends curl tini")
    text = (plan.source / API).read_text()
    head = text[: text.index("CMD [")]
    write(
        plan,
        API,
        f"""{head}ENTRYPOINT ["/usr/bin/tini", "--"]
CMD ["python", "-m", "uvicorn", "--workers=1", "--port=8000", "--host=0.0.0.0", "--limit-max-requests=1000", \\
  "--timeout-keep-alive=75", "main:app"]
""",
    )


@variant("V20", "the API's requirements are pinned, with hashes on continued lines")
def hashed_requirements(plan: Plan) -> None:
    lines = []
    for name in LOCKED.split():
        # Installed here in this version, so that nobody fetches anything whose hash could be compared.
        hashes = [f"    --hash=sha256:{digit * 64}" for digit in ("a", "b")]
        lines.append(" \\\n".join([f"{name}=={version(name)}", *hashes]) + "\n    # via the release\n")
    write(plan, "requirements-prod.txt", "# Locked.\n--only-binary :all:\n" + "".join(lines))


@variant("V22", "the API's application is in another module, and main.py builds it")
def other_modules(plan: Plan) -> None:
    (plan.source / "api/application.py").rename(plan.source / "api/server.py")
    plan.replace_in_source("main.py", "from api.application import", "from api.server import")


@variant("V23", "Render writes the paths of its build filter, the Dockerfile and the context in another form")
def other_paths_at_render(plan: Plan) -> None:
    shared = ["supabase/migrations/**/*", "config/render/**/*", "backend/shared/**/*"]
    plan.config.behaviour["render"] = {
        "srv-twinapi.buildFilter.paths": ["main.py", "./Dockerfile", "requirements-prod.txt", *shared, "api/**/*", "api/**"],
        "srv-twinapi.serviceDetails.envSpecificDetails.dockerfilePath": "Dockerfile",
        "srv-twinapi.serviceDetails.envSpecificDetails.dockerContext": "./",
        "srv-twinworker.buildFilter.paths": ["pyproject.toml", "requirements.txt", *shared, "backend/workers/**/*"],
        "srv-twinworker.buildFilter.ignoredPaths": None,
        "srv-twinworker.serviceDetails.envSpecificDetails.dockerfilePath": "backend/workers/Dockerfile",
    }
