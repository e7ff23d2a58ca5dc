"""Records of a run with every text replaced by nonsense: findings that are made of facts do not change.

`python -m proof.scrambled FOLDER…` tries it on results folders (those that hold facts.json), with the navigator's specification
or, after `--spec FILE`, another; exit code 1 when a finding changed.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from reports import records
from reports.diagnosis import Diagnosis
from reports.model import Check, Finding
from reports.rules import Rules, load_rules
from spec import DEFAULT, Specification, load

# Observed facts that name a kind; every other text of several words is for people.
KINDS = frozenset({"error", "kind", "content_type", "figure", "reason"})
PROSE = frozenset({"detail", "body"})
LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Nonsense:
    """Words that mean nothing."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def text(self, _: object = "") -> str:
        """A sentence of them, another one each time."""
        return " ".join("".join(self._random.choices(LETTERS, k=self._random.randint(2, 9))) for _ in range(5))

    def value(self, found: Any, is_prose: bool = False) -> Any:
        """A value in which each text for people is replaced: what stands alone is a value, several words are a text."""
        if isinstance(found, str):
            return self.text() if is_prose or " " in found else found
        if isinstance(found, list):
            return [self.value(entry, is_prose) for entry in found]
        if isinstance(found, dict):
            return {name: entry if name in KINDS else self.value(entry, name in PROSE) for name, entry in found.items()}
        return found


def scramble(checks: Sequence[Check], seed: int = 13) -> list[Check]:
    """The same checks, under other names and with nonsense in the place of every text."""
    nonsense = Nonsense(seed)
    return [_scrambled(check, number, nonsense) for number, check in enumerate(checks)]


def _scrambled(check: Check, number: int, nonsense: Nonsense) -> Check:
    facts, failure = check.facts, check.facts.failure
    if failure is not None:
        failure = failure | {name: nonsense.text() for name in ("what", "because", "hint")}
        failure["observed"] = nonsense.value(failure["observed"])
        failure["expected"] = nonsense.value(failure["expected"])
    changed = replace(
        facts,
        section=nonsense.text(),
        promise=nonsense.text(),
        reason=nonsense.text(),
        not_judged=nonsense.text() if facts.not_judged else "",
        failure=failure,
    )
    nodeid = f"acceptance/somewhere/test_{number}.py::test_{nonsense.text().replace(' ', '_')}"
    return replace(check, nodeid=nodeid, facts=changed, reason=nonsense.text())


def essence(findings: Sequence[Finding]) -> list[tuple[object, ...]]:
    """What findings say, in their order; a subject that is only a check's name is left out, since checks are renamed."""
    return [
        (
            finding.failure_mode,
            finding.component,
            finding.code,
            finding.harm,
            finding.confidence,
            finding.reach,
            len(finding.explained),
            tuple(finding.suspected),
            tuple(fact.subject for fact in finding.facts if not fact.subject.startswith("promise ")),
        )
        for finding in findings
    ]


def both(
    checks: Sequence[Check], rules: Rules, spec: Specification, errors: Mapping[str, str]
) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """What the findings say with the texts, and what they say with nonsense."""
    plain, nonsense = (essence(Diagnosis(some, rules, spec, errors.get).conclude()) for some in (checks, scramble(checks)))
    return plain, nonsense


def main() -> int:
    """Try it on results folders."""
    parser = argparse.ArgumentParser(prog="python -m proof.scrambled")
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--spec", type=Path, default=DEFAULT)
    given = parser.parse_args()
    spec, changed = load(given.spec), 0
    rules = load_rules(given.spec, spec)
    for folder in given.folders:
        plain, nonsense = both(records.read(folder), rules, spec, records.unavailable(folder))
        changed += plain != nonsense
        print(f"{'same   ' if plain == nonsense else 'CHANGED'} {folder}: {len(plain)} findings")
        for one, other in zip(plain, nonsense, strict=False):
            if one != other:
                print(f"  {one}\n  {other}")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
