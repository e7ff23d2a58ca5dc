"""The specification file: complete, and refused by name when it is broken."""

import re
from pathlib import Path

import pytest

from reports.diagnosis import rules
from spec import SpecError, current, load
from spec.loader import DEFAULT

DOCUMENT = DEFAULT.with_name("staging-service-specifications.md")
FAILURE_MODES = DEFAULT.with_name("failure-modes.md")


def sections() -> list[str]:
    """`N Title` of every subsection of the numbered sections."""
    found, number = [], ""
    for line in DOCUMENT.read_text().splitlines():
        if match := re.match(r"## (\d+)\.", line):
            number = match[1]
        elif line.startswith("## "):
            number = ""
        elif line.startswith("### ") and number:
            found.append(f"{number} {line[4:]}")
    return found


@pytest.mark.parametrize("section", sections())
def test_every_section_has_an_entry_or_a_reason(section: str) -> None:
    spec = current()
    assert (section in spec.coverage) != (section in spec.not_checkable), section


def test_no_entry_names_a_section_that_does_not_exist() -> None:
    spec = current()
    assert set(spec.coverage) | set(spec.not_checkable) == set(sections())


def test_the_checklists_are_the_documents_own() -> None:
    items = re.findall(r"- \[ \] (.+)", DOCUMENT.read_text())
    assert [entry.title for entry in current().checklist if entry.id.startswith("8.")] == items
    assert len(items) == 13


@pytest.mark.parametrize("service", ["api", "worker"])
def test_every_variable_of_the_document_has_a_rule(service: str) -> None:
    text = DOCUMENT.read_text()
    number = {"api": "1", "worker": "2"}[service]
    block = re.search(rf"## {number}\..*?### Environment Variables\n```bash\n(.*?)```", text, re.S)
    assert block
    names = re.findall(r"^([A-Z_]+)=", block[1], re.M)
    assert names
    assert set(names) <= set(current().variables_of(service))  # type: ignore[arg-type]


def test_fixed_values_are_the_documents_own() -> None:
    text = DOCUMENT.read_text()
    wrong = [n for n, v in current().variables.items() if v.kind == "fixed" and f"\n{n}={v.value}\n" not in text]
    assert not wrong


def test_every_failure_mode_has_a_rule() -> None:
    modes = set(re.findall(r"^\| (F\d\d) \|", FAILURE_MODES.read_text(), re.M))
    covered = {rule.failure_mode for rule in rules().rule}
    # F05 to F36 by number; F11 shows as F29 or F09 (the same look from outside).
    assert modes - covered == {"F11"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("port = 8000", "port = 70000"), "services.api.port"),
        (("port = 8000", "prot = 8000"), "services.api.prot"),
        (("[limits]", "[limts]"), "limits"),
        (('of = "DATABASE_URL"', 'of = "DATABASE_ULR"'), "DATABASE_ULR"),
        (('kind = "fixed", value = "staging"', 'kind = "fixed"'), "needs 'value'"),
        (("[meta]", "[meta"), "not TOML"),
        (('id = "8.1.2"', 'id = "8.1.1"'), "stands twice"),
    ],
)
def test_a_broken_file_is_refused_by_name(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    file = tmp_path / "broken.toml"
    file.write_text(DEFAULT.read_text().replace(*change, 1))
    with pytest.raises(SpecError) as error:
        load(file)
    assert "broken.toml" in str(error.value)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"nowhere\.toml"):
        load(tmp_path / "nowhere.toml")
