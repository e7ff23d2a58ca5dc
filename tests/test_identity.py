"""The guard before the first write: what looks like production, or is unknown, is never written to."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fixtures.identity import Part, refusal
from gate.exit_codes import ExitCode
from spec import load
from tests.conftest import Pytest
from tests.servers import answering
from tests.test_command_line import assert_one_line, env_file

IDENTITY = load().identity
EARLY, LATE = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
REF = "abcdefghijklmnopqrst"


def api(environment: str | None = "staging", host: str = "api.example.com") -> Part:
    """An API that says this of itself."""
    marks = [("host", host)] + ([("environment", environment)] if environment is not None else [])
    return Part("API", marks, lets_in=environment is not None)


def supabase(project: str = REF, created: datetime | None = EARLY, lets_in: bool = True) -> Part:
    """A project known by its host and keys."""
    host = f"{project}.supabase.co"
    named = {"host": project, "SUPABASE_ANON_KEY": project}
    return Part("Supabase", [("host", host), ("project", project)], named, lets_in, created)


def database(user: str = "postgres", created: datetime | None = EARLY, project: str = "") -> Part:
    """A database behind a pooler."""
    marks = [("name", "postgres"), ("user", user), ("host", "pooler.example.com")]
    return Part("database", marks, {"user": project} if project else {}, True, created)


@pytest.mark.parametrize(
    ("parts", "vouched"),
    [
        pytest.param([api(), supabase("insurance-staging"), database()], None, id="one project by its bucket"),
        pytest.param([api(), supabase("insurance-staging", None), database("staging_user", None)], None, id="each by itself"),
        pytest.param([api(), supabase(), database(project=REF)], REF, id="vouched for"),
        pytest.param([api(), supabase("other", lets_in=False), database("staging_user")], None, id="keys that are refused"),
        pytest.param([api(None, "api-staging.example.com"), supabase("x-staging"), database()], None, id="no status page"),
        pytest.param([api("Staging"), supabase("insurance-staging"), database()], None, id="with a capital"),
        pytest.param([], None, id="nothing answers"),
    ],
)
def test_staging_is_let_through(parts: list[Part], vouched: str | None) -> None:
    assert refusal(parts, IDENTITY, vouched, writes=True) is None


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        pytest.param([api("production")], "API: environment is 'production', which looks like production", id="api"),
        pytest.param([api("")], "API: not known as staging", id="api without a name"),
        pytest.param([api("qa")], "API: not known as staging", id="api of another kind"),
        pytest.param([api(), supabase("insurance-prod")], "Supabase: host is .*looks like production", id="project"),
        pytest.param([api(), supabase()], "Supabase: not known as staging .*HARNESS_STAGING_PROJECT", id="unknown project"),
        pytest.param([api(), supabase("a-staging", None), database(created=None)], "database: not known", id="no marks"),
        pytest.param([api(), supabase("a-staging"), database("staging_user", LATE)], "not one project", id="other bucket"),
        pytest.param(
            [api(), supabase("a-staging"), database(project="b-staging")], "different Supabase projects", id="other project"
        ),
        pytest.param([api(), database("live_user")], "database: user is 'live_user'", id="user"),
    ],
)  # fmt: skip
def test_anything_else_is_not(parts: list[Part], wanted: str) -> None:
    reason = refusal(parts, IDENTITY, None, writes=True)
    assert reason is not None
    assert re.search(wanted, reason), reason


def test_a_run_that_only_reads_stops_at_production_alone() -> None:
    assert refusal([api("qa"), supabase()], IDENTITY, None, writes=False) is None
    assert refusal([api("production")], IDENTITY, None, writes=False) is not None


def test_a_listed_project_is_known() -> None:
    known = IDENTITY.model_copy(update={"projects": [REF]})
    assert refusal([api(), supabase(), database()], known, None, writes=True) is None


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [("production", "API: environment is 'production'"), ("elsewhere", "API: not known as staging")],
)
def test_nothing_is_written_before_the_identity_is_known(gate: Pytest, tmp_path: Path, environment: str, wanted: str) -> None:
    asked: list[str] = []

    def answer(method: str, path: str, body: object) -> tuple[int, object]:
        asked.append(method)
        return 200, {"environment": environment, "status": "ok"}

    with answering(answer) as url:
        keys = {"SUPABASE_ANON_KEY": "x" * 40, "SUPABASE_SERVICE_ROLE_KEY": "y" * 40}
        path = env_file(tmp_path, API_BASE_URL=url, SUPABASE_URL=url, DATABASE_URL="postgresql://u:p@127.0.0.1:9/x", **keys)
        done = gate("-m", "postdeploy", "--target", "live", "--env-file", str(path))
    assert done.returncode == ExitCode.USAGE, done.stdout
    assert_one_line(done.stdout + done.stderr, wanted)
    assert set(asked) == {"GET"}
    assert not (tmp_path / "out" / "verdict.json").exists()
