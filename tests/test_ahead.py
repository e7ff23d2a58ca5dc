"""Work that is done ahead of its checks: once, in order, and with the same end as if the check had done it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable

import pytest

from gate.ahead import Ahead

SECONDS = 10.0


@pytest.fixture
def ahead() -> Ahead:
    return Ahead()


def counted(calls: list[str], name: str) -> Callable[[], str]:
    def work() -> str:
        calls.append(name)
        return name

    return work


def until(begun: threading.Event, go: threading.Event) -> Callable[[], int]:
    """Work that says when it has begun, lasts until it may go on, and returns its thread."""

    def work() -> int:
        begun.set()
        assert go.wait(SECONDS)
        return threading.get_ident()

    return work


def test_pieces_are_done_in_their_order_and_once(ahead: Ahead) -> None:
    calls: list[str] = []
    for name in ("first", "second", "third"):
        ahead.add(name, counted(calls, name))
    ahead.start()
    ahead.settle()
    assert calls == ["first", "second", "third"]
    assert ahead.take("second", counted(calls, "again")) == "second"
    assert calls == ["first", "second", "third"]


def test_a_piece_is_taken_once_and_then_done_again(ahead: Ahead) -> None:
    calls: list[str] = []
    ahead.add("one", counted(calls, "one"))
    assert [ahead.take("one", counted(calls, "other")) for _ in range(2)] == ["one", "other"]


def test_a_piece_that_has_not_begun_is_done_by_whoever_takes_it(ahead: Ahead) -> None:
    begun, go = threading.Event(), threading.Event()
    ahead.add("slow", until(begun, go))
    ahead.add("next", threading.get_ident)
    ahead.start()
    assert begun.wait(SECONDS)
    assert ahead.take("next", threading.get_ident) == threading.get_ident()
    go.set()
    ahead.settle()


def test_a_piece_under_way_is_waited_for(ahead: Ahead) -> None:
    begun, go = threading.Event(), threading.Event()
    ahead.add("slow", until(begun, go))
    ahead.start()
    assert begun.wait(SECONDS)
    threading.Timer(0.05, go.set).start()
    assert ahead.take("slow", threading.get_ident) != threading.get_ident()


@pytest.mark.parametrize("error", [ValueError, pytest.skip.Exception], ids=["error", "skip"])
def test_what_a_piece_raises_reaches_its_check(ahead: Ahead, error: type[BaseException]) -> None:
    def work() -> None:
        raise error("as in the check")

    ahead.add("one", work)
    ahead.add("two", lambda: 2)
    ahead.start()
    ahead.settle()
    with pytest.raises(error, match="as in the check"):
        ahead.take("one", work)
    assert ahead.take("two", lambda: 0) == 2, "what follows is done all the same"


def test_a_piece_may_add_others(ahead: Ahead) -> None:
    ahead.add("maker", lambda: ahead.add("made", threading.get_ident))
    ahead.start()
    ahead.settle()
    assert ahead.take("made", threading.get_ident) != threading.get_ident()


def test_no_piece_begins_after_the_end(ahead: Ahead) -> None:
    calls: list[str] = []
    begun, go = threading.Event(), threading.Event()
    ahead.add("slow", until(begun, go))
    ahead.add("late", counted(calls, "late"))
    ahead.start()
    assert begun.wait(SECONDS)
    threading.Timer(0.05, go.set).start()
    ahead.finish()
    assert calls == []


def test_without_pieces_there_is_nothing_to_wait_for(ahead: Ahead) -> None:
    ahead.settle()
    ahead.finish()
    assert ahead.take("one", lambda: 1) == 1


def test_what_is_ready_made_is_handed_out_once_and_a_few_at_a_time() -> None:
    ahead, numbers, has_begun = Ahead(), itertools.count(), threading.Event()
    made: list[int] = []

    def work() -> int:
        number = next(numbers)
        made.append(number)
        has_begun.set()
        return number

    ready = ahead.keep_ready(work, wanted=5, most=2)
    assert has_begun.wait(SECONDS)
    assert len(made) <= 2
    assert len({ready.take() for _ in range(6)}) == 6
    ahead.finish()


def test_who_takes_meets_what_kept_it_from_being_ready() -> None:
    def work() -> int:
        raise ValueError("nobody signs in")

    ahead = Ahead()
    ready = ahead.keep_ready(work, wanted=3, most=1)
    with pytest.raises(ValueError, match="nobody signs in"):
        ready.take()
    ahead.finish()
