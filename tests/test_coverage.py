"""Every line of the specification has a check or a reason; what says so is current."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from proof import proven
from proof.collected import Collected
from proof.coverage import PAGE, coverage_of
from proof.coverage_page import markdown, structure
from proof.covered import Coverage, Covered
from proof.spec_lines import Line, lines_of
from spec import DEFAULT, load
from spec.references import resolve

SPEC = load()
DOCUMENT = DEFAULT.with_name(SPEC.meta.specification)
FORMS = """# Title
## 3. Section
### Part
- **Bullet**: promise
- **List**:
  - `entry` - of the list
1. **Step**: done
```yaml
# a comment
key: value
paths:
  - a/**
empty: []
```
```bash
NAME=value=1
```
## Conclusion
- **Not**: numbered
## 4. Next
### Other
- [ ] Verify it
"""


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    """The document beside the checks."""
    return coverage_of()


@pytest.fixture(scope="module")
def found(coverage: Coverage) -> list[Covered]:
    """What covers each line."""
    return coverage.all()


def test_every_form_of_a_line_is_read(tmp_path: Path) -> None:
    file = tmp_path / "document.md"
    file.write_text(FORMS)
    assert [(line.key, line.text) for line in lines_of(file)] == [
        ("3 Part: Bullet", "promise"),
        ("3 Part: List entry", "of the list"),
        ("3 Part: Step", "done"),
        ("3 Part: key", "value"),
        ("3 Part: paths a/**", "a/**"),
        ("3 Part: empty", "[]"),
        ("3 Part: NAME", "value=1"),
        ("4 Other: Verify it", "Verify it"),
    ]


def test_no_line_of_the_document_is_passed_over() -> None:
    lines = lines_of(DOCUMENT)
    assert {line.section for line in lines} == set(range(1, 11))
    assert len({line.key for line in lines}) == len(lines)
    text = DOCUMENT.read_text().split("\n## 1. ")[1].split("\n## Conclusion")[0]
    promises = [line for line in text.splitlines()[1:] if line.strip() and not line.lstrip().startswith(("#", "```"))]
    # What is left opens a list, whose entries are lines.
    opening = [
        line for line in promises if line.rstrip().endswith(":") or line.rstrip().endswith(":**") or line.endswith("**: ")
    ]
    assert len(lines) == len(promises) - len(opening)


def test_every_line_has_a_check_or_a_reason(found: list[Covered]) -> None:
    assert not [one.line.key for one in found if not one.is_explained]


def test_no_reason_stands_beside_a_check(found: list[Covered]) -> None:
    assert not [f"{one.line.key}: {one.checks[0].function}" for one in found if one.is_stale]


def test_every_line_with_a_check_has_a_source(found: list[Covered]) -> None:
    data = resolve(tomllib.loads(DEFAULT.read_text()))
    unknown = [one.line.key for one in found if one.checks and not _is_there(data, one.source)]
    assert not unknown


def _is_there(data: Any, entry: str) -> bool:
    for part in entry.split("."):
        if isinstance(data, list):
            data = {one["name"]: one for one in data if "name" in one}
        if part not in data:
            return False
        data = data[part]
    return bool(entry)


def test_every_name_in_the_data_is_known(coverage: Coverage) -> None:
    assert not coverage.unknown_names()


def test_the_page_has_every_line_as_it_is(found: list[Covered]) -> None:
    now = structure(markdown(found, proven.read()))
    assert len(now) == len(found)
    assert structure(PAGE.read_text()) == now, "run `make coverage`"


# ── what would be wrong is seen ──────────────────────────────────────────────────────────────────────────


def check(section: str, **params: str) -> Collected:
    return Collected("x::test_x", "x", "test_x", section, "8.1.1", ("predeploy",), params)


@pytest.mark.parametrize(
    ("line", "one", "covers"),
    [
        (Line(6, "Authentication", "API Keys", "x"), check("§6 API Keys"), True),
        (Line(6, "Authentication", "API Keys", "x"), check("§6 API Keys and more"), True),
        (Line(6, "Authentication", "API Keys", "x"), check("§5 API Keys"), False),
        (Line(1, "Service Details", "Runtime", "x"), check("§1/§2 Runtime Configuration", service="worker"), False),
        (
            Line(1, "Environment Variables", "DEBUG", "false"),
            check("§9 Configuration Audit", service="api", name="DEBUG"),
            True,
        ),
        (
            Line(1, "Environment Variables", "DEBUG", "false"),
            check("§9 Configuration Audit", service="worker", name="DEBUG"),
            False,
        ),
        (Line(2, "Service Details", "Auto Deploy", "x"), check("§2 x", service="worker", detail="auto_deploy"), True),
        (Line(7, "Deployment Process", "Other", "x"), check("§7 Deployment Process"), True),
    ],
)
def test_what_a_check_is_about_is_read_from_it(line: Line, one: Collected, covers: bool) -> None:
    assert bool(Coverage(SPEC, [line], [one]).of(line).checks) is covers


def test_a_line_without_check_or_reason_is_seen() -> None:
    line = Line(3, "Database Dependencies", "Second Database", "x")
    assert not Coverage(SPEC, [line], []).of(line).is_explained


def test_a_reason_becomes_stale_with_the_first_check() -> None:
    line = Line(9, "Update Procedures", "Configuration Updates", "x")
    # Checks of the part are not about a line that has a reason of its own.
    assert not Coverage(SPEC, [line], [check("§9 Update Procedures")]).of(line).checks
    assert not Coverage(SPEC, [line], []).of(line).is_stale
    assert Coverage(SPEC, [line], [check("§9 Configuration Updates")]).of(line).is_stale


def test_proofs_are_learned_and_kept(tmp_path: Path) -> None:
    row = {"suite": "predeploy", "checks": []}
    rows = [
        row | {"fault": "F01", "red": ["a", "b"]},
        row | {"fault": "F02", "red": ["a"]},
        row | {"fault": "healthy", "red": ["c"]},
    ]
    (tmp_path / proven.MATRIX).write_text(json.dumps({"rows": rows}))
    (tmp_path / proven.MUTATIONS).write_text(json.dumps([{"red": ["a", "d"]}]))
    learned = proven.learn({"b": ["G01"], "a": ["F03"], "gone": ["F01"]}, ["a", "b", "c", "d"], tmp_path)
    assert learned == {"a": ["F01", "F02", "F03"], "b": ["F01", "G01"], "d": ["mutation"]}
    proven.write(learned, tmp_path / "proven.json")
    assert proven.read(tmp_path / "proven.json") == learned
