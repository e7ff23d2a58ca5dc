"""Findings as they stand in verdict.json: ranked, worded, with what running checks again has shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import cast

from gate.messages import expected_text, observed_text
from gate.timeline import TimelineEntry
from reports.model import Fact, Finding
from reports.schema import ExchangeData, FactData, FindingData
from reports.timeline import as_data as timeline_data
from reports.wording import Words, representative

MOST_FACTS = 20


def as_data(
    findings: Sequence[Finding],
    words: Words,
    again: Mapping[str, str],
    timelines: Sequence[Sequence[TimelineEntry]] = (),
) -> list[FindingData]:
    """The findings in their order; `again` says for a check how often it failed when it was run again."""
    found = [_finding(rank, finding, words, again) for rank, finding in enumerate(findings, 1)]
    for place, finding in enumerate(found):
        finding["timeline"] = timeline_data(timelines[place] if place < len(timelines) else ())
    return found


def _finding(rank: int, finding: Finding, words: Words, again: Mapping[str, str]) -> FindingData:
    first = representative(finding)
    return {
        "rank": rank,
        "id": f"{finding.failure_mode or finding.code}/{finding.component}/{first.subject.replace(' ', '/')}",
        "title": words.title(finding),
        "harm": finding.harm,
        "reach": finding.reach,
        "confidence": finding.confidence,
        "component": finding.component,
        "failure_mode": finding.failure_mode,
        "section": first.section,
        "facts": _facts(finding, again),
        "expected": words.expected(finding),
        "evidence": words.evidence(finding),
        "causes": words.causes(finding),
        "next_step": words.next_step(finding),
        "command": words.command(finding),
        "checks": finding.checks,
        "blocked": sorted(set(finding.blocked)),
    }


def _facts(finding: Finding, again: Mapping[str, str]) -> list[FactData]:
    """Equal facts once, with the number of checks that saw them."""
    groups: dict[tuple[str, str, str], list[Fact]] = {}
    for fact in finding.facts:
        groups.setdefault((fact.code, fact.subject, fact.seen), []).append(fact)
    return [_fact(facts, again) for facts in list(groups.values())[:MOST_FACTS]]


def _fact(facts: Sequence[Fact], again: Mapping[str, str]) -> FactData:
    first = facts[0]
    seen = next((again[fact.check] for fact in facts if fact.check in again), "")
    return {
        "code": first.code,
        "subject": first.subject,
        "component": first.component,
        "expected": expected_text(first.what, first.relation, first.expected, first.because) or first.promise,
        "observed": observed_text(first.observed),
        "checks": len(facts),
        "again": seen,
        "exchange": cast(ExchangeData, asdict(first.exchange)) if first.exchange else None,
    }
