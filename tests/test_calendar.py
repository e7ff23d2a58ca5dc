"""The calendar: which checks an entry runs, and that the second of two runs says exactly what changed in between."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from gate.exit_codes import ExitCode
from gate.failures import Value
from gate.places import ROOT
from proof.targets import spec_of
from reports import change_text
from reports.change_schema import ChangesData
from reports.changes import Comparison, kept_facts
from reports.kept import KeptRun
from reports.model import Fact
from reports.wording import Target, Words
from spec import load
from spec.specification_error import SpecError
from tests.conftest import Pytest
from tests.test_outputs import Done, run

CHECKS = ROOT / "tests" / "outputs" / "acceptance" / "predeploy" / "reviewed.py"
LISTS = ("new", "gone", "drifted", "open", "not_judged", "judged_again", "checks_added", "checks_removed", "values", "shifts")


def daily(folder: Path, state: str, *arguments: str) -> Done:
    """A daily run on a target in this state."""
    return run(folder, "--calendar", "daily", *arguments, env={"TEST_STATE": state}, checks=CHECKS)


def said(changes: ChangesData) -> dict[str, Any]:
    """Everything that a run says, by kind, in short: the subject of facts, the name of values and checks."""
    found: dict[str, Any] = {}
    for kind in LISTS:
        entries: list[Any] = changes[kind]  # type: ignore[literal-required]
        if entries:
            found[kind] = [entry if isinstance(entry, str) else _short(entry) for entry in entries]
    return found


def _short(entry: dict[str, Any]) -> str:
    return str(entry.get("subject") or entry.get("name") or entry["reason"])


# States of a target one after another, and what each run says of the change since the one before it.
STORY: list[tuple[str, dict[str, Any]]] = [
    ("", {}),
    ("", {}),
    ("level", {"new": ["variable api LOG_LEVEL"]}),
    ("level debug", {"drifted": ["variable api LOG_LEVEL"]}),
    ("plan", {"gone": ["variable api LOG_LEVEL"], "values": ["plan of the api"]}),
    ("plan more", {"checks_added": ["test_that_came"]}),
    ("plan sick", {"new": ["endpoint GET /health"], "checks_removed": ["test_that_came"]}),
    ("plan sick slow", {"open": ["endpoint GET /health"]}),
    ("plan unset", {"open": ["endpoint GET /health"], "not_judged": ["set RENDER_API_KEY"]}),
    ("plan", {"gone": ["endpoint GET /health"], "judged_again": ["test_health"]}),
]


def test_each_run_says_exactly_the_change_since_the_one_before(tmp_path: Path) -> None:
    for number, (state, expected) in enumerate(STORY):
        done = daily(tmp_path, state)
        changes: ChangesData = done.read("verdict.json")["changes"]
        found = {kind: [entry.rpartition("::")[2] for entry in entries] for kind, entries in said(changes).items()}
        assert found == expected, done.text
        assert (changes["previous"] is None, changes["runs"]) == (number == 0, number + 1)
        assert ("nothing changed" in done.text) == (number > 0 and not set(expected) - {"open"})


def test_what_stays_wrong_is_open_since_the_run_that_found_it_first(tmp_path: Path) -> None:
    first = daily(tmp_path, "sick").read("verdict.json")
    assert first["changes"]["previous"] is None
    assert first["changes"]["new"] == []
    for state in ("sick unset", "sick slow"):
        done = daily(tmp_path, state)
        (found,) = done.read("verdict.json")["changes"]["open"]
        assert (found["since"], found["since_run"]) == (first["started_at"], first["run_id"])
        assert found["judged"] is ("unset" not in state)
    assert f"run {first['run_id']}" in done.text
    page = (done.out / "index.html").read_text()
    assert "What changed: Health Checks" in page


def test_runs_of_another_target_or_selection_are_not_compared(tmp_path: Path) -> None:
    daily(tmp_path, "level")
    for other in (["-k", "health"], ["--read-only"]):
        assert daily(tmp_path, "", *other).read("verdict.json")["changes"]["previous"] is None
    env = {"TEST_STATE": "", "HARNESS_TARGET_NAME": "another"}
    done = run(tmp_path, "--calendar", "daily", env=env, checks=CHECKS)
    assert done.read("verdict.json")["changes"]["previous"] is None
    assert len(list((tmp_path / "out" / "history" / "calendar").iterdir())) == 2
    assert daily(tmp_path, "").read("verdict.json")["changes"]["gone"]


def test_what_is_kept_is_bounded_masked_and_where_it_is_asked_for(tmp_path: Path) -> None:
    history = tmp_path / "kept"
    text = (ROOT / "spec" / "navigator" / "staging.toml").read_text()
    assert text.count("\nruns = 200\n") == 1
    specification = tmp_path / "spec" / "staging.toml"
    specification.parent.mkdir()
    specification.write_text(text.replace("\nruns = 200\n", "\nruns = 2\n"))
    (specification.parent / "diagnosis.toml").write_text((ROOT / "spec" / "navigator" / "diagnosis.toml").read_text())
    for _ in range(3):
        done = daily(tmp_path, "level", "--history", str(history), "--spec", str(specification))
        assert done.exit_code == ExitCode.FAIL, done.text
    (path,) = history.rglob("daily.jsonl")
    lines = path.read_text().splitlines()
    assert len(lines) == 2
    kept = json.loads(lines[-1])
    assert kept["run_id"] == done.read("verdict.json")["run_id"]
    assert kept["values"]["run's own"] == "user of RUN"
    assert "anon-key-of-a-test" not in path.read_text()
    assert "a-long-password" not in path.read_text()


def test_a_shift_in_the_stored_response_times_is_said_with_its_runs_and_is_new_once(tmp_path: Path) -> None:
    first = daily(tmp_path, "").read("verdict.json")
    (path,) = tmp_path.rglob("response_times.jsonl")
    (line,) = map(json.loads, path.read_text().splitlines())
    assert (line["run_id"], line["times"]["GET /me"]["median"]) == (first["run_id"], 40.0)
    random_ = random.Random(1)
    earlier = [40.0] * 12 + [60.0] * 7
    kept = [
        line | {"run_id": f"r{number}", "times": {"GET /me": {"median": round(value * random_.uniform(0.97, 1.03), 2)}}}
        for number, value in enumerate(earlier)
    ]
    path.write_text("".join(json.dumps(entry) + "\n" for entry in [*kept, "no run", {"schema": 0}]))
    done = daily(tmp_path, "slower")
    (shift,) = done.read("verdict.json")["changes"]["shifts"]
    assert (shift["name"], shift["run_id"], shift["last_run"], shift["is_new"]) == ("GET /me", "r12", "r11", True)
    assert 0.4 < shift["change"] < 0.6
    assert "shifted    GET /me: " in done.text
    (again,) = daily(tmp_path, "slower").read("verdict.json")["changes"]["shifts"]
    assert not again["is_new"]
    assert "nothing changed" in daily(tmp_path, "slower").text


def test_a_gate_run_is_no_run_of_the_calendar(tmp_path: Path) -> None:
    done = run(tmp_path, checks=CHECKS)
    assert "changes" not in done.read("verdict.json")
    assert not list(tmp_path.rglob("daily.jsonl"))
    assert list(tmp_path.rglob("response_times.jsonl"))


def test_an_unknown_entry_is_a_usage_error(gate: Pytest) -> None:
    done = gate("--calendar", "hourly", "--collect-only")
    assert done.returncode == ExitCode.USAGE
    assert "'hourly' is no entry of the calendar of insurance-navigator-staging (there is: daily" in done.stderr + done.stdout


@pytest.mark.parametrize(("system", "name"), [("navigator", "daily"), ("navigator", "quarterly"), ("clinic", "monthly")])
def test_an_entry_selects_the_checks_of_its_items(gate: Pytest, system: str, name: str) -> None:
    path = spec_of(system)
    items = set(load(path).calendar[name].items)
    done = gate("--calendar", name, "--spec", str(path), "--collect-only", "-p", "tests.listing")
    assert done.returncode == ExitCode.PASS, done.stdout
    found = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("checklist ")}
    assert found
    assert found <= items


def test_a_calendar_names_items_of_the_checklist_only(tmp_path: Path) -> None:
    text = (ROOT / "spec" / "navigator" / "staging.toml").read_text()
    path = tmp_path / "staging.toml"
    path.write_text(text.replace('items = ["6.1", "6.2"', 'items = ["6.1", "6.99"'))
    with pytest.raises(SpecError, match=r"calendar\.monthly\.items names 6\.99"):
        load(path)


@pytest.mark.parametrize(
    ("old", "new", "drifted"),
    [
        ({"value": 3}, {"value": 4}, True),
        ({"value": 3}, {"value": 3}, False),
        ({"value": True}, {"value": 1.4}, True),
        ({"seconds": 1.0}, {"seconds": 1.9}, False),
        ({"seconds": 1.0}, {"seconds": 2.1}, True),
        ({"idle_ms": 100}, {"idle_ms": 140}, False),
        ({"status": 500, "body": "a"}, {"status": 500, "body": "b"}, False),
        ({"status": 500}, {"status": 503}, True),
        ({"value": "5.2 days left", "days": 5.2}, {"value": "4.2 days left", "days": 4.2}, False),
        ({"value": "a"}, {"value": "a", "error": "refused"}, True),
        ({"value": ["a", "b"]}, {"value": ["a"]}, True),
    ],
)
def test_what_is_observed_differs_by_typed_facts(old: dict[str, Value], new: dict[str, Value], drifted: bool) -> None:
    def at(component: str, observed: dict[str, Value]) -> KeptRun:
        fact = Fact("env.value", "variable api X", component, "a", observed=observed)
        words = Words(Target.of("", load(), []))
        facts = kept_facts([fact], words, "r", "2026-01-01")
        return {
            "schema": 1, "run_id": "r", "started_at": "2026-01-01", "calendar": "daily", "selection": "", "harness": "",
            "release": "", "verdict": "fail", "checks": {"a": "failed"}, "reasons": {}, "facts": facts, "values": {},
            "shifts": [],
        }  # fmt: skip

    for component in ("configuration", "harness"):
        compared = Comparison(at(component, old), at(component, new), load().history).changes("", 2, [])
        # What keeps the harness from judging is open, however it shows.
        assert bool(compared["drifted"]) is (drifted and component != "harness")
        assert len(compared["open"]) + len(compared["drifted"]) == 1


def test_many_changes_of_one_kind_are_counted() -> None:
    changes: ChangesData = {
        "calendar": "daily", "title": "Health Checks", "runs": 2, "release": "c",
        "previous": {"run_id": "r1", "started_at": "2026-01-01T00:00:00+00:00", "release": "c", "verdict": "pass"},
        "new": [], "gone": [], "drifted": [], "open": [], "not_judged": [], "judged_again": ["a"], "checks_added": ["b", "c"],
        "checks_removed": [], "values": [{"name": str(number), "before": "1", "now": "2"} for number in range(20)],
        "shifts": [],
    }  # fmt: skip
    said = "20 other values, 1 judged again, 2 checks added, since run r1 of 2026-01-01"
    assert change_text.summary(changes) == f"{said} (release c)"
    assert change_text.summary(changes | {"release": "d"}) == f"{said} (release c → d)"
    found = change_text.lines(changes)
    assert found[change_text.MOST] == ("changed", "and 12 more, in verdict.json")
    assert found[-1] == ("checks", "2 checks added to the harness or the specification")


def test_the_workflow_runs_every_entry_on_a_schedule_and_keeps_its_history_whatever_it_finds() -> None:
    text = (ROOT / ".github" / "workflows" / "maintenance.yml").read_text()
    data = yaml.safe_load(text)
    schedules = [entry["cron"] for entry in data[True]["schedule"]]
    assert len(schedules) == len(set(schedules)) == len(load().calendar)
    for name, cron in zip(load().calendar, schedules, strict=True):
        job = data["jobs"][name]
        assert job["if"] == f"github.event.schedule == '{cron}' || inputs.entry == '{name}'"
        assert any(str(step.get("run", "")).startswith(f"make {name} ") for step in job["steps"])
        kept = [step for step in job["steps"] if str(step.get("uses", "")).startswith("actions/cache/")]
        assert [step["with"]["path"] for step in kept] == ["reports/history"] * 2
        assert kept[1]["if"] == "always()"
    assert data[True]["workflow_dispatch"]["inputs"]["entry"]["options"] == list(load().calendar)
