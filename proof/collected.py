"""The checks of a specification as pytest collects them, with what says which promise each belongs to.

`collect(spec_file)` starts `pytest --collect-only -p proof.collected`, whose result is a file.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

from gate.collection import collected_by
from gate.selection import is_check, marker_value, promise
from spec import DEFAULT

SUITES = ("predeploy", "postdeploy", "performance", "contract", "resilience", "maintenance")


@dataclass(frozen=True)
class Collected:
    """One check: its id, its function and module, the section that its docstring names, its parameters by name."""

    id: str
    module: str
    function: str
    section: str
    checklist: str
    suites: tuple[str, ...] = ()
    params: dict[str, str] = field(default_factory=dict)


def collect(spec_file: Path = DEFAULT) -> list[Collected]:
    """All checks of a specification; raises ConfigurationError when they cannot be collected."""
    found = collected_by("proof.collected", "--collected", spec_file)
    return [Collected(**{**entry, "suites": tuple(entry["suites"])}) for entry in found]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The file that the result is written to."""
    parser.addoption("--collected", type=Path, metavar="PATH", help="write all checks with their promises")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write down every check."""
    checks = [asdict(_described(item)) for item in session.items if is_check(item) and isinstance(item, pytest.Function)]
    session.config.option.collected.write_text(json.dumps(checks))


def _described(item: pytest.Function) -> Collected:
    section, _ = promise(item)
    params = item.callspec.params if hasattr(item, "callspec") else {}
    return Collected(
        item.nodeid, item.path.stem, item.originalname, section, marker_value(item, "checklist"),
        tuple(name for name in SUITES if item.get_closest_marker(name)),
        {name: str(getattr(value, "name", value)) for name, value in params.items()},
    )  # fmt: skip
