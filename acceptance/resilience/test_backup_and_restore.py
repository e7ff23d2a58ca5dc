"""7.2 Rollback Procedures: the database can be dumped, and what is restored of the dump is the database."""

from collections.abc import Callable

import pytest

from fixtures.document_run import DocumentRun
from fixtures.recovery.backup import Backup, Restored
from fixtures.recovery.verdicts import (
    require_contents,
    require_no_complaint,
    require_numbers,
    require_own_only,
    require_same_schema,
    require_search,
)
from gate.http import expect
from gate.selection import promised
from gate.session import Session
from spec import Specification

pytestmark = [
    pytest.mark.resilience,
    pytest.mark.checklist("7.2"),
    pytest.mark.component("database"),
    pytest.mark.needs("database"),
    promised("backups", "database", "migrations"),
]


@pytest.mark.about("backup.incomplete")
def test_a_backup_sees_every_row(backup: Backup) -> None:
    """§7 Database Rollback: the role that makes the backups reads every table, and no policy hides a row from it."""
    backup.require_complete()


@pytest.mark.about("backup.restore")
def test_the_dump_can_be_restored(backup: Backup, restored: Restored) -> None:
    """§7 Database Recovery: a dump of the schema is restored into an empty project without a complaint."""
    require_no_complaint(backup, restored)


@pytest.mark.about("backup.differs")
def test_every_row_comes_back(restored: Restored) -> None:
    """§7 Database Recovery: each table has as many rows as before, and the same ones."""
    require_contents("backup.differs", restored.before.contents, restored.after.contents)


@pytest.mark.about("backup.differs")
@promised("vectors")
def test_every_vector_comes_back_bit_by_bit(restored: Restored) -> None:
    """§7 Database Recovery: each embedding is what it was, to the last bit."""
    require_contents("backup.differs", restored.before.vectors, restored.after.vectors)


@pytest.mark.about("backup.differs")
def test_the_schema_comes_back(backup: Backup, restored: Restored) -> None:
    """§7 Database Recovery: defaults, constraints, indexes, policies and privileges are restored."""
    require_same_schema("backup.differs", backup.differences(restored))


@pytest.mark.about("backup.differs")
def test_numbers_go_on(restored: Restored) -> None:
    """§7 Database Recovery: sequences go on where they were, so that the next row gets a number of its own."""
    require_numbers(restored)


@pytest.mark.about("backup.differs")
@promised("vectors")
def test_the_search_finds_the_same_neighbours(restored: Restored, spec: Specification) -> None:
    """§7 Database Recovery: sample rows have the same neighbours as before, and the index finds them."""
    require_search(restored, spec.backups)


@pytest.mark.about("backup.differs", "table documents")
@pytest.mark.needs("upload", "worker")
@promised("pipeline", "roles")
def test_the_owner_reads_the_document_in_the_copy(
    backup: Backup, restored: Restored, policy: DocumentRun, other_policy: DocumentRun, spec: Specification
) -> None:
    """§7 Database Recovery: in the restored database a user reads the own documents, and nothing of another user."""
    sql = f"SELECT document_id::text FROM {spec.database.schema_name}.{spec.pipeline.tables.documents}"
    require_own_only(backup, sql, policy, other_policy)


@pytest.mark.about("backup.slow", "backup restore")
def test_the_restore_is_quick_enough(
    session: Session, restored: Restored, restore_times: Callable[[Restored], None], spec: Specification
) -> None:
    """§7 Database Recovery: a restore takes no longer than agreed for a database of this size."""
    session.observe("restore seconds per MB", round(restored.seconds / max(restored.megabytes, 1.0), 3))
    session.observe("database MB", round(restored.megabytes, 2))
    session.evidence.attach("restore", restored.described)
    restore_times(restored)
    limit = spec.backups.seconds_for(restored.megabytes)
    expect(round(restored.seconds, 2), "seconds of the restore", facts={"megabytes": round(restored.megabytes, 1)}).is_at_most(
        limit
    )
