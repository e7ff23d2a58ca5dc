"""References of a specification file: a fact that stands in one place of the file and is used in another.

`"{{chat.max_chunks}}"` in any text of the file stands for the value under that key. A number is written as the file writes
it, a list as its entries with commas between them. An entry of a list of tables is named by its `name`, as in
`{{endpoints.health.path}}`. A name that holds dots cannot be referred to. Values may hold references themselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

REFERENCE = re.compile(r"\{\{([^{}]*)\}\}")


class UnknownReference(ValueError):
    """A reference names a key that the file does not have, or leads back to itself."""

    def __init__(self, at: str, reference: str, problem: str) -> None:
        super().__init__(f"{at}: the reference {{{{{reference}}}}} {problem}")


def resolve(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data of a file with all references filled in; raises UnknownReference naming the key that holds one."""
    return {name: _filled(value, data, name, ()) for name, value in data.items()}


def _filled(value: Any, data: Mapping[str, Any], at: str, behind: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        return REFERENCE.sub(lambda match: _text(match[1].strip(), data, at, behind), value)
    if isinstance(value, list):
        return [_filled(entry, data, f"{at}.{_name(entry, number)}", behind) for number, entry in enumerate(value)]
    if isinstance(value, dict):
        return {name: _filled(entry, data, f"{at}.{name}", behind) for name, entry in value.items()}
    return value


def _name(entry: Any, number: int) -> str:
    return str(entry["name"]) if isinstance(entry, dict) and "name" in entry else str(number)


def _text(reference: str, data: Mapping[str, Any], at: str, behind: tuple[str, ...]) -> str:
    if reference in behind:
        raise UnknownReference(at, reference, "leads back to itself")
    found = _filled(_value(reference, data, at), data, at, (*behind, reference))
    if isinstance(found, list) and not any(isinstance(entry, list | dict) for entry in found):
        return ",".join(map(_plain, found))
    if isinstance(found, list | dict):
        raise UnknownReference(at, reference, "names a table, not a value")
    return _plain(found)


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(reference: str, data: Mapping[str, Any], at: str) -> Any:
    value: Any = data
    for part in reference.split("."):
        if isinstance(value, list):
            value = {entry["name"]: entry for entry in value if isinstance(entry, dict) and "name" in entry}
        if not isinstance(value, dict) or part not in value:
            raise UnknownReference(at, reference, "names no key of the file")
        value = value[part]
    return value
