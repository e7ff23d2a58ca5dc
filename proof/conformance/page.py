"""The page of the conformance cases: vendor, version of its client, operation, result, and what is left out."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from proof.conformance.marks import VENDORS
from proof.conformance.results import Case
from proof.figures import Share
from proof.pages import DOCS

PAGE = DOCS / "conformance.md"
LEFT_OUT = Path(__file__).parent / "left_out.toml"
CLIENTS = ("supabase-auth", "storage3", "realtime", "postgrest", "openai", "anthropic", "llama-cloud", "render")
PACKAGES = dict(zip(VENDORS, CLIENTS, strict=True))
HEAD = """# Conformance

The doubles of the twin, asked with the vendors' own clients. Produced by `make conformance ARGS=--page`. The same cases run
against the vendors themselves with `make conformance ARGS='--target live --env-file PATH'`: only those that read, unless
`--allow-writes` is given. There a failed case means that **the double is out of date**. Answers of Supabase Auth and OpenAI are
also held against the vendor's own OpenAPI description (`proof/conformance/descriptions`).

Cases by a *stranger* were written with the vendor's client and documentation at hand and the doubles' source closed. In
their first run, before anything was mended for them, 103 of 105 passed; 3 of 105 on the doubles that were there before.
"""


def write(cases: Sequence[Case]) -> None:
    """Write the page."""
    PAGE.write_text(markdown(cases))


def markdown(cases: Sequence[Case]) -> str:
    """Counts, a table for each vendor, and what is knowingly left out."""
    passed = [case for case in cases if case.outcome == "passed"]
    strangers = [case for case in cases if case.is_strangers]
    lines = [
        HEAD,
        f"- cases that pass: **{Share(len(passed), len(cases)).of_all}**",
        f"- of them written by someone who had not read the doubles: {len([case for case in passed if case.is_strangers])} of"
        f" {len(strangers)}",
        "",
    ]
    for vendor in VENDORS:
        lines += _table(vendor, [case for case in cases if case.vendor == vendor])
    return "\n".join([*lines, *_left_out()]) + "\n"


def _table(vendor: str, cases: Sequence[Case]) -> list[str]:
    package = PACKAGES[vendor]
    head = [f"## {vendor}", "", f"Client: `{package}` {version(package)}. {len(cases)} cases.", ""]
    rows = [f"| {case.operation} | {'stranger' if case.is_strangers else 'author'} | {_result(case)} |" for case in cases]
    return [*head, "| operation | case by | result |", "|---|---|---|", *rows, ""]


def _result(case: Case) -> str:
    return f"{case.outcome}: {case.reason}" if case.reason else case.outcome


def _left_out() -> list[str]:
    if not LEFT_OUT.exists():
        return []
    entries = tomllib.loads(LEFT_OUT.read_text())["left_out"]
    rows = [f"| {entry['vendor']} | {entry['operation']} | {entry['reason']} |" for entry in entries]
    return ["## Knowingly left out", "", "| vendor | operation | reason |", "|---|---|---|", *rows]
