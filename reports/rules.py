"""The diagnosis rules of a system: data beside its specification, checked against the names that it knows."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gate.prerequisites import OWN
from reports.model import Check
from spec import SpecError, Specification

FILE = "diagnosis.toml"


class Condition(BaseModel):
    """A failed check that speaks for a cause: by name, by what was observed, or both (regular expressions)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    check: str = ".*"
    observed: str = ""

    def holds(self, check: Check) -> bool:
        """Whether this check is one of them."""
        text = f"{check.expected} {check.observed}"
        return bool(re.match(self.check, check.name)) and (not self.observed or bool(re.search(self.observed, text)))


class Rule(BaseModel):
    """A cause: what speaks for it, what else it explains, and what to do.

    It also holds where checks are blocked by its `prerequisite`, or by `all_prerequisites` while nothing failed; it explains
    what is blocked by its `prerequisites`. It does not hold where a check named by `none_passed` passed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    component: str
    summary: str
    category: str
    failure_mode: str | None = None
    when: list[Condition] = []
    unless: list[Condition] = []
    prerequisite: str | None = None
    prerequisites: list[str] = []
    all_prerequisites: list[str] = []
    none_passed: str = ""
    explains: list[Condition] = []
    causes: list[str] = Field(min_length=1)
    next: str

    def patterns(self) -> Iterator[str]:
        """The regular expressions on names of checks."""
        for condition in (*self.when, *self.unless, *self.explains):
            yield condition.check
        if self.none_passed:
            yield self.none_passed

    def unknown_names(self, spec: Specification) -> list[str]:
        """What the rule names and the specification does not know."""
        known = {*spec.harness.prerequisites, *OWN}
        named = [self.prerequisite] if self.prerequisite else []
        found = [
            f"prerequisite {name!r}" for name in (*named, *self.prerequisites, *self.all_prerequisites) if name not in known
        ]
        if self.component not in spec.harness.parts:
            found.append(f"component {self.component!r}")
        if self.failure_mode is not None and self.failure_mode not in spec.failure_modes:
            found.append(f"failure mode {self.failure_mode!r}")
        return found


class Rules(BaseModel):
    """The file: categories of failures by what their message looks like, then rules, the most fundamental first."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    categories: dict[str, str] = {}
    rule: list[Rule] = []


def load_rules(spec_file: Path, spec: Specification) -> Rules:
    """The rules beside a specification file, none where there is no such file.

    Raises SpecError naming file, key and what was expected.
    """
    path = spec_file.parent / FILE
    if not path.exists():
        return Rules()
    try:
        rules = Rules.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SpecError(f"{path.name}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise SpecError(f"{path.name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    for number, rule in enumerate(rules.rule):
        _require_sound(rule, f"{path.name}: rule.{number} ({rule.summary})", spec)
    return rules


def _require_sound(rule: Rule, where: str, spec: Specification) -> None:
    if unknown := rule.unknown_names(spec):
        raise SpecError(f"{where}: {', '.join(unknown)} is not known to {spec.meta.name}")
    for pattern in rule.patterns():
        try:
            re.compile(pattern)
        except re.error as error:
            raise SpecError(f"{where}: {pattern!r} is no regular expression: {error}") from error


def unmatched(rules: Rules, names: Sequence[str]) -> list[str]:
    """Patterns that match none of these names of checks, so that nothing could ever prove their rule: a line each."""
    return [
        f"{rule.component}, {rule.summary}: {part}"
        for rule in rules.rule
        for pattern in rule.patterns()
        for part in _alternatives(pattern)
        if not _matches_any(part, names)
    ]


def _matches_any(pattern: str, names: Iterable[str]) -> bool:
    return any(re.match(pattern, name) for name in names)


def _alternatives(pattern: str) -> list[str]:
    """Each way to fulfil a pattern whose first group is a list: `a_(b|c)x` becomes `a_(?:b)x` and `a_(?:c)x`."""
    begin = pattern.find("(")
    if begin < 0 or pattern.startswith("(?", begin):
        return _top_level(pattern)
    depth, end = 0, begin
    for end in range(begin, len(pattern)):
        depth += {"(": 1, ")": -1}.get(pattern[end], 0)
        if depth == 0:
            break
    inner = _top_level(pattern[begin + 1 : end])
    if len(_top_level(pattern)) > 1:
        return [one for part in _top_level(pattern) for one in _alternatives(part)]
    return [f"{pattern[:begin]}(?:{one}){pattern[end + 1 :]}" for one in inner]


def _top_level(pattern: str) -> list[str]:
    """The alternatives of a pattern that stand outside of all groups and sets."""
    parts, depth, escaped = [""], 0, False
    for character in pattern:
        if not escaped:
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
        if character == "|" and depth == 0 and not escaped:
            parts.append("")
            continue
        escaped = character == "\\" and not escaped
        parts[-1] += character
    return parts
