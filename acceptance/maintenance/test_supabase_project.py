"""3.1 Database Dependencies: the Supabase project is one, is set as specified, and can be taken back."""

import pytest

from fixtures.catalogue import Catalogue
from fixtures.supabase import Supabase
from fixtures.supabase_management import Management, expect_one_project, expect_setting, hours_since
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import each, promised
from gate.session import Session
from spec import Specification, project_entries
from spec.model import ProjectSetting

pytestmark = [
    pytest.mark.maintenance,
    pytest.mark.checklist("3.1"),
    pytest.mark.component("supabase"),
    promised("project", "tokens"),
]


@pytest.mark.about("project.mismatch")
@each("name", project_entries.project_names)
def test_everything_names_one_project(session: Session, name: str) -> None:
    """§3 Supabase: URL, keys and database are of one project, which is the organisation's (F15)."""
    expect_one_project(session, name)


@pytest.mark.about("project.mismatch", "key {name}")
@each("name", project_entries.keys_of_project)
def test_the_key_is_one_of_the_projects(management: Management, session: Session, name: str) -> None:
    """§6 Service Role Keys: the project still has this key (F15)."""
    own = session.settings.needed(name) in management.keys(management.ref)
    expect(own, f"{name} to be one of the project's keys").is_true("a key that was replaced stops working")


@pytest.mark.about("project.setting", "setting {setting}")
@each("setting", project_entries.project_settings)
def test_the_setting_is_as_specified(session: Session, supabase: Supabase, setting: ProjectSetting) -> None:
    """§3 Supabase: settings of the project, of Auth and of the REST view."""
    expect_setting(session, supabase, setting)


@pytest.mark.about("project.backup", "backup complete ones")
def test_a_backup_can_be_restored(management: Management, spec: Specification) -> None:
    """§7 Rollback Procedures: there are backups of the database to go back to."""
    rule = spec.project.backups
    complete = [state for _, state in management.backups() if state in rule.complete]
    enough = management.has_point_in_time() or len(complete) >= rule.kept
    expect(enough, "a complete backup to be kept", facts={"complete": len(complete)}).is_true()


@pytest.mark.about("project.backup", "backup hours since the last one")
def test_the_last_backup_is_young(management: Management, spec: Specification) -> None:
    """§7 Database Rollback: the last backup is no older than agreed."""
    rule = spec.project.backups
    ages = [hours_since(made) for made, state in management.backups() if state in rule.complete]
    if management.has_point_in_time() or not ages:
        not_applicable("every moment is kept, or none is; whether there is a backup is a check of its own")
    expect(round(min(ages), 1), "hours since the last complete backup").is_at_most(rule.youngest_hours)


@pytest.mark.about("project.backup", "backup days of the window")
def test_each_day_of_the_window_has_a_backup(management: Management, spec: Specification) -> None:
    """§7 Database Rollback: each day of the promised window can be gone back to."""
    days = spec.project.backups.window_days
    if management.has_point_in_time() or not days:
        not_applicable("every moment is kept, or no window is promised")
    expect(management.days_without_backup(days), "days of the window without a complete backup").equals([])


@pytest.mark.about("project.backup", "backup failed ones")
def test_no_backup_of_the_window_failed(management: Management, spec: Specification) -> None:
    """§7 Database Rollback: none of the backups in the promised window has failed."""
    rule = spec.project.backups
    found = [made.date().isoformat() for made, state in management.backups() if state in rule.failed]
    expect(found, "days of failed backups").equals([])


@pytest.mark.about("project.backup", "backup kind")
def test_the_backups_are_of_the_promised_kind(management: Management, spec: Specification) -> None:
    """§7 Database Rollback: backups are physical ones, which hold roles and settings too."""
    wanted = spec.project.backups.is_physical
    if wanted is None:
        not_applicable("no kind of backup is promised")
    kinds = {bool(entry.get("is_physical_backup")) for entry in management.backup_entries}
    expect(kinds - {wanted}, "backups of the other kind").equals(set())


@pytest.mark.about("project.backup", "backup region")
def test_the_backups_lie_where_they_should(management: Management, spec: Specification) -> None:
    """§7 Database Rollback: the backups are in the project's region."""
    if not spec.project.backups.region:
        not_applicable("no region is promised")
    expect(management.backup_region, "region of the backups").equals(spec.project.backups.region)


@pytest.mark.about("storage.limits", "bucket files")
@pytest.mark.component("storage")
@promised("pipeline", "limits")
def test_the_bucket_is_limited(supabase: Supabase, spec: Specification) -> None:
    """contract Storage: the bucket is private, takes the types that are needed, and no file that is too large (F23, F34)."""
    found = expect(supabase.storage.describe()).success().object()
    types = {*spec.limits.supported_mime_types, spec.pipeline.parsed_mime}
    expect(found.get("public"), "whether the bucket is public").equals(spec.project.is_bucket_public)
    expect(found.get("file_size_limit"), "the largest file of the bucket").equals(spec.limits.max_file_size_bytes)
    expect(set(found.get("allowed_mime_types") or []), "types that the bucket takes").equals(types)


@pytest.mark.about("schema.differs", "publication {publication}")
@pytest.mark.component("realtime")
@pytest.mark.needs("database")
@promised("database")
@each("publication", project_entries.publications)
def test_the_publication_holds_exactly_the_agreed_tables(catalogue: Catalogue, spec: Specification, publication: str) -> None:
    """§3 Supabase (realtime): changes of the agreed tables are published, and of no other of the schema."""
    expect(sorted(catalogue.published(publication)), f"tables in {publication}").equals(
        sorted(spec.project.published[publication])
    )
