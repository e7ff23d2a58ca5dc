"""Dockerfiles are judged by what they mean, in whichever form they are written."""

from pathlib import Path

import pytest

from fixtures.dockerfile import Dockerfile, HealthCheck, expand, seconds
from fixtures.source import SourceTree
from spec import load

START = ["uvicorn", "main:app", "--port", "8000"]
STAGES = """
ARG VERSION=3.11
FROM python:${VERSION}-slim AS base
ENV PORT=8000 MODE=on
USER app
FROM base AS builder
COPY requirements.txt ./
RUN pip wheel -r requirements.txt
FROM base
COPY --from=builder /wheels /wheels
COPY --chown=app:app api backend/ ./
ADD ["main.py", "https://host/file", "./"]
EXPOSE ${PORT} 9000/udp
"""


@pytest.mark.parametrize(
    "text",
    [
        'CMD ["uvicorn", "main:app", "--port", "8000"]',
        "CMD uvicorn main:app --port 8000",
        "CMD exec uvicorn   main:app \\\n  --port ${PORT:-8000}",
        "ENV PORT=8000\nCMD uvicorn main:app --port $PORT",
        'CMD ["sh", "-c", "exec uvicorn main:app --port ${PORT:-8000}"]',
        'ENTRYPOINT ["uvicorn"]\nCMD ["main:app", "--port", "8000"]',
        'CMD ["something", "else"]\nENTRYPOINT uvicorn main:app --port 8000',
        'CMD ["first"]\n# a comment\ncmd ["uvicorn", "main:app", "--port", "8000"]',
    ],
)
def test_the_command_is_what_the_container_runs(text: str) -> None:
    assert Dockerfile("Dockerfile", f"FROM a\n{text}\n").start == START


def test_a_variable_in_json_form_is_not_filled_in() -> None:
    assert Dockerfile("Dockerfile", 'FROM a\nCMD ["run", "$PORT"]\n').start == ["run", "$PORT"]


@pytest.mark.parametrize(
    "text",
    [
        "--interval=30s --timeout=10s CMD curl -f http://localhost:8000/health",
        "--timeout=10s --retries=3 --interval=0.5m CMD curl -f http://localhost:8000/health",
        '--timeout=10s CMD ["curl", "-f", "http://localhost:8000/health"]',
        "--timeout=10s \\\n  CMD curl -f http://localhost:${PORT:-8000}/health",
    ],
)
def test_a_health_check_is_read_in_any_order(text: str) -> None:
    wanted = HealthCheck("curl -f http://localhost:8000/health", 30.0, 10.0)
    assert Dockerfile("Dockerfile", f"FROM a\nHEALTHCHECK {text}\n").health_check == wanted


@pytest.mark.parametrize("text", ["", "HEALTHCHECK NONE"])
def test_no_health_check_is_none(text: str) -> None:
    assert Dockerfile("Dockerfile", f"FROM a\n{text}\n").health_check is None


def test_the_last_stage_is_the_image() -> None:
    dockerfile = Dockerfile("Dockerfile", STAGES)
    assert dockerfile.base_image == "python:3.11-slim"
    assert [stage.name for stage in dockerfile.stages] == ["base", "builder", "2"]
    assert (dockerfile.user, dockerfile.runs_as_root) == ("app", False)
    assert dockerfile.ports == ["8000/tcp", "9000/udp"]
    assert dockerfile.variables == {"PORT": "8000", "MODE": "on"}
    assert sorted(dockerfile.copied) == ["api", "backend/", "main.py", "requirements.txt"]
    assert dockerfile.commands == ["pip wheel -r requirements.txt"]


@pytest.mark.parametrize("user", ["", "USER root", "USER 0:0", "USER app\nUSER root"])
def test_root_is_root(user: str) -> None:
    assert Dockerfile("Dockerfile", f"FROM a\n{user}\n").runs_as_root


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("${A:-x}", "a"), ("${B:-x}", "x"), ("${E:-x}", "x"), ("${E-x}", ""), ("${A:+x}", "x"), ("$A/$B", "a/")],
)
def test_variables_are_filled_in_as_a_shell_does(text: str, wanted: str) -> None:
    assert expand(text, {"A": "a", "E": ""}) == wanted


@pytest.mark.parametrize(("text", "wanted"), [("30s", 30), ("1m30s", 90), ("500ms", 0.5), ("1h", 3600)])
def test_durations(text: str, wanted: float) -> None:
    assert seconds(text) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("sources", "wanted"),
    [
        (["."], {"Dockerfile", "api/a.py", "main.py"}),
        (["api/"], {"api/a.py"}),
        (["./main.py"], {"main.py"}),
        (["*.py"], {"main.py"}),
        (["ap"], set()),
    ],
)
def test_a_copy_takes_what_docker_takes(tmp_path: Path, sources: list[str], wanted: set[str]) -> None:
    (tmp_path / "api").mkdir()
    for name in ("Dockerfile", "main.py", "api/a.py"):
        (tmp_path / name).write_text("FROM a\n")
    tree = SourceTree(tmp_path)
    assert set(tree.below(sources)) == wanted
    assert tree.dockerfile(load().services["api"]).base_image == "a"
