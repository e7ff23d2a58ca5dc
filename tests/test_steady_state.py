"""The probe of the steady state, on one twin: all is normal, and each invariant finds what is planted against it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from fixtures.database import Database
from fixtures.drills.invariants import CODES, Invariants, Violation
from fixtures.drills.observation import Observation
from fixtures.drills.scope import Registered, Scope
from fixtures.drills.statements import STATEMENTS
from fixtures.drills.steady_state import SteadyState
from fixtures.stored import object_key
from fixtures.supabase import Supabase
from gate.embedded import EmbeddedTwin
from gate.failures import Failure
from gate.session import Session
from gate.settings import read_env_file
from tests.conftest import with_values
from tests.recorded import SPEC, a_session

# Rows may be planted that the constraints would refuse.
DROP = [
    "ALTER TABLE upload_pipeline.upload_jobs DROP CONSTRAINT upload_jobs_document_id_fkey",
    "ALTER TABLE upload_pipeline.document_chunks DROP CONSTRAINT document_chunks_document_id_fkey",
    "ALTER TABLE upload_pipeline.document_chunks DROP CONSTRAINT document_chunks_order_unique",
    "ALTER TABLE upload_pipeline.events DROP CONSTRAINT events_job_id_fkey",
    "ALTER TABLE upload_pipeline.webhook_log DROP CONSTRAINT webhook_log_job_id_fkey",
]
MARK = "policy planted-{document}:"


@dataclass
class Watched:
    """A twin with a complete document, and the probe that sent it."""

    session: Session
    steady: SteadyState
    database: Database
    supabase: Supabase
    observed: Observation

    def violations(self, *documents: Registered) -> list[str]:
        """Names of the invariants that these documents violate."""
        return [violation.name for violation in self.steady.invariants(Scope(documents))]

    def complete(self) -> Registered:
        """A whole complete document of a user of its own, made of rows and files."""
        ids = {name: str(uuid.uuid4()) for name in ("user", "document", "job")}
        values = ids | {"mark": MARK.format(**ids), "original": self.steady.scope.documents[0].document_id}
        for name, template in (("raw", SPEC.pipeline.raw_path), ("parsed", SPEC.pipeline.parsed_path)):
            values[name] = object_key(template, ids["user"], ids["document"])
            self.put(values[name])
        for statement in COMPLETE:
            self.run(statement, **values)
        return Registered(ids["user"], ids["document"], ids["job"], values["mark"])

    def run(self, statement: str, **values: str) -> None:
        """A statement with these values in it."""
        self.database.fetch(statement.format(**values))

    def put(self, key: str) -> None:
        """A file in the bucket."""
        assert self.supabase.storage.write(key, b"%PDF-", "application/pdf").succeeded


COMPLETE = (
    """INSERT INTO documents (document_id, user_id, filename, mime, bytes_len, file_sha256, raw_path, parsed_path)
       VALUES ('{document}', '{user}', 'x.pdf', 'application/pdf', 1, '{document}', 'files/{raw}', 'files/{parsed}')""",
    "INSERT INTO upload_jobs (job_id, document_id, status, state) VALUES ('{job}', '{document}', 'complete', 'done')",
    """INSERT INTO document_chunks (chunk_id, document_id, chunker_name, chunker_version, chunk_ord, text, chunk_sha,
           embedding)
       SELECT gen_random_uuid(), '{document}', chunker_name, chunker_version, chunk_ord, '{mark} ' || chunk_ord,
           md5('{mark} ' || chunk_ord), embedding
       FROM document_chunks WHERE document_id = '{original}'""",
    """INSERT INTO events (job_id, document_id, type)
       SELECT '{job}', '{document}', unnest(ARRAY['uploaded', 'parsed', 'complete'])""",
)
AGAIN = """INSERT INTO document_chunks
        (chunk_id, document_id, chunker_name, chunker_version, chunk_ord, text, chunk_sha, embedding)
    SELECT gen_random_uuid(), {document}, {chunker}, chunker_version, {number}, text, chunk_sha, embedding FROM document_chunks
    WHERE document_id = '{{document}}'"""
# The same number of chunks once more, with the numbers that follow.
BEHIND = "chunk_ord + count(*) OVER ()"
UNSENT = """INSERT INTO documents (document_id, user_id, filename, mime, bytes_len, file_sha256, raw_path)
    VALUES (gen_random_uuid(), '{user}', 'x.pdf', 'application/pdf', 1, 'x', 'user/{folder}/raw/x.pdf')"""
UNDER_WAY = "UPDATE upload_jobs SET status = '{status}', state = '{state}', created_at = now() - interval '{age}' "
ON_DOCUMENT = "WHERE document_id = '{document}'"
OF_ANOTHER = "(SELECT raw_path FROM documents WHERE document_id = '{other}') "
# What is planted against an invariant; `{other}` is another user's document.
PLANTED = [
    ("documents_are_kept", "DELETE FROM upload_jobs " + ON_DOCUMENT, "events_have_jobs"),
    ("jobs_end", UNDER_WAY.format(status="parsed", state="working", age="1 hour") + ON_DOCUMENT, ""),
    ("jobs_end", UNDER_WAY.format(status="complete", state="working", age="1 hour") + ON_DOCUMENT, ""),
    ("jobs_end", UNDER_WAY.format(status="failed_parse", state="queued", age="1 hour") + ON_DOCUMENT,
        "failures_have_reasons"),
    ("callbacks_count", UNDER_WAY.format(status="parse_queued", state="working", age="1 s") + ON_DOCUMENT + """;
        INSERT INTO webhook_log (job_id, provider, accepted, payload_sha256) VALUES ('{job}', 'llamaparse', true, 'x')""", ""),
    ("chunks_are_whole", "DELETE FROM document_chunks " + ON_DOCUMENT, ""),
    ("chunks_are_whole", "UPDATE document_chunks SET embedding = NULL " + ON_DOCUMENT + " AND chunk_ord = 0", ""),
    ("chunks_are_whole", "UPDATE document_chunks SET chunk_ord = 7 " + ON_DOCUMENT + " AND chunk_ord = 1", ""),
    ("one_job_a_document",
        "INSERT INTO upload_jobs (document_id, status, state) VALUES ('{document}', 'complete', 'done')", ""),
    ("stages_happen_once", "INSERT INTO events (job_id, document_id, type) VALUES ('{job}', '{document}', 'parsed')", ""),
    ("chunks_are_single", AGAIN.format(document="document_id", chunker="chunker_name", number="chunk_ord"), ""),
    ("chunks_are_single", AGAIN.format(document="document_id", chunker="'another'", number="chunk_ord"), ""),
    ("chunks_are_single", AGAIN.format(document="document_id", chunker="chunker_name", number=BEHIND), ""),
    ("documents_have_jobs", UNSENT.format(folder="{user}", user="{user}"), ""),
    ("raw_paths_are_as_agreed", UNSENT.format(folder="another", user="{user}"), "documents_have_jobs"),
    ("documents_keep_their_owner", UNSENT.format(folder="{owner}", user="{user}"),
        "documents_have_jobs raw_paths_are_as_agreed"),
    ("jobs_have_documents", "DELETE FROM documents " + ON_DOCUMENT, "documents_are_kept chunks_have_documents"),
    ("chunks_have_documents", AGAIN.format(document="gen_random_uuid()", chunker="chunker_name", number="chunk_ord"), ""),
    ("events_have_jobs",
        "INSERT INTO events (job_id, document_id, type) VALUES (gen_random_uuid(), '{document}', 'parsed')", ""),
    ("failures_have_reasons", UNDER_WAY.format(status="failed_parse", state="deadletter", age="1 s") + ON_DOCUMENT, ""),
    ("documents_keep_their_owner", "UPDATE documents SET user_id = gen_random_uuid() " + ON_DOCUMENT, ""),
    ("parsed_paths_are_as_agreed", "UPDATE documents SET parsed_path = 'files/user/x/parsed/y.md' " + ON_DOCUMENT, ""),
    ("raw_paths_are_as_agreed", "UPDATE documents SET raw_path = 'files/user/{user}/raw/y.pdf' " + ON_DOCUMENT, ""),
    ("documents_keep_their_owner", "UPDATE documents SET raw_path = " + OF_ANOTHER + ON_DOCUMENT, "raw_paths_are_as_agreed"),
    ("texts_keep_their_document", AGAIN.format(document="'{other}'::uuid", chunker="chunker_name", number=BEHIND), ""),
]  # fmt: skip


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """The twin of this module."""
    folder = tmp_path_factory.mktemp("steady")
    running = EmbeddedTwin(folder / "twin", arguments=[word for statement in DROP for word in ("--sql", statement)])
    running.start()
    session = a_session(folder, **read_env_file(running.env_file))
    steady = SteadyState(session)
    yield Watched(session, steady, Database(session), Supabase(session).silent(), steady.observe())
    session.close()
    running.stop()


# ── The parts ────────────────────────────────────────────────────────────────────────────────────────────
def test_everything_is_normal_on_a_healthy_system(twin: Watched) -> None:
    twin.observed.require()
    assert twin.observed.is_normal
    assert list(twin.observed.parts) == ["health", "sign_in", "upload", "job", "retrieval", "chat"]
    assert not twin.steady.invariants()
    recovery = twin.steady.until_normal(30)
    assert recovery.is_normal
    assert recovery.total == max(recovery.seconds.values())


def test_parts_are_looked_at_one_by_one(twin: Watched) -> None:
    before = len(twin.steady.scope.documents)
    observed = twin.steady.observe("health", "chat")
    assert list(observed.parts) == ["health", "chat"]
    assert observed.is_normal
    assert len(twin.steady.scope.documents) == before


def test_what_breaks_says_where_and_blocks_nothing_later(twin: Watched) -> None:
    elsewhere = with_values(twin.session, API_BASE_URL="http://127.0.0.1:9")
    observed = SteadyState(elsewhere).observe()
    assert observed.broken == ["health", "sign_in", "upload"]
    assert observed.of("not looked at") == ["job", "retrieval", "chat"]
    with pytest.raises(Failure) as caught:
        observed.require()
    assert (caught.value.code, caught.value.subject) == ("http.unreachable", "endpoint GET /health")
    recovery = SteadyState(elsewhere).until_normal(1)
    assert not recovery.is_normal
    assert recovery.total is None
    assert "health" in recovery.remaining
    assert elsewhere.prerequisites.unavailable("api") is None
    elsewhere.close()


def test_without_a_database_the_api_says_how_the_job_does(twin: Watched) -> None:
    without = with_values(twin.session, DATABASE_URL="")
    # What could not be removed again is not made: the journal's means are those of the run's own session.
    without.journal = twin.session.journal
    observed = SteadyState(without).observe()
    observed.require()
    assert observed.is_normal
    without.close()


def test_a_run_that_only_reads_uploads_nothing(twin: Watched) -> None:
    reading = Session(replace(twin.session.run, read_only=True), twin.session.system)
    assert SteadyState(reading).observe("health", "upload", "job").of("not looked at") == ["upload", "job"]
    reading.close()


# ── What is stored ───────────────────────────────────────────────────────────────────────────────────────
def test_a_whole_document_violates_nothing(twin: Watched) -> None:
    first, second = twin.complete(), twin.complete()
    assert twin.violations(first, second) == []
    # Pairs of user and document are enough.
    assert not twin.steady.invariants([(first.user_id, first.document_id)])


@pytest.mark.parametrize(("name", "statements", "also"), PLANTED)
def test_what_is_planted_in_the_database_is_found(twin: Watched, name: str, statements: str, also: str) -> None:
    document, other = twin.complete(), twin.complete()
    values = {"document": document.document_id, "job": document.job_id, "user": document.user_id, "other": other.document_id}
    values["owner"] = other.user_id
    for statement in statements.split(";\n"):
        twin.run(statement, **values)
    assert sorted(twin.violations(document, other)) == sorted([name, *also.split()])


FILES: list[tuple[str, Callable[[Watched, Registered, Registered], None]]] = [
    ("files_have_documents", lambda twin, document, _: twin.put(f"user/{document.user_id}/raw/planted.pdf")),
    ("files_keep_their_owner", lambda twin, document, other: twin.put(
        object_key(SPEC.pipeline.raw_path, other.user_id, document.document_id))),
    ("documents_have_files", lambda twin, document, _: _removed(
        twin, object_key(SPEC.pipeline.parsed_path, document.user_id, document.document_id))),
]  # fmt: skip


def _removed(twin: Watched, key: str) -> None:
    assert twin.supabase.storage.remove(key).succeeded


@pytest.mark.parametrize(("name", "plant"), FILES)
def test_what_is_planted_in_the_bucket_is_found(
    twin: Watched, name: str, plant: Callable[[Watched, Registered, Registered], None]
) -> None:
    document, other = twin.complete(), twin.complete()
    plant(twin, document, other)
    (violation,) = twin.steady.invariants([document, other])
    assert violation.name == name
    assert violation.failure().subject == "bucket files"


def test_a_job_has_the_time_that_the_scope_gives_it(twin: Watched) -> None:
    document = twin.complete()
    twin.run(UNDER_WAY.format(status="parsed", state="working", age="50 s") + ON_DOCUMENT, document=document.document_id)
    assert not twin.steady.invariants(Scope.of([document], seconds=60))
    (violation,) = twin.steady.invariants(Scope.of([document], seconds=40))
    assert document.job_id in str(violation)
    with pytest.raises(Failure) as caught:
        twin.steady.invariants(Scope.of([document], seconds=40)).require()
    assert (caught.value.code, caught.value.subject) == ("steady.lost", "queue upload_jobs")


def test_without_a_database_its_invariants_are_not_judged(twin: Watched) -> None:
    document = twin.complete()
    without = with_values(twin.session, DATABASE_URL="")
    judged = Invariants(without, None).judge(Scope.of([document]))
    without.close()
    assert not judged
    assert judged.not_judged.keys() >= STATEMENTS.keys()
    # What the bucket shows by itself is judged nevertheless.
    assert "files_keep_their_owner" not in judged.not_judged


def test_what_a_system_does_not_have_is_not_judged(twin: Watched) -> None:
    invariants = Invariants(twin.session, Database(twin.session))
    invariants._rules = [rule.model_copy(update={"name": "absent"}) for rule in SPEC.invariants[:1]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(STATEMENTS, "absent", "SELECT id, detail FROM upload_pipeline.no_such_table")
        judged = invariants.judge(twin.steady.scope)
    assert list(judged.not_judged) == ["absent"]


# ── The specification ────────────────────────────────────────────────────────────────────────────────────
def test_every_invariant_is_looked_for_and_planted() -> None:
    database = {rule.name for rule in SPEC.invariants if rule.kept_in == "database"}
    storage = {rule.name for rule in SPEC.invariants if rule.kept_in == "storage"}
    assert database == STATEMENTS.keys() == {name for name, _, _ in PLANTED}
    assert storage == {name for name, _ in FILES}


def test_every_promise_has_a_code() -> None:
    assert {rule.promise for rule in SPEC.invariants} == CODES.keys()
    for rule in SPEC.invariants:
        assert Violation(rule, 1, (("id", "detail"),)).failure().code == CODES[rule.promise]
