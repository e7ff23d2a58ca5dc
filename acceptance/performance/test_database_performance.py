"""8.3.3 Validate database connection performance (contract: Response-time targets; §5 Database Connections)."""

import pytest

from fixtures.connections import Connections
from fixtures.document_run import DocumentRun
from fixtures.measure import Measure
from fixtures.queries import QueryTimes
from fixtures.users import User
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import promised
from spec import Specification

pytestmark = [
    pytest.mark.performance,
    pytest.mark.checklist("8.3.3"),
    pytest.mark.component("database"),
    pytest.mark.needs("database"),
    pytest.mark.about("target.slow"),
    promised("database"),
]


def test_connecting_holds_its_target(queries: QueryTimes, measure: Measure, spec: Specification) -> None:
    """§8 Validate database connection performance: a new connection, p95."""
    count = measure.samples_for(spec.targets["connect"], costly=True)
    measure.hold(queries.connections(count), "connect", "database")


def test_a_simple_query_holds_its_target(queries: QueryTimes, measure: Measure, spec: Specification) -> None:
    """contract Response-time targets: simple query from the service network, median."""
    samples = queries.simple(measure.samples_for(spec.targets["query"]))
    measure.hold(samples, "query_simple", "database")


@promised("pipeline")
@pytest.mark.parametrize("name", ["claim", "own_jobs", "job_by_id", "counts", "duplicates"])
def test_a_standard_query_holds_its_target(
    queries: QueryTimes, measure: Measure, policy: DocumentRun, spec: Specification, name: str
) -> None:
    """contract Response-time targets: any standard query, p95."""
    samples = queries.standard_query(name, policy, measure.samples_for(spec.targets["query"]))
    measure.hold(samples, "query", "database")


@promised("pipeline")
def test_a_similarity_search_holds_its_target(
    queries: QueryTimes, measure: Measure, policy: DocumentRun, spec: Specification
) -> None:
    """contract Response-time targets: the search by vector is a standard query too, p95 (F27)."""
    samples = queries.standard_query("search", policy, measure.samples_for(spec.targets["query"]))
    measure.hold(samples, "query", "database")


@promised("pipeline")
@pytest.mark.component("database")
@pytest.mark.about("db.index_missing", "index document_chunks.embedding")
def test_the_search_uses_the_vector_index(queries: QueryTimes, policy: DocumentRun) -> None:
    """contract Database: a search over all chunks goes through the approximate index (F27)."""
    hint = "the approximate index on document_chunks.embedding"
    what = "nodes of the plan of a search by vector, sequential scans being off,"
    expect(queries.search_plan(policy), what, hint).contains("Index Scan")


def test_parallel_queries_hold_the_target(queries: QueryTimes, measure: Measure, spec: Specification) -> None:
    """contract Response-time targets: many connections at once, p95 (F18)."""
    measure.hold(queries.parallel(spec.database.connections), "parallel_query", "database")


@pytest.mark.about("db.exhausted", "connections database")
def test_many_connections_are_opened_at_once(connections: Connections, spec: Specification) -> None:
    """§5 Database Connections: the agreed number of connections, none refused (F18)."""
    connections.require_at_once(spec.database.connections)


@promised("pipeline")
def test_a_transaction_holds_its_target(queries: QueryTimes, measure: Measure, spec: Specification) -> None:
    """contract Response-time targets: begin, read, commit, p95."""
    samples = queries.transactions(measure.samples_for(spec.targets["query"]))
    measure.hold(samples, "query", "database")


@promised("pipeline")
def test_a_query_under_row_level_security_holds_its_target(
    queries: QueryTimes, measure: Measure, user: User, spec: Specification
) -> None:
    """contract Response-time targets: policies do not slow a query beyond the target, p95."""
    samples = queries.as_user(user, measure.samples_for(spec.targets["query"], costly=True))
    measure.hold(samples, "query", "database")


@pytest.mark.about("db.waiting", "connections database")
def test_no_lock_is_waited_for(queries: QueryTimes) -> None:
    """§10 Performance Issues: no session waits for a lock."""
    expect(queries.lock_waits(), "sessions that wait for a lock", "pg_locks").is_empty()


@pytest.mark.about("target.slow", "target reads from memory")
def test_the_cache_carries_the_reads(queries: QueryTimes, spec: Specification) -> None:
    """§10 Performance Issues: most blocks come from memory."""
    ratio = queries.cache_ratio()
    if ratio is None:
        not_applicable("the server shows no block statistics yet")
    else:
        expect(ratio, "share of blocks read from memory").is_at_least(spec.sampling.cache_ratio)
