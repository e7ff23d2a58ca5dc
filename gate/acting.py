"""Carrying a decision out: what is ordered, and the story of what became of it. Who carries it out knows the platform.

A plugin offers that by the hook `pytest_gate_act` (gate/hooks.py); nothing is written anywhere without the option --act.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gate.failures import Failure
from spec.model.policy import Acting

State = Literal["begun", "done", "failed", "refused", "superseded", "interrupted"]
StepState = Literal["done", "failed", "skipped"]
WORDS = {"promote": "promote", "hold": "hold", "roll_back": "roll back"}


@dataclass(frozen=True)
class After:
    """What judging again has shown: `report` is its page, below the results folder. `verdict` is empty where there is none.

    `decision` is what its own policy decided: promote, hold, roll_back, or nothing.
    """

    verdict: str
    decision: str = ""
    release: str = "unknown"
    findings: Sequence[str] = ()
    report: str = ""


@dataclass(frozen=True)
class Order:
    """What is to be carried out. `doubt` is why this run must not be acted on, empty where nothing speaks against it.

    `history` is the folder that is kept between runs. `judge` judges what is live: it takes the commit that is expected, and
    the seconds that it may take.
    """

    action: Literal["promote", "roll_back"]
    rule: str
    limits: Acting
    history: Path
    judge: Callable[[str, float], After]
    doubt: str = ""


@dataclass(frozen=True)
class Step:
    """One step that was made."""

    name: str
    state: StepState
    at: str
    seconds: float
    detail: str = ""


@dataclass
class Story:
    """What became of an order. `failures` are what is wrong now, as findings are made of it."""

    action: Literal["promote", "roll_back"]
    state: State = "begun"
    reason: str = ""
    steps: list[Step] = field(default_factory=list)
    after: After | None = None
    failures: list[Failure] = field(default_factory=list)
