"""Failed checks are run again at the end: what fails each time is told from what comes and goes, within a time budget."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gate.exit_codes import ExitCode
from spec import DEFAULT
from tests.conftest import ROOT
from tests.test_outputs import Done, run

CHECKS = ROOT / "tests" / "outputs" / "acceptance" / "predeploy" / "again.py"
NOT_SLOW = "not test_slow"


def specification(folder: Path, seconds: float) -> Path:
    """The default system, which gives so many seconds to running checks again."""
    changed = folder / "system" / DEFAULT.name
    changed.parent.mkdir()
    text = DEFAULT.read_text()
    assert "again_seconds = 8" in text
    changed.write_text(text.replace("again_seconds = 8", f"again_seconds = {seconds}"))
    shutil.copy(DEFAULT.with_name("diagnosis.toml"), changed.parent)
    return changed


def runs(done: Done) -> dict[str, int]:
    """How often each check was run."""
    folder = done.out.parent / "acceptance" / "predeploy" / "runs"
    return {path.name.removeprefix("test_"): len(path.read_text()) for path in folder.iterdir()}


def seen(done: Done) -> dict[str, str]:
    """What running again has shown, by subject."""
    facts = [fact for finding in done.read("verdict.json")["findings"] for fact in finding["facts"]]
    return {fact["subject"].rpartition(" ")[2]: fact["again"] for fact in facts}


@pytest.fixture(scope="module", params=["0", "2"], ids=["one process", "two processes"])
def done(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """All checks but the slow ones."""
    found = run(tmp_path_factory.mktemp("again"), "-n", request.param, "-k", NOT_SLOW, checks=CHECKS)
    assert found.exit_code == ExitCode.FAIL, found.text
    return found


def test_steady_is_told_from_intermittent(done: Done) -> None:
    found = seen(done)
    assert found["EACH_TIME"] == "3 of 3"
    assert found["/once"] == "1 of 3"
    assert found["/now-and-then"] == "2 of 3"
    assert "(run again: failed 3 of 3)" in done.text


def test_a_failure_stays_a_failure(done: Done) -> None:
    assert done.read("verdict.json")["counts"]["failed"] == 9
    assert done.read("verdict.json")["counts"]["passed"] == 1


def test_what_measures_waits_or_writes_at_random_is_not_run_again(done: Done) -> None:
    found, counted = seen(done), runs(done)
    assert (counted["measured"], counted["generated"], counted["waiting"], counted["that_passes"]) == (1, 1, 1, 1)
    assert found["measured"] == found["/health"] == found["parsed"] == ""


def test_a_check_that_ends_otherwise_the_second_time_says_nothing(done: Done) -> None:
    found, counted = seen(done), runs(done)
    assert found["blocked"] == found["broken-later"] == ""
    assert counted["without_end"] == counted["broken_later"] == 2


def test_what_a_check_prints_when_it_is_run_again_is_not_shown(done: Done) -> None:
    # Once: what the failed check printed stands in its report.
    assert done.text.count("said by a check") == 1


def test_one_check_stands_for_all_that_saw_the_same(tmp_path: Path) -> None:
    done = run(tmp_path, "-k", "each_time or same_thing", checks=CHECKS)
    assert runs(done) == {"each_time": 3, "the_same_thing": 1}


def test_running_again_ends_with_its_budget(tmp_path: Path) -> None:
    done = run(tmp_path, "-k", "test_slow", "--spec", str(specification(tmp_path, 0.7)), checks=CHECKS)
    # The first takes what there is: its second run begins within the budget.
    assert runs(done) == {"slow[one]": 3, "slow[two]": 1, "slow[three]": 1}
    assert seen(done) == {"/one": "3 of 3", "/two": "", "/three": ""}


def test_without_seconds_nothing_is_run_again(tmp_path: Path) -> None:
    done = run(tmp_path, "-k", NOT_SLOW, "--spec", str(specification(tmp_path, 0)), checks=CHECKS)
    assert set(runs(done).values()) == {1}
    assert set(seen(done).values()) == {""}
