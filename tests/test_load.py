"""The load's logic: schedules, histograms, and a frozen server seen as it is."""

import itertools
import math
import time

import gevent
import pytest

from load.arrivals import schedule
from load.histogram import Latencies
from load.open_loop import OpenLoop
from spec.model import Segment


def test_a_constant_rate_is_even() -> None:
    due = list(schedule([Segment(seconds=2, rate=10, arrivals="constant")]))
    assert due == pytest.approx([n / 10 for n in range(20)])


def test_a_ramp_holds_the_mean_of_its_ends() -> None:
    due = list(schedule([Segment(seconds=10, rate=10, to_rate=30, arrivals="constant")]))
    assert len(due) == 200
    assert sum(moment < 5 for moment in due) == pytest.approx(75, abs=1)
    assert due == sorted(due)


def test_poisson_arrivals_have_their_rate_and_spread() -> None:
    due = list(schedule([Segment(seconds=200, rate=50)], seed=3))
    gaps = [b - a for a, b in itertools.pairwise(due)]
    mean = sum(gaps) / len(gaps)
    spread = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps))
    assert mean == pytest.approx(1 / 50, rel=0.05)
    assert spread == pytest.approx(mean, rel=0.1)


def test_generators_share_one_schedule_exactly() -> None:
    segments = [Segment(seconds=3, rate=20), Segment(seconds=2, rate=20, to_rate=60)]
    whole = list(schedule(segments, seed=5))
    parts = [list(schedule(segments, seed=5, share=n, of=3)) for n in range(3)]
    assert sorted(moment for part in parts for moment in part) == whole


def test_histograms_merge_exactly() -> None:
    one, other, both = Latencies(), Latencies(), Latencies()
    for n in range(1, 2000):
        (one if n % 2 else other).record(n / 7)
        both.record(n / 7)
    one.merge(Latencies(other.encode()))
    assert one.count == both.count
    assert [one.percentile(p) for p in (50, 90, 99, 100)] == [both.percentile(p) for p in (50, 90, 99, 100)]


def test_a_frozen_server_is_seen_from_the_schedule() -> None:
    """A server that freezes for 0.4 of 1 s: the schedule's own arithmetic tells what people would have seen."""
    freeze_from, freeze_to, rate = 0.3, 0.7, 100
    zero = time.perf_counter()

    def request(_: float) -> None:
        now = time.perf_counter() - zero
        if freeze_from <= now < freeze_to:
            gevent.sleep(freeze_to - now)

    measured = OpenLoop(request, 500).run(schedule([Segment(seconds=1, rate=rate, arrivals="constant")]), 2)
    assert measured.response.count == rate
    assert measured.is_valid
    # A closed loop would have seen one slow request; four in ten arrive during the freeze.
    assert measured.response.percentile(95) > 250


def test_too_few_places_make_the_run_invalid() -> None:
    measured = OpenLoop(lambda _: gevent.sleep(1), 5).run(schedule([Segment(seconds=0.5, rate=100, arrivals="constant")]), 0.1)
    assert measured.dropped > 0
    assert not measured.is_valid
