"""5.1, 5.2 Monitoring: connections, locks, statements and dead rows of the database, and the queue of jobs in it (§5)."""

import pytest

from fixtures.monitoring_database import DatabaseMonitoring
from gate.selection import promised

pytestmark = [
    pytest.mark.maintenance,
    pytest.mark.checklist("5.1"),
    pytest.mark.component("database"),
    pytest.mark.needs("database"),
    promised("figures", "database"),
]
QUEUE = "queue upload_jobs"


@pytest.mark.about("db.exhausted", "connections database")
def test_connections_are_left(database_monitoring: DatabaseMonitoring) -> None:
    """§5 Performance Monitoring: connections in use against those that the server and the services' role may have (F18)."""
    database_monitoring.hold_connections()


@pytest.mark.checklist("5.2")
@pytest.mark.about("db.waiting", "connections database")
def test_no_session_waits_long_for_a_lock(database_monitoring: DatabaseMonitoring) -> None:
    """§5 Error Monitoring: no session waits for a lock for seconds."""
    database_monitoring.hold_lock_wait()


@pytest.mark.about("database.idle_transaction", "connections database")
def test_no_transaction_stays_open_and_idle(database_monitoring: DatabaseMonitoring) -> None:
    """§5 Performance Monitoring: a transaction that does nothing ends."""
    database_monitoring.hold_idle_in_transaction()


@pytest.mark.about("database.cache", "connections database")
def test_memory_carries_the_reads(database_monitoring: DatabaseMonitoring) -> None:
    """§5 Performance Monitoring: most blocks come from memory, of enough reads."""
    database_monitoring.hold_cache()


@pytest.mark.checklist("5.3")
@pytest.mark.about("database.dead_rows")
def test_dead_rows_are_removed(database_monitoring: DatabaseMonitoring) -> None:
    """§5 Resource Monitoring: tables are vacuumed."""
    database_monitoring.hold_dead_rows()


@pytest.mark.about("database.slow_statement", "statement database")
def test_statements_are_fast_by_their_statistics(database_monitoring: DatabaseMonitoring) -> None:
    """§5 Performance Monitoring: no statement on the pipeline's tables is slow by its mean (F27)."""
    database_monitoring.hold_statement_mean()


@pytest.mark.about("database.slow_statement", "statement database")
def test_no_statement_is_under_way_for_long(database_monitoring: DatabaseMonitoring) -> None:
    """§5 Performance Monitoring: no statement of the services is seen at work for seconds."""
    database_monitoring.hold_statement_longest()


@promised("pipeline")
@pytest.mark.about("queue.deep", QUEUE)
def test_few_jobs_wait(database_monitoring: DatabaseMonitoring) -> None:
    """§5 Performance Monitoring: the queue is short, runs of the harness left out."""
    database_monitoring.hold_queue_depth()


@promised("pipeline")
@pytest.mark.about("queue.waits", QUEUE)
def test_no_job_waits_long(database_monitoring: DatabaseMonitoring) -> None:
    """§5 Performance Monitoring: the oldest job that waits was made a short time ago."""
    database_monitoring.hold_oldest_job()


@promised("pipeline")
@pytest.mark.about("queue.grows", QUEUE)
def test_jobs_are_finished_as_fast_as_they_come(database_monitoring: DatabaseMonitoring) -> None:
    """§5 Performance Monitoring: the backlog does not rise steadily."""
    database_monitoring.hold_queue_growth()
