"""python -m gate.setup: what it reads, tries, refuses and writes; nothing that is secret is ever shown."""

import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gate import env_file
from gate.env_file import line_of, merged
from gate.settings import read_env_file
from proof.targets import Target, running
from tests.conftest import ROOT, without_settings

COMMAND = [sys.executable, "-m", "gate.setup"]
SECONDS = 60
VALUES = (
    "plain",
    "with space",
    "it's",
    'a "quote"',
    "back\\slash",
    "two\nlines",
    "",
    "postgresql://u:p%40w@h:5432/d?x=1&y=2",
    "#no",
    "$HOME",
)


@pytest.fixture(scope="module")
def twin() -> Iterator[Target]:
    """A healthy twin as a live target."""
    with running() as target:
        yield target


def setup(*arguments: object, **env: str) -> "subprocess.CompletedProcess[str]":
    """The command with closed stdin."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT, env=without_settings() | env, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=SECONDS,
    )  # fmt: skip


def given(folder: Path, twin: Target, *left_out: str, **changed: str) -> Path:
    """An env file of the twin without some settings, others changed."""
    path = folder / "given.env"
    values = {name: value for name, value in twin.values.items() if name not in left_out} | changed
    path.write_text("".join(line_of(name, value) for name, value in values.items()))
    return path


# ── the file ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_read_as_it_was_written(tmp_path: Path, value: str) -> None:
    file = tmp_path / "x.env"
    assert env_file.write(file, {"A": "before", "NAME": value})
    assert read_env_file(file) == {"A": "before", "NAME": value}
    assert env_file.mode_of(file) == 0o600


def test_lines_that_are_not_set_are_kept() -> None:
    text = "# ours\nA=1\nexport B='two'\n\nOTHER=x y\nA_LONGER=3"
    assert merged(text, {"A": "1", "B": "two", "A_LONGER": "3"}, {"B": "2", "A": "1", "C": "new"}) == (
        "# ours\nA=1\nB=2\n\nOTHER=x y\nA_LONGER=3\nC=new\n"
    )


def test_a_value_on_several_lines_is_overruled_at_the_end(tmp_path: Path) -> None:
    file = tmp_path / "x.env"
    file.write_text('KEY="one\ntwo"\nB=2\n')
    env_file.write(file, {"KEY": "new"})
    assert read_env_file(file) == {"KEY": "new", "B": "2"}


def test_a_file_that_others_could_read_is_closed(tmp_path: Path) -> None:
    file = tmp_path / "x.env"
    file.write_text("A=1\n")
    file.chmod(0o644)
    assert not env_file.write(file, {"A": "1"})
    assert env_file.mode_of(file) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["x.env"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.env", tmp_path / "x.env"
    real.write_text("A=1\n")
    link.symlink_to(real)
    env_file.write(link, {"A": "2"})
    assert link.is_symlink()
    assert read_env_file(real) == {"A": "2"}


# ── without a terminal ───────────────────────────────────────────────────────────────────────────────────


def test_what_is_missing_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    done = setup("--env-file", tmp_path / "x.env")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.count("\n") == 1
    assert "API_BASE_URL is missing" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["DATABASE_URL", "SUPABASE_URL"])
def test_production_is_refused_by_name(tmp_path: Path, name: str) -> None:
    scheme = "postgresql://u:a-long-password@" if name == "DATABASE_URL" else "https://"
    values = {"API_BASE_URL": "http://127.0.0.1:9", name: f"{scheme}production.example.com:5432/x"}
    done = setup("--env-file", tmp_path / "x.env", **values)
    assert done.returncode == 4
    assert f"{name}: looks like production" in done.stderr
    assert "a-long-password" not in done.stdout + done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.twin
def test_everything_is_tried_and_written(tmp_path: Path, twin: Target) -> None:
    file = tmp_path / "x.env"
    done = setup("--env-file", file, "--from", twin.env_file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": valid\n") >= 10
    assert not re.search(": (refused|unreachable)", done.stdout)
    assert read_env_file(file).items() >= {(name, value) for name, value in twin.values.items() if value}
    assert env_file.mode_of(file) == 0o600
    shown = [name for name, value in twin.values.items() if "KEY" in name and value in done.stdout + done.stderr]
    assert not shown


@pytest.mark.twin
def test_a_key_of_the_host_is_enough(tmp_path: Path, twin: Target) -> None:
    file = tmp_path / "x.env"
    known = {name: twin.values[name] for name in ("RENDER_API_KEY", "RENDER_BASE_URL", "HARNESS_CA_FILE")}
    done = setup("--env-file", file, **known)
    assert done.returncode == 0, done.stdout + done.stderr
    found = read_env_file(file)
    assert found["DATABASE_URL"] == twin.values["DATABASE_URL"]
    assert read_env_file(Path(found["HARNESS_WORKER_ENV_FILE"])) == read_env_file(twin.worker_file)
    assert "without SUPABASE_JWT_SECRET: " in done.stdout
    assert {env_file.mode_of(path) for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.twin
def test_a_refused_key_and_a_dead_address_are_told_apart(tmp_path: Path, twin: Target) -> None:
    wrong = given(tmp_path, twin, OPENAI_API_KEY="sk-no-key-of-anybody-0123456789", LLAMAPARSE_BASE_URL="http://127.0.0.1:9")
    done = setup("--env-file", tmp_path / "x.env", "--from", wrong)
    assert done.returncode == 1
    assert "OPENAI_API_KEY: refused" in done.stdout
    assert "LLAMAPARSE_API_KEY: unreachable" in done.stdout
    assert "to mend before a run: OPENAI_API_KEY is refused" in done.stdout
    assert "no-key-of-anybody" not in done.stdout


@pytest.mark.twin
def test_a_wrong_password_is_refused_and_not_shown(tmp_path: Path, twin: Target) -> None:
    url = twin.values["DATABASE_URL"].replace(twin.values["SUPABASE_DB_PASSWORD"], "another-long-word")
    done = setup("--env-file", tmp_path / "x.env", "--from", given(tmp_path, twin, "RENDER_API_KEY", DATABASE_URL=url))
    assert "DATABASE_URL: refused" in done.stdout
    assert "another-long-word" not in done.stdout + done.stderr


@pytest.mark.twin
def test_an_existing_file_is_only_written_with_consent(tmp_path: Path, twin: Target) -> None:
    file = tmp_path / "x.env"
    file.write_text("# mine\nTHEIRS=kept\n")
    few = given(tmp_path, twin, "RENDER_API_KEY", *(name for name in twin.values if name.startswith("SUPABASE")))
    refused = setup("--env-file", file, "--from", few)
    assert refused.returncode == 4
    assert "--yes" in refused.stderr
    assert file.read_text() == "# mine\nTHEIRS=kept\n"
    written = setup("--env-file", file, "--from", few, "--yes")
    assert written.returncode == 0, written.stdout + written.stderr
    assert file.read_text().startswith("# mine\nTHEIRS=kept\n")
    assert read_env_file(file)["DATABASE_URL"] == twin.values["DATABASE_URL"]


# ── on a terminal ────────────────────────────────────────────────────────────────────────────────────────


def replies_to(arguments: list[object], replies: dict[str, str], env: dict[str, str]) -> tuple[int, str]:
    """Exit code and terminal of the command; each question that begins with a name gets its reply, others an empty one."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(ROOT)
        os.execve(sys.executable, [*COMMAND, *map(str, arguments)], without_settings() | env)
    shown, seen, deadline = "", 0, time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            shown += os.read(terminal, 4096).decode()
        except OSError:
            break
        line = shown[seen:].rpartition("\n")[2]
        if line.endswith((": ", "[y/N] ")):
            seen = len(shown)
            os.write(terminal, (replies.get(line.split(maxsplit=1)[0].rstrip(":"), "") + "\n").encode())
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), shown


@pytest.mark.twin
def test_questions_are_asked_and_secrets_are_not_echoed(tmp_path: Path, twin: Target) -> None:
    names = ("API_BASE_URL", "DATABASE_URL", "OPENAI_API_KEY")
    known = {name: twin.values[name] for name in ("HARNESS_CA_FILE", "OPENAI_BASE_URL")}
    file = tmp_path / "x.env"
    code, shown = replies_to(["--env-file", file], {name: twin.values[name] for name in names}, known)
    assert code == 0, shown
    assert "OPENAI_API_KEY: valid" in shown
    assert twin.values["API_BASE_URL"] in shown
    for name in names[1:]:
        assert twin.values[name] not in shown
    assert {name: read_env_file(file)[name] for name in names} == {name: twin.values[name] for name in names}
    assert "without SUPABASE_URL: " in shown
