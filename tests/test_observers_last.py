"""Observers' checks are judged over all processes of a run, after every other check, however the checks are spread."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from gate.exit_codes import ExitCode
from tests.conftest import ROOT
from tests.test_outputs import Done, run

CHECKS = ROOT / "tests" / "outputs" / "acceptance" / "predeploy" / "observed.py"
KEPT = "test_a_promise_of_all_exchanges_is_kept"
WAYS = {
    "one process at random": ["-n", "0", "--shuffle", "3"],
    "two processes": ["-n", "2"],
    "four processes by file at random": ["-n", "4", "--dist", "loadfile", "--shuffle", "5"],
}


@pytest.fixture(scope="module", params=WAYS.values(), ids=list(WAYS))
def done(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """All of them."""
    found = run(tmp_path_factory.mktemp("observed"), *request.param, checks=CHECKS)
    assert found.exit_code == ExitCode.FAIL, found.text
    return found


def test_what_any_process_has_seen_is_judged_once(done: Done) -> None:
    assert done.read("verdict.json")["counts"] == {"passed": 6, "failed": 1, "skipped": 0, "blocked": 0, "not_judged": 1}
    [finding] = done.read("verdict.json")["findings"]
    [fact] = finding["facts"]
    assert (fact["code"], fact["subject"]) == ("http.value", "endpoint GET /asked/wrong_a")
    [observed] = [check["observed"] for check in done.checks() if KEPT in check["id"]]
    assert "http.value endpoint GET /asked/wrong_b" in observed


def test_each_output_shows_them(done: Done) -> None:
    cases = {case.get("name"): case for case in ElementTree.parse(done.out / "junit.xml").iter("testcase")}
    assert len(cases) == 8
    assert cases[KEPT].find("failure") is not None
    assert len(list((done.out / "allure-results").glob("*-result.json"))) == 8


def test_alone_they_are_not_judged(tmp_path: Path) -> None:
    found = run(tmp_path, "-n", "2", "-k", KEPT, checks=CHECKS)
    assert found.read("verdict.json")["counts"]["not_judged"] == 1, found.text
    assert found.exit_code == ExitCode.PASS


def test_what_is_not_selected_is_not_judged(tmp_path: Path) -> None:
    found = run(tmp_path, "-n", "0", "-k", "test_asks", checks=CHECKS)
    assert sum(found.read("verdict.json")["counts"].values()) == 6, found.text
    assert found.exit_code == ExitCode.PASS


def test_a_check_that_passes_says_how_much_it_has_seen(tmp_path: Path) -> None:
    found = run(tmp_path, "-n", "2", "-k", f"{KEPT} or plain_", checks=CHECKS)
    assert found.exit_code == ExitCode.PASS, found.text
    assert "4 exchanges judged" in (found.out / "checklist.md").read_text()
