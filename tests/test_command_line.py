"""Bad input gives one clear line and its exit code, before anything is written."""

import re
import socket
from pathlib import Path

import pytest

from gate.exit_codes import ExitCode
from tests.conftest import Pytest


def env_file(folder: Path, **values: str) -> Path:
    """An env file of a live target on this machine."""
    path = folder / "x.env"
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    return path


@pytest.fixture
def closed_port() -> int:
    """A port that is not in use."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def assert_one_line(text: str, wanted: str) -> None:
    """The message stands on one line, and nothing looks like a traceback."""
    lines = [line for line in text.splitlines() if line.startswith("ERROR")]
    assert len(lines) == 1, text
    assert re.search(wanted, lines[0]), lines
    assert "Traceback" not in text


def test_an_unknown_fault(gate: Pytest) -> None:
    done = gate("-m", "predeploy", "--target", "twin", "--fault", "F99")
    assert done.returncode == ExitCode.USAGE
    assert_one_line(done.stdout + done.stderr, "unknown fault 'F99'")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"DATABASE_URL": "postgresql://u:p@127.0.0.1:9/x"}, "API_BASE_URL is missing"),
        ({"API_BASE_URL": "127.0.0.1:8000"}, "API_BASE_URL: not a URL"),
        ({"API_BASE_URL": "https://127.0.0.1:9", "DATABASE_URL": "nonsense"}, "DATABASE_URL: not a URL"),
        ({"API_BASE_URL": "https://127.0.0.1:9"}, "DATABASE_URL, SUPABASE_URL, .*SERVICE_ROLE_KEY: missing"),
        ({"API_BASE_URL": "https://api.production.example.com", "DATABASE_URL": "postgresql://u:p@h:1/x",
          "SUPABASE_URL": "https://h"}, "API_BASE_URL: looks like production"),
    ],
)  # fmt: skip
def test_a_wrong_setting(gate: Pytest, tmp_path: Path, values: dict[str, str], message: str) -> None:
    done = gate("-m", "postdeploy", "--target", "live", "--strict", "--env-file", str(env_file(tmp_path, **values)))
    assert done.returncode == ExitCode.USAGE, done.stdout
    assert_one_line(done.stdout + done.stderr, message)
    assert not (tmp_path / "out").exists()


def test_a_missing_env_file(gate: Pytest, tmp_path: Path) -> None:
    done = gate("--target", "live", "--env-file", str(tmp_path / "nowhere.env"))
    assert done.returncode == ExitCode.USAGE
    assert_one_line(done.stdout + done.stderr, "nowhere.env: cannot be read")


def test_a_fault_on_a_live_target(gate: Pytest, tmp_path: Path) -> None:
    path = env_file(tmp_path, API_BASE_URL="https://127.0.0.1:9")
    done = gate("--target", "live", "--fault", "F01", "--env-file", str(path))
    assert done.returncode == ExitCode.USAGE
    assert_one_line(done.stdout + done.stderr, "--fault breaks the twin only")


def test_a_broken_specification(gate: Pytest, tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("[meta]\nname = 1\n")
    done = gate("--spec", str(path))
    assert done.returncode == ExitCode.USAGE
    assert_one_line(done.stdout + done.stderr, r"broken\.toml: meta")


def test_an_unreachable_host(gate: Pytest, tmp_path: Path, closed_port: int) -> None:
    base = f"127.0.0.1:{closed_port}"
    path = env_file(
        tmp_path,
        API_BASE_URL=f"https://{base}",
        SUPABASE_URL=f"https://{base}",
        DATABASE_URL=f"postgresql://staging_user:a-long-password@{base}/staging_db",
        SUPABASE_ANON_KEY="x" * 40,
        SUPABASE_SERVICE_ROLE_KEY="y" * 40,
        OPENAI_BASE_URL=f"https://{base}",
        LLAMAPARSE_BASE_URL=f"https://{base}",
        OPENAI_API_KEY="z" * 40,
        LLAMAPARSE_API_KEY="w" * 40,
        RENDER_API_KEY="r" * 40,
        RENDER_BASE_URL=f"https://{base}",
    )
    done = gate("-m", "postdeploy", "--target", "live", "--strict", "--env-file", str(path))
    assert done.returncode == ExitCode.BLOCKED, done.stdout
    assert "Traceback" not in done.stdout
    assert "verdict    BLOCKED" in done.stdout
    assert "a-long-password" not in done.stdout
