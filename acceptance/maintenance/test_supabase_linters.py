"""9.3 Security Review: linters of others over the database and the migrations, proven by a planted fault."""

import pytest

from fixtures.linters import Advisors, MigrationLinter, require_no_lints
from gate.selection import each, promised
from spec import project_entries

pytestmark = [
    pytest.mark.maintenance,
    pytest.mark.checklist("9.3"),
    pytest.mark.component("database"),
    promised("database", "linters"),
]


@pytest.mark.about("lint.database")
@pytest.mark.needs("database")
@each("category", project_entries.advice)
def test_the_advisors_have_nothing_to_say(advisors: Advisors, category: str) -> None:
    """§6 Data Security: `supabase db advisors` reports nothing grave about the system's own tables (F24)."""
    require_no_lints(advisors.wrong(category), "lint.database")


@pytest.mark.about("lint.migration")
@pytest.mark.needs("source")
@promised("migrations")
def test_no_migration_breaks_a_release_that_is_in_use(migration_linter: MigrationLinter) -> None:
    """§7 Deployment Process: `squawk` finds no migration that breaks what runs while it is applied."""
    require_no_lints(migration_linter.wrong(), "lint.migration")
