"""8.1.1 Verify staging database configuration (§3 Database Dependencies; contract: Database)."""

import re

import pytest

from fixtures.catalogue import Catalogue
from fixtures.constraints import Constraints
from fixtures.database import Database
from fixtures.problems import expect_none
from fixtures.source import SourceTree
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import each, promised
from gate.session import Session
from spec import Specification, entries
from spec.model import Index, Table
from spec.queue_entries import complete_jobs, embedded_chunks, unfinished_jobs

# After a release too: a schema that is not the release's is why something else does not work.
pytestmark = [
    pytest.mark.predeploy,
    pytest.mark.postdeploy,
    pytest.mark.maintenance,
    pytest.mark.checklist("8.1.1"),
    pytest.mark.component("database"),
    pytest.mark.needs("database"),
    promised("database"),
]
every_table = each("table", entries.tables)
LENGTH = re.compile(r"\(\d+(,\d+)?\)")


@pytest.mark.about("db.unreachable", "part database")
def test_the_database_lets_the_services_in(database: Database) -> None:
    """§1 Database Configuration: DATABASE_URL connects, without prepared statements, as through the pooler."""
    expect(database.answers(), "a simple query to return a row").is_true()


@pytest.mark.about("db.refused", "variable worker DATABASE_URL")
@promised("pipeline")
@pytest.mark.component("worker")
def test_the_worker_gets_into_the_database(database: Database, session: Session) -> None:
    """§2 Database Configuration: the worker's own DATABASE_URL connects too (F03, F10)."""
    hint = "DATABASE_URL of the worker: host (the pooler's), user and password"
    refusal = database.refusal_of(session.run.environment_of(session.spec.pipeline.worker).get("DATABASE_URL", ""))
    expect_none(refusal, "refusals of the worker by its own DATABASE_URL", hint)


@pytest.mark.about("db.version", "part database")
def test_the_server_is_recent_enough(catalogue: Catalogue, session: Session, spec: Specification) -> None:
    """§3 Database Dependencies: PostgreSQL of a supported version."""
    version = catalogue.server_version()
    session.observe("major version of PostgreSQL", version)
    expect(version, "major version of PostgreSQL").is_at_least(spec.database.minimum_server_version)


@pytest.mark.about("db.missing")
def test_the_schema_exists(catalogue: Catalogue) -> None:
    """§3 Database Dependencies: the schema that DATABASE_SCHEMA names."""
    catalogue.require_schema()


@pytest.mark.about("db.missing")
@promised("vectors")
def test_the_vector_extension_is_installed(catalogue: Catalogue, session: Session, spec: Specification) -> None:
    """contract Database: pgvector is installed."""
    wanted, hint, found = spec.vectors.extension, "CREATE EXTENSION", catalogue.extensions()
    session.observe("extensions of the database", found)
    expect(found, "extensions of the database", hint, subject=f"extension {wanted}").contains(wanted)


@pytest.mark.about("time.wrong", "part database")
def test_the_clock_of_the_database_is_right(catalogue: Catalogue, spec: Specification) -> None:
    """§5 Job Processing: retry delays and ages are computed from the database's clock."""
    what = "seconds between the database's clock and this machine's"
    expect(catalogue.clock_skew(), what).is_at_most(spec.health.clock_skew_seconds)


@pytest.mark.about("db.missing", "table {table}")
@every_table
def test_the_table_exists(catalogue: Catalogue, table: Table) -> None:
    """§3 Tables: each table of the pipeline."""
    catalogue.require(table.name)


@pytest.mark.about("db.differs", "column {table}.{column}")
@each("table, column", entries.columns)
def test_the_column_has_its_type(catalogue: Catalogue, spec: Specification, table: Table, column: str) -> None:
    """contract Database: each column, with its type."""
    catalogue.require(table.name)
    found = catalogue.columns(table.name).get(column)
    code = "db.differs" if found else "db.missing"
    shown = found.type if found else "no such column"
    agreed = table.columns[column]
    kind = spec.database.kinds.get(agreed, [])
    # Length and precision are not promised where the contract leaves the type open.
    same = LENGTH.sub("", shown) in kind if kind else shown == agreed
    expect(shown, f"type of {table.name}.{column}", "the applied migrations", code=code).equals(shown if same else agreed)


@pytest.mark.about("db.differs", "constraint {table} primary key")
@each("table", entries.keyed_tables)
def test_the_primary_key_is_as_agreed(constraints: Constraints, table: Table) -> None:
    """contract Database: the primary key."""
    found = constraints.unique_keys(table.name, primary=True)
    code = "db.differs" if found else "db.missing"
    expect(found, f"primary key of {table.name}", code=code).equals([table.primary_key])


@pytest.mark.about("db.missing", "constraint {table}.{columns} unique")
@each("table, columns", entries.unique_keys)
def test_the_columns_are_unique(constraints: Constraints, table: Table, columns: list[str]) -> None:
    """contract Database: a repeat upload and a repeated chunk are refused."""
    keys = [sorted(key) for key in constraints.unique_keys(table.name)]
    expect(keys, f"unique keys of {table.name}").contains(sorted(columns), "a repeat must not make a second row")


@pytest.mark.about("db.differs", "constraint {table}.{column} foreign key")
@each("table, column", entries.foreign_keys)
def test_the_foreign_key_exists(constraints: Constraints, table: Table, column: str) -> None:
    """contract Database: no job and no chunk without its document."""
    found = sorted(constraints.foreign_keys(table.name).get(column, ()))
    code = "db.differs" if found else "db.missing"
    expect(found or "no foreign key", f"targets of {table.name}.{column}", code=code).contains(table.foreign_keys[column])


@pytest.mark.about("db.status_open", "constraint {table}.{column}")
@each("table, column", entries.checked_columns)
def test_the_check_constraint_allows_exactly_the_agreed_values(constraints: Constraints, table: Table, column: str) -> None:
    """contract Database: CHECK constraints as new as the code (F06)."""
    found, wanted = constraints.allowed_values(table.name, column, table.checks), set(table.checks[column])
    # Without any CHECK every value is let through.
    allowed = found or set()
    refused = sorted(wanted - allowed) if found is not None else []
    code = "db.status_refused" if refused else "db.status_open"
    facts = {"refused": refused} if refused else {"beyond": sorted(allowed - wanted) or "everything"}
    what = f"values that the CHECK on {table.name}.{column} allows"
    hint = f"pg_get_constraintdef of the CHECK on {table.name}.{column}; the newest migration"
    expect(sorted(allowed), what, hint, code=code, facts=facts).equals(sorted(wanted))


@promised("pipeline")
@pytest.mark.about("db.status_refused", "constraint documents.processing_status")
def test_a_check_on_the_documents_status_knows_every_stage(constraints: Constraints, spec: Specification) -> None:
    """contract Worker: the document's processing_status follows the job; a CHECK that names stages names all (F06)."""
    rule = spec.pipeline
    column = rule.document_status_column
    allowed = constraints.allowed_values(rule.tables.documents, column, {column: rule.stages}) or set()
    # A first and a last stage are words of every vocabulary; only one that knows a stage between them is that of the stages.
    if not allowed & set(rule.stages[1:-1]):
        not_applicable("no CHECK on the document's status speaks of the stages")
    missing = [stage for stage in rule.stages if stage not in allowed]
    expect(missing, "stages that the CHECK refuses", "the newest migration", facts={"refused": missing}).is_empty()


@pytest.mark.about("db.index_missing", "index {table}.{index}")
@each("table, index", entries.indexes)
def test_the_index_exists(constraints: Constraints, spec: Specification, table: Table, index: Index) -> None:
    """contract Database: the index that the queue and the look-ups need, over the rows that are looked for."""
    found = [i for i in constraints.indexes(table.name) if i.partial == index.partial]
    if index.unfinished:
        inside, outside = unfinished_jobs(spec), complete_jobs(spec)
        found = [i for i in found if constraints.held(table.name, i, inside) == len(inside)]
        found = [i for i in found if not constraints.held(table.name, i, outside)]
    usable = [index.columns for i in found if i.serves(index.columns)] or [i.columns for i in found]
    expect(usable, f"{'partial ' if index.partial else ''}indexes of {table.name}").contains(index.columns)


@pytest.mark.about("db.index_missing")
@promised("vectors")
def test_the_embedding_has_an_approximate_index(constraints: Constraints, spec: Specification) -> None:
    """contract Database: an approximate index with cosine distance (F27)."""
    table = next(t for t in spec.database.tables if t.vector_index)
    found = constraints.indexes(table.name, spec.vectors.index_methods, spec.vectors.operator_classes)
    chunks = embedded_chunks(spec)
    found = [i for i in found if constraints.held(table.name, i, chunks) == len(chunks)]
    hint = f"CREATE INDEX … USING hnsw ({table.vector_index} {spec.vectors.operator_classes[0]})"
    what = f"{' or '.join(spec.vectors.index_methods)} indexes with cosine distance on {table.name}"
    subject = f"index {table.name}.{table.vector_index}"
    expect([i.columns for i in found], what, hint, subject=subject).contains([table.vector_index])


@pytest.mark.about("db.rights", "role of the services")
def test_no_user_can_become_superuser_through_the_services(catalogue: Catalogue) -> None:
    """§6 Data Security: the services' own role is no superuser."""
    expect(catalogue.is_superuser(), "superuser rights").equals(False)


@pytest.mark.about("db.missing")
def test_the_schema_comes_from_migrations(catalogue: Catalogue, session: Session, spec: Specification) -> None:
    """contract Database: applied migrations are listed."""
    listed, found = spec.database.migrations_table, catalogue.applied_migrations()
    session.observe("newest applied migration", max(found, default=""))
    expect(found, f"versions in {listed}", subject=f"table {listed}").is_not_empty("the schema comes from migrations")


@pytest.mark.about("db.missing")
@pytest.mark.needs("source")
def test_all_migrations_of_the_release_are_applied(catalogue: Catalogue, source: SourceTree, spec: Specification) -> None:
    """contract Database: the applied migrations are those of the source tree (F06)."""
    if not (released := source.migrations(spec.database.migrations_folder)):
        not_applicable("the release holds no migrations that could be compared")
    missing = sorted(released - catalogue.applied_migrations())
    subject, what = f"migration {missing[0]}" if missing else "", "migrations of the release that are not applied"
    expect(missing, what, "supabase db push", subject=subject).is_empty()


@pytest.mark.about("env.production")
def test_the_database_is_stagings(catalogue: Catalogue, spec: Specification) -> None:
    """§6 Database Isolation: a separate staging database, and no production's (F35)."""
    name = catalogue.name()
    suspicious = [p for p in spec.identity.production_patterns if re.search(p, name)]
    subject, what = f"variable {spec.service} DATABASE_URL", f"signs of production in the database's name {name!r}"
    expect(suspicious, what, subject=subject, component="configuration").is_empty()
