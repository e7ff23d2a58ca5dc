"""What is proven of each endpoint, table, bucket, topic and limit, and of each risk of OWASP's list: parts of docs/coverage.md.

A check is about a thing when one of its parameters is its name, or when its function names it: an endpoint or a table by a
text, a limit by the fact of the specification that it reads.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from proof.collected import Collected
from proof.proven import MUTATION, Proofs
from spec import Specification
from spec.model.access import Kind

ROOT = Path(__file__).parents[1]
SHOWN_CHECKS = 4
SHOWN_FAULTS = 6
THINGS = """## What is proven of each endpoint, table, bucket, topic and limit

The cells are those of the access matrix (`spec/navigator/access.toml`); the checks have the thing as a parameter, or name it.

| thing | cells of the access matrix | checks | proven by |
|---|---|---|---|"""
RISKS = """## OWASP API Security Top 10 (2023)

| risk | kinds of the access matrix (cells) | further checks | proven by |
|---|---|---|---|"""
OF_STORAGE: tuple[Kind, ...] = ("object", "link", "upload_link")


def markdown(spec: Specification, checks: Sequence[Collected], proofs: Proofs) -> str:
    """Both parts; nothing where a system has no access matrix."""
    if not spec.has("access"):
        return ""
    things = [_row(f"{kind} `{name}`", _cells(spec, rows), found, proofs) for kind, name, rows, found in _things(spec, checks)]
    risks = [_risk(spec, number, checks, proofs) for number in range(len(spec.access.owasp))]
    return "\n".join(["", THINGS, *things, "", RISKS, *risks, ""])


def unknown_checks(spec: Specification, checks: Sequence[Collected]) -> list[str]:
    """Functions that the list of risks names, and no check has."""
    named = {name for risk in (spec.access.owasp if spec.has("access") else ()) for name in risk.checks}
    return sorted(named - {check.function for check in checks})


Thing = tuple[str, str, list[str], list[Collected]]


def _things(spec: Specification, checks: Sequence[Collected]) -> Iterator[Thing]:
    """Each thing: its kind, its name, its rows in the matrix, the checks about it."""
    for endpoint in spec.endpoints:
        name = f"{endpoint.method} {endpoint.path}"
        yield "endpoint", name, [endpoint.name], [c for c in checks if _is_about(c, endpoint.name, "text")]
    for table in spec.database.tables:
        rows = [what.name for what in spec.access.of_kind("rows", "table") if what.asked == table.name]
        yield "table", table.name, rows, [c for c in checks if _is_about(c, table.name, "text") or set(rows) & _values(c)]
    stored = [what.name for what in spec.access.of_kind(*OF_STORAGE)]
    yield "bucket", spec.pipeline.bucket, stored, [c for c in checks if _is_about(c, "storage", "attribute")]
    for what in spec.access.of_kind("topic"):
        about = [c for c in checks if _is_about(c, "realtime", "attribute") or what.name in _values(c)]
        yield "topic", f"changes of {what.asked}", [what.name], about
    for limit in type(spec.limits).model_fields:
        if limit != "section":
            yield "limit", limit, [], [c for c in checks if _is_about(c, limit, "attribute")]


def _values(check: Collected) -> set[str]:
    return set(check.params.values())


def _is_about(check: Collected, name: str, by: str) -> bool:
    texts, attributes = _named_by(check.id.partition("::")[0], check.function)
    return name in _values(check) or name in (texts if by == "text" else attributes)


@cache
def _named_by(module: str, function: str) -> tuple[frozenset[str], frozenset[str]]:
    """Texts and attributes that a function of a module names."""
    for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name == function:
            inside = list(ast.walk(node))
            texts = {part.value for part in inside if isinstance(part, ast.Constant) and isinstance(part.value, str)}
            return frozenset(texts), frozenset(part.attr for part in inside if isinstance(part, ast.Attribute))
    return frozenset(), frozenset()


def _cells(spec: Specification, rows: Sequence[str]) -> str:
    number = sum(1 for _ in spec.access.cells(*rows)) if rows else 0
    return str(number) if number else ""


def _risk(spec: Specification, number: int, checks: Sequence[Collected], proofs: Proofs) -> str:
    risk = spec.access.owasp[number]
    names = [what.name for what in spec.access.of_kind(*risk.kinds)]
    by_rows = [check for check in checks if check.module == "test_access" and set(names) & _values(check)]
    named = [check for check in checks if check.function in risk.checks]
    kinds = ", ".join(f"{spec.access.kinds[kind]} ({_of_kind(spec, kind)})" for kind in risk.kinds)
    shown = f"none: {risk.reason}" if risk.reason else _functions(named)
    return f"| {risk.id} {risk.title} | {kinds} | {shown} | {_faults([*by_rows, *named], proofs)} |"


def _of_kind(spec: Specification, kind: Kind) -> int:
    return sum(1 for _ in spec.access.cells(*(what.name for what in spec.access.of_kind(kind))))


def _row(name: str, cells: str, checks: Sequence[Collected], proofs: Proofs) -> str:
    return f"| {name} | {cells} | {_functions(checks) or 'none'} | {_faults(checks, proofs)} |"


def _functions(checks: Iterable[Collected]) -> str:
    counts = Counter(check.function for check in checks)
    return _listed([f"`{name}`{f' ×{number}' if number > 1 else ''}" for name, number in counts.items()], SHOWN_CHECKS)


def _faults(checks: Iterable[Collected], proofs: Proofs) -> str:
    counts = Counter(fault for check in checks for fault in proofs.get(check.id, ()))
    ordered = sorted(counts, key=lambda fault: (fault == MUTATION, -counts[fault], fault))
    return _listed(ordered, SHOWN_FAULTS) or "none"


def _listed(names: Sequence[str], most: int) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
