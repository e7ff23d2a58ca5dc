"""Findings are made of facts: with nonsense in the place of every text they stay the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.masking import Masking
from proof.scrambled import both, scramble
from reports import records
from reports.model import Check
from tests.recorded import RULES, SPEC, check, concluded, worded
from tests.recordings import FAULTS, UNAVAILABLE, recording

SECRET = "a-secret-of-a-test"


def prose(checks: list[Check]) -> set[str]:
    """Texts for people in these checks."""
    found: set[str] = set()
    texts: list[object]
    for one in checks:
        failure = one.facts.failure or {"observed": {}}
        texts = [one.name, one.reason, one.facts.promise, one.facts.reason]
        texts += [failure.get(name) for name in ("what", "because", "hint", "expected")]
        texts += [failure["observed"].get(name) for name in ("detail", "body")]
        found |= {text for text in texts if isinstance(text, str) and text}
    return found


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_for_what_it_is(name: str) -> None:
    found = concluded(recording(name), errors=UNAVAILABLE)
    assert found[0].failure_mode == FAULTS[name][0]
    assert sum(f.failure_mode is not None for f in found[1:]) == (1 if name == "silent chat" else 0)


@pytest.mark.parametrize("name", FAULTS)
def test_nonsense_in_the_place_of_every_text_changes_no_finding(name: str) -> None:
    checks = recording(name)
    assert not prose(checks) & prose(scramble(checks))
    plain, nonsense = both(checks, RULES, SPEC, UNAVAILABLE)
    assert plain == nonsense


def test_a_rule_that_would_read_a_text_is_noticed() -> None:
    one = check(code="storage.closed", subject="bucket files", component="storage", observed={"detail": "F04"})
    data = [worded(some, concluded(some))[0] for some in ([one], scramble([one]))]
    assert data[0]["evidence"] != data[1]["evidence"]
    assert data[0]["title"] == data[1]["title"]


@pytest.mark.parametrize("name", FAULTS)
def test_what_was_recorded_is_read_as_it_was(tmp_path: Path, name: str) -> None:
    checks, errors = recording(name), UNAVAILABLE
    records.write(tmp_path, checks, errors.get, lambda text: text)
    assert records.read(tmp_path) == records.read(tmp_path / records.FILE) == checks
    blocking = {c.facts.blocked_by for c in checks}
    assert records.unavailable(tmp_path) == {part: error for part, error in errors.items() if part in blocking}


def test_records_are_masked(tmp_path: Path) -> None:
    masking = Masking()
    masking.learn("THE_KEY", SECRET)
    one = check(observed={"body": f"the key {SECRET}", "value": [SECRET]}, expected={"key": SECRET}, hint=SECRET)
    one.reason = SECRET
    records.write(tmp_path, [one], UNAVAILABLE.get, masking.mask)
    assert SECRET not in (tmp_path / records.FILE).read_text()
    assert "[THE_KEY]" in (tmp_path / records.FILE).read_text()
