"""3.1 Database Dependencies: the database is what the release's migrations make of an empty project."""

import pytest

from fixtures.schema import Schema, require_as_migrated
from gate.http import expect
from gate.selection import each, promised
from spec import project_entries

pytestmark = [
    pytest.mark.maintenance,
    pytest.mark.checklist("3.1"),
    pytest.mark.component("database"),
    pytest.mark.needs("database", "source"),
    promised("database", "migrations"),
]


@pytest.mark.about("migration.broken")
def test_the_migrations_make_a_database_from_nothing(schema: Schema) -> None:
    """§3 Database Dependencies: the release's migrations, one after the other, apply to an empty project."""
    expect(schema.made, "objects that the migrations make", subject="schema of the migrations").is_not_empty()


@pytest.mark.about("schema.differs")
@each("kind", project_entries.schema_kinds)
def test_the_database_is_what_the_migrations_make(schema: Schema, kind: str) -> None:
    """§3 Database Dependencies: nothing is missing, extra or different in the database, access included (F06, F24)."""
    require_as_migrated(schema, kind)
