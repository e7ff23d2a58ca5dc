"""8.1.1 Verify staging database configuration: storage as the database holds it (contract: Storage)."""

from uuid import uuid4

import pytest

from fixtures.bucket_rows import BucketRows
from fixtures.catalogue import Catalogue
from fixtures.claims import claims_of_a_pretender
from fixtures.old_files import done_to, row_of_an_old_file
from fixtures.policies import COMMANDS, Policies
from fixtures.stored import object_key
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import promised
from spec import Specification

pytestmark = [
    pytest.mark.predeploy,
    pytest.mark.postdeploy,
    pytest.mark.maintenance,
    pytest.mark.checklist("8.1.1"),
    pytest.mark.component("storage"),
    pytest.mark.needs("database"),
    promised("database"),
]


@pytest.mark.about("storage.missing")
@promised("pipeline")
def test_the_storage_bucket_is_known_to_this_database(buckets: BucketRows, spec: Specification) -> None:
    """§3 Database Dependencies: database and storage belong to one project (F15)."""
    wanted = spec.pipeline.bucket
    expect(set(buckets.require_seen(wanted)), "buckets in the database", subject=f"bucket {wanted}").contains(wanted)


@pytest.mark.about("storage.closed")
@promised("pipeline", "roles")
def test_the_service_role_may_read_and_write_files(catalogue: Catalogue, policies: Policies, spec: Specification) -> None:
    """contract Storage: the policies of the bucket let service_role work (F04)."""
    if not catalogue.exists(spec.pipeline.tables.objects):
        not_applicable("this database does not hold Supabase's storage schema")
    role, objects = spec.roles.service, spec.pipeline.tables.objects
    catalogue.require_role(role)
    document = {"bucket_id": spec.pipeline.bucket, "name": object_key(spec.pipeline.raw_path, str(uuid4()), str(uuid4()))}
    missing = [command for command in COMMANDS if not policies.let(role, command, objects, document)]
    hint = "the policies on storage.objects; the storage migration"
    subject = f"bucket {spec.pipeline.bucket}"
    expect(missing, "commands without a policy for service_role on storage.objects", hint, subject=subject).is_empty()


@pytest.mark.about("storage.open", "object of another user")
@promised("pipeline", "roles", "limits")
@pytest.mark.parametrize("kind", ["raw_path", "parsed_path"])
def test_no_policy_opens_the_files_of_another_user(
    catalogue: Catalogue, policies: Policies, spec: Specification, kind: str
) -> None:
    """contract Storage: a user's document and its text are nobody else's to read, write, change or delete (F23, F24)."""
    if not catalogue.exists(spec.pipeline.tables.objects):
        not_applicable("this database does not hold Supabase's storage schema")
    caller, other, document = (str(uuid4()) for _ in range(3))
    mime = spec.pipeline.parsed_mime if kind == "parsed_path" else spec.limits.supported_mime_types[0]
    path, objects = getattr(spec.pipeline, kind), spec.pipeline.tables.objects
    # What holds for files of today is seen of the run's own.
    theirs, mine = (
        row_of_an_old_file(spec.pipeline.bucket, object_key(path, owner, document), mime, owner) for owner in (other, caller)
    )
    asked = {spec.roles.user: claims_of_a_pretender(caller, spec.roles.user, other), spec.roles.anonymous: None}
    found = [
        f"{command} by {role}"
        for role, claims in asked.items()
        for command in COMMANDS
        if any(policies.let(role, command, objects, row, claims, seen) for row, seen in done_to(theirs, mine, command))
    ]
    hint = "the policies on storage.objects: whose folder, which kind of file?"
    expect(found, f"commands on another user's file ({path}) that a policy lets", hint).is_empty()


@pytest.mark.about("storage.buckets_open", "part storage")
@promised("pipeline", "roles")
def test_no_policy_lets_anybody_else_change_the_buckets(catalogue: Catalogue, policies: Policies, spec: Specification) -> None:
    """contract Storage, private bucket: only the services make, open or remove one (F23)."""
    if not catalogue.exists(spec.pipeline.tables.buckets):
        not_applicable("this database does not hold Supabase's storage schema")
    table, bucket = spec.pipeline.tables.buckets, {"id": spec.pipeline.bucket, "name": spec.pipeline.bucket}
    asked = {spec.roles.user: claims_of_a_pretender(str(uuid4()), spec.roles.user), spec.roles.anonymous: None}
    changes = [command for command in COMMANDS if command != "SELECT"]
    found = [
        f"{command} by {role}"
        for role, claims in asked.items()
        for command in changes
        if policies.let(role, command, table, bucket, claims)
    ]
    expect(found, f"commands on the bucket {bucket['id']} that a policy lets", f"the policies on {table}").is_empty()
