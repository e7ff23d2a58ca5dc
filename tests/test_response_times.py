"""Response times: one row for each thing, with its own limits, the nearest to its limit first."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from fixtures.measure import Measure, Samples
from gate.failures import Failure
from reports import response_times
from reports.response_times import Record
from tests.recorded import SPEC, a_session


def record(name: str, target: str, p95: float, **limits: float) -> Record:
    """What a measurement leaves."""
    figures = {"median_ms": 10.0, "mean_ms": 11.0, "p95_ms": p95, "max_ms": 2 * p95}
    return {
        "name": name,
        "target": target,
        "section": target,
        "figures": figures,
        "limits": limits,
        "milliseconds": [9.0, 10.0],
    }


def test_the_nearest_to_its_limit_stands_first() -> None:
    found = response_times.rows(
        [record("calm", "a", 10, p95_ms=200), record("over", "b", 300, p95_ms=200), record("near", "c", 190, p95_ms=200)]
    )
    assert [(row["name"], row["broken"]) for row in found] == [("over", ["p95"]), ("near", []), ("calm", [])]


def test_a_thing_that_is_held_to_two_targets_is_one_row_with_the_stricter_limits() -> None:
    found = response_times.rows(
        [record("GET /me", "me", 100, p95_ms=200), record("GET /me", "endpoint", 150, p95_ms=500, max_ms=1000)]
    )
    assert len(found) == 1
    assert found[0]["limits"] == {"p95": 200, "max": 1000}
    assert found[0]["figures"]["p95"] == 150
    assert found[0]["nearness"] == 0.75


def test_a_measurement_leaves_a_row_with_its_own_limit(tmp_path: Path) -> None:
    session = a_session(tmp_path)
    measure = Measure(session)
    measure.hold(Samples("one-page document", [30_000.0]), "document", "worker", allowance_ms=60_000)
    with pytest.raises(Failure) as caught:
        measure.hold(Samples("another document", [30_000.0]), "document", "worker")
    failure = caught.value
    assert (failure.code, failure.subject, failure.expected) == ("target.slow", "target another document", 10_000)
    assert (failure.observed["figure"], failure.observed["milliseconds"]) == ("max_ms", 30_000)
    found = response_times.read(session.shared.path / "samples")
    assert [(row["name"], row["limits"]) for row in found] == [
        ("another document", {"max": SPEC.targets["document"].max_ms}),
        ("one-page document", {"max": 70_000.0}),
    ]


def test_the_samples_of_one_thing_have_the_same_name_in_every_process(tmp_path: Path) -> None:
    session = a_session(tmp_path)
    Measure(session).hold(Samples("GET /health", [1.0]), "health", "api")
    digest = hashlib.sha256(b"GET /health").hexdigest()[:12]
    assert [path.name for path in (session.shared.path / "samples").glob("*.json")] == [f"health-{digest}.json"]
