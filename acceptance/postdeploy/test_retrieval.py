"""8.2.5 Test external API integrations: what questions find, measured against what is the nearest (contract: RAG)."""

from functools import partial

import pytest

from fixtures.answers import Answer
from fixtures.api import Api
from fixtures.controls import require_shown
from fixtures.database import Database
from fixtures.document_run import DocumentRun
from fixtures.measured.asked import Trials
from fixtures.measured.every import EveryAnswer, expect_all_right
from fixtures.measured.exact import Bounds, held_by, reached_by_index
from fixtures.measured.judging import (
    describe,
    expect_as_stored,
    expect_best_first,
    expect_distinct,
    expect_nearest,
    expect_own,
    expect_unheard,
    expect_within_limits,
    names_of_documents,
)
from fixtures.measured.questions import asked_in
from fixtures.measured.routes import unfounded_fallback
from fixtures.measured.shown import Finder
from fixtures.vendors import OpenAI
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import each, promised
from gate.session import Session
from spec import Specification, retrieval_entries

pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.5"),
    pytest.mark.component("rag"),
    pytest.mark.needs("api", "database"),
    promised("pipeline", "chat", "vectors", "retrieval"),
]
chat = pytest.mark.component("chat")


# ── Against the nearest passages in the database ─────────────────────────────────────────────────────────────


@each("trial", retrieval_entries.retrieval_trials)
@pytest.mark.about("retrieval.missed", "retrieval nearest passages")
def test_an_answer_rests_on_the_nearest_passages(trials: Trials, spec: Specification, trial: str) -> None:
    """contract RAG: the caller's own passages above the threshold, best first, all of them up to both limits (F09, F24)."""
    measured, about = trials.of(trial), spec.retrieval.trial(trial).about
    expect_own(measured, about)
    expect_within_limits(measured, about, spec.chat)
    expect_nearest(measured)
    expect_best_first(measured, about, spec.readings.source_orders)
    expect_as_stored(measured, about)


@promised("endpoints.chat_alias")
@each("trial", retrieval_entries.alias_trials)
@pytest.mark.about("retrieval.missed", "retrieval nearest passages")
def test_the_alias_rests_on_the_same_passages(trials: Trials, spec: Specification, trial: str) -> None:
    """contract POST /api/chat (alias /chat): one chat under both paths, with the same limits (F09, F24)."""
    measured = trials.by_alias(trial)
    expect_own(measured, measured.about)
    expect_within_limits(measured, measured.about, spec.chat)
    expect_nearest(measured)
    expect_best_first(measured, measured.about, spec.readings.source_orders)
    expect_as_stored(measured, measured.about)


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
    require_shown(shown.are_distinct, "a single passage of several of one document")
    reached = partial(reached_by_index, database, policy.owner.id, vectors[0], spec.chat.max_chunks)
    missing = Bounds(held, spec.chat, spec.retrieval, reached).missing(shown.own)
    facts = {"missing": len(missing), "found": len(shown.own)}
    what = f"nearest passages that the answer to {question!r} does not rest on"
    similarities = [round(one.similarity, 3) for one in missing]
    expect(similarities, what, seen="; ".join(describe(missing)), facts=facts, of=answer.reply).is_empty()


@pytest.mark.observes("questions")
@pytest.mark.about("retrieval.missed", "retrieval nearest passages")
def test_every_answer_of_the_run_rests_on_the_nearest_passages(
    session: Session, database: Database, openai: OpenAI, spec: Specification
) -> None:
    """contract RAG: whoever asked, whatever and whenever: the nearest passages that there were, within all limits."""
    every = EveryAnswer(session, database, openai)
    judged = every.judge(asked_in(session.shared))
    require_shown(judged.are_distinct, "a single passage of several of one document")
    expect_all_right(judged, every.traits)


# ── What answers say ─────────────────────────────────────────────────────────────────────────────────────────


@chat
@each("trial", retrieval_entries.answered_trials)
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
@each("trial", retrieval_entries.unanswered_trials)
@pytest.mark.about("chat.invented", "answer without passages")
def test_a_question_that_nothing_answers_gets_no_sources(trials: Trials, spec: Specification, trial: str) -> None:
    """contract RAG: without a passage above the threshold there is neither a source nor what a passage below it says."""
    measured, rule = trials.of(trial), spec.retrieval.trial(trial)
    answer = measured.answer
    expect_within_limits(measured, rule.about, spec.chat)
    named = names_of_documents(answer)
    expect(named, "sources of an answer for which there is no passage", seen=answer.describe(), of=answer.reply).is_empty()
    what = f"an answer with {rule.fact!r} of a passage below the threshold"
    expect(answer.mentions(rule.fact), what, seen=answer.describe(), of=answer.reply).equals(False)


# ── Conversations ────────────────────────────────────────────────────────────────────────────────────────────


@chat
@pytest.mark.about("chat.crossed", "conversation of another user")
def test_conversations_are_kept_apart(trials: Trials) -> None:
    """contract POST /api/chat: conversation_id names one conversation of one user; its id alone opens it to no other user."""
    ground, talk = trials.ground, trials.talk()
    expect_unheard(talk.by_another, ground.words[ground.asker.id], "conversation of another user")
    expect_unheard(talk.again, ground.words[ground.other.id], "conversation of another user")
    expect_unheard(talk.elsewhere, ground.words[ground.asker.id], "conversation of the same user")


@chat
@pytest.mark.about("chat.crossed", "conversation of the same user")
def test_a_new_conversation_is_about_its_own_question(trials: Trials, spec: Specification) -> None:
    """contract POST /api/chat, RAG: a new conversation is about its question, and nothing that was asked before."""
    strange = trials.strange_in_a_conversation(spec.retrieval.conversation.trial)
    what = "passages of other questions that the answer in a new conversation rests on"
    expect(strange, what).is_empty()


@chat
@pytest.mark.about("chat.crossed", "conversation without an id")
def test_questions_without_an_id_share_no_conversation(trials: Trials) -> None:
    """contract POST /api/chat: a conversation is named by conversation_id; without it each question begins one of its own."""
    word, unnamed = trials.ground.words[trials.ground.asker.id], trials.unnamed()
    expect_unheard(unnamed.by_another, word, "conversation of another user")
    expect_unheard(unnamed.again, word, "conversation without an id")
    expect_distinct([unnamed.said, unnamed.again, unnamed.by_another])


@pytest.mark.about("retrieval.foreign", "retrieval own documents")
def test_two_users_who_ask_the_same_get_their_own_passages(trials: Trials) -> None:
    """contract RAG: the caller's own passages only, also where another user asks the same in the same moment (F24)."""
    for shown in trials.at_the_same_moment().values():
        found, facts = shown.of_others, {"passages": len(shown.of_others)}
        expect(found, "passages of the other one of two users who ask the same at once", facts=facts).is_empty()


# ── Providers ────────────────────────────────────────────────────────────────────────────────────────────────


@chat
@pytest.mark.about("chat.fallback", "answer provider")
def test_the_primary_provider_answers_while_it_can(trials: Trials, openai: OpenAI, spec: Specification) -> None:
    """§3 Service Router: the fallback is for a primary that fails (judged where the metadata show the provider)."""
    found = unfounded_fallback(trials, openai, spec)
    expect(found, "questions that the fallback answered while the primary answers").is_empty()
