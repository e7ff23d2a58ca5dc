"""What became of each case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from proof.conformance.marks import VENDORS

BY_STRANGERS = "test_strangers"


@dataclass(frozen=True)
class Case:
    """One case: its vendor and operation, whether a stranger wrote it, and `passed`, `failed` or `skipped` with the reason."""

    vendor: str
    operation: str
    is_strangers: bool
    outcome: str
    reason: str = ""


OPERATION = "operation"


def note_operation(item: pytest.Item) -> None:
    """Let the reports of a case say what it is about, in whichever process it runs."""
    if mark := item.get_closest_marker(OPERATION):
        item.user_properties.append((OPERATION, list(mark.args)))


def _reason(report: pytest.TestReport) -> str:
    return report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else ""


class Results:
    """A plugin of pytest that keeps the outcome of every case."""

    def __init__(self) -> None:
        self._about: dict[str, Any] = {}
        self._outcomes: dict[str, tuple[str, str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A case has failed when its body or a fixture around it has: a fixture holds the answers to the description."""
        self._about[report.nodeid] = next((found for name, found in report.user_properties if name == OPERATION), ())
        if report.failed:
            self._outcomes[report.nodeid] = ("failed", "")
        elif report.skipped:
            self._outcomes[report.nodeid] = ("skipped", _reason(report))
        else:
            self._outcomes.setdefault(report.nodeid, ("passed", ""))

    @property
    def cases(self) -> list[Case]:
        """All cases that were begun, by vendor and in the order of their modules."""
        found = [
            Case(vendor, text, BY_STRANGERS in node, outcome, reason)
            for node, (outcome, reason) in self._outcomes.items()
            for vendor, text in [self._about[node]]
        ]
        return sorted(found, key=lambda case: VENDORS.index(case.vendor))
