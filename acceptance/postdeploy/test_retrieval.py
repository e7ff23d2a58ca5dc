"""8.2.5 Test external API integrations: what questions find, measured against what is the nearest (contract: RAG)."""

import pytest

from fixtures.answers import Answer
from fixtures.api import Api
from fixtures.controls import require_shown
from fixtures.database import Database
from fixtures.document_run import DocumentRun
from fixtures.measured.asked import Trials
from fixtures.measured.exact import Bounds, held_by
from fixtures.measured.judging import (
    describe,
    expect_best_first,
    expect_nearest,
    expect_within_limits,
    names_of_documents,
)
from fixtures.measured.routes import unfounded_fallback
from fixtures.measured.shown import Finder
from fixtures.vendors import OpenAI
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import each, promised
from spec import Specification, entries

pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.5"),
    pytest.mark.component("rag"),
    pytest.mark.needs("api", "database"),
    promised("pipeline", "chat", "vectors", "retrieval"),
]
chat = pytest.mark.component("chat")


# ── Against the nearest passages in the database ─────────────────────────────────────────────────────────────


@each("trial", entries.retrieval_trials)
@pytest.mark.about("retrieval.missed", "retrieval nearest passages")
def test_the_nearest_passages_are_found(trials: Trials, spec: Specification, trial: str) -> None:
    """contract RAG: of the caller's own passages the nearest above the threshold, up to both limits."""
    expect_nearest(trials.of(trial), spec.retrieval.trial(trial).about)


@each("trial", entries.retrieval_trials)
@pytest.mark.about("retrieval.excess", "retrieval max_chunks")
def test_retrieval_keeps_its_limits(trials: Trials, spec: Specification, trial: str) -> None:
    """§1 RAG_MAX_CHUNKS, RAG_TOKEN_BUDGET, RAG_SIMILARITY_THRESHOLD: nothing beyond them, however much there is."""
    expect_within_limits(trials.of(trial), spec.retrieval.trial(trial).about, spec.chat)


@each("trial", entries.retrieval_trials)
@pytest.mark.about("retrieval.order", "retrieval order")
def test_the_best_passage_comes_first(trials: Trials, spec: Specification, trial: str) -> None:
    """contract RAG: best first; an answer may list its sources as they stand in the documents."""
    expect_best_first(trials.of(trial), spec.retrieval.trial(trial).about, spec.readings.source_orders)


@each("trial", entries.retrieval_trials)
@pytest.mark.about("retrieval.foreign", "retrieval own documents")
def test_no_passage_is_anothers(trials: Trials, trial: str) -> None:
    """contract RAG: the caller's own chunks only, however near those of others are (F24)."""
    measured = trials.of(trial)
    of_others, reply = measured.shown.of_others, measured.answer.reply
    expect(of_others, "passages of another user", facts={"passages": len(of_others)}, of=reply).is_empty()


@chat
@each("trial", entries.retrieval_trials)
@pytest.mark.about("chat.invented", "answer sources")
def test_the_sources_are_passages_as_they_are_stored(trials: Trials, spec: Specification, trial: str) -> None:
    """contract POST /api/chat: sources are what the answer rests on, in the words that are stored."""
    measured, about = trials.of(trial), spec.retrieval.trial(trial).about
    unknown, garbled = measured.shown.unknown, [text for _, text in measured.shown.garbled]
    expect(unknown, f"sources that are nobody's passages ({about})", of=measured.answer.reply).is_empty()
    expect(garbled, f"sources with another text than their passage's ({about})", of=measured.answer.reply).is_empty()


@pytest.mark.about("retrieval.missed", "retrieval nearest passages")
def test_a_document_that_went_through_is_searched_exactly(
    api: Api, policy: DocumentRun, database: Database, openai: OpenAI, spec: Specification
) -> None:
    """contract RAG: of a document's many passages the nearest ones, as the worker stored them."""
    question = policy.facts[0][0]
    vectors = openai.embed([question], spec.pipeline.embed_model)
    [held] = held_by(database, policy.owner.id, vectors)
    answer = Answer(expect(api.as_(policy.owner).ask(question)).success())
    answer.require_no_fault(spec.chat)
    shown = Finder(held, [], spec.retrieval, spec.readings.percent).in_(answer)
    require_shown(shown.can_be_told, "a single passage of several of one document")
    missing = Bounds(held, spec.chat, spec.retrieval).missing(shown.own)
    facts = {"missing": len(missing), "found": len(shown.own)}
    what = f"nearest passages that the answer to {question!r} does not rest on"
    expect(describe(missing), what, facts=facts, of=answer.reply).is_empty()


# ── What answers say ─────────────────────────────────────────────────────────────────────────────────────────


@chat
@each("trial", entries.answered_trials)
@pytest.mark.about("chat.ungrounded", "answer all passages")
def test_the_answer_uses_every_passage_that_it_names(trials: Trials, spec: Specification, trial: str) -> None:
    """contract RAG: what only a later passage says, in an older document, is in the answer as well."""
    measured, rule = trials.of(trial), spec.retrieval.trial(trial)
    holding = [one for one in measured.shown.own if rule.fact in one.text]
    if not holding:
        not_applicable("the passage itself is not found; a check of its own says so")
    answer = measured.answer
    what = f"the answer to mention {rule.fact!r}, which one of its sources says"
    expect(answer.mentions(rule.fact), what, seen=answer.describe(), of=answer.reply).is_true()


@chat
@each("trial", entries.unanswered_trials)
@pytest.mark.about("chat.invented", "answer without passages")
def test_a_question_that_nothing_answers_gets_no_sources(trials: Trials, spec: Specification, trial: str) -> None:
    """contract RAG: without a passage above the threshold there is neither a source nor what a passage below it says."""
    measured, rule = trials.of(trial), spec.retrieval.trial(trial)
    answer = measured.answer
    named = names_of_documents(answer)
    expect(named, "sources of an answer for which there is no passage", seen=answer.describe(), of=answer.reply).is_empty()
    what = f"an answer with {rule.fact!r} of a passage below the threshold"
    expect(answer.mentions(rule.fact), what, seen=answer.describe(), of=answer.reply).equals(False)


# ── Conversations ────────────────────────────────────────────────────────────────────────────────────────────


@chat
@pytest.mark.about("chat.crossed", "conversation of another user")
def test_a_conversations_id_opens_it_to_nobody_else(trials: Trials) -> None:
    """contract POST /api/chat: who knows the id of another user's conversation learns nothing of it."""
    ground, talk = trials.ground, trials.talk()
    held = ground.words[ground.asker.id] in expect(talk.by_another).success().text
    expect(held, "another user's words in an answer within their conversation", of=talk.by_another).equals(False)
    returned = ground.words[ground.other.id] in expect(talk.again).success().text
    expect(returned, "words of a user who only knew its id, in the owner's conversation", of=talk.again).equals(False)


@chat
@pytest.mark.about("chat.crossed", "conversation of the same user")
def test_two_conversations_of_a_user_are_two(trials: Trials) -> None:
    """contract POST /api/chat: conversation_id names a conversation, and another one is another one."""
    ground, talk = trials.ground, trials.talk()
    held = ground.words[ground.asker.id] in expect(talk.elsewhere).success().text
    expect(held, "words of one conversation in an answer of another one", of=talk.elsewhere).equals(False)


# ── Providers ────────────────────────────────────────────────────────────────────────────────────────────────


@chat
@pytest.mark.about("chat.fallback", "answer provider")
def test_the_primary_provider_answers_while_it_can(trials: Trials, openai: OpenAI, spec: Specification) -> None:
    """§3 Service Router: the fallback is for a primary that fails (judged where the metadata show the provider)."""
    found = unfounded_fallback(trials, openai, spec)
    expect(found, "questions that the fallback answered while the primary answers").is_empty()
