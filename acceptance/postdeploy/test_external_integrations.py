"""8.2.5 Test external API integrations, through the service (§3 External and Internal Service Dependencies)."""

import pytest

from fixtures.answers import Answer
from fixtures.api import Api
from fixtures.document_run import DocumentRun
from fixtures.document_runs import DocumentRuns
from fixtures.retrieval import nearest
from fixtures.stored import Chunk, object_key
from fixtures.supabase import Supabase
from fixtures.users import User
from fixtures.vendors import LlamaParse, OpenAI
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import each, promised
from gate.session import Session
from spec import Specification, entries

pytestmark = [pytest.mark.postdeploy, pytest.mark.checklist("8.2.5"), promised("pipeline", "chat")]
chat = pytest.mark.component("chat")
rag = pytest.mark.component("rag")
realtime = pytest.mark.component("realtime")


@pytest.fixture
def answer(api: Api, policy: DocumentRun) -> Answer:
    """The chat's answer to the first fact's question, asked by the owner of the policy."""
    return Answer(expect(api.as_(policy.owner).ask(policy.facts[0][0])).success())


# ── parsing and embedding ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.component("llamaparse")
def test_parsing_gave_the_documents_text(policy: DocumentRun, supabase: Supabase, spec: Specification) -> None:
    """§3 LlamaParse: the stored text holds what the PDF says."""
    key = object_key(spec.pipeline.parsed_path, policy.owner.id, policy.document_id)
    text = " ".join(expect(supabase.storage.read(key)).success().text.split())
    missing = [sentence for page in policy.pages for sentence in page.splitlines() if sentence not in text]
    expect(missing, "sentences of the PDF that the parsed text lacks").is_empty()


@pytest.mark.component("llamaparse")
def test_no_callback_is_lost(document_runs: DocumentRuns, spec: Specification) -> None:
    """contract Worker: the webhook of every document arrives (F12, F13)."""
    stage = spec.pipeline.callback_stage
    waiting = [n for n in document_runs.expected_to("complete") if document_runs.accepted(n).statuses[-1:] == [stage]]
    hint = "API_BASE_URL of the worker (the public URL that LlamaParse calls back); the API's log of webhook calls"
    expect(waiting, "documents that wait for LlamaParse's callback for ever", hint).is_empty()


@rag
def test_the_stored_vectors_are_the_models(
    policy: DocumentRun, database_chunks: list[Chunk], openai: OpenAI, spec: Specification
) -> None:
    """§1 RAG_EMBEDDING_MODEL: stored embeddings are those of the specified model (F11)."""
    sample = database_chunks[0]
    vector = openai.embed([sample.text], spec.pipeline.embed_model)[0]
    expect(sample.similarity_to(vector), "cosine of a stored embedding and the model's own").is_above(
        spec.pipeline.same_text_cosine
    )


@rag
@each("fact", entries.fact_numbers)
def test_the_right_passage_is_the_nearest(
    policy: DocumentRun, database_chunks: list[Chunk], openai: OpenAI, spec: Specification, fact: int
) -> None:
    """contract RAG: the question's vector finds the passage, above the threshold (F11, F29)."""
    question, wanted = policy.facts[fact]
    found = nearest(database_chunks, openai.embed([question], spec.pipeline.embed_model)[0], spec.chat)
    expect([wanted in chunk.text for chunk in found], f"passages for {question!r} that hold {wanted!r}").contains(True)


# ── retrieval and chat, through the service ──────────────────────────────────────────────────────────────


@chat
def test_chat_does_not_fail_behind_a_200(answer: Answer, spec: Specification) -> None:
    """contract HTTP API: no metadata.error, no apology (F02)."""
    hint = "the API's OPENAI_API_KEY and ANTHROPIC_API_KEY; its log at the time of the question"
    expect(answer.failure(spec.chat), "failure behind the status 200", hint).equals(None)


@chat
@each("fact", entries.fact_numbers)
def test_chat_answers_from_the_document(api: Api, policy: DocumentRun, fact: int) -> None:
    """contract RAG: the answer comes from the caller's own document (F09, F11, F16)."""
    question, wanted = policy.facts[fact]
    answer = Answer(expect(api.as_(policy.owner).ask(question)).success())
    hint = "retrieval of the API: user id, embedding model, threshold; the prompt that it sends"
    expect(answer.mentions(wanted), f"the answer to {question!r} to mention {wanted!r}", hint, answer.describe()).is_true()


@rag
def test_retrieval_finds_the_own_document(answer: Answer, policy: DocumentRun) -> None:
    """contract RAG: the sources are chunks of the caller's document (F09, F11)."""
    hint = "the user id that retrieval filters by; the embedding model of question and chunks"
    expect(answer.sources, "sources of the answer", hint, answer.describe()).is_not_empty()
    if not answer.names_documents():
        not_applicable("this release's sources do not name documents; the answers themselves are checked")
    expect(answer.document_ids(), "documents behind the answer", hint, answer.describe()).contains(policy.document_id)


@rag
def test_retrieval_stays_within_the_callers_documents(answer: Answer, policy: DocumentRun) -> None:
    """contract RAG: the caller's own chunks only (F24)."""
    if not answer.names_documents():
        not_applicable("this release's sources do not name documents; the answers themselves are checked")
    foreign = answer.document_ids() - {policy.document_id}
    expect(foreign, "other documents behind the answer").is_empty()


@rag
def test_no_more_chunks_than_allowed(answer: Answer, spec: Specification) -> None:
    """§1 RAG_MAX_CHUNKS: retrieval returns at most so many passages."""
    expect(len(answer.sources), "passages behind the answer").is_at_most(spec.chat.max_chunks)


@rag
def test_the_token_budget_is_kept(answer: Answer, spec: Specification) -> None:
    """§1 RAG_TOKEN_BUDGET: the passages fit into the budget."""
    if not answer.passage_characters():
        not_applicable("this release's sources do not show their text")
    tokens = answer.passage_characters() / spec.chat.characters_per_token
    expect(tokens, "tokens of the passages, estimated").is_at_most(spec.chat.token_budget)


@rag
def test_passages_lie_above_the_threshold(answer: Answer, spec: Specification) -> None:
    """§1 RAG_SIMILARITY_THRESHOLD: nothing below the threshold, best first."""
    values = answer.similarities()
    if not values:
        not_applicable("this release's sources do not show their similarity")
    # The API rounds what it shows: a passage just above the threshold may read as if it lay on it.
    expect([v for v in values if v < spec.chat.similarity_threshold], "similarities below the threshold").is_empty()
    expect(values, "order of the similarities").equals(sorted(values, reverse=True))


@chat
def test_another_user_gets_nothing_of_it(api: Api, policy: DocumentRun, another_user: User) -> None:
    """contract RAG: another user's document is never used (F24)."""
    question, wanted = policy.facts[0]
    answer = Answer(expect(api.as_(another_user).ask(question)).success())
    expect(answer.mentions(wanted), f"{wanted!r} in the answer to a user without documents").equals(False)
    expect(answer.document_ids(), "documents behind the answer to a user without documents").is_empty()


@chat
def test_two_users_get_their_own_answers(api: Api, policy: DocumentRun, other_policy: DocumentRun) -> None:
    """contract RAG: the same question is answered from each user's own document (F09)."""
    question, mine = policy.facts[0]
    theirs = other_policy.facts[0][1]
    hint = "the user id that retrieval filters by"
    answer = Answer(expect(api.as_(other_policy.owner).ask(question)).success())
    expect(answer.mentions(theirs), f"the second user's answer to mention {theirs!r}", hint, answer.describe()).is_true()
    expect(answer.mentions(mine), f"{mine!r}, the first user's fact, in the second user's answer").equals(False)


@chat
def test_chat_without_a_document_still_answers(api: Api, user: User, spec: Specification) -> None:
    """contract POST /api/chat: a user without documents gets an answer, not an error (F02)."""
    answer = Answer(expect(api.as_(user).ask(spec.probes.foreign_question)).success())
    expect(answer.failure(spec.chat), "failure behind the status 200").equals(None)


@chat
def test_the_answer_says_how_long_it_took(answer: Answer) -> None:
    """contract POST /api/chat: metadata.processing_time is given."""
    expect(answer.metadata, "metadata of the answer").contains("processing_time")


# ── storage and realtime ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.component("storage")
def test_the_service_role_may_write_and_read(supabase: Supabase, user: User, spec: Specification) -> None:
    """§3 Supabase storage: write, read and remove with the service key (F04)."""
    key = object_key(spec.pipeline.raw_path, user.id, spec.probes.file_id)
    probe = spec.probes.file.encode()
    mime = spec.limits.supported_mime_types[0]
    expect(supabase.storage.write(key, probe, mime)).success()
    read = expect(supabase.storage.read(key)).success(because="the worker reads documents with this key")
    expect(read.body, "bytes that were read back").equals(probe)
    expect(supabase.storage.remove(key)).success()
    expect(supabase.storage.read(key)).error("unknown")


@pytest.mark.component("storage")
def test_a_signed_read_url_works(supabase: Supabase, policy: DocumentRun, spec: Specification) -> None:
    """contract Storage: a signed URL shows the object for a while."""
    key = object_key(spec.pipeline.raw_path, policy.owner.id, policy.document_id)
    path = supabase.storage.signed_path(key, spec.limits.signed_url_ttl_seconds)
    expect(supabase.storage.open_signed(path)).success()


@realtime
def test_realtime_lets_a_client_join(supabase: Supabase, user: User, session: Session) -> None:
    """§3 Supabase realtime: a signed-in client joins a channel."""
    changes = [{"event": "*", "schema": session.spec.database.schema_name, "table": session.spec.pipeline.tables.jobs}]
    payload = {"config": {"postgres_changes": changes}, "access_token": user.token}
    reply = supabase.realtime.ask(f"realtime:{session.run.run_id}", "phx_join", payload)
    expect(reply["payload"].get("status"), "status of the join", "Supabase's dashboard, Realtime").equals("ok")


@realtime
def test_realtime_answers_heartbeats(supabase: Supabase) -> None:
    """§3 Supabase realtime: the socket is alive."""
    reply = supabase.realtime.ask("phoenix", "heartbeat", {})
    expect(reply["payload"].get("status"), "status of the heartbeat").equals("ok")


@realtime
def test_realtime_refuses_a_wrong_key(supabase: Supabase, spec: Specification) -> None:
    """§6 API Keys: a key of no project opens no socket."""
    expect(supabase.realtime.accepts(spec.probes.wrong_key), "a socket with a wrong key").equals(False)


@pytest.mark.component("llamaparse")
def test_llamaparse_knows_no_unknown_job(llamaparse: LlamaParse, spec: Specification) -> None:
    """§3 LlamaParse: the vendor answers; an unknown job is not found."""
    expect(llamaparse.job(spec.probes.unknown_id)).error("unknown")


@pytest.mark.component("openai")
def test_similar_texts_are_near(openai: OpenAI, spec: Specification) -> None:
    """§3 OpenAI: embeddings carry meaning."""
    model = spec.pipeline.embed_model
    question, near, far = openai.embed([*spec.probes.similar_texts, spec.probes.different_text], model)
    expect(_dot(question, near) - _dot(question, far), "how much nearer the similar text is").is_above(0)


def _dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))
