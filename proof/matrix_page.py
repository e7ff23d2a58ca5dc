"""The fault matrix as a page."""

from __future__ import annotations

from collections.abc import Sequence

from gate.exit_codes import ExitCode
from proof.figures import Share
from proof.matrix import HEALTHY, UNJUDGED, Row, unproven
from proof.measured_in import MEASURED_IN
from proof.pages import DOCS
from proof.targets import NAVIGATOR


def write(rows: Sequence[Row], system: str) -> None:
    """Write the page of a system."""
    name = "fault-matrix.md" if system == NAVIGATOR else f"fault-matrix-{system}.md"
    (DOCS / name).write_text(markdown(rows, system))


def markdown(rows: Sequence[Row], system: str = NAVIGATOR) -> str:
    """Counts, then a line for each fault and suite."""
    judged = [row for row in rows if row.fault not in (HEALTHY, *UNJUDGED)]
    lines = [*_head(system), *_counts(rows, judged), "", *_table(judged)]
    return "\n".join(lines) + "\n"


def _head(system: str) -> list[str]:
    if system != NAVIGATOR:
        return [f"# Fault matrix: {system}", "", f"Produced by `python -m proof.faults --system {system}`.", ""]
    limited = sorted(MEASURED_IN)
    return [
        "# Fault matrix",
        "",
        "Produced by `make faults`. Faults F… are the table of `spec/navigator/failure-modes.md`, faults G… are the project's",
        "own. F31 is compared with load runs of a healthy twin (`--baseline`). Of the performance suite a fault meets the",
        f"modules in which it can be seen ({', '.join(limited)}; `proof/measured_in.py`), of the resilience suite",
        "those of `proof/drills.toml`. Rows may have been",
        "diagnosed again from the facts that they left (`python -m proof.rediagnose --page`); seconds and red checks are the",
        "run's.",
        "",
    ]


def _counts(rows: Sequence[Row], judged: Sequence[Row]) -> list[str]:
    ids = {row.fault for row in judged}
    red = {name for name in ids if all(row.is_red for row in judged if row.fault == name)}
    component = {name for name in ids if all(row.has_component for row in judged if row.fault == name)}
    subject = {name for name in ids if all(row.has_subject for row in judged if row.fault == name)}
    mode = {name for name in ids if all(row.has_mode for row in judged if row.fault == name)}
    findings, wrong = sum(row.findings for row in judged), sum(len(row.wrong_modes) for row in judged)
    checks = {name for row in rows if row.fault == HEALTHY for name in row.checks}
    open_ = unproven(rows)
    green = not any(row.is_red for row in rows if row.fault == HEALTHY)
    return [
        f"- red in every suite in which it must be: {_by_kind(red, ids)}",
        f"- the top finding has the right failure mode, or rightly none: {_by_kind(mode, ids)}",
        f"- the top finding names the right component: {_by_kind(component, ids)}",
        f"- the top finding names what is broken: {_by_kind(subject, ids)}",
        f"- the top finding quotes the service's own line that tells the cause, where one is logged: {_quotes(judged)}",
        f"- rows whose findings change when every text is replaced by nonsense: **{sum(row.needs_words for row in judged)}**",
        f"- findings with a wrong failure mode, on top or below: **{Share(wrong, findings).below}**",
        f"- a healthy twin is green: {'yes' if green else '**no**'}",
        f"- checks that a named fault turned red: {Share(len(checks) - len(open_), len(checks)).of_all}"
        " (the rest: [mutations](mutations.md) and below)",
        "",
        "A bound in brackets is exact, at 95 % confidence: what these faults allow to be said of others of their kind.",
    ]


def _by_kind(good: set[str], ids: set[str]) -> str:
    kinds: dict[str, set[str]] = {}
    for name in sorted(ids):
        kinds.setdefault(name[0], set()).add(name)
    return ", ".join(f"**{Share(len(good & members), len(members)).above}** {kind} faults" for kind, members in kinds.items())


def _quotes(judged: Sequence[Row]) -> str:
    """Of the rows for which a line is declared and the platform was asked."""
    rows = [row for row in judged if row.right_log and row.quoted is not None]
    return f"**{Share(sum(row.has_quote for row in rows), len(rows)).above}** rows" if rows else "not asked in this matrix"


def _table(judged: Sequence[Row]) -> list[str]:
    lines = [
        "| fault | what is broken | suite | red checks | top finding | findings | quoted | not right | time to verdict |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in judged:
        number = len(row.red) or ("all blocked" if row.exit_code == ExitCode.BLOCKED else "–")
        wrong = row.problems if row.is_red and not row.is_right else ""
        asked = row.right_log and row.quoted is not None
        quoted = ("yes" if row.has_quote else "**no**") if asked else ""
        cells = [row.fault, row.title, row.suite, number, row.conclusion, row.findings, quoted, wrong, f"{row.seconds:.0f} s"]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return lines
