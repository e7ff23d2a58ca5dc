"""Who waits for a row that the harness holds: one that needs it, and not one that waits for every transaction."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from fixtures.queries import QueryTimes
from fixtures.queue.locked import held_by_another
from tests.drilled import until
from tests.scratch_project import Target, a_target

pytestmark = pytest.mark.twin

DUE = """UPDATE upload_pipeline.upload_jobs SET status = $1, state = $2
    WHERE job_id = (SELECT job_id FROM upload_pipeline.upload_jobs LIMIT 1) RETURNING job_id::text"""
SLOT = "SELECT pg_create_logical_replication_slot('held', 'pgoutput', true)"
CHANGED = "UPDATE upload_pipeline.upload_jobs SET updated_at = updated_at"
WAITS = "SELECT pid FROM pg_locks WHERE NOT granted"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with a_target(tmp_path_factory.mktemp("target")) as found:
        yield found


@pytest.mark.parametrize(("statement", "is_at_the_row"), [(SLOT, False), (CHANGED, True)])
def test_only_who_needs_the_row_waits_for_it(target: Target, statement: str, is_at_the_row: bool) -> None:
    database = target.database
    rule = database.session.spec.pipeline
    job = database.value(DUE, rule.stages[0], rule.states.waiting)
    with ThreadPoolExecutor(1) as pool, held_by_another(database, job) as hold:
        assert not hold.is_waited_for()
        pool.submit(target.run, statement)
        until(lambda: bool(database.names(WAITS)))
        assert hold.is_waited_for() is is_at_the_row
        until(lambda: bool(database.value("SELECT max(clock_timestamp() - waitstart) > interval '1 second' FROM pg_locks")))
        assert bool(QueryTimes(database).lock_waits()) is is_at_the_row
