"""Shifts in response times: those that are there are found, hardly any other is reported, and each is said with its runs."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import Path

import pytest

from fixtures.performance_history import PerformanceHistory
from gate.change_points import find
from gate.failures import Failure
from gate.history import TIMES, KeptTimes, target_folder
from gate.internals import otava_
from proof.change_points import histories, is_found, judge
from reports import change_points, change_text
from spec import load
from tests.recorded import a_session

RULE = load().history.shifts
# Not one of those that the thresholds were chosen with.
SEED = 7


def test_of_40_shifts_38_are_found_and_of_40_calm_histories_one_is_flagged_at_most() -> None:
    found, flagged = judge(SEED, RULE)
    assert (found.of, flagged.of) == (40, 40)
    assert found.count >= 38
    assert flagged.count <= 1


def test_the_histories_are_what_they_are_said_to_be() -> None:
    pairs = list(histories(SEED))
    assert len({made.index for made, _ in pairs}) > 15
    assert all(0.16 < abs(made.change) < 0.61 and len(made.values) - made.index >= 6 <= made.index for made, _ in pairs)
    assert any(made.change > 0 for made, _ in pairs)
    assert any(made.change < 0 for made, _ in pairs)
    jumps = [max(later / earlier for earlier, later in pairwise(calm.values)) for _, calm in pairs]
    assert sum(jump > 1.45 for jump in jumps) > 10


@pytest.mark.parametrize("values", [[10.0] * 11, [10.0] * 30, [0.0] * 30, [], [10.0] * 20 + [30.0]])
def test_too_few_or_equal_values_and_a_lone_outlier_are_no_shift(values: list[float]) -> None:
    assert find(values, RULE) == []


def test_two_shifts_are_two() -> None:
    random_ = random.Random(5)
    values = [level * random_.lognormvariate(0, 0.04) for level in [100] * 15 + [150] * 15 + [100] * 15]
    found = find(values, RULE)
    assert [(shift.index, shift.change > 0) for shift in found] == [(15, True), (30, False)]


def test_the_library_finds_a_step_and_says_how_likely_it_is_none() -> None:
    step = [1.0, 1.1, 0.9, 1.05, 0.95, 2.0, 2.1, 1.9, 2.05, 1.95]
    assert otava_.candidates(step, RULE.window, 0.01) == [5]
    assert otava_.p_value(step[:5], step[5:]) < 1e-6
    assert otava_.p_value(step[:5], step[:5]) == 1.0


def runs(values: list[float], name: str = "GET /me") -> list[KeptTimes]:
    """Runs that measured one thing, every tenth of another release."""
    return [
        {
            "schema": 1,
            "run_id": f"r{number}",
            "started_at": f"2026-01-{number + 1:02}T00:00:00+00:00",
            "release": f"release-{number // 10}",
            "targets": {name: ["me"]},
            "times": {name: {RULE.figure: value, "p95": 2 * value}},
        }
        for number, value in enumerate(values)
    ]


def test_a_shift_is_said_with_its_runs_and_releases_and_is_new_once() -> None:
    made, _ = next(pair for pair in histories(SEED) if len(pair[0].values) < 30 and pair[0].change > 0)
    kept = runs(made.values)
    (shift,) = change_points.shifts([*kept, *runs([50.0] * 20, "GET /health")], RULE, [])
    first = int(shift["run_id"].removeprefix("r"))
    assert is_found(made, find(made.values, RULE))
    assert shift["last_run"] == f"r{first - 1}"
    assert (shift["release"], shift["last_release"]) == (f"release-{first // 10}", f"release-{(first - 1) // 10}")
    assert shift["is_new"]
    text = change_text.format_shift(shift)
    assert "GET /me: " in text
    assert " slower, median " in text
    assert text.endswith(", new")
    (again,) = change_points.shifts(kept, RULE, [change_points.key_of(shift)])
    assert not again["is_new"]


def stored(folder: Path, kept: list[KeptTimes]) -> PerformanceHistory:
    """The history of a target whose runs stored this."""
    session = a_session(folder)
    path = target_folder(folder, session) / TIMES
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(run) + "\n" for run in kept))
    return PerformanceHistory(session, folder)


@pytest.mark.parametrize(("level", "after"), [(150, 8), (60, 8), (150, 14)], ids=["slower", "faster", "slower long ago"])
def test_a_shift_to_slower_in_the_latest_runs_is_a_finding(tmp_path: Path, level: float, after: int) -> None:
    random_ = random.Random(3)
    values = [value * random_.lognormvariate(0, 0.03) for value in [100.0] * 15 + [level] * after]
    history = stored(tmp_path, runs(values))
    if level < 100 or after > RULE.latest:
        history.require_steady("me")
        return
    with pytest.raises(Failure) as caught:
        history.require_steady("me")
    assert (caught.value.code, caught.value.subject) == ("target.shifted", "target GET /me")
    assert caught.value.observed["since"] == "2026-01-16T00:00:00+00:00"
    assert caught.value.observed["release"] == "release-1"


def test_a_short_history_says_nothing(tmp_path: Path) -> None:
    history = stored(tmp_path, runs([100.0] * (RULE.fewest_runs - 1)))
    for target in ("me", "chat"):
        with pytest.raises(pytest.skip.Exception, match="NOT APPLICABLE: fewer than 12 runs"):
            history.require_steady(target)
