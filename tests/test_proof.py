"""What the proofs conclude from a run of the gate, in which order they work, and how they write it down."""

import json
from pathlib import Path
from typing import Any

import pytest

from gate.exit_codes import ExitCode
from gate.places import ROOT
from gate.settings import ConfigurationError, read_env_file
from proof import faults, matrix_page
from proof.facts.mutation import Mutation
from proof.gate_run import VerdictSeen, read_verdict
from proof.matrix import HEALTHY, Known, Row, known_faults, unproven
from proof.measured_in import MEASURED_IN
from proof.mutations import of_twins
from proof.pages import put
from proof.targets import spec_of, specification, write_env
from spec import DEFAULT

SLOW = Known("F30", "llamaparse/openai", ("performance",), "calls take longer")
WRONG = Known("G01", "api", ("predeploy", "postdeploy"), "a key is missing")


def row(fault: str = "G01", suite: str = "postdeploy", exit_code: int = ExitCode.FAIL, found: str = "api", **more: Any) -> Row:
    """A row of the matrix."""
    named: dict[str, Any] = {"summary": "a summary", "findings": 1, "named": ["endpoint GET /health"]} if found else {}
    return Row(fault, suite, "a title", "api/database", exit_code, 10.0, found=found, **(named | more))


@pytest.mark.parametrize(
    ("found", "right"),
    [
        (row(), True),
        (row(found="database"), True),
        (row(found="network"), False),
        (row(right_subject="*GET /health"), True),
        (row(right_subject="*GET /me|*table jobs"), False),
        (row(right_mode="F01", mode="F01", modes=["F01"]), True),
        (row(right_mode="F01|F02", mode="F02", modes=["F02"]), True),
        (row(right_mode="F01", mode=None), False),
        (row(mode="F01", modes=["F01"]), False),
        # A wrong name below the top is a wrong name.
        (row(right_mode="F01", mode="F01", modes=["F01", "F07"]), False),
        (row(found="", exit_code=ExitCode.PASS), False),
        (row(HEALTHY, found="", exit_code=ExitCode.PASS), True),
        (row(HEALTHY), False),
        (row(found="", exit_code=ExitCode.USAGE), False),
        (row("F35", found="", exit_code=ExitCode.USAGE), True),
        (row(found="", exit_code=ExitCode.INTERNAL_ERROR), False),
    ],
)
def test_a_row_is_right_when_it_is_red_and_named(found: Row, right: bool) -> None:
    assert found.is_right is right


def test_the_longest_rows_come_first() -> None:
    work = faults.plan([WRONG, SLOW], ["postdeploy"], [])
    assert [(fault.id if fault else HEALTHY, suite) for fault, suite in work] == [
        ("F30", "performance"), (HEALTHY, "postdeploy"), ("G01", "postdeploy"), ("G01", "predeploy"),
    ]  # fmt: skip
    earlier = [row("G01", "predeploy")]
    earlier[0].seconds = 500
    assert faults.plan([WRONG, SLOW], [], earlier)[0] == (WRONG, "predeploy")


def test_the_page_counts_by_kind_and_bounds_the_share() -> None:
    rows = [row(HEALTHY, found="", exit_code=0), row(), row("F01", found="network"), row("G02", found="", exit_code=0)]
    rows[0].checks, rows[1].red = ["a", "b"], ["a"]
    page = matrix_page.markdown(rows)
    assert "red in every suite in which it must be: **1 of 1 (above 5 %)** F faults, **1 of 2 (above 2 %)** G faults" in page
    assert "names the right component: **0 of 1 (above 0 %)** F faults, **1 of 2" in page
    assert "names what is broken: **1 of 1 (above 5 %)** F faults, **1 of 2" in page
    assert "with a wrong failure mode, on top or below: **0 of 2" in page
    assert "checks that a named fault turned red: 1 of 2 (50.0 %)" in page
    assert unproven(rows) == ["b"]
    assert page.count("not caught") == 1


@pytest.mark.parametrize("module", sorted({module for modules in MEASURED_IN.values() for module in modules}))
def test_what_a_fault_is_measured_in_is_there(module: str) -> None:
    assert (ROOT / module).is_file()


def test_what_is_measured_in_part_is_a_fault_of_the_performance_suite() -> None:
    known = {fault.id: fault.suites for fault in known_faults()}
    assert all("performance" in known[fault] for fault in MEASURED_IN)


def test_another_systems_faults_and_specification_are_found() -> None:
    assert spec_of("navigator") == DEFAULT
    assert specification("clinic").meta.twin == "clinic"
    assert {fault.id[0] for fault in known_faults("clinic")} == {"C"}
    with pytest.raises(ConfigurationError, match="'surgery'"):
        spec_of("surgery")


def test_mutations_that_change_the_twin_alike_share_it() -> None:
    groups = of_twins(specification(), "schema")
    assert any(len(group) > 1 for group in groups)
    assert all(mutation.twin == group[0].twin for group in groups for mutation in group)
    labels = [mutation.label for group in groups for mutation in group]
    assert len(labels) == len(set(labels)) > 100


def test_a_mutation_is_killed_by_a_red_check_or_by_name() -> None:
    assert Mutation("x", "schema", "m.py", red=["a"]).is_killed
    assert Mutation("x", "variables", "m.py", exit_code=ExitCode.USAGE).is_killed
    assert not Mutation("x", "schema", "m.py", exit_code=ExitCode.USAGE).is_killed


def test_an_env_file_of_a_proof_is_the_owners_alone_and_keeps_each_value(tmp_path: Path) -> None:
    values = {"A": "1", "B": ' "quoted" ', "C": "two\nlines", "D": ""}
    write_env(tmp_path / "x.env", values)
    assert read_env_file(tmp_path / "x.env") == values
    assert (tmp_path / "x.env").stat().st_mode & 0o077 == 0


def test_a_verdict_is_read_as_strangers_read_it(tmp_path: Path) -> None:
    assert read_verdict(tmp_path) == VerdictSeen()
    facts = [{"subject": "endpoint GET /health", "code": "http.server_error"}]
    finding = {"component": "api", "title": "it is down", "failure_mode": None, "evidence": "no answer", "facts": facts}
    check = {"id": "a.py::b", "status": "failed", "observed": "no answer"}
    data = {
        "verdict": "fail",
        "run_id": "1",
        "checklist": [{"checks": [check]}],
        "findings": [finding],
        "counts": {"failed": 1},
    }
    (tmp_path / "verdict.json").write_text(json.dumps(data | {"residue": {"after": {"users": 2}}}))
    found = read_verdict(tmp_path)
    assert found.findings[0].subjects == ("endpoint GET /health",)
    assert (found.named("failed"), str(found.findings[0]), found.residue) == (["a.py::b"], "api: it is down", 2)


def test_a_section_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n## One\n\nold\n\n## Two\n\nkept\n")
    put(page, "One", ["new"])
    put(page, "Three", ["added"])
    assert page.read_text() == "# Page\n\n## One\n\nnew\n\n## Two\n\nkept\n\n## Three\n\nadded\n"
