"""Whether a release builds a service anew, from two commits of a checkout."""

import subprocess
from pathlib import Path

import pytest

from fixtures.build_filter import BuildFilter
from fixtures.commits import changed_files
from fixtures.engine import Engine, image_named_by
from fixtures.rebuilds import Rebuild
from gate.failures import NotConfigured


def git(folder: Path, *words: str) -> None:
    """Run git in a folder, as nobody."""
    who = ["-c", "user.name=tester", "-c", "user.email=tester@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with two commits: a file of a service is changed, one is renamed, one is new."""
    git(tmp_path, "init", "-q")
    (tmp_path / "release" / "lib").mkdir(parents=True)
    for name in ("main.py", "lib/a.py", "old.md"):
        (tmp_path / "release" / name).write_text(f"# {name}\n")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "one")
    (tmp_path / "release" / "lib" / "a.py").write_text("# changed\n")
    (tmp_path / "release" / "old.md").rename(tmp_path / "release" / "new.md")
    (tmp_path / "beside.txt").touch()
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "two")
    return tmp_path / "release"


def test_both_names_of_a_renamed_file_are_changed_and_what_lies_beside_is_not_seen(checkout: Path) -> None:
    assert sorted(changed_files(checkout, "HEAD~1..HEAD")) == ["lib/a.py", "new.md", "old.md"]


@pytest.mark.parametrize("commits", ["nothing..HEAD", "--output=/tmp/x"])
def test_unknown_commits_are_not_judged(checkout: Path, commits: str) -> None:
    with pytest.raises(NotConfigured):
        changed_files(checkout, commits)


@pytest.mark.parametrize(
    ("included", "ignored", "is_missed"),
    [([], [], False), (["main.py"], [], True), (["main.py", "*.md"], [], False), ([], ["lib/**", "*.md"], True)],
)
def test_a_service_that_changes_and_is_not_built_is_missed(included: list[str], ignored: list[str], is_missed: bool) -> None:
    changed = ["lib/a.py", "new.md"]
    found = Rebuild.of("api", changed, BuildFilter(included, ignored), ["main.py", "lib/a.py"])
    assert found.is_missed is is_missed
    assert ("NOT rebuilt" in str(found)) is is_missed


def test_a_release_that_does_not_change_a_service_may_leave_it() -> None:
    found = Rebuild.of("api", ["docs/a.md"], BuildFilter(["main.py"]), ["main.py"])
    assert not found.is_missed
    assert str(found) == "api: is not rebuilt"


ENGINE = """#!/bin/sh
case "$1" in
  info) exit 0 ;;
  image) echo '[{"Size": 2000000}]' ;;
  build) [ "$2" = "-t" ] && [ "$5" = "--quiet" ] ;;
  run) echo "ran $7 $8" ;;
esac
"""


def test_an_engine_builds_by_the_specifications_command_and_tries_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "podman"
    program.write_text(ENGINE)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    engine = Engine(10)
    assert engine.build("docker build -t name .", tmp_path).returncode == 0
    assert engine.megabytes("name") == 2
    assert engine.try_command("name", ["python", "-c", "x"]).stdout.strip() == "ran name -c"


def test_without_an_engine_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match="no container engine"):
        Engine(10)


@pytest.mark.parametrize(
    ("command", "name"), [("docker build -t a .", "a"), ("docker build --tag b -f D .", "b"), ("make", "")]
)
def test_the_image_is_named_by_the_build_command(command: str, name: str) -> None:
    assert image_named_by(command) == name
