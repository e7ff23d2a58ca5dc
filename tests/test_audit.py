"""The configuration audit: complete and right from far away, without a key from render.yaml, and never with a secret in it."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.audit import Audit, Gathering
from fixtures.audit_rows import Audited, Row, Verdict
from fixtures.platform_settings import OWN
from gate.failures import Failure, NotConfigured
from proof.drift_kinds import single_drifts
from spec import load
from tests.account import KEY, Account, account
from tests.audited import audited, findings_of, healthy, session_on

SPEC = load()
API, WORKER = "srv-twinapi", "srv-twinworker"
GROUPS = {
    "staging-shared": {"services": [API, WORKER], "keys": ["DATABASE_URL", "OPENAI_API_KEY", "ENVIRONMENT", "LOG_LEVEL"]},
    "staging-worker": {"services": [WORKER], "keys": ["WORKER_POLL_INTERVAL", "WORKER_MAX_RETRIES"]},
    "staging-api": {"services": [API], "keys": ["CORS_ORIGINS"], "files": {"notes.txt": "nothing"}},
} | {f"other-{number}": {"services": [], "keys": []} for number in range(9)}
# 300 ms away, small pages, few requests in a window, and every ninth read fails.
FAR = {
    "render_delay": 0.3,
    "render_page": 4,
    "render_limits": {"read": 25},
    "render_window": 6,
    "render_flaky": 9,
    "render_neighbours": 12,
    "render_groups": GROUPS,
}


@pytest.fixture(scope="module")
def render(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Render's double."""
    with account(healthy(tmp_path_factory.mktemp("account"))) as one:
        yield one


def places(found: Audited) -> dict[tuple[str, str], str]:
    """Where each variable of each service comes from."""
    return {(row.service, row.name): row.place for row in found.rows if row.kind == "variable"}


def test_it_is_complete_and_right_from_far_away(render: Account, tmp_path: Path) -> None:
    near = audited(healthy(tmp_path, render_groups=GROUPS), tmp_path, render)
    began = time.monotonic()
    far = audited(healthy(tmp_path, **FAR), tmp_path, render)
    spent = time.monotonic() - began
    seen = [[(row.key, row.verdict, row.place) for row in found.rows] for found in (near, far)]
    assert seen[0] == seen[1]
    assert [row for row in far.rows if row.fails] == []
    assert {repeat.split(": ")[1].split(",")[0] for repeat in far.repeats} >= {"429", "503", "http.incomplete"}
    assert spent < 60
    assert places(far)["api", "CORS_ORIGINS"] == "group staging-api"
    assert places(far)["worker", "WORKER_POLL_INTERVAL"] == "group staging-worker"
    assert far.sources["api"][:1] == ["Render"]


def test_a_drift_is_one_row_from_far_away_too(render: Account, tmp_path: Path) -> None:
    drift = next(one for one in single_drifts(SPEC, 15) if one.way == "changed" and one.key[0] == "variable")
    found = audited(healthy(tmp_path, **FAR, **drift.behaviour), tmp_path, render)
    assert [row.key for row in found.rows if row.fails] == [drift.key]
    assert len(findings_of(found.rows)) == 1


def test_no_secret_stands_in_it(render: Account, tmp_path: Path) -> None:
    extra = {
        "render_variables": {API: {"UNKNOWN": "a-word-of-somebody"}},
        "render_files": {API: {"notes.txt": "a-word-of-a-file"}},
    }
    config = healthy(tmp_path, **extra)
    text = audited(config, tmp_path, render).to_json()
    hidden = [v for name, v in config.operator_env.items() if name.endswith(("_KEY", "_PASSWORD", "_SECRET", "DATABASE_URL"))]
    assert [value for value in (*hidden, "a-word-of-somebody", "a-word-of-a-file") if value in text] == []


def test_equal_secrets_look_equal_and_each_audit_has_its_own_salt(render: Account, tmp_path: Path) -> None:
    config = healthy(tmp_path)
    first, second = (audited(config, tmp_path, render) for _ in range(2))
    row, other = (found.row("variable", "api", "SERVICE_ROLE_KEY") for found in (first, second))
    same = first.row("variable", "worker", "SUPABASE_SERVICE_ROLE_KEY")
    assert row is not None
    assert other is not None
    assert same is not None
    assert row.platform == row.env_file == same.platform
    assert row.platform != other.platform


def test_a_place_that_loses_is_named(render: Account, tmp_path: Path) -> None:
    group = {"render_groups": {"staging-old": {"services": [API], "keys": [], "values": {"LOG_LEVEL": "DEBUG"}}}}
    row = audited(healthy(tmp_path, **group), tmp_path, render).row("variable", "api", "LOG_LEVEL")
    assert row is not None
    assert (row.verdict, row.place) == (Verdict.EQUAL, OWN)
    assert "group staging-old" in row.note


def test_services_that_disagree_where_no_env_file_decides(render: Account, tmp_path: Path) -> None:
    config = healthy(tmp_path, render_variables={WORKER: {"OPENAI_API_KEY": "another-key-of-a-test-0123456789"}})
    for env in (config.worker_env, config.operator_env):
        env.pop("OPENAI_API_KEY")
    found = audited(config, tmp_path, render)
    assert [row.key for row in found.rows if row.fails] == [("variable", "worker", "OPENAI_API_KEY")]


def test_a_red_row_that_is_run_again_is_read_again(render: Account, tmp_path: Path) -> None:
    broken = healthy(tmp_path, render={f"{API}.serviceDetails.plan": "free"})
    render.use(broken)
    with session_on(broken, tmp_path, render.url) as session:
        audit = Audit(session)
        with pytest.raises(Failure):
            audit.require("detail", "api", "plan")
        render.use(replace(broken, behaviour={}))
        audit.require("detail", "api", "plan")


def test_without_a_key_and_without_a_description_nothing_is_judged(render: Account, tmp_path: Path) -> None:
    with (
        session_on(healthy(tmp_path), tmp_path, render.url, RENDER_API_KEY="") as session,
        pytest.raises(NotConfigured) as found,
    ):
        Audit(session).require("detail", "api", "plan")
    assert found.value.setting == "RENDER_API_KEY"


def test_a_key_that_is_refused_is_a_failure_of_the_key(render: Account, tmp_path: Path) -> None:
    render.use(healthy(tmp_path))
    with (
        session_on(healthy(tmp_path), tmp_path, render.url, RENDER_API_KEY=f"not-{KEY}") as session,
        pytest.raises(Failure) as found,
    ):
        Gathering(session).audited()
    assert found.value.code == "key.refused"


def of(found: Audited, kind: str, name: str) -> Row:
    """The row of a setting of the API."""
    row = found.row(kind, "api", name)
    assert row is not None
    return row
