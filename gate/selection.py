"""Which checks exist for a specification, and that every name on them is known.

@pytest.mark.checklist("8.2.2")        the checklist item that the check belongs to
@pytest.mark.component("storage")      the part at fault when it fails
@pytest.mark.needs("api", "database")  prerequisites: without one the check is blocked or not judged
@pytest.mark.about("env.value", "variable {service} {name}")   code and subject of what it finds wrong (spec/codes.toml)
@promised("pipeline", "chat")          sections of the specification that it takes; without one there is no such check
@each("table", lambda spec: spec.database.tables)   one check for each entry of the specification
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import pytest

from gate.prerequisites import OWN
from spec import DEFAULT, Specification, load
from spec.codes import declared
from spec.model.base import Promised

T = TypeVar("T")
ABSENT = "absent"
# Code of a check that names none.
ANY_PROMISE = "promise.broken"
# Failure modes are named in parentheses in a promise: (F04), (F01–F13, F28).
FAILURE_MODES = re.compile(r"\(([^()]*\bF\d+\b[^()]*)\)")
MODE = re.compile(r"\bF\d+\b")


def each(
    names: str, source: Callable[[Specification], Iterable[object]], ids: Callable[[T], object] | None = None
) -> pytest.MarkDecorator:
    """One check for each entry; `names` are the arguments that take it, `ids` names an entry."""
    return pytest.mark.each(names, source, ids)


def promised(*sections: str) -> pytest.MarkDecorator:
    """The check exists only where the specification has these sections, or these endpoints (`endpoints.NAME`)."""
    return pytest.mark.promised(*sections)


def is_check(item: pytest.Item) -> bool:
    """Whether an item is a check of the gate, and not a test of something else."""
    return "acceptance" in item.path.parts


def marker_value(item: pytest.Item, name: str, default: str = "") -> str:
    """The first argument of the closest marker of this name."""
    marker = item.get_closest_marker(name)
    return str(marker.args[0]) if marker and marker.args else default


def promise(item: pytest.Item) -> tuple[str, str]:
    """First line of the docstring, split into section and text; the section falls back to the checklist item.

    An entry of the specification for which the check was made may say both itself.
    """
    for entry in params_of(item).values():
        if isinstance(entry, Promised):
            return entry.section, entry.promise
    text = (inspect.getdoc(getattr(item, "function", None)) or "").partition("\n")[0].strip()
    section, colon, rest = text.partition(": ")
    if colon and section.startswith(("§", "contract")):
        return section, rest
    return f"§{marker_value(item, 'checklist')}", text


def params_of(item: pytest.Item) -> Mapping[str, object]:
    """The entries and values for which a check was made, by the arguments that take them."""
    return item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}


def about(item: pytest.Item) -> tuple[str, str]:
    """Code and subject of a check; parameters of the check fill in the subject, which falls back to the check's name.

    Raises UsageError for a name that is not declared.
    """
    marker = item.get_closest_marker("about")
    code, subject = (*marker.args, "")[:2] if marker else (ANY_PROMISE, "")
    try:
        subject = subject.format(**{name: _plain(value) for name, value in params_of(item).items()})
    except (KeyError, IndexError) as error:
        raise pytest.UsageError(f"{item.nodeid}: about({subject!r}) names no parameter of the check: {error}") from error
    if problem := declared().problem(code, subject):
        raise pytest.UsageError(f"{item.nodeid}: {problem}")
    return code, subject or (f"promise {getattr(item, 'originalname', item.name)}" if code == ANY_PROMISE else "")


def parameters_by_fixture(items: Iterable[pytest.Item]) -> dict[str, list[Mapping[str, object]]]:
    """The parameters of checks, by the fixtures that they use."""
    used: dict[str, list[Mapping[str, object]]] = {}
    for item in items:
        for name in getattr(item, "fixturenames", ()):
            used.setdefault(name, []).append(dict(item.callspec.params) if hasattr(item, "callspec") else {})
    return used


def waits(item: pytest.Item, waited_for: frozenset[str]) -> bool:
    """Whether a check uses a fixture that waits for the background."""
    return bool(waited_for & set(getattr(item, "fixturenames", ())))


def _lacks(node: pytest.Item | pytest.Function, spec: Specification) -> bool:
    """Whether the specification lacks a section that a check takes; raises UsageError for one that no file has."""
    for marker in node.iter_markers("promised"):
        for promised_name in marker.args:
            section, _, endpoint = promised_name.partition(".")
            if section not in Specification.sections():
                raise pytest.UsageError(f"{node.nodeid}: promised({promised_name!r}) is no section of a specification")
            # The checks were written for the default specification: what it does not have either is a mistake.
            if endpoint and not (spec.has_endpoint(endpoint) or load(DEFAULT).has_endpoint(endpoint)):
                raise pytest.UsageError(f"{node.nodeid}: promised({promised_name!r}) is no endpoint of a specification")
            if not spec.has(section) or (endpoint and not spec.has_endpoint(endpoint)):
                return True
    return False


def parametrize(metafunc: pytest.Metafunc, spec: Specification) -> None:
    """Make one check for each entry that its `each` markers name."""
    lacking = _lacks(metafunc.definition, spec)
    for marker in metafunc.definition.iter_markers("each"):
        names, source, ids = marker.args
        count = len(names.split(","))
        entries = [] if lacking else list(source(spec))
        if not entries:
            absent = pytest.param(*[None] * count, marks=getattr(pytest.mark, ABSENT), id=ABSENT)
            metafunc.parametrize(names, [absent])
            continue
        metafunc.parametrize(names, entries, ids=_ids(entries, ids))


def _ids(entries: Sequence[object], name: Callable[[object], object] | None) -> list[str] | None:
    """Names of the entries; reports merge entries that look alike, so each gets a name."""
    if name is not None:
        return [str(name(entry)) for entry in entries]
    return None if all(isinstance(entry, str) for entry in entries) else [_plain(entry) for entry in entries]


def _plain(entry: object) -> str:
    if isinstance(entry, tuple | list):
        return ("-" if isinstance(entry, tuple) else "+").join(map(_plain, entry))
    return str(getattr(entry, "name", entry))


def select(config: pytest.Config, items: list[pytest.Item], spec: Specification) -> None:
    """Leave out what this specification does not promise; raises UsageError for a name that nothing knows."""
    kept, left_out = [], []
    for item in items:
        if is_check(item) and (item.get_closest_marker(ABSENT) or _lacks(item, spec)):
            left_out.append(item)
            continue
        kept.append(item)
        if is_check(item):
            _require_known_names(item, spec)
    if left_out:
        items[:] = kept
        config.hook.pytest_deselected(items=left_out)


def _require_known_names(item: pytest.Item, spec: Specification) -> None:
    known: dict[str, Iterable[str]] = {
        "checklist": [entry.id for entry in spec.checklist],
        "component": spec.harness.parts,
        "needs": {*spec.harness.prerequisites, *OWN},
    }
    for name, allowed in known.items():
        for marker in item.iter_markers(name):
            for value in marker.args:
                if value not in allowed:
                    raise pytest.UsageError(f"{item.nodeid}: {name}({value!r}) is not known to {spec.meta.name}")
    about(item)
    if not marker_value(item, "checklist"):
        raise pytest.UsageError(f"{item.nodeid}: no checklist item is named")
    if not spec.failure_modes:
        return
    modes = [mode for group in FAILURE_MODES.findall(promise(item)[1]) for mode in MODE.findall(group)]
    if unknown := sorted(set(modes) - set(spec.failure_modes)):
        raise pytest.UsageError(f"{item.nodeid}: {', '.join(unknown)} is no failure mode of {spec.meta.name}")
