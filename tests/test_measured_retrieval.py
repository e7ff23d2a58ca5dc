"""Retrieval by measurement: where embeddings are aimed at, what has to be found, and what an answer shows of it."""

import json
import math
import random
from collections.abc import Callable, Sequence

import httpx
import pytest

from fixtures.answers import Answer
from fixtures.measured.aim import Aim, TooAlike, dot, unit
from fixtures.measured.asked import Measured
from fixtures.measured.exact import Bounds, Held
from fixtures.measured.judging import expect_as_stored, expect_best_first, expect_nearest, expect_own, expect_unheard
from fixtures.measured.judging import expect_within_limits as within_limits
from fixtures.measured.pattern import Seen, in_common
from fixtures.measured.routes import by_fallback, primary_failed, shows_provider
from fixtures.measured.shown import Finder
from gate.failures import Failure
from gate.http import Reply
from spec import load, retrieval_entries

SPEC = load()
CHAT, RULE = SPEC.chat, SPEC.retrieval
SCRIPTS = "texts in other scripts, with accents and signs"
OLD, NEW = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def vector(seed: int) -> list[float]:
    """A unit vector by chance."""
    chance = random.Random(seed)
    return unit([chance.gauss(0.2, 1) for _ in range(64)])


def held(number: int, similarity: float, characters: int = 100, document: str = OLD) -> Held:
    """A passage with a text of its own."""
    text = f"Passage {number:08d}: é" + ("x xx " * characters)[: characters - 19]
    return Held(f"{number:08d}-0000-4000-8000-000000000000", document, number, text, similarity)


def source(one: Held, *fields: str, **changed: object) -> dict[str, object]:
    """How an answer shows a passage, in these fields."""
    shown = {"chunk_id": one.chunk_id, "document_id": one.document_id, "text": one.text, "similarity": round(one.similarity, 4)}
    return {name: shown[name] for name in fields or shown} | changed


def reply(body: object, status: int = 200) -> Reply:
    """A chat's reply."""
    text = json.dumps(body).encode()
    return Reply(
        "POST",
        "https://host/api/chat",
        status,
        httpx.Headers(),
        text,
        0.1,
        "api",
        rule=SPEC.endpoint("chat"),
        readings=SPEC.readings,
    )


def answer(sources: Sequence[object], **metadata: object) -> Answer:
    """An answer with these sources."""
    return Answer(reply({"text": "It is so.", "sources": sources, "metadata": metadata}))


def measured(own: Sequence[Held], sources: Sequence[object], others: Sequence[Held] = (), reached: bool = True) -> Measured:
    """An answer that is held against a user's passages."""
    found = answer(sources)
    ids = {one.chunk_id for one in own} if reached else set()
    return Measured(
        found, Finder(own, others, RULE, percent=True).in_(found), Bounds(own, CHAT, RULE, lambda: ids), "the older"
    )


# ── Embeddings ───────────────────────────────────────────────────────────────────────────────────────────────
def test_an_embedding_has_the_wanted_cosine_to_its_question_and_none_to_others() -> None:
    questions = {str(seed): vector(seed) for seed in range(8)}
    made = Aim(questions, "seed").at({"3": 0.6})
    assert math.isclose(dot(made, made), 1)
    for name, question in questions.items():
        assert math.isclose(dot(made, question), 0.6 if name == "3" else 0, abs_tol=1e-9)


def test_an_embedding_may_lie_between_two_questions() -> None:
    questions = {"a": vector(1), "b": vector(2)}
    made = Aim(questions, "seed").at({"a": 0.4, "b": 0.5})
    assert [round(dot(made, question), 6) for question in questions.values()] == [0.4, 0.5]


def test_questions_may_be_too_much_alike() -> None:
    with pytest.raises(TooAlike):
        Aim({"a": vector(1), "b": vector(1)}, "seed")
    near = unit([a + 0.3 * b for a, b in zip(vector(1), vector(2), strict=True)])
    with pytest.raises(TooAlike):
        Aim({"a": vector(1), "b": near}, "seed").at({"a": 0.9})


# ── The trials ───────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("name", retrieval_entries.retrieval_trials(SPEC))
def test_no_planted_passage_lies_where_nothing_can_be_said(name: str) -> None:
    trial = RULE.trial(name)
    cosines = [group.similarity - place * group.step for group in trial.passages for place in range(group.count)]
    assert all(abs(cosine - CHAT.similarity_threshold) > RULE.tolerance for cosine in cosines)
    assert max(cosines) < 0.65
    if trial.background:
        assert len(trial.whole_question) > trial.question_characters - 3
        assert trial.whole_question.startswith(trial.question) or trial.asks_last


def test_both_limits_are_reached() -> None:
    for name, limit in (("number", "max_chunks"), ("number_long", "max_chunks"), ("size", "token_budget")):
        groups = RULE.trial(name).passages
        count, characters = sum(g.count for g in groups), sum(g.count * g.characters for g in groups)
        assert (count > CHAT.max_chunks) is (limit == "max_chunks")
        assert (characters > 1.2 * CHAT.token_budget * CHAT.characters_per_token) is (limit == "token_budget")


# ── What has to be found ─────────────────────────────────────────────────────────────────────────────────────
def test_passages_that_lie_together_have_no_order() -> None:
    own = [held(n, 0.6) for n in range(8)] + [held(8, 0.5), held(9, 0.5), held(10, 0.501), held(11, 0.31 - RULE.tolerance)]
    bounds = Bounds(own, CHAT, RULE, set)
    assert [one.number for one in own if bounds.has_to_be_there(one)] == list(range(8))
    assert not bounds.is_below(own[-1])


def test_what_the_tightest_count_allows_has_to_be_there() -> None:
    own = [held(n, 0.6 - n / 50, 2800) for n in range(8)]
    bounds = Bounds(own, CHAT, RULE, set)
    assert [one.number for one in own if bounds.has_to_be_there(one)] == [0, 1, 2, 3]
    assert bounds.tokens(5 * 2800) < bounds.most_tokens < bounds.tokens(6 * 2800)


OWN = [held(1, 0.6), held(2, 0.55, document=NEW), held(3, 0.5), held(4, 0.28)]
OTHERS = [held(21, 0.62), held(22, 0.61)]


@pytest.mark.parametrize("fields", [(), ("text",), ("similarity", "document_id"), ("chunk_id", "similarity")])
def test_a_right_answer_is_right_however_it_shows_its_sources(fields: tuple[str, ...]) -> None:
    seen = measured(OWN, [source(one, *fields) for one in OWN[:3]], OTHERS)
    assert seen.shown.are_distinct
    expect_own(seen, "x")
    within_limits(seen, "x", CHAT)
    expect_nearest(seen)
    expect_best_first(seen, "x", [])
    expect_as_stored(seen, "x")


def test_texts_may_be_cut_and_begin_with_a_heading() -> None:
    cut, headed = source(OWN[0], "text", text=OWN[0].text[:40] + "…"), source(OWN[2], "text", text=f"# Policy\n{OWN[2].text}")
    seen = measured(OWN, [cut, source(OWN[1], "text"), headed])
    assert seen.shown.own == OWN[:3]
    assert not seen.shown.garbled
    assert not seen.shown.unknown


def test_names_of_files_tell_nothing() -> None:
    seen = measured(OWN, ["policy.pdf", {"filename": "policy.pdf"}])
    assert not seen.shown.are_distinct
    assert not seen.shown.unknown


Judge = Callable[[Measured], None]


@pytest.mark.parametrize(
    ("sources", "judge", "code", "subject"),
    [
        ([source(OWN[0]), source(OWN[2])], lambda m: expect_nearest(m), "retrieval.missed", "retrieval the older"),
        ([source(one) for one in OWN], lambda m: within_limits(m, "x", CHAT), "retrieval.excess", "similarity_threshold"),
        ([source(OWN[2]), source(OWN[0])], lambda m: expect_best_first(m, "x", []), "retrieval.order", "retrieval order"),
        ([source(OTHERS[0]), source(OWN[0])], lambda m: expect_own(m, "x"), "retrieval.foreign", "own documents"),
        ([{"text": "what nobody ever wrote"}], lambda m: expect_as_stored(m, "x"), "chat.invented", "answer sources"),
        ([source(OWN[0], text="PÃ©ril")], lambda m: expect_as_stored(m, "x"), "chat.invented", "answer sources"),
    ],
)
def test_a_wrong_answer_is_named(sources: Sequence[object], judge: Judge, code: str, subject: str) -> None:
    with pytest.raises(Failure) as error:
        judge(measured(OWN, sources, OTHERS))
    # What is the check's own code is not that of the expectation.
    assert error.value.code == ("" if code == "retrieval.missed" else code)
    assert subject in (error.value.subject or subject)


def test_sources_may_stand_as_in_the_documents() -> None:
    expect_best_first(measured([held(1, 0.4), held(2, 0.6)], [source(held(1, 0.4)), source(held(2, 0.6))]), "x", ["reading"])
    with pytest.raises(Failure):
        expect_best_first(
            measured([held(2, 0.4), held(1, 0.6)], [source(held(2, 0.4)), source(held(1, 0.6))]), "x", ["reading"]
        )


@pytest.mark.parametrize(("count", "characters", "subject"), [(12, 100, "max_chunks"), (6, 2800, "token_budget")])
def test_limits_are_named(count: int, characters: int, subject: str) -> None:
    own = [held(n, 0.6 - n / 50, characters) for n in range(count)]
    with pytest.raises(Failure) as error:
        within_limits(measured(own, [source(one) for one in own]), "x", CHAT)
    assert (error.value.code, error.value.subject) == ("retrieval.excess", f"retrieval {subject}")


def test_what_is_missing_is_named_by_what_it_has_in_common() -> None:
    plain, long = RULE.trial("edge"), RULE.trial("number_long")
    seen = [Seen(plain, OWN[0], "older", is_found=False), Seen(long, OWN[1], "newer", is_found=True)]
    assert in_common(seen) == "passages of the older document"
    others = [Seen(RULE.trial(name), OWN[2], "older", is_found=True) for name in ("size", "crowd")]
    assert in_common([*seen, *others]) is None
    assert in_common([*seen, Seen(long, OWN[2], "newer", is_found=False), others[0]]) == "every question"
    assert in_common(seen[:1]) is None
    foreign = Held("c", OLD, 5, "Größe", 0.5)
    texts = [
        Seen(plain, one, place, is_found=found) for one, place, found in ((foreign, "older", False), (foreign, "newer", False))
    ]
    plainly = Held("d", OLD, 6, "size", 0.5)
    assert in_common([*texts, Seen(plain, plainly, "older", True), Seen(plain, plainly, "newer", True)]) == SCRIPTS


def test_an_approximate_index_may_pass_over_a_passage() -> None:
    with pytest.raises(pytest.skip.Exception):
        expect_nearest(measured(OWN, [source(OWN[0])], reached=False))


# ── Conversations and providers ──────────────────────────────────────────────────────────────────────────────
def test_a_word_of_another_conversation_is_heard_wherever_it_stands() -> None:
    expect_unheard(reply({"text": "nothing"}), "abcd", "conversation of another user")
    expect_unheard(reply({"detail": "no such conversation"}, 404), "abcd", "conversation of another user")
    for body, status in (({"metadata": {"history": ["it is abcd"]}}, 200), ({"detail": "abcd is not yours"}, 403)):
        with pytest.raises(Failure):
            expect_unheard(reply(body, status), "abcd", "conversation of another user")


def test_who_answered_is_read_from_the_metadata() -> None:
    rule = RULE.providers
    tried = [{"provider": "openai", "outcome": "timeout"}, {"provider": "anthropic", "outcome": "success"}]
    assert not shows_provider(answer([]), rule)
    assert shows_provider(answer([], provider="openai", route="primary"), rule)
    assert by_fallback(answer([], provider="anthropic", route="primary"), rule)
    assert by_fallback(answer([], route="fallback"), rule)
    assert primary_failed(answer([], attempts=tried), rule)
    assert not primary_failed(answer([], attempts=tried[1:]), rule)
