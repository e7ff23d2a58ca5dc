"""7.2 Rollback Procedures: the next release's migrations, tried forward, back and forward on a copy with rows."""

import pytest

from fixtures.recovery.deploy import Deploy
from fixtures.recovery.migrations import Migrations
from fixtures.recovery.trials import (
    require_forward_again,
    require_nothing_lost,
    require_same_as_made,
    require_way_back,
    require_ways_back,
)
from gate.selection import promised

pytestmark = [
    pytest.mark.resilience,
    pytest.mark.checklist("7.2"),
    pytest.mark.component("database"),
    pytest.mark.needs("database", "source"),
    promised("ways_back", "database", "migrations"),
]


@pytest.mark.about("migration.broken")
def test_each_migration_applies_to_a_copy_with_rows(migrations: Migrations) -> None:
    """§7 Database Rollback: the next release's migrations apply to what the release before leaves, rows included."""
    require_same_as_made(migrations)


@pytest.mark.about("migration.stuck")
def test_each_migration_can_be_taken_back(migrations: Migrations) -> None:
    """§7 Database Rollback: each migration has a way back, or is declared irreversible: then the backup is its way back."""
    require_ways_back(migrations)


@pytest.mark.about("migration.uneven")
def test_the_way_back_leads_to_the_schema_before(migrations: Migrations) -> None:
    """§7 Database Rollback: forward and back leave the schema as it was."""
    require_way_back(migrations)


@pytest.mark.about("migration.loses")
def test_no_row_is_lost_on_the_way(migrations: Migrations) -> None:
    """§7 Database Rollback: forward and back, each row is as it was, in every column that was there before."""
    require_nothing_lost(migrations)


@pytest.mark.about("migration.uneven")
def test_forward_again_leads_where_it_led_before(migrations: Migrations) -> None:
    """§7 Database Rollback: after it was taken back, a migration applies once more and makes the same."""
    require_forward_again(migrations)


@pytest.mark.about("migration.deploy")
@pytest.mark.needs("users")
@promised("pipeline", "chat")
def test_the_old_code_works_on_the_new_schema(deploy: Deploy, migrations: Migrations) -> None:
    """§7 Deployment Process: between migration and deploy, the running release goes on working."""
    deploy.require_working("old code", deploy.old_tree, migrations.new_copy())


@pytest.mark.about("migration.deploy")
@pytest.mark.needs("users")
@promised("pipeline", "chat")
def test_the_new_code_works_on_the_old_schema(deploy: Deploy, migrations: Migrations) -> None:
    """§7 Rollback Procedures: before its migration, and after that was taken back, the new release works as well."""
    deploy.require_working("new code", migrations.tree, migrations.old_copy())
