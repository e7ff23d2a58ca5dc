"""The words of findings, made last: titles, evidence and next steps, from facts and declared data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gate.failures import shorten
from gate.messages import expected_text, fact, observed_text, wanted
from reports.model import Check, Fact, Finding
from spec import Specification
from spec.codes import declared

MOST_SUBJECTS = 6
PLACEHOLDER = re.compile(r"(?<!\{)\{(\w+)\}(?!\})")


@dataclass(frozen=True)
class Target:
    """What commands are made of: the API's address, the specification, and requests by part and endpoint."""

    api_url: str
    spec: Specification
    asked: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, api_url: str, spec: Specification, checks: Sequence[Check]) -> Target:
        """With the requests that the checks counted."""
        asked: dict[str, int] = {}
        failed: dict[str, int] = {}
        for check in checks:
            for name, count in check.asked.items():
                asked[name] = asked.get(name, 0) + count
                failed[name] = failed.get(name, 0) + check.failed_requests[name]
        return cls(api_url, spec, asked, failed)


class Words:
    """Words for the findings of one run."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._codes = declared()

    def title(self, finding: Finding) -> str:
        """What is wrong, made of facts."""
        template = finding.rule.title if finding.rule and finding.rule.title else self._codes.codes[finding.code].title
        return self._filled(finding, template)

    def evidence(self, finding: Finding) -> str:
        """The exchange of the finding, or what was observed."""
        first = representative(finding)
        seen = observed_text(first.observed)
        if first.exchange is None:
            return f"{first.what}: {seen}" if first.what and first.relation != "holds" else seen
        exchange = first.exchange
        # Rows and frames have no address: what they are about stands in its place.
        asked = f"{exchange.method} {urlsplit(exchange.url).path or '/'}" if exchange.url else first.name
        request = f", request id {exchange.request_id}" if exchange.request_id else ""
        return f"{asked} → {seen} (in {exchange.seconds:.2f} s{request})"

    def expected(self, finding: Finding) -> str:
        """What was expected there."""
        first = representative(finding)
        return expected_text(first.what, first.relation, first.expected, first.because) or first.promise

    def causes(self, finding: Finding) -> list[str]:
        """Likely causes, and failure modes that a fact speaks for without proof."""
        own = finding.rule.causes if finding.rule and finding.rule.causes else self._codes.codes[finding.code].causes
        modes = self._target.spec.failure_modes
        return [*own, *(f"possibly {mode}: {modes[mode]}" for mode in finding.suspected)]

    def command(self, finding: Finding) -> str:
        """A complete command that shows more, or nothing where there is none for this target."""
        code = self._codes.codes[finding.code]
        template = finding.rule.run if finding.rule and (finding.rule.run or finding.rule.say) else code.run
        values = self._values(finding) | self._addresses(finding)
        if not template or any(name not in values for name in PLACEHOLDER.findall(template)):
            return ""
        return PLACEHOLDER.sub(lambda found: values[found[1]], template).replace("{{", "{").replace("}}", "}")

    def next_step(self, finding: Finding) -> str:
        """What to do, and the command."""
        code = self._codes.codes[finding.code]
        say = self._filled(finding, finding.rule.say if finding.rule and finding.rule.say else code.say)
        command = self.command(finding)
        return f"{say}: {command}" if command else say

    def _filled(self, finding: Finding, template: str) -> str:
        values = self._values(finding)
        return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template)

    def _values(self, finding: Finding) -> dict[str, str]:
        first = representative(finding)
        subjects = list(dict.fromkeys(f.name for f in finding.facts if f.code == first.code))
        more = f" and {len(subjects) - MOST_SUBJECTS} more" if len(subjects) > MOST_SUBJECTS else ""
        detail, value = str(first.observed.get("detail") or ""), first.observed.get("value")
        return {
            "subject": first.name,
            "kind": first.subject.partition(" ")[0],
            "name": first.name,
            "subjects": ", ".join(subjects[:MOST_SUBJECTS]) + more,
            "observed": fact(first.observed) or "not so",
            "percent": f"{value:.0%}" if isinstance(value, int | float) else fact(first.observed),
            "expected": wanted(first.relation, first.expected),
            "component": finding.component,
            "count": str(len(finding.facts)),
            "share": self._share(finding),
            "check": first.check,
            "hint": first.hint or f"run the check by itself: python -m pytest '{first.check}'",
            "detail": f": {shorten(detail, 160)}" if detail else "",
        }

    def _share(self, finding: Finding) -> str:
        names = {f"{f.component} {f.subject}" for f in finding.facts if f.code == finding.code}
        asked = sum(self._target.asked.get(name, 0) for name in names)
        failed = sum(self._target.failed.get(name, 0) for name in names)
        return f", {failed} of {asked} requests" if failed and asked else ""

    def _addresses(self, finding: Finding) -> dict[str, str]:
        spec, base = self._target.spec, self._target.api_url
        plain = {e.name: base + e.path for e in spec.endpoints if "{" not in e.path}
        found = plain | {"api_url": base}
        if spec.has("database"):
            found["schema"] = spec.database.schema_name
        first = representative(finding)
        if first.exchange is not None:
            found |= {"url": first.exchange.url.replace("'", "%27"), "method": first.exchange.method}
        elif first.subject.startswith("endpoint "):
            _, method, path = [*first.subject.split(" ", 2), ""][:3]
            found |= {"url": base + re.sub(r"\{[^}]*\}", spec.probes.unknown_id, path), "method": method}
        return found


def representative(finding: Finding) -> Fact:
    """The fact that stands for a finding: of its own code, of the worst harm, with an exchange where there is one."""
    codes = declared()

    def worth(found: Fact) -> tuple[int, bool, bool]:
        return codes.rank(codes.codes[found.code].harm), found.code != finding.code, found.exchange is None

    return min(finding.facts, key=worth)
