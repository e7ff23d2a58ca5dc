"""What can be updated: images by their version, dependencies by what the index offers, keys by what they say of themselves."""

from __future__ import annotations

import json
import time
from datetime import date
from pathlib import Path

import jwt
import pytest
from packaging.requirements import Requirement

from fixtures import package_index, updates
from fixtures.image_versions import ImageVersion
from fixtures.updates import DAY, Row, Updates, format_rows
from gate.exit_codes import ExitCode
from tests.recorded import SPEC, a_session

SUPPORTED = {"python:3.11": date(2027, 10, 31), "python:3": date(2030, 1, 1), "node:22": date(2027, 4, 30)}
SECRET = "a-secret-of-a-test-that-is-long-enough"


@pytest.mark.parametrize(
    ("text", "name", "version", "until"),
    [
        ("python:3.11-slim", "python", "3.11", date(2027, 10, 31)),
        ("docker.io/library/python:3.11.9-slim-bookworm@sha256:aa", "python", "3.11.9", date(2027, 10, 31)),
        ("library/python:3", "python", "3", date(2030, 1, 1)),
        ("python:3.8", "python", "3.8", date(2030, 1, 1)),
        ("node:v22-alpine", "node", "22", date(2027, 4, 30)),
        ("registry.test:5000/team/python:3.11", "registry.test:5000/team/python", "3.11", None),
        ("python", "python", "", None),
        ("python@sha256:aa", "python", "", None),
        ("python:latest", "python", "", None),
        ("scratch", "scratch", "", None),
    ],
)
def test_an_image_is_known_by_name_and_version(text: str, name: str, version: str, until: date | None) -> None:
    image = ImageVersion.of(text)
    assert (image.name, image.version) == (name, version)
    assert image.supported_until(SUPPORTED) == until


def test_a_port_of_a_registry_is_no_tag() -> None:
    assert ImageVersion.of("registry.test:5000/python").tag == "latest"
    assert ImageVersion.of("python@sha256:aa") == ImageVersion("python", "", "", "sha256:aa")


def a_release(folder: Path, image: str = "python:3.11-slim") -> Path:
    """The source tree of a release with both services and one migration."""
    for service in SPEC.services.values():
        for path, text in (
            (service.dockerfile_path, f"FROM {image}\n"),
            (service.requirements, "httpx>=0.27,<1\nopenai==1.0\n"),
        ):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
    return folder


def rows(folder: Path, monkeypatch: pytest.MonkeyPatch, **values: str) -> dict[tuple[str, str], Row]:
    """The rows of a release, whose dependencies the index offers in these versions."""
    offered = {"httpx": "0.28.1", "openai": "2.1.0"}
    monkeypatch.setattr(updates, "newest", lambda names, seconds: {name: offered[name] for name in names if name in offered})
    session = a_session(folder, HARNESS_SOURCE_TREE=str(a_release(folder / "tree")), **values)
    return {(row.kind, row.name): row for row in Updates(session).rows()}


def a_key(age_days: float, left_days: float | None) -> str:
    """A project's key of this age."""
    now = int(time.time())
    ends = {} if left_days is None else {"exp": int(now + left_days * DAY)}
    return jwt.encode({"role": "anon", "iat": int(now - age_days * DAY)} | ends, SECRET, algorithm="HS256")


def test_each_row_says_whether_it_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = rows(
        tmp_path,
        monkeypatch,
        SUPABASE_ANON_KEY=a_key(10, 5.5),
        SUPABASE_SERVICE_ROLE_KEY="sb_secret_of-a-test",
    )
    assert (found["dependency", "httpx"].state, found["dependency", "httpx"].newest) == ("current", "0.28.1")
    assert (found["dependency", "openai"].state, found["dependency", "openai"].now) == ("behind", "==1.0")
    image = found["image", "api"]
    assert (image.now, image.state) == ("python:3.11-slim", "current")
    anon = found["key", "SUPABASE_ANON_KEY"]
    assert (anon.state, anon.days, anon.now) == ("due", 5, "10 days old")
    assert found["key", "SUPABASE_SERVICE_ROLE_KEY"].state == "unknown"
    # The target does not answer.
    assert found["certificate", SPEC.tls.hosts[0].name].state == found["migration", "all"].state == "unknown"
    table = format_rows(list(found.values()))
    assert "sb_secret" not in table
    assert table.count("\n") == len(found) - 1


@pytest.mark.parametrize(
    ("age", "left", "state"),
    [(10, None, "current"), (800, None, "due"), (800, 4000, "due"), (10, 31, "current"), (10, -3, "due")],
)
def test_a_key_is_due_by_age_and_by_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age: float, left: float | None, state: str
) -> None:
    assert rows(tmp_path, monkeypatch, SUPABASE_ANON_KEY=a_key(age, left))["key", "SUPABASE_ANON_KEY"].state == state


def test_without_a_checkout_images_and_dependencies_are_unknown(tmp_path: Path) -> None:
    found = {row.kind: row for row in Updates(a_session(tmp_path)).rows()}
    assert found["image"].state == found["dependency"].state == "unknown"
    assert "HARNESS_SOURCE_TREE" in found["image"].note


@pytest.mark.parametrize(
    ("text", "latest", "state"),
    [("a>=1,<2", "1.9", "current"), ("a>=1,<2", "2.0", "behind"), ("a", "9", "current"), ("a==1", "", "unknown")],
)
def test_a_dependency_is_behind_where_it_keeps_the_newest_out(text: str, latest: str, state: str) -> None:
    assert updates._allows(Requirement(text), latest) == state


def test_one_unknown_name_does_not_spoil_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []

    def asked(names: list[str], seconds: float) -> dict[str, str]:
        calls.append(names)
        return {} if "of-nobody" in names else dict.fromkeys(names, "1.0")

    monkeypatch.setattr(package_index, "_asked", asked)
    assert package_index.newest(["b", "A", "of_nobody", "c"], 60) == {"a": "1.0", "b": "1.0", "c": "1.0"}
    assert len(calls) <= 5
    assert package_index.newest([], 60) == {}
    assert package_index.newest(["a"], 0) == {}


def test_the_report_is_a_table_and_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updates, "newest", lambda names, seconds: {})
    env = tmp_path / "target.env"
    env.write_text("API_BASE_URL=http://127.0.0.1:9\nDATABASE_URL=postgresql://a:a-long-password@127.0.0.1:9/staging\n")
    assert updates.main(["--env-file", str(env), "--out", str(tmp_path / "out")]) == ExitCode.PASS
    written = json.loads((tmp_path / "out" / "updates.json").read_text())
    assert {row["kind"] for row in written} == {"image", "dependency", "key", "certificate", "migration"}
    shown = capsys.readouterr().out
    assert "a-long-password" not in shown
    assert len(shown.splitlines()) == len(written)
    assert updates.main(["--env-file", str(tmp_path / "none.env")]) == ExitCode.USAGE
