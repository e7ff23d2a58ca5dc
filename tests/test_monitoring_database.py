"""The database's figures: its statistics, statements within the watched time, the queue without the harness's jobs."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.database import Database
from fixtures.monitoring_database import DatabaseMonitoring
from fixtures.statistics_rows import Statement, StatisticsRows
from fixtures.watch import Watch, Watched
from gate.embedded import EmbeddedTwin
from gate.failures import Failure, NotConfigured
from gate.session import Session
from gate.settings import read_env_file
from tests.recorded import a_session

UPDATE = "UPDATE upload_jobs SET state = $1 WHERE job_id = $2"


def monitored(folder: Path, **watched: object) -> DatabaseMonitoring:
    """Monitoring of a database that does not answer, after this was watched."""
    session = a_session(folder)
    session.memo["watched"] = Watched(**watched)  # type: ignore[arg-type]
    return DatabaseMonitoring(Database(session), Watch(session))


def statements(calls: int, milliseconds: float) -> dict[int, Statement]:
    """Statistics of one statement."""
    return {1: Statement(UPDATE, calls, milliseconds)}


def test_without_statistics_statements_are_not_judged(tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="pg_stat_statements"):
        monitored(tmp_path).hold_statement_mean()


def test_a_statement_that_was_slow_while_it_was_watched_is_named(tmp_path: Path) -> None:
    found = monitored(tmp_path, view="v", before=statements(10_000, 10_000.0), after=statements(10_005, 17_500.0))
    with pytest.raises(Failure) as caught:
        found.hold_statement_mean()
    assert caught.value.subject == "statement UPDATE upload_jobs"
    assert caught.value.observed["value"] == 1500


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(statements(50, 500_000.0), id="slow once, not called any more"),
        pytest.param(statements(52, 520_000.0), id="called too seldom"),
    ],
)
def test_what_was_slow_before_is_not_judged(tmp_path: Path, after: dict[int, Statement]) -> None:
    with pytest.raises(pytest.skip.Exception, match="NOT APPLICABLE"):
        monitored(tmp_path, view="v", before=statements(50, 500_000.0), after=after).hold_statement_mean()


def test_what_was_slow_before_and_is_fast_now_is_right(tmp_path: Path) -> None:
    monitored(tmp_path, view="v", before=statements(50, 500_000.0), after=statements(90, 500_400.0)).hold_statement_mean()


def row(**values: float | str | None) -> dict[str, float | str | None]:
    """What was read of the sessions at one moment."""
    return {"lock_wait": None, "idle": None, "active": None, "statement": None} | values


def test_the_longest_waits_of_all_moments_count(tmp_path: Path) -> None:
    seen = [row(), row(lock_wait=7.0, idle=400.0, active=16.0, statement="SELECT 1 FROM documents"), row(active=1.0)]
    found = monitored(tmp_path, sessions=seen)
    for check in (found.hold_lock_wait, found.hold_idle_in_transaction, found.hold_statement_longest):
        with pytest.raises(Failure):
            check()
    quiet = monitored(tmp_path, sessions=[row(lock_wait=2.0, idle=100.0, active=3.0, statement="SELECT 1")])
    quiet.hold_lock_wait()
    quiet.hold_idle_in_transaction()
    quiet.hold_statement_longest()


@pytest.mark.parametrize(
    ("used", "own", "own_allowed", "holds"), [(60, 20, -1, True), (90, 20, -1, False), (30, 20, 60, True), (60, 55, 60, False)]
)
def test_connections_are_held_to_the_servers_and_the_roles_limit(
    tmp_path: Path, used: int, own: int, own_allowed: int, holds: bool
) -> None:
    seen = [{"used": used, "allowed": 97, "own": own, "own_allowed": own_allowed}]
    found = monitored(tmp_path, connections=seen)
    if holds:
        found.hold_connections()
        return
    with pytest.raises(Failure) as caught:
        found.hold_connections()
    assert caught.value.subject == "connections database"


# ── A real database ──────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """A session on a twin whose database keeps statistics, and in which a stranger's job has waited for an hour."""
    folder = tmp_path_factory.mktemp("monitoring")
    twin = EmbeddedTwin(folder / "twin", faults=("LC21",), variants=("V97",))
    twin.start()
    found = a_session(folder, **read_env_file(twin.env_file))
    yield found
    found.close()
    twin.stop()


@pytest.mark.twin
def test_every_reading_is_answered(session: Session) -> None:
    rows = StatisticsRows(Database(session))
    connections, blocks, view = rows.connections(), rows.blocks(), rows.view()
    assert 0 < connections["own"] <= connections["used"] < connections["allowed"]
    assert blocks is not None
    assert blocks["hit"] > 0
    assert rows.sessions()["lock_wait"] is None
    assert {table["name"] for table in rows.tables()} >= {"documents", "upload_jobs"}
    assert view == "extensions.pg_stat_statements"
    before = sum(each.calls for each in rows.statements(view).values())
    time.sleep(1.5)
    assert sum(each.calls for each in rows.statements(view).values()) > before


@pytest.mark.twin
def test_only_strangers_jobs_stand_in_the_queue(session: Session) -> None:
    rows = StatisticsRows(Database(session))
    waiting = rows.waiting()
    assert (waiting["depth"], waiting["oldest"]) == (1, "parse_queued, retryable")
    assert waiting["age"] >= 3600
    assert {depth for _, depth in rows.backlog()} == {1.0}
