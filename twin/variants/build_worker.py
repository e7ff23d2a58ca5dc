"""Variants of the worker's build files: other words that build the same image."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.build import write

WORKER = "backend/workers/Dockerfile"
# The worker's import check, as the specification has it.
IMPORT = "from backend.workers.enhanced_base_worker import EnhancedBaseWorker; print('Enhanced worker import successful')"


@variant("V16", "the worker's image has an ENTRYPOINT, folders in two steps, old ENV and the check's command in JSON form")
def worker_with_entrypoint(plan: Plan) -> None:
    write(
        plan,
        WORKER,
        f"""FROM python:3.11-slim@sha256:{"a1" * 32} AS worker
WORKDIR /srv
WORKDIR worker
COPY ["requirements.txt", "pyproject.toml", "./"]
RUN ["pip", "install", "--no-cache-dir", "-r", "requirements.txt"]
COPY --chown=1000 backend/workers/ ./backend/workers/
COPY --chown=1000 backend/shared/ ./backend/shared/
COPY config/render/ ./config/render/
COPY supabase/migrations/ ./supabase/migrations/
ENV PYTHONPATH /srv/worker
USER 1000:1000
STOPSIGNAL SIGTERM
VOLUME /tmp
HEALTHCHECK --interval=30s --timeout=30s CMD ["python", "-c", "{IMPORT}"]
ENTRYPOINT ["python"]
CMD ["backend/workers/enhanced_runner.py"]
""",
    )


@variant("V17", "the worker's image copies the whole context, less what its own .dockerignore names")
def whole_context(plan: Plan) -> None:
    write(
        plan,
        WORKER,
        f"""FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
RUN useradd --create-home app
USER app
HEALTHCHECK --interval=30s --timeout=30s CMD python3 -c "{IMPORT}"
CMD python backend/workers/enhanced_runner.py
""",
    )
    write(
        plan,
        f"{WORKER}.dockerignore",
        """# only what the worker needs
*
!backend
backend/*
!/backend/workers
!backend/shared/
!config/render/**
!supabase/migrations
!requirements.txt
!pyproject.toml
**/__pycache__
**/*.pyc
""",
    )


@variant("V18", "the worker's Dockerfile has Windows line ends, another escape character and no line end at its end")
def windows_line_ends(plan: Plan) -> None:
    text = f"""# escape=`

FROM python:3.11-slim
  WORKDIR /app
  COPY requirements.txt `
    pyproject.toml `
    # both before the sources
    ./
  RUN pip install --no-cache-dir `
    --requirement=requirements.txt
  COPY backend/workers/ ./backend/workers/
  COPY backend/shared/ ./backend/shared/
  COPY config/render/ ./config/render/
  COPY supabase/migrations/ ./supabase/migrations/
  USER 65534
  HEALTHCHECK --interval=30s `
    --timeout=30s `
    CMD python -c "{IMPORT}" || exit 1
  CMD ["python", "backend/workers/enhanced_runner.py"]"""
    write(plan, WORKER, text.replace("\n", "\r\n"))


@variant("V19", "the worker's image installs its requirements with uv, beside a pyproject.toml of Poetry")
def installed_with_uv(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        "RUN pip install --no-cache-dir -r requirements.txt",
        "RUN pip install 'uv>=0.4,<1' && uv pip install --system -r requirements.txt",
    )
    write(
        plan,
        "pyproject.toml",
        """[tool.poetry]
name = "insurance-navigator"
version = "1.0.0"
description = "API and worker"
authors = ["Team <team@example.com>"]

[tool.poetry.dependencies]
python = "^3.11"
httpx = "^0.27"

[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
""",
    )


@variant("V21", "the worker's requirements have includes, constraints, extras, markers, options and comments")
def requirements_with_everything(plan: Plan) -> None:
    write(plan, "backend/workers/base.txt", "asyncpg>=0.29,<1  # the pool\n")
    write(plan, "config/render/constraints.txt", "# upper bounds\nidna<4\ncertifi>=2023\nanyio>=3,<5\n")
    write(
        plan,
        "requirements.txt",
        """\ufeff# What the worker needs.
--prefer-binary
-r backend/workers/base.txt
-c config/render/constraints.txt

httpx >= 0.27, \\
  < 1
h11 ~= 0.14
anyio ; python_version >= "3.11"
PyJWT [crypto] (>=2.8,<3)  # brackets
colorama >=0.4 ; sys_platform == "win32"
""",
    )
    text = (plan.source / WORKER).read_text()
    moved = "RUN pip install --no-cache-dir -r requirements.txt\n"
    write(plan, WORKER, text.replace(moved, "").replace("RUN useradd", f"{moved}RUN useradd"))
