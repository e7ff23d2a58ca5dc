"""8.2.5 Test external API integrations, through the service (§3 External and Internal Service Dependencies)."""

import pytest

from fixtures.answers import Answer
from fixtures.api import Api
from fixtures.controls import require_shown
from fixtures.document_run import DocumentRun
from fixtures.document_runs import DocumentRuns
from fixtures.pipeline import Pipeline
from fixtures.retrieval import in_reading_order, nearest
from fixtures.stored import Chunk, code_of_vectors, is_nearest, object_key, sentences_missing
from fixtures.supabase import Supabase
from fixtures.users import User
from fixtures.vendors import OpenAI
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import each, promised
from spec import Specification, entries

pytestmark = [pytest.mark.postdeploy, pytest.mark.checklist("8.2.5"), promised("pipeline", "chat")]
chat = pytest.mark.component("chat")
rag = pytest.mark.component("rag")
VECTORS = "vectors document_chunks.embedding"


@pytest.fixture
def answer(api: Api, policy: DocumentRun) -> Answer:
    """The chat's answer to the first fact's question, asked by the owner of the policy."""
    return Answer(expect(api.as_(policy.owner).ask(policy.facts[0][0])).success())


@pytest.fixture
def passages(answer: Answer, spec: Specification) -> Answer:
    """An answer that rests on passages; the check is not judged where the chat failed, or found none."""
    require_shown(answer.sources and not answer.fault(spec.chat), "an answer from passages")
    return answer


def embedding(openai: OpenAI, spec: Specification, text: str) -> list[float]:
    """The model's own embedding of a text, of the specified dimension."""
    model = spec.pipeline.embed_model
    vector = openai.embed([text], model)[0]
    what, subject = f"dimensions of an embedding by {model}", f"vectors {model}"
    expect(len(vector), what, code="vectors.wrong", subject=subject, component="openai").equals(spec.vectors.dimension)
    return vector


# ── parsing and embedding ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.component("llamaparse")
@pytest.mark.about("data.lost")
def test_parsing_gave_the_documents_text(policy: DocumentRun, supabase: Supabase, spec: Specification) -> None:
    """§3 LlamaParse: the stored text holds what the PDF says."""
    path = spec.pipeline.parsed_path
    reply = supabase.storage.require_existing(path, object_key(path, policy.owner.id, policy.document_id))
    missing = sentences_missing(policy.pages, reply.text)
    facts, subject = {"missing": len(missing)}, f"object {path}"
    expect(missing, "sentences of the PDF that the parsed text lacks", subject=subject, facts=facts, of=reply).is_empty()


@pytest.mark.component("webhook")
def test_no_callback_is_lost(document_runs: DocumentRuns, spec: Specification) -> None:
    """contract Worker: the webhook of every document arrives (F12, F13)."""
    hint = "API_BASE_URL of the worker (the public URL that LlamaParse calls back); the API's log of webhook calls"
    for document_run in [document_runs.accepted(name) for name in document_runs.expected_to("complete")]:
        if document_run.waits_for_callback(spec.pipeline):
            document_runs.require(document_run, "complete", hint)


@rag
def test_the_stored_vectors_are_the_models(
    policy: DocumentRun, database_chunks: list[Chunk], openai: OpenAI, spec: Specification
) -> None:
    """§1 RAG_EMBEDDING_MODEL: stored embeddings are those of the specified model (F11)."""
    sample = database_chunks[0]
    vector = embedding(openai, spec, sample.text)
    cosine, wanted = round(sample.similarity_to(vector), 4), spec.pipeline.same_text_cosine
    code = code_of_vectors([sample], spec, cosine)
    if spec.pipeline.context_cosine and wanted >= cosine > spec.pipeline.context_cosine:
        others = openai.embed([c.text for c in database_chunks if c.text != sample.text], spec.pipeline.embed_model)
        wanted = spec.pipeline.context_cosine if is_nearest(sample, vector, others) else wanted
    expect(cosine, "cosine of a stored embedding and the model's own", code=code, subject=VECTORS).is_above(wanted)


@rag
@each("fact", entries.fact_numbers)
def test_the_right_passage_is_the_nearest(
    policy: DocumentRun, database_chunks: list[Chunk], openai: OpenAI, spec: Specification, fact: int
) -> None:
    """contract RAG: the question's vector finds the passage, above the threshold (F11, F29)."""
    question, wanted = policy.facts[fact]
    found = nearest(database_chunks, embedding(openai, spec, question), spec.chat)
    code, what = code_of_vectors(database_chunks, spec), f"passages for {question!r} that hold {wanted!r}"
    holding = expect([wanted in chunk.text for chunk in found], what, code=code, subject=VECTORS, facts={"found": len(found)})
    holding.contains(True)


# ── retrieval and chat, through the service ──────────────────────────────────────────────────────────────


@chat
def test_chat_does_not_fail_behind_a_200(answer: Answer, spec: Specification) -> None:
    """contract HTTP API: no metadata.error, no apology (F02)."""
    answer.require_no_fault(spec.chat)


@chat
@promised("endpoints.chat_alias")
@pytest.mark.about("chat.ungrounded")
def test_the_alias_of_the_chat_answers_like_the_chat(api: Api, policy: DocumentRun) -> None:
    """contract POST /api/chat (alias /chat): one chat under both paths (F16)."""
    (question, wanted), caller = policy.facts[0], api.as_(policy.owner)
    alias = Answer(expect(caller.ask(question, "chat_alias")).success())
    if not alias.mentions(wanted) and not Answer(expect(caller.ask(question)).success()).mentions(wanted):
        not_applicable("the chat itself does not answer from the document; checks of its own say so")
    what, subject = f"the alias to mention {wanted!r}, as the chat does", alias.reply.subject
    expect(alias.mentions(wanted), what, seen=alias.describe(), subject=subject, of=alias.reply).is_true()


@chat
@each("fact", entries.fact_numbers)
def test_chat_answers_from_the_document(api: Api, policy: DocumentRun, spec: Specification, fact: int) -> None:
    """contract RAG: the answer comes from the caller's own document (F09, F11, F16)."""
    question, wanted = policy.facts[fact]
    answer = Answer(expect(api.as_(policy.owner).ask(question)).success())
    answer.require_mention(wanted, policy.document_id, spec.chat)


@rag
def test_retrieval_finds_the_own_document(answer: Answer, policy: DocumentRun, spec: Specification) -> None:
    """contract RAG: the sources are chunks of the caller's document (F09, F11)."""
    answer.require_no_fault(spec.chat)
    answer.require_own_document(policy.document_id)
    if not answer.names_documents():
        not_applicable("this release's sources do not name documents; the answers themselves are checked")


@rag
@pytest.mark.about("retrieval.foreign", "retrieval own documents")
def test_retrieval_stays_within_the_callers_documents(passages: Answer, policy: DocumentRun) -> None:
    """contract RAG: the caller's own chunks only (F24)."""
    if not passages.names_documents():
        not_applicable("this release's sources do not name documents; the answers themselves are checked")
    foreign = passages.document_ids() - {policy.document_id}
    facts = {"documents": len(foreign)}
    expect(foreign, "other documents behind the answer", facts=facts, of=passages.reply).is_empty()


@rag
@pytest.mark.about("retrieval.excess", "retrieval max_chunks")
def test_no_more_chunks_than_allowed(passages: Answer, spec: Specification) -> None:
    """§1 RAG_MAX_CHUNKS: retrieval returns at most so many passages."""
    expect(len(passages.passages), "passages behind the answer", of=passages.reply).is_at_most(spec.chat.max_chunks)


@rag
@pytest.mark.about("retrieval.excess", "retrieval token_budget")
def test_the_token_budget_is_kept(answer: Answer, spec: Specification) -> None:
    """§1 RAG_TOKEN_BUDGET: the passages fit into the budget."""
    if not answer.passage_characters():
        not_applicable("this release's sources do not show their text")
    tokens = answer.passage_characters() / spec.chat.characters_per_token
    expect(tokens, "tokens of the passages, estimated", of=answer.reply).is_at_most(spec.chat.token_budget)


@rag
@pytest.mark.about("retrieval.excess", "retrieval similarity_threshold")
def test_passages_lie_above_the_threshold(answer: Answer, policy: DocumentRun, pipeline: Pipeline, spec: Specification) -> None:
    """§1 RAG_SIMILARITY_THRESHOLD: nothing below the threshold, best first."""
    values = answer.similarities()
    if not values:
        not_applicable("this release's sources do not show their similarity")
    # The API rounds what it shows: a passage just above the threshold may read as if it lay on it.
    below = [value for value in values if value < spec.chat.similarity_threshold]
    expect(below, "similarities below the threshold", of=answer.reply).is_empty()
    ranked = sorted(values, reverse=True)
    if values != ranked and "reading" in spec.readings.source_orders:
        chunks = [Chunk(row) for row in pipeline.chunks(policy.document_id)]
        ranked = values if in_reading_order(answer.passage_texts(), chunks) else ranked
    what, code, subject = "order of the similarities", "retrieval.order", "retrieval order"
    expect(values, what, code=code, subject=subject, of=answer.reply).equals(ranked)


@chat
@pytest.mark.about("retrieval.foreign", "retrieval own documents")
def test_another_user_gets_nothing_of_it(api: Api, policy: DocumentRun, another_user: User) -> None:
    """contract RAG: another user's document is never used (F24)."""
    question, wanted = policy.facts[0]
    own = Answer(expect(api.as_(policy.owner).ask(question)).success())
    require_shown(own.mentions(wanted), f"{wanted!r} in their own answer")
    # Whoever else they say to be.
    claimed = {"user_id": policy.owner.id, "document_id": policy.document_id}
    answer = Answer(expect(api.as_(another_user).ask(question, context=claimed)).success())
    expect(
        answer.mentions(wanted), f"{wanted!r} in the answer to a user without documents", component="rag", of=answer.reply
    ).equals(False)
    documents = answer.document_ids()
    expect(documents, "documents behind the answer to a user without documents", component="rag", of=answer.reply).is_empty()


@chat
@pytest.mark.about("retrieval.foreign", "retrieval own documents")
def test_two_users_get_their_own_answers(api: Api, policy: DocumentRun, other_policy: DocumentRun, spec: Specification) -> None:
    """contract RAG: the same question is answered from each user's own document (F09)."""
    question, mine = policy.facts[0]
    theirs = other_policy.facts[0][1]
    answer = Answer(expect(api.as_(other_policy.owner).ask(question)).success())
    what, hint = f"{mine!r}, the first user's fact, in the second user's answer", "the user id that retrieval filters by"
    expect(answer.mentions(mine), what, hint, answer.describe(), component="rag", of=answer.reply).equals(False)
    answer.require_mention(theirs, other_policy.document_id, spec.chat)


@chat
def test_chat_without_a_document_still_answers(api: Api, user: User, spec: Specification) -> None:
    """contract POST /api/chat: a user without documents gets an answer, not an error (F02)."""
    answer = Answer(expect(api.as_(user).ask(spec.probes.foreign_question)).success())
    answer.require_no_fault(spec.chat)


@chat
@pytest.mark.about("http.fields")
def test_the_answer_says_how_long_it_took(answer: Answer, spec: Specification) -> None:
    """contract POST /api/chat: metadata with processing_time, confidence and agent_sources."""
    reply = answer.reply
    for name in spec.chat.metadata:
        expect(answer.metadata, "metadata of the answer", subject=reply.subject, of=reply).contains(name)
