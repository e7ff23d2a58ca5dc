"""Migrations of the next release: each is tried forward, back and forward, and what goes wrong on the way has its own code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures.database import Database
from fixtures.recovery import deploy
from fixtures.recovery.backup import Backup
from fixtures.recovery.deploy import Deploy
from fixtures.recovery.migrations import Migrations
from fixtures.recovery.trials import (
    require_forward_again,
    require_nothing_lost,
    require_same_as_made,
    require_way_back,
    require_ways_back,
)
from fixtures.source import SourceTree
from gate.failures import Failure, NotConfigured
from tests.conftest import with_values
from tests.scratch_project import SOURCE, Target, a_target
from twin import release_next

pytestmark = pytest.mark.twin
NAME = "20250201000000_document_titles"
MIGRATION, BACK = f"supabase/migrations/{NAME}.sql", f"supabase/rollbacks/{NAME}.sql"
CHECKS = (require_same_as_made, require_ways_back, require_way_back, require_nothing_lost, require_forward_again)
Making = Callable[..., Migrations]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with a_target(tmp_path_factory.mktemp("migrations")) as found:
        yield found


@pytest.fixture
def migrations(target: Target, tmp_path: Path) -> Making:
    """Makes trials of a next release whose files have further texts: by path, appended."""

    def make(**more: str) -> Migrations:
        tree = release_next.build(SOURCE, tmp_path / "next")
        for path, sql in {MIGRATION: more.get("forward", ""), BACK: more.get("back", "")}.items():
            with (tree / path).open("a") as file:
                file.write(sql)
        if "without" in more:
            (tree / more["without"]).unlink()
        if "declared" in more:
            (tree / "supabase" / "rollbacks" / "irreversible.toml").write_text(more["declared"])
        session = with_values(target.session, HARNESS_NEXT_TREE=str(tree))
        database = type(target.database)(target.session)
        found = Migrations(database, SourceTree(SOURCE), target.scratch, lambda: False)
        found.__dict__["tree"] = SourceTree(session.settings.path("HARNESS_NEXT_TREE"))
        session.close()
        return found

    return make


def failures_of(made: Migrations) -> dict[str, str]:
    """Code and subject of each check that fails."""
    found = {}
    for check in CHECKS:
        try:
            check(made)
        except Failure as failure:
            found[failure.code] = failure.subject
        except pytest.skip.Exception:
            continue
    return found


def test_release_n_plus_1_goes_forward_back_and_forward(migrations: Making) -> None:
    made = migrations()
    assert failures_of(made) == {}
    (trial,) = made.trials
    assert trial.after is not None
    assert trial.again is not None
    assert "title" in {column.name for column in trial.after.columns["documents"]}
    assert all(found.rows for found in trial.before.contents.values())
    assert trial.before.contents == trial.after.old_contents == trial.again.old_contents


@pytest.mark.parametrize(
    ("more", "code", "subject"),
    [
        ({"back": "UPDATE upload_pipeline.documents SET parsed_path = raw_path;"}, "migration.loses", "table documents"),
        ({"back": "DELETE FROM upload_pipeline.events;"}, "migration.loses", "table events"),
        ({"without": BACK}, "migration.stuck", f"migration {NAME}"),
        ({"back": "DROP TABLE upload_pipeline.nothing;"}, "migration.stuck", f"migration {NAME}"),
        ({"back": "DROP INDEX upload_pipeline.events_job_idx;"}, "migration.uneven", f"migration {NAME}"),
        ({"forward": "CREATE INDEX left_idx ON upload_pipeline.events (type);"}, "migration.stuck", f"migration {NAME}"),
        (
            {"forward": "ALTER TABLE upload_pipeline.events ADD COLUMN kept text NOT NULL;"},
            "migration.broken",
            f"migration {NAME}",
        ),
        ({"without": BACK, "forward": "DELETE FROM upload_pipeline.events;"}, "migration.loses", "table events"),
    ],
)
def test_what_goes_wrong_has_its_code(migrations: Making, more: dict[str, str], code: str, subject: str) -> None:
    found = failures_of(migrations(**more))
    assert found.get(code) == subject


def test_what_is_left_behind_is_in_the_schema_or_stops_the_way_forward(migrations: Making) -> None:
    found = failures_of(migrations(forward="CREATE INDEX IF NOT EXISTS left_idx ON upload_pipeline.events (type);"))
    assert found == {"migration.uneven": f"migration {NAME}"}


def test_an_irreversible_migration_is_declared_with_its_reason(migrations: Making) -> None:
    declared = '20250201000000 = "the old column is dropped; the backup is the way back"'
    made = migrations(without=BACK, declared=declared, forward="ALTER TABLE upload_pipeline.documents DROP COLUMN parsed_path;")
    assert failures_of(made) == {}


def test_rows_of_the_restored_database_are_in_the_copy(target: Target, migrations: Making) -> None:
    rows = Backup(target.database, target.scratch, allowed=False).restored.after.contents["document_chunks"].rows
    made = migrations()
    made._fill = lambda: True
    assert made.trials[0].before.contents["document_chunks"].rows > rows


def test_without_a_checkout_of_the_next_release_nothing_is_judged(target: Target) -> None:
    made = Migrations(target.database, SourceTree(SOURCE), target.scratch, lambda: False)
    with pytest.raises(NotConfigured, match="HARNESS_NEXT_TREE"):
        _ = made.trials


def test_a_release_is_started_only_where_the_parser_can_call_it_back(target: Target, migrations: Making) -> None:
    made = migrations()
    session = with_values(target.session, API_BASE_URL="https://staging.invalid")
    code = Deploy(Database(session), SourceTree(SOURCE), target.scratch, made)
    with pytest.raises(NotConfigured, match="call it back"):
        code.require_working("old code", made.tree, "none")
    session.close()


def test_the_start_commands_are_the_specifications() -> None:
    api = "uvicorn main:app --host 0.0.0.0 --port 8000 --workers 1"
    assert deploy.command_of(api, 7)[1:] == ["-m", *api.split(), "--fd", "7"]
    assert deploy.command_of("python backend/workers/enhanced_runner.py", 7)[1:] == ["backend/workers/enhanced_runner.py"]
