"""What the queue shows over time: who was passed over, what stands in two places, what was touched after its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fixtures.queue.judging import require_in_order, require_left_alone
from fixtures.queue.order import Job, Order, Passed
from fixtures.queue.seen import Seen
from fixtures.queue.twice import doubled_in_chunks, doubled_in_text, shared_vectors
from gate.failures import Failure
from spec import load

SPEC = load()
RULE = SPEC.pipeline
BEGAN = datetime(2026, 11, 26, tzinfo=UTC)
OLD, YOUNG = "old", "young"
WAITS, WORKS, NEXT = ("uploaded", "queued"), ("uploaded", "working"), ("parse_queued", "working")
PAGE = "One sentence of the page.\nAnother one of it.\nThe third and last one."


def order_of(*looks: tuple[tuple[str, str], tuple[str, str]]) -> Order:
    order = Order(RULE)
    for old, young in looks:
        order.take({OLD: Job(*old, BEGAN), YOUNG: Job(*young, BEGAN + timedelta(seconds=1))})
    return order


def test_an_older_job_that_waits_while_a_younger_one_is_taken_is_passed_over() -> None:
    order = order_of((WAITS, WAITS), (WAITS, WAITS), (WAITS, WORKS), (WAITS, WORKS))
    assert order.shows_work
    assert list(order.passed) == [Passed(OLD, YOUNG, "uploaded")]


def test_a_younger_job_that_was_taken_and_has_gone_on_between_two_looks_counts() -> None:
    assert order_of((WAITS, WAITS), (WAITS, WAITS), (WAITS, NEXT), (WAITS, NEXT)).passed


def test_a_younger_job_that_came_later_and_is_worked_on_counts() -> None:
    late = ("parse_queued", "working")
    parsed, works = ("parsed", "queued"), ("parsed", "working")
    order = order_of((parsed, late), (parsed, late), (parsed, works), (parsed, ("parse_validated", "queued")))
    assert list(order.passed) == [Passed(OLD, YOUNG, "parsed")]


@pytest.mark.parametrize(
    "looks",
    [
        [(WAITS, WAITS), (WAITS, WAITS), (WORKS, WAITS), (NEXT, WORKS)],
        # Both came between two looks, and a claim may have been made of the one that was there.
        [
            (NEXT, NEXT),
            (NEXT, NEXT),
            (("parsed", "queued"), ("parsed", "working")),
            (("parsed", "queued"), ("parsed", "working")),
        ],
        # It was put off when the younger one came.
        [*[(("parsed", "retryable"), NEXT)] * 2, *[(("parsed", "queued"), ("parsed", "working"))] * 2],
        # The claim of another worker need not be visible at once.
        [(WAITS, WAITS), (WAITS, WAITS), (WAITS, WORKS), (WORKS, WORKS)],
        # The older one came to the stage when the younger one was being taken.
        [(("parse_queued", "working"), WAITS), (WAITS, WAITS), (WAITS, WORKS), (WAITS, WORKS)],
        # It failed, and is put off.
        [(("uploaded", "retryable"), WAITS)] * 2 + [(("uploaded", "retryable"), WORKS)] * 2,
        # Nothing is to be taken in the stage of the callback.
        [(("parse_queued", "queued"), ("parse_queued", "queued"))] * 2
        + [(("parse_queued", "queued"), ("parsed", "queued"))] * 2,
    ],
)
def test_order_is_kept(looks: list[Any]) -> None:
    assert not order_of(*looks).passed


def test_the_order_is_judged_where_work_is_seen() -> None:
    passed = [(OLD, YOUNG, "uploaded")] * SPEC.queue.passed_over_at_least
    with pytest.raises(pytest.skip.Exception, match="no job was seen in work"):
        require_in_order(SPEC, Seen(passed=passed))
    require_in_order(SPEC, Seen(shows_work=True, passed=passed[1:]))
    with pytest.raises(Failure) as caught:
        require_in_order(SPEC, Seen(shows_work=True, passed=passed))
    assert (caught.value.code, caught.value.observed["value"]) == ("queue.order", len(passed))


@pytest.mark.parametrize(
    ("chunks", "doubled"),
    [
        (["One sentence of the page.", "Another one of it.", "The third and last one."], []),
        # Neighbours overlap, and so may more than two.
        (
            [
                "One sentence of the page. Another one of it.",
                "Another one of it.",
                "Another one of it. The third and last one.",
            ],
            [],
        ),
        (["One sentence of the page.", "Another one of it.", "One sentence\nof the page."], [2]),
        (["One sentence of the page.", "One  sentence of the page.", "Another one of it."], [1]),
        (["A heading", "One sentence of the page.", "A heading"], [2]),
    ],
)
def test_what_stands_in_two_places_is_stored_twice(chunks: list[str], doubled: list[int]) -> None:
    assert doubled_in_chunks([PAGE], chunks) == doubled


def test_a_sentence_that_the_document_repeats_is_stored_twice_rightly() -> None:
    pages = [PAGE, "Something else.\nAnother one of it."]
    assert doubled_in_chunks(pages, [*PAGE.splitlines(), "Something else.", "It says: Another one of it."]) == []
    twice = "Something else.", "Another one of it.", *PAGE.splitlines()
    assert doubled_in_chunks(pages, twice) == []
    assert doubled_in_chunks(pages, [*twice, "Another one of it."]) == [5]
    assert doubled_in_text(pages, "\n".join(pages)) == []
    assert doubled_in_text([PAGE], f"{PAGE}\n\n{PAGE.replace('.', ' .')}") == [
        line.replace(" ", "") for line in PAGE.splitlines()
    ]


def test_texts_that_differ_have_vectors_of_their_own() -> None:
    assert shared_vectors([("a b", "1"), ("a  b", "1"), ("c", "2"), ("d", None), ("e", None)]) == 0
    assert shared_vectors([("a", "1"), ("b", "1"), ("c", "1")]) == 2


@pytest.mark.parametrize(
    "seen",
    [
        {"left": [("long", "complete done", "parsed queued")]},
        {"stored_again": ["long"]},
        {"events": ["long"]},
        {"rewritten": {"long": SPEC.queue.rewritten_at_least}},
    ],
)
def test_what_is_touched_after_its_end_is_named(seen: dict[str, Any]) -> None:
    looked = Seen(rows={"long": 5, "policy": 5}, **seen)
    require_left_alone(SPEC, looked, "policy")
    with pytest.raises(Failure) as caught:
        require_left_alone(SPEC, looked, "long")
    assert (caught.value.code, caught.value.subject) == ("job.again", "document long")


def test_a_document_that_others_ask_about_may_be_noted_in_its_rows() -> None:
    require_left_alone(SPEC, Seen(rows={"policy": 9}, rewritten={"policy": 8}), "policy")


def test_what_was_not_looked_at_twice_is_not_judged() -> None:
    with pytest.raises(pytest.skip.Exception, match="looked at twice"):
        require_left_alone(SPEC, Seen(rows={"long": 1}), "long")
