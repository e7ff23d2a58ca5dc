"""The specification file: complete, and refused by name when it is broken."""

import re
from pathlib import Path

import pytest

from reports.rules import load_rules
from spec import DEFAULT, SpecError, load
from spec.model import Endpoint
from spec.references import resolve

SPEC = load()
DOCUMENT = DEFAULT.with_name(SPEC.meta.specification)
CONTRACT = DEFAULT.with_name(SPEC.meta.contract)
FAILURE_MODES = DEFAULT.with_name("failure-modes.md")


def test_the_checklists_are_the_documents_own() -> None:
    items = re.findall(r"- \[ \] (.+)", DOCUMENT.read_text())
    assert [entry.title for entry in SPEC.checklist if entry.id.startswith("8.")] == items
    assert len(items) == 13


@pytest.mark.parametrize("service", ["api", "worker"])
def test_every_variable_of_the_document_has_a_rule(service: str) -> None:
    text = DOCUMENT.read_text()
    number = {"api": "1", "worker": "2"}[service]
    block = re.search(rf"## {number}\..*?### Environment Variables\n```bash\n(.*?)```", text, re.S)
    assert block
    names = re.findall(r"^([A-Z_]+)=", block[1], re.M)
    assert names
    assert set(names) <= set(SPEC.variables_of(service))


def test_fixed_values_are_the_documents_own() -> None:
    text = DOCUMENT.read_text()
    wrong = [n for n, v in SPEC.variables.items() if v.kind == "fixed" and f"\n{n}={v.value}\n" not in text]
    assert not wrong


@pytest.mark.parametrize("endpoint", SPEC.endpoints, ids=lambda endpoint: endpoint.name)
def test_every_path_is_the_contracts_own(endpoint: Endpoint) -> None:
    assert f"{endpoint.path}" in CONTRACT.read_text()


def test_a_reference_stands_for_the_value_as_it_is_written() -> None:
    data = {"a": {"n": 0.3, "t": True, "l": ["x", "{{a.n}}"]}, "e": [{"name": "one", "p": "/{id}"}]}
    texts = {"n": "{{a.n}}", "t": "{{ a.t }}", "l": "{{a.l}}", "p": "http:{{e.one.p}}", "none": "${id} {x}"}
    assert resolve({**data, "r": texts})["r"] == {"n": "0.3", "t": "true", "l": "x,0.3", "p": "http:/{id}", "none": "${id} {x}"}


def test_every_failure_mode_has_a_rule() -> None:
    modes = set(re.findall(r"^\| (F\d\d) \|", FAILURE_MODES.read_text(), re.M))
    covered = {rule.failure_mode for rule in load_rules(DEFAULT, SPEC).rule}
    assert modes <= covered


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("port = 8000", "port = 70000"), "services.api.port"),
        (('region = "oregon"', 'regoin = "oregon"'), "services.api.regoin"),
        (("[limits]", "[limts]"), "limts: Extra inputs"),
        (('of = "DATABASE_URL"', 'of = "DATABASE_ULR"'), "DATABASE_ULR"),
        (('kind = "fixed", value = "false"', 'kind = "fixed"'), "needs 'value'"),
        (("[meta]", "[meta"), "not TOML"),
        (("port = 8000", "prot = 8000"), "services.api.start_command: the reference {{services.api.port}} names no key"),
        (("max_chunks = 10", 'max_chunks = "{{chat.max_chunks}}"'), "leads back to itself"),
        (('bucket = "files"', 'bucket = "{{pipeline.tables}}"'), "names a table"),
        (("unauthorized = [401], duplicate", "duplicate"), "endpoints.upload.errors needs 'unauthorized'"),
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
