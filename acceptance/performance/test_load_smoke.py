"""8.3.1 Measure API response times under a short load (contract: Response-time targets, error rate)."""

from pathlib import Path

import pytest

from gate.http import expect
from gate.selection import each, promised
from gate.session import Session
from load.checks import LoadResult, short_load
from load.judge import CONNECTIONS, DOCUMENTS, FAILED, OLDEST, of_task
from spec import entries

pytestmark = [
    pytest.mark.performance,
    pytest.mark.checklist("8.3.1"),
    pytest.mark.component("api"),
    pytest.mark.needs("api", "supabase"),
    pytest.mark.about("load.unmeasured", "task all"),
    promised("load"),
]


@pytest.fixture(scope="module")
def load(session: Session, out: Path) -> LoadResult:
    """A short headless Locust run of open arrivals with the tasks of load/locustfile.py."""
    return short_load(session, out / "load")


def test_no_request_fails_under_load(load: LoadResult) -> None:
    """contract Response-time targets: error rate under load."""
    expect(load.record.requests, "requests that were made").is_above(0)
    load.hold(FAILED)


@pytest.mark.component("harness")
def test_the_generator_kept_its_schedule(load: LoadResult) -> None:
    """contract Response-time targets: figures count only when the generator itself kept up."""
    expect(
        load.problems, "reasons not to trust the generator", "load on this machine", facts=load.record.generator_facts()
    ).is_empty()


@each("task", entries.load_tasks)
def test_the_task_holds_its_target_under_load(load: LoadResult, task: str) -> None:
    """contract Response-time targets: each endpoint under load."""
    expect(load.count(task), f"requests of task {task}", subject=f"task {task}").is_above(0)
    load.hold(of_task(task))


@pytest.mark.component("worker")
def test_documents_keep_up_under_load(load: LoadResult) -> None:
    """contract Worker: documents that are uploaded under load complete, and none grows old."""
    load.hold(DOCUMENTS, OLDEST)


@pytest.mark.component("database")
@pytest.mark.needs("database")
def test_connections_are_left_under_load(load: LoadResult) -> None:
    """§5 Database Connections: the services do not use up the server's connections (F18)."""
    load.hold(CONNECTIONS)
