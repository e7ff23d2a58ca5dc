"""The diagnosis rules of a system: data beside its specification, checked against the names that are declared.

A rule names a failure mode only where its proof holds on facts: code, subject, component and what was observed. Messages are
made later, and no rule reads them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gate.prerequisites import OWN
from spec import SpecError, Specification
from spec.codes import Codes, declared

FILE = "diagnosis.toml"
COMPARED = ("above", "below")


class Seen(Protocol):
    """What a condition is compared with."""

    @property
    def code(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def component(self) -> str: ...
    @property
    def about(self) -> str: ...
    @property
    def observed(self) -> Mapping[str, object]: ...


class Condition(BaseModel):
    """A fact that speaks for or against a cause. `*` stands for anything in a code or a subject.

    `about` is the code of the check that saw it. `observed` compares observed facts: with a value, with one of a list, or with
    `{above = 0}` and `{below = 0}`. `same_subject`: only of the same path
    or variable as the proof (for `takes`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    code: str
    subject: str = "*"
    about: str = "*"
    component: str = "*"
    same_subject: bool = False
    observed: dict[str, str | int | float | bool | list[str | int] | dict[Literal["above", "below"], float]] = {}

    def matches(self, seen: Seen) -> bool:
        """Whether this is such a fact."""
        return (
            fnmatchcase(seen.code, self.code)
            and fnmatchcase(seen.subject, self.subject)
            and fnmatchcase(seen.about, self.about)
            and fnmatchcase(seen.component, self.component)
            and all(_compares(seen.observed.get(name), wanted) for name, wanted in self.observed.items())
        )

    def problem(self, codes: Codes, parts: Sequence[str]) -> str | None:
        """The name in it that is not declared, or None."""
        for pattern in (self.code, self.about):
            if not any(fnmatchcase(code, pattern) for code in codes.codes):
                return f"code {pattern!r} is not declared"
        kind = self.subject.partition(" ")[0]
        if "*" not in kind and kind not in codes.subjects:
            return f"subject {self.subject!r} begins with no kind that is declared"
        return None if self.component == "*" or self.component in parts else f"component {self.component!r} is not known"


def _compares(found: object, wanted: object) -> bool:
    if isinstance(wanted, dict):
        if not isinstance(found, int | float):
            return False
        return bool(found > wanted.get("above", float("-inf")) and found < wanted.get("below", float("inf")))
    return found in wanted if isinstance(wanted, list) else found == wanted


class Rule(BaseModel):
    """A cause: what must hold (`all_of`, and one of `any_of`), what must not (`none_of`), and what must have been judged good.

    `passed`: a check about this passed, and none failed. `not_passed`: no check about this passed. `takes` are further facts
    that belong to it. An empty `component` or `title` is made of the facts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    failure_mode: str | None = None
    component: str = ""
    title: str = ""
    harm: str = ""
    all_of: list[Condition] = []
    any_of: list[Condition] = []
    none_of: list[Condition] = []
    passed: list[Condition] = []
    not_passed: list[Condition] = []
    takes: list[Condition] = []
    spreads: Literal["", "outage", "slow"] | None = None
    causes: list[str] = Field(default=[])
    say: str = ""
    run: str = ""

    def conditions(self) -> Iterator[Condition]:
        """All conditions of the rule."""
        for some in (self.all_of, self.any_of, self.none_of, self.passed, self.not_passed, self.takes):
            yield from some

    def proof(self) -> Iterator[Condition]:
        """The conditions whose facts prove it."""
        yield from self.all_of
        yield from self.any_of

    def is_about_symptoms(self, codes: Codes) -> bool:
        """Whether its proof is made of symptoms only, so that causes upstream are looked for first."""
        return all(
            codes.codes[name].symptom for condition in self.proof() for name in codes.codes if fnmatchcase(name, condition.code)
        )

    def problem(self, codes: Codes, spec: Specification) -> str | None:
        """The name in the rule that is not declared, or None."""
        if not self.all_of and not self.any_of:
            return "it has no proof (all_of or any_of)"
        if self.component and self.component not in spec.harness.parts:
            return f"component {self.component!r} is not known"
        if self.failure_mode is not None and self.failure_mode not in spec.failure_modes:
            return f"failure mode {self.failure_mode!r} is not known to {spec.meta.name}"
        if self.harm and self.harm not in codes.harms:
            return f"harm {self.harm!r} is not declared"
        parts = [*spec.harness.parts]
        found = (condition.problem(codes, parts) or _unknown_prerequisite(condition, spec) for condition in self.conditions())
        return next((problem for problem in found if problem), None)


def _unknown_prerequisite(condition: Condition, spec: Specification) -> str | None:
    kind, _, name = condition.subject.partition(" ")
    if condition.code != "part.unavailable" or kind != "part" or "*" in name:
        return None
    return None if name in {*spec.harness.prerequisites, *OWN} else f"prerequisite {name!r} is not known"


class Rules(BaseModel):
    """The file: rules in the order in which they are tried."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    rule: list[Rule] = []


def load_rules(spec_file: Path, spec: Specification) -> Rules:
    """The rules beside a specification file, none where there is no such file.

    Raises SpecError naming file, rule and the name that is not declared.
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
    codes = declared()
    for number, rule in enumerate(rules.rule):
        if problem := rule.problem(codes, spec):
            raise SpecError(f"{path.name}: rule.{number} ({rule.failure_mode or rule.title}): {problem}")
    return rules
