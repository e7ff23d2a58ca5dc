"""The coverage of the specification as a page: a row for each of its lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from proof.covered import Covered
from proof.mutation_page import reason_for
from proof.proven import MUTATION, Proofs

SHOWN_FUNCTIONS = 4
SHOWN_FAULTS = 5
SHOWN_TEXT = 90
HEAD = """# Coverage of the specification

Produced by `make coverage`. Each line of sections 1 to 10 of `spec/navigator/staging-service-specifications.md`: what it
promises, the checks that hold the deployment to it, the entry of `spec/navigator/staging.toml` that holds its facts, the suites
of the checks, and faults of [the matrix](fault-matrix.md) that turn them red: those that turn the fewest other checks red, or
`mutation` where only [a changed fact](mutations.md) does. A line without a check has its reason (`[not_checkable]`). A check
belongs to a line by its checklist item, its docstring's section, its parameters, or `[covered_by]`.
"""


def markdown(lines: Sequence[Covered], proofs: Proofs) -> str:
    """Counts, then a table for each section."""
    text = [HEAD, *_counts(lines, proofs), ""]
    for section, found in groupby(lines, key=lambda one: one.line.section):
        text += [
            f"## §{section}",
            "",
            "| line | promise | checks | source of truth | suites | proven by |",
            "|---|---|---|---|---|---|",
        ]
        text += [f"| {' | '.join(cells)} |" for cells in (_row(one, proofs) for one in found)]
        text.append("")
    return "\n".join(text)


def _counts(lines: Sequence[Covered], proofs: Proofs) -> list[str]:
    checked = [one for one in lines if one.checks]
    reasoned = [one for one in lines if not one.checks and one.reason]
    whole = sum(one.whole_part for one in checked)
    proven = [one for one in checked if _faults(one, proofs)]
    return [
        "| lines | number |",
        "|---|---|",
        f"| of the specification | {len(lines)} |",
        f"| with a check | {len(checked)} |",
        f"| of these, only by the checks of their whole part | {whole} |",
        f"| of these, with a check that a fault or a changed fact turned red | {len(proven)} |",
        f"| without a check, with a reason | {len(reasoned)} |",
        f"| with neither | {len(lines) - len(checked) - len(reasoned)} |",
    ]


def _row(one: Covered, proofs: Proofs) -> list[str]:
    line = one.line
    name = (
        f"{line.part}: {f'{line.owner} ' if line.owner else ''}{line.name}"
        if line.name != line.text or line.owner
        else line.part
    )
    if not one.checks:
        return [
            _cell(name),
            _cell(line.text),
            f"none: {one.reason}" if one.reason else "**none, and no reason**",
            _code(one.source),
            "",
            "",
        ]
    suites = sorted({suite for check in one.checks for suite in check.suites})
    return [
        _cell(name), _cell(line.text), _functions(one), _code(one.source), ", ".join(suites),
        _listed(_faults(one, proofs), SHOWN_FAULTS) or f"none: {reason_for(one.checks[0].id)}",
    ]  # fmt: skip


def _functions(one: Covered) -> str:
    counts = Counter(check.function for check in one.checks)
    named = [f"`{name}`{f' ×{number}' if number > 1 else ''}" for name, number in counts.items()]
    return ("whole part: " if one.whole_part else "") + _listed(named, SHOWN_FUNCTIONS)


def _faults(one: Covered, proofs: Proofs) -> list[str]:
    """Faults that turn a check of the line red, those first that prove most of them; `mutation` where there is none."""
    counts = Counter(fault for check in one.checks for fault in proofs.get(check.id, ()))
    ordered = sorted(counts, key=lambda fault: (-counts[fault], fault))
    return [fault for fault in ordered if fault != MUTATION] or ordered


def _listed(names: Iterable[str], most: int) -> str:
    found = list(names)
    return ", ".join(found[:most]) + (f" and {len(found) - most} more" if len(found) > most else "")


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _cell(text: str) -> str:
    short = text if len(text) <= SHOWN_TEXT else f"{text[:SHOWN_TEXT]}…"
    return short.replace("|", "\\|").replace("*", "\\*")


def structure(page: str) -> list[tuple[str, bool]]:
    """The rows of a page by their first cell, and whether each has a check: what must not be out of date."""
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ") and line.count(" | ") >= 4]
    return [(cells[0], not cells[2].startswith("none: ")) for cells in rows if cells[0] != "line"]
