"""Which checks cover which line of the specification, and from where each line's facts are taken.

A check belongs to a line when one of these names it: its checklist item; the section in its docstring; its parameters, where
they name the line's variable, detail or entry; the calendar; or [covered_by] of the specification file. A line that no check is
about alone falls back to the checks of its whole part.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from pydantic import BaseModel

from proof.collected import Collected
from proof.spec_lines import Line
from spec import Specification

NUMBERS = re.compile(r"§(\d+)")
# A section in a docstring: numbers, then what it names.
TITLE = re.compile(r"(?:§\d+(?:\.\d+)*/?)+ ?(?P<title>.*)")


@dataclass(frozen=True)
class Covered:
    """One line with its checks. `whole_part`: they are about the part that it stands in, and none about the line alone."""

    line: Line
    source: str
    checks: Sequence[Collected]
    whole_part: bool
    reason: str

    @property
    def is_explained(self) -> bool:
        """Whether there is a check, or a reason why there is none."""
        return bool(self.checks or self.reason)

    @property
    def is_stale(self) -> bool:
        """Whether a reason stands beside a check."""
        return bool(self.checks and self.reason)


class Coverage:
    """The lines of a specification beside the checks that were collected for it."""

    def __init__(self, spec: Specification, lines: Sequence[Line], checks: Sequence[Collected]) -> None:
        self._spec = spec
        self._lines = lines
        self.checks = checks
        self._parts = {(line.section, line.part) for line in lines}
        self._titles = {item.id: item.title for item in spec.checklist}
        self._services = {int(found[1]): name for name, one in spec.services.items() if (found := NUMBERS.match(one.section))}

    def all(self) -> list[Covered]:
        """What covers each line."""
        return [self.of(line) for line in self._lines]

    def of(self, line: Line) -> Covered:
        """What covers a line."""
        source = self.source_of(line)
        reasons = self._spec.not_checkable
        own = [check for check in self.checks if self._is_about(check, line, source)]
        # A reason for the line alone says that the checks of its part are not about it.
        part = [] if own or line.key in reasons else [check for check in self.checks if self._is_about_part(check, line)]
        return Covered(line, source, own or part, not own, reasons.get(line.key, reasons.get(line.place, "")))

    def unknown_names(self) -> list[str]:
        """Keys of the data that no line has, and functions that no check has."""
        known = {name for line in self._lines for name in (line.key, line.place)}
        functions = {check.function for check in self.checks}
        sources = {self.source_of(line) for line in self._lines}
        keys = {**self._spec.coverage, **self._spec.not_checkable}.keys() - known
        patterns = [key for key in self._spec.covered_by if not any(fnmatchcase(name, key) for name in (*known, *sources))]
        named = {name for names in self._spec.covered_by.values() for name in names}
        return sorted([*keys, *patterns, *(named - functions)])

    def source_of(self, line: Line) -> str:
        """The entry of the specification file that holds the line's fact."""
        if (given := self._spec.coverage.get(line.key)) is not None:
            return given
        entry = self._spec.coverage.get(line.place, "")
        if not entry:
            return ""
        name = _plain(line.owner or line.name)
        fields = _fields(self._spec, entry)
        for candidate in (line.owner or line.name, name, name.removeprefix("service_")):
            if candidate in fields:
                return f"{entry}.{candidate}"
        return entry

    def _is_about(self, check: Collected, line: Line, source: str) -> bool:
        service = self._services.get(line.section)
        if service is not None and check.params.get("service", service) != service:
            return False
        return (
            self._is_listed(check, line)
            or self._is_scheduled(check, line)
            or self._names(check, line)
            or self._has_parameter(check, line, source)
            or any(
                fnmatchcase(name, key) and check.function in names
                for key, names in self._spec.covered_by.items()
                for name in (line.key, source)
            )
        )

    def _is_listed(self, check: Collected, line: Line) -> bool:
        """By its checklist item, whose title is the line."""
        return check.checklist.startswith(f"{line.section}.") and self._titles.get(check.checklist) in (line.text, line.name)

    def _is_scheduled(self, check: Collected, line: Line) -> bool:
        """By the calendar, whose entries have the titles of the document's lines (§9 Regular Maintenance)."""
        return any(
            review.title == line.name and f"§{line.place}" == review.section and check.checklist in review.items
            for review in self._spec.calendar.values()
        )

    def _names(self, check: Collected, line: Line) -> bool:
        """By the section in its docstring, which begins with the line's name."""
        numbers, title = _section(check)
        if line.section not in numbers:
            return False
        # "Runtime Configuration" is a part, and not about the line "Runtime".
        is_part = any(_begins(title, part) for number, part in self._parts if number in numbers)
        names = [name for name in (line.name, line.owner) if name]
        return any(_plain(title) == _plain(name) if is_part else _begins(title, name) for name in names)

    def _has_parameter(self, check: Collected, line: Line, source: str) -> bool:
        """By its parameters: the name of a variable, a detail of a service, an entry of a list."""
        values = {value for name, value in check.params.items() if name != "service"}
        entry = source.rpartition(".")[2]
        return line.name in values or ("detail" in check.params and check.params["detail"] == entry)

    def _is_about_part(self, check: Collected, line: Line) -> bool:
        numbers, title = _section(check)
        listed = check.checklist.startswith(f"{line.section}.") and self._titles.get(check.checklist) == line.part
        return listed or (line.section in numbers and _begins(title, line.part))


def _section(check: Collected) -> tuple[set[int], str]:
    found = TITLE.match(check.section)
    return set(map(int, NUMBERS.findall(check.section))), found["title"] if found else ""


def _begins(title: str, name: str) -> bool:
    """Whether a title is a name, or begins with it and goes on with something that is no part of the word."""
    given, wanted = _plain(title), _plain(name)
    return given == wanted or (given.startswith(wanted) and not given[len(wanted)].isalnum())


def _plain(text: str) -> str:
    return text.casefold().replace(" ", "_")


def _fields(spec: Specification, entry: str) -> set[str]:
    """Names below an entry of the file: fields of its model, or keys of its table."""
    found: Any = spec
    for part in entry.split("."):
        found = (
            found.get(part)
            if isinstance(found, Mapping)
            else getattr(found, f"{part}_section", None) or getattr(found, part, None)
        )
    if isinstance(found, BaseModel):
        return set(type(found).model_fields)
    return set(found) if isinstance(found, Mapping) else set()
