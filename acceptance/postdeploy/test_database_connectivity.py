"""8.2.4 Verify database connectivity (§3 Connection Pool; contract: Database)."""

from collections import Counter
from uuid import uuid4

import pytest

from fixtures.api import Api
from fixtures.catalogue import Catalogue
from fixtures.claims import claims_for
from fixtures.connections import Connections
from fixtures.controls import require_shown
from fixtures.database import Database
from fixtures.document_run import DocumentRun
from fixtures.document_runs import DocumentRuns
from fixtures.documents import make
from fixtures.further_relations import expect_nothing_else
from fixtures.health import shows_working
from fixtures.hidden_rows import HiddenRows
from fixtures.pipeline import Pipeline
from fixtures.stored import canonical
from fixtures.supabase import Supabase
from fixtures.uploads import Accepted
from fixtures.users import Users
from fixtures.visible import RowSecurity
from gate.failures import Blocked
from gate.fields import listed
from gate.http import expect, is_refusal
from gate.selection import each, promised
from gate.session import Session
from spec import Specification, entries, project_entries
from spec.model import DocumentKind

pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.maintenance,
    pytest.mark.checklist("8.2.4"),
    pytest.mark.component("database"),
    pytest.mark.needs("database"),
    promised("database"),
]
every_named_table = each("table", entries.named_tables)


@pytest.mark.about("db.unreachable", "part database")
def test_the_database_answers(database: Database) -> None:
    """§3 Primary Database: a query is answered."""
    expect(database.answers(), "a simple query to return a row").is_true()


def test_the_schema_is_found_without_its_name(catalogue: Catalogue, spec: Specification) -> None:
    """§1 DATABASE_SCHEMA: the services' search path leads to the schema."""
    name = spec.database.schema_name
    code = "db.hidden" if name in catalogue.schemas() else "db.missing"
    expect(catalogue.current_schema(), "current schema", code=code, subject=f"schema {name}").equals(name)


@every_named_table
def test_the_table_can_be_read(database: Database, table: str) -> None:
    """§3 Tables: each named table answers a query."""
    database.require_readable(table)


def test_many_connections_work_at_once(connections: Connections, spec: Specification) -> None:
    """§3 Connection Pool: the database carries the agreed number of connections (F18)."""
    connections.require_at_once(spec.database.connections)


@pytest.mark.about("db.exhausted", "connections database")
def test_connections_are_left_over(connections: Connections, spec: Specification) -> None:
    """§5 Database Connections: the server is not about to run out of connections (F18)."""
    used, allowed = connections.at_rest()
    facts = {"used": used, "allowed": allowed}
    free = expect(allowed - used, f"free connections of {allowed}", "pg_stat_activity", facts=facts)
    free.is_at_least(spec.database.connections)


@pytest.mark.about("database.idle_transaction", "connections database")
def test_no_transaction_blocks_the_queue(connections: Connections, spec: Specification) -> None:
    """§5 Database Connections: no transaction has been idle for longer than a health interval."""
    stuck = connections.idle_transactions(spec.health.interval_seconds)
    expect(stuck, "sessions idle in a transaction", "pg_stat_activity", facts={"sessions": len(stuck)}).is_empty()


@promised("pipeline")
@pytest.mark.about("database.idle_transaction", "connections database")
def test_no_transactions_are_left_open(connections: Connections, document_runs: DocumentRuns, spec: Specification) -> None:
    """§5 Database Connections: no request and no job leaves its transaction open (F18)."""
    document_runs.wait_for_all()
    left = len(connections.idle_transactions(spec.database.idle_transaction_seconds))
    what, hint = "sessions idle in a transaction when the run's documents have ended", "pg_stat_activity: their last statement"
    expect(left, what, hint, facts={"sessions": left}).is_at_most(spec.database.most_idle_transactions)


@pytest.mark.about("data.wrong", "connections database")
def test_a_transaction_can_be_undone(connections: Connections) -> None:
    """§3 Primary Database: a rolled-back change leaves nothing."""
    expect(connections.rolled_back_value(), "value after a rollback").equals(None)


@promised("pipeline")
@pytest.mark.about("data.doubled", "queue upload_jobs")
def test_a_job_is_locked_for_one_worker_only(pipeline: Pipeline, policy: DocumentRun) -> None:
    """contract Worker: FOR UPDATE SKIP LOCKED hands a job to one worker (F28)."""
    expect(pipeline.claimable_twice(policy.job_id), "the same job being claimable by two sessions at once").equals(False)


@pytest.mark.needs("api")
@promised("pipeline")
@pytest.mark.about("db.status_open", "constraint upload_jobs.status")
def test_an_unknown_status_is_refused(pipeline: Pipeline, idle_job: str) -> None:
    """contract Database: the CHECK constraint works."""
    refused = pipeline.refuses_status(idle_job, "no-such-status")
    expect(refused, "an unknown status to be refused").is_true()


@pytest.fixture(scope="module")
def idle_job(api: Api, users: Users, session: Session) -> str:
    """A job whose bytes never arrive, so that no worker takes it."""
    document = make("idle", DocumentKind(kind="policy", outcome="complete"), session.tag, [])
    reply = api.as_(users.new("idle")).request_upload(document)
    if not reply.succeeded:
        raise Blocked("upload", f"{reply} answered {reply.status} {reply.text[:200]}")
    return Accepted(reply).job_id


@pytest.mark.needs("api")
@promised("pipeline")
@each("status", entries.job_statuses)
@pytest.mark.about("db.status_refused", "constraint upload_jobs.status")
def test_the_status_is_accepted(pipeline: Pipeline, idle_job: str, status: str) -> None:
    """contract Database: every status that the code writes is allowed (F06)."""
    hint = "the CHECK constraint on upload_jobs.status; is the newest migration applied?"
    refused = pipeline.refuses_status(idle_job, status)
    expect(refused, f"refusal of status {status!r}", hint, facts={"refused": status}).equals(False)


@promised("pipeline", "roles")
@every_named_table
@pytest.mark.about("db.hidden", "table {table}")
def test_a_user_sees_their_own_rows(row_security: RowSecurity, policy: DocumentRun, spec: Specification, table: str) -> None:
    """contract Database: row-level security shows a user their own documents (F09, F24)."""
    found = row_security.seen(spec.roles.user, policy.owner.claims, table)
    facts = found.refusal.facts if found.refusal else {}
    expect(found.rows, f"rows of {table} that the owner sees", seen=str(found.refusal or ""), facts=facts).is_above(0)


@promised("pipeline", "roles", "row_security")
@each("table", project_entries.tables_of_owners)
@pytest.mark.about("rows.hidden", "table {table}")
def test_a_user_sees_all_rows_of_their_documents(hidden_rows: HiddenRows, document_runs: DocumentRuns, table: str) -> None:
    """contract Database: a user sees every row of their own documents, whichever service wrote it, in whichever state (F24)."""
    hidden_rows.require_none(table, document_runs.ended("complete", "failed"))


@promised("pipeline", "roles")
@every_named_table
@pytest.mark.about("db.open", "table {table}")
def test_a_user_sees_no_other_users_rows(
    row_security: RowSecurity, policy: DocumentRun, other_policy: DocumentRun, spec: Specification, table: str
) -> None:
    """contract Database: row-level security hides other users' documents (F24)."""
    user, document = spec.roles.user, policy.document_id
    require_shown(row_security.seen(user, policy.owner.claims, table, document).rows, f"its rows in {table}")
    rows = row_security.rows_shown(user, other_policy.owner.claims, table, document)
    hint = f"the policies on {spec.database.schema_name}.{table}; is row-level security on?"
    what, facts = f"rows of another user's document that a user sees in {table}", {"role": spec.roles.user}
    expect(rows, what, hint, facts=facts).equals(0)


@promised("pipeline", "roles")
@every_named_table
@pytest.mark.about("db.open", "table {table}")
def test_who_has_no_documents_sees_no_rows(
    row_security: RowSecurity, document_runs: DocumentRuns, spec: Specification, table: str
) -> None:
    """contract Database: row-level security hides other users' documents, in each state of them and their jobs (F24)."""
    document_runs.require_all_ended()
    rows = row_security.rows_shown(spec.roles.user, claims_for(str(uuid4()), spec.roles.user), table)
    hint = f"the policies on {spec.database.schema_name}.{table}: rows of which documents, in which state?"
    what, facts = f"rows of {table} that a user without documents sees", {"role": spec.roles.user}
    expect(rows, what, hint, facts=facts).equals(0)


@promised("pipeline", "roles")
@every_named_table
@pytest.mark.about("db.open", "table {table}")
def test_a_stranger_sees_no_rows(row_security: RowSecurity, policy: DocumentRun, spec: Specification, table: str) -> None:
    """contract Database: anon sees nothing (F24)."""
    rows = row_security.rows_shown(spec.roles.anonymous, None, table, policy.document_id)
    hint = f"the policies on {spec.database.schema_name}.{table}; is row-level security on?"
    what, facts = f"rows that {spec.roles.anonymous} sees in {table}", {"role": spec.roles.anonymous}
    expect(rows, what, hint, facts=facts).equals(0)


@promised("pipeline", "roles")
@every_named_table
@pytest.mark.about("db.open", "table {table}")
def test_the_rest_view_shows_no_other_users_rows(
    supabase: Supabase, policy: DocumentRun, other_policy: DocumentRun, table: str
) -> None:
    """§6 Data Security: Supabase's REST view obeys row-level security (F24)."""
    own = supabase.rows(table, policy.owner.token, document_id=policy.document_id)
    require_shown(own.succeeded and listed(own), f"its rows through the REST view of {table} ({own.status})")
    rows = supabase.visible_rows(table, other_policy.owner.token, document_id=policy.document_id)
    expect(len(rows), f"rows of another user's document through the REST view of {table}").equals(0)


@promised("pipeline", "roles")
@pytest.mark.about("db.open", "table of another name")
def test_no_further_relation_shows_what_is_there_now(
    session: Session, policy: DocumentRun, catalogue: Catalogue, row_security: RowSecurity, spec: Specification
) -> None:
    """contract Database: views and further tables show a user no row of others, anon none, while documents are there (F24)."""
    ids = map(canonical, (policy.document_id, policy.job_id, policy.owner.id))
    expect_nothing_else(catalogue, row_security, spec, session.tag, *ids)


@promised("pipeline")
@pytest.mark.component("api")
@pytest.mark.needs("api")
@pytest.mark.about("health.unhealthy", "part database")
def test_the_api_says_the_database_is_connected(api: Api, spec: Specification) -> None:
    """§5 Database Connections: /api/v1/status shows the database (F10)."""
    reply = api.call("status")
    body = expect(reply).fields("database")
    works = shows_working(body["database"], spec.health)
    # A page that says of itself that all is well hides what its own field shows.
    hides = shows_working(body.get(spec.health.status_field), spec.health)
    code, subject, part = (
        ("health.hides", reply.subject, reply.component) if hides else ("health.unhealthy", "part database", "database")
    )
    what, hint = "the database to work, as the status page shows it", "DATABASE_URL of the API"
    facts = {"database": body["database"], "page": body.get(spec.health.status_field)}
    expect(works, what, hint, code=code, subject=subject, component=part, facts=facts, of=reply).is_true()


@promised("pipeline")
@pytest.mark.component("api")
@pytest.mark.needs("api")
def test_many_requests_share_the_pool(api: Api, policy: DocumentRun, spec: Specification) -> None:
    """§3 Connection Pool: parallel requests that use the database are all answered (F18)."""
    endpoint, count = spec.endpoint("document_status"), spec.safety.concurrent_requests
    statuses = api.as_(policy.owner).at_once(endpoint.name, count, {"document_id": policy.document_id})
    wrong = sorted({status for status in statuses if status != endpoint.success})
    code = "http.no_answer" if not any(wrong) else "http.refused" if any(map(is_refusal, wrong)) else "http.server_error"
    subject, facts = endpoint.subject, {"at_once": count, "statuses": Counter(statuses)}
    expect(wrong, f"other statuses of {count} parallel requests", code=code, subject=subject, facts=facts).is_empty()


@promised("pipeline")
@pytest.mark.about("data.wrong", "column documents.user_id")
def test_what_the_api_writes_is_in_this_database(policy: DocumentRun, pipeline: Pipeline) -> None:
    """§6 Database Isolation: the API writes to the database that DATABASE_URL names (F05, F15)."""
    row = pipeline.existing_job(policy.job_id)
    expect(str(row["user_id"]), "owner of the document in the database of DATABASE_URL").equals(policy.owner.id)
