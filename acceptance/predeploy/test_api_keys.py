"""8.1.4 Confirm staging API keys (§6 Service Role Keys, API Keys; §3 External Service Dependencies)."""

import time

import pytest

from fixtures.bucket_rows import BucketRows
from fixtures.claims import claims_of
from fixtures.project_keys import claims_of_both, expect_role, from_storage, is_opaque, project_of, require_accepted, with_key
from fixtures.supabase import Supabase
from fixtures.vendors import Anthropic, LlamaParse, OpenAI
from gate.failures import not_applicable
from gate.fields import listed
from gate.http import expect
from gate.readings import moment
from gate.selection import promised
from gate.session import Session
from spec import Specification

# After a release too: what is wrong here is why something else does not work there.
pytestmark = [
    pytest.mark.predeploy,
    pytest.mark.postdeploy,
    pytest.mark.maintenance,
    pytest.mark.checklist("8.1.4"),
    promised("pipeline"),
]
openai_key = pytest.mark.component("openai")
llamaparse_key = pytest.mark.component("llamaparse")
anthropic_key = pytest.mark.component("anthropic")
supabase_key = pytest.mark.component("supabase")
storage_access = pytest.mark.component("storage")


def _of_worker(session: Session, name: str) -> str:
    """A key of the worker's own; raises Failure where it has none."""
    key = session.run.environment_of(session.spec.pipeline.worker).get(name, "")
    subject = f"variable {session.spec.pipeline.worker} {name}"
    expect(key, f"{name} of the worker", code="env.missing", subject=subject, component="configuration").is_not_empty()
    return key


@pytest.mark.about("key.refused", "key OPENAI_API_KEY of api")
@openai_key
def test_openai_accepts_the_key(openai: OpenAI) -> None:
    """§3 OpenAI: the staging key is valid."""
    expect(openai.models(), "models that OPENAI_API_KEY may use", code="key.rights").is_not_empty()


@pytest.mark.about("key.refused", "key OPENAI_API_KEY of api")
@openai_key
def test_the_key_may_use_the_embedding_model(openai: OpenAI, spec: Specification) -> None:
    """§1 RAG_EMBEDDING_MODEL: the key may use the specified model."""
    expect(openai.models(), "models that OPENAI_API_KEY may use", code="key.rights").contains(spec.pipeline.embed_model)


@pytest.mark.about("key.refused", "key OPENAI_API_KEY of api")
@openai_key
def test_the_embedding_model_gives_the_specified_dimension(openai: OpenAI, spec: Specification) -> None:
    """§1 RAG_VECTOR_DIMENSION: a vector of the model has the specified dimension (F11, F29)."""
    model, wrong = spec.pipeline.embed_model, "vectors.vendor"
    subject = f"vectors {model}"
    vector = openai.embed([spec.probes.text], model)[0]
    expect(len(vector), f"dimensions of an embedding of {model}", code=wrong, subject=subject).equals(spec.vectors.dimension)
    expect(sum(value * value for value in vector), "squared length of the vector", code=wrong, subject=subject).is_above(0)


@pytest.mark.about("key.refused", "key OPENAI_API_KEY of worker")
@openai_key
def test_the_workers_openai_key_is_valid_too(session: Session, openai: OpenAI) -> None:
    """§2 External API Configuration: the worker's own key is accepted (F01)."""
    expect(openai.models(_of_worker(session, "OPENAI_API_KEY")), "models of the worker's key", code="key.rights").is_not_empty()


@pytest.mark.about("key.refused", "key LLAMAPARSE_API_KEY of api")
@llamaparse_key
def test_llamaparse_accepts_the_key(llamaparse: LlamaParse) -> None:
    """§3 LlamaParse: the staging key is valid (F01)."""
    expect(llamaparse.projects()).success(because="documents cannot be parsed without it")


@pytest.mark.about("key.refused", "key LLAMAPARSE_API_KEY of worker")
@llamaparse_key
def test_the_workers_llamaparse_key_is_valid_too(session: Session) -> None:
    """§2 External API Configuration: the worker's own key is accepted (F01)."""
    key = _of_worker(session, "LLAMAPARSE_API_KEY")
    expect(LlamaParse(session, key).projects()).success(because="the worker is the one that hands documents in")


@pytest.mark.about("key.accepted", "key LLAMAPARSE_API_KEY")
@llamaparse_key
def test_llamaparse_refuses_a_wrong_key(session: Session) -> None:
    """§6 API Keys: the key is what opens the door."""
    expect(LlamaParse(session, session.spec.probes.wrong_key).projects()).error("unauthorized")


@pytest.mark.about("key.refused", "key ANTHROPIC_API_KEY of api")
@anthropic_key
def test_anthropic_accepts_the_key(anthropic: Anthropic) -> None:
    """§3 Anthropic (optional): a configured key is valid."""
    models = listed(expect(anthropic.models()).success(because="it would be the only provider while OpenAI is down"))
    expect(models, "models that ANTHROPIC_API_KEY may use", code="key.rights").is_not_empty()


@pytest.mark.about("key.accepted", "key ANTHROPIC_API_KEY")
@anthropic_key
def test_anthropic_refuses_a_wrong_key(anthropic: Anthropic, spec: Specification) -> None:
    """§6 API Keys: the key is what opens the door."""
    expect(anthropic.with_key(spec.probes.wrong_key).call("models")).error("unauthorized")


@pytest.mark.about("key.refused", "key SUPABASE_ANON_KEY")
@supabase_key
@pytest.mark.needs("supabase")
def test_supabase_accepts_the_anon_key(supabase: Supabase) -> None:
    """§3 Supabase: the anon key is valid for SUPABASE_URL (F15)."""
    settings = supabase.anon.call("settings")
    with_key(supabase, settings, "SUPABASE_ANON_KEY", supabase.anon_key).success("key and URL must belong to one project")


@pytest.mark.about("key.refused", "key SUPABASE_SERVICE_ROLE_KEY")
@supabase_key
@pytest.mark.needs("supabase")
def test_supabase_accepts_the_service_role_key(supabase: Supabase) -> None:
    """§3 Supabase: the service-role key is valid for SUPABASE_URL (F15)."""
    listed = supabase.admin.call("users", params={"per_page": 1})
    reply = with_key(supabase, listed, "SUPABASE_SERVICE_ROLE_KEY", supabase.service_key)
    reply.success(because="key and URL must belong to one project")


@pytest.mark.about("key.accepted", "key SUPABASE_ANON_KEY")
@supabase_key
@pytest.mark.needs("supabase")
def test_supabase_refuses_a_wrong_key(supabase: Supabase, spec: Specification) -> None:
    """§6 API Keys: a key of no project is refused."""
    expect(supabase.with_key(spec.probes.wrong_key).call("settings")).error("unauthorized")


@pytest.mark.about("isolation.read")
@supabase_key
@pytest.mark.needs("supabase")
def test_the_anon_key_opens_no_admin_door(supabase: Supabase) -> None:
    """§6 Service Role Keys: the anon key has no admin rights."""
    require_accepted(supabase, supabase.anon_key, "SUPABASE_ANON_KEY")
    expect(supabase.anon.call("users")).error("unauthorized")


@pytest.mark.about("key.role", "key SUPABASE_ANON_KEY")
@supabase_key
def test_the_anon_key_has_the_anon_role(supabase: Supabase, spec: Specification) -> None:
    """§6 API Keys: roles are not mixed up."""
    expect_role(supabase, supabase.anon_key, "SUPABASE_ANON_KEY", spec.roles.anonymous)


@pytest.mark.about("key.role", "key SUPABASE_SERVICE_ROLE_KEY")
@supabase_key
def test_the_service_role_key_has_the_service_role(supabase: Supabase, spec: Specification) -> None:
    """§6 Service Role Keys: roles are not mixed up."""
    expect_role(supabase, supabase.service_key, "SUPABASE_SERVICE_ROLE_KEY", spec.roles.service)


@pytest.mark.about("project.mismatch", "key SUPABASE_SERVICE_ROLE_KEY")
@supabase_key
def test_both_keys_belong_to_one_project(supabase: Supabase, spec: Specification) -> None:
    """§6 Data Security: one project, one pair of keys (F15)."""
    projects = {name: claims.get(spec.tokens.project_claim) for name, claims in claims_of_both(supabase).items()}
    silent = [name for name, project in projects.items() if project is None]
    if len(silent) == len(projects):
        not_applicable("these keys do not name their project; that they are accepted is checked by itself")
    subject = f"key {silent[0]}" if silent else ""
    expect(silent, "keys that name no project", code="env.value", subject=subject, component="configuration").is_empty()
    expect(set(projects.values()), "projects that the two keys name").has_length(1)


@pytest.mark.about("key.expiring")
@supabase_key
def test_the_keys_are_not_about_to_expire(supabase: Supabase) -> None:
    """§9 Security Review: keys outlive the next review."""
    expires = {name: claims["exp"] for name, claims in claims_of_both(supabase).items() if "exp" in claims}
    if not expires:
        not_applicable("these keys do not expire")
    first = min(expires, key=expires.__getitem__)
    expect(expires[first], "expiry of the earlier key", subject=f"key {first}").is_above(time.time())


@pytest.mark.about("project.mismatch", "key SUPABASE_ANON_KEY")
@supabase_key
def test_the_keys_belong_to_the_project_of_the_url(supabase: Supabase, spec: Specification) -> None:
    """§6 Data Security: URL and keys name the same project (F15)."""
    project = project_of(supabase.url, spec)
    if not project or is_opaque(supabase.anon_key, spec):
        not_applicable("the host or the key does not name its project; that the keys are accepted there is checked by itself")
    named = claims_of(supabase.anon_key).get(spec.tokens.project_claim)
    expect(named, "project in SUPABASE_ANON_KEY", code="" if named else "env.value").equals(project)


@pytest.mark.about("project.mismatch")
@supabase_key
@pytest.mark.needs("supabase", "database")
def test_the_database_belongs_to_the_project(supabase: Supabase, buckets: BucketRows, spec: Specification) -> None:
    """§6 Database Isolation: DATABASE_URL and SUPABASE_URL are one project: they show the same bucket (F15)."""
    seen = buckets.require_seen(spec.pipeline.bucket)
    described = supabase.storage.describe()
    if not described.succeeded:
        not_applicable("storage does not show the bucket; that it must is a check of its own")
    created = described.object().get("created_at")
    if created is None:
        not_applicable("storage does not show when the bucket was created")
    what = "creation of the bucket as the database shows it"
    subject = f"variable {spec.service} DATABASE_URL"
    expect(seen.get(spec.pipeline.bucket), what, subject=subject, of=described).equals(
        moment(created), "storage and database must be one project's"
    )


@pytest.mark.about("storage.closed")
@storage_access
@pytest.mark.needs("supabase")
def test_the_service_role_sees_the_bucket(supabase: Supabase, spec: Specification) -> None:
    """contract Storage: the bucket exists for the service role."""
    from_storage(supabase, supabase.storage.describe()).success(f"documents are kept in bucket {spec.pipeline.bucket}")


@pytest.mark.about("storage.closed")
@storage_access
@pytest.mark.needs("supabase")
def test_the_service_role_may_list_files(supabase: Supabase) -> None:
    """contract Storage: the service role may read the bucket (F04)."""
    from_storage(supabase, supabase.storage.listing("")).success("the worker reads documents with this key")


@pytest.mark.about("storage.open")
@storage_access
@pytest.mark.needs("supabase")
def test_the_bucket_is_private(supabase: Supabase, spec: Specification) -> None:
    """contract Storage: private bucket (F23)."""
    described = from_storage(supabase, supabase.storage.describe()).success()
    is_public = expect(described).fields("public")["public"]
    hint, subject = "Supabase's dashboard, Storage", f"bucket {spec.pipeline.bucket}"
    expect(is_public, "`public` of the bucket", hint, subject=subject, of=described).equals(False)


@pytest.mark.about("storage.open")
@storage_access
@pytest.mark.needs("supabase")
def test_a_stranger_may_not_list_files(supabase: Supabase, spec: Specification) -> None:
    """contract Storage: the anon key sees no document (F23)."""
    require_accepted(supabase, supabase.anon_key, "SUPABASE_ANON_KEY")
    seen = supabase.storage.seen_by_strangers("")
    expect(seen, "objects that the anon key sees", subject=f"bucket {spec.pipeline.bucket}").is_empty()


@pytest.mark.about("project.mismatch")
@storage_access
def test_storage_is_the_projects_own(supabase: Supabase, spec: Specification) -> None:
    """§6 Storage Isolation: SUPABASE_STORAGE_URL lies below SUPABASE_URL (F15)."""
    subject = f"variable {spec.service} SUPABASE_STORAGE_URL"
    expect(supabase.storage.url, "SUPABASE_STORAGE_URL", subject=subject).satisfies(
        lambda url: url.startswith(supabase.url), "to lie below SUPABASE_URL"
    )
