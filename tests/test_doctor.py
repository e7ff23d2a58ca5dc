"""python -m gate.doctor: what works from here, in about ten lines and less than ten seconds."""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from gate import doctor, symptoms
from gate.env_file import line_of
from gate.symptoms import Symptom
from proof.targets import Target, running
from tests.conftest import ROOT, without_settings

MOST_LINES = 16


@pytest.fixture(scope="module")
def twin() -> Iterator[Target]:
    """A healthy twin as a live target."""
    with running() as target:
        yield target


def examined(*arguments: object, **env: str) -> "subprocess.CompletedProcess[str]":
    """The command in a process of its own."""
    command = [sys.executable, "-m", "gate.doctor", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=without_settings() | env, capture_output=True, text=True, timeout=60)


def file_of(folder: Path, twin: Target, **changed: str) -> Path:
    """The twin's env file with other values."""
    path = folder / "x.env"
    path.touch(0o600)
    path.write_text("".join(line_of(name, value) for name, value in (twin.values | changed).items()))
    return path


def states(found: Iterable[Symptom]) -> list[str]:
    return [symptom.state for symptom in found]


def test_a_file_that_others_may_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "x.env"
    assert states(symptoms.env_file(file)) == ["no"]
    file.touch(0o640)
    assert states(symptoms.env_file(file)) == ["--"]
    file.chmod(0o600)
    assert states(symptoms.env_file(file)) == ["ok"]


def test_a_host_without_an_address_is_named() -> None:
    assert states(symptoms.names([("localhost", 443)])) == ["ok"]
    (found,) = symptoms.names([("localhost", 443), ("nowhere.invalid", 443)])
    assert (found.state, "nowhere.invalid" in found.text) == ("no", True)


def test_an_address_that_cannot_be_reached_from_here_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 5432, 0, 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    for works, state in ((True, "ok"), (False, "no")):
        monkeypatch.setattr(symptoms, "_has_ipv6", lambda works=works: works)
        assert states(symptoms.names([("db.staging.example", 5432)])) == [state]


def test_a_full_disk_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert states(symptoms.disk()) == ["ok"]
    monkeypatch.setattr(symptoms, "NEEDED_MEGABYTES", 10**9)
    assert states(symptoms.disk()) == ["no"]


def test_a_probe_that_hangs_is_not_waited_for() -> None:
    def hangs() -> Iterable[Symptom]:
        time.sleep(5)
        return []

    def breaks() -> Iterable[Symptom]:
        raise OSError("gone")

    started = time.monotonic()
    found = doctor._all([hangs, breaks, symptoms.disk], 0.3)
    assert time.monotonic() - started < 4.5
    assert [(symptom.state, symptom.name) for symptom in found] == [("--", "hangs"), ("no", "breaks"), ("ok", "disk")]


@pytest.mark.twin
def test_nothing_is_needed_for_the_twin() -> None:
    done = examined("--target", "twin")
    assert done.returncode == 0, done.stdout
    assert "a gate run works from here" in done.stdout
    assert "PostgreSQL 18" in done.stdout


@pytest.mark.twin
def test_a_right_target_is_ready(twin: Target) -> None:
    done = examined("--env-file", twin.env_file)
    assert done.returncode == 0, done.stdout
    assert re.search(r"(\d\d) of \1 settings are accepted", done.stdout)
    assert len(done.stdout.splitlines()) <= MOST_LINES


@pytest.mark.twin
@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"OPENAI_API_KEY": "sk-no-key-of-anybody-0123456789"}, "no  parts       OPENAI_API_KEY: refused"),
        ({"API_BASE_URL": "https://127.0.0.1:9"}, "no  parts       API_BASE_URL: unreachable"),
        ({"API_BASE_URL": "https://api.staging.invalid"}, "no  names       no address for api.staging.invalid"),
        ({"SUPABASE_DB_HOST": "production-db"}, "no  settings    SUPABASE_DB_HOST: looks like production"),
        ({"API_BASE_URL": ""}, "no  settings    API_BASE_URL is missing"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_does_not_work_is_named(tmp_path: Path, twin: Target, changed: dict[str, str], line: str) -> None:
    done = examined("--env-file", file_of(tmp_path, twin, **changed))
    assert done.returncode == 1, done.stdout
    assert line in done.stdout
    assert "no-key-of-anybody" not in done.stdout + done.stderr
    assert "does not work from here yet" in done.stdout
