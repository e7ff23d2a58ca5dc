"""Log lines: as Render's double serves the files of the twin's services, and what the gate reads of their structure."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from fixtures.log_lines import FLOOD_LINES, LogLine, collapsed, flood, read_line, records
from tests.test_render import a_double
from twin.doubles.render.description import API, OWNER, WORKER

NOON = datetime.datetime.now(datetime.UTC).replace(microsecond=0) - datetime.timedelta(minutes=5)
RAISED = [
    "Traceback (most recent call last):",
    '  File "client.py", line 1, in get',
    "    raise error",
    "client.Refused: refused with 403",
    "For more information see the manual.",
    "",
    "The above exception was the direct cause of the following exception:",
    "",
    "Traceback (most recent call last):",
    '  File "auth.py", line 2, in verify',
    "RuntimeError: invalid token",
]


def stamp(seconds: float) -> str:
    """A time as the services write it."""
    return (NOON + datetime.timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def a_log(folder: Path, lines: dict[str, Sequence[str]], **behaviour: Any) -> TestClient:
    """Render's double of a twin whose processes have written these lines, by name."""
    for name, texts in lines.items():
        (folder / f"{name}.log").write_text("".join(f"{text}\n" for text in texts))
    return a_double(folder, **behaviour)


def listed(client: TestClient, **given: Any) -> dict[str, Any]:
    """One page of log lines."""
    query = {"ownerId": OWNER, "resource": [API, WORKER], "startTime": stamp(-60), "endTime": stamp(60)} | given
    found: dict[str, Any] = client.get("/v1/logs", params=query).json()
    return found


def texts(found: dict[str, Any]) -> list[str]:
    """The messages of a page, without their times."""
    return [line["message"].partition(" ")[2] for line in found["logs"]]


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("behaviour", [{}, {"render_page": 2}])
def test_pages_hold_every_line_once(tmp_path: Path, direction: str, behaviour: dict[str, int]) -> None:
    api, worker = ([f"{stamp(at)} INFO {name} line {at}" for at in (0, 1, 1, 1, 2)] for name in ("api", "worker"))
    client = a_log(tmp_path, {"api": api, "worker": worker}, **behaviour)
    seen: list[str] = []
    given: dict[str, Any] = {}
    for _ in range(10):
        page = listed(client, direction=direction, limit=3, **given)
        seen += [line["id"] for line in page["logs"]]
        given = {"startTime": page["nextStartTime"], "endTime": page["nextEndTime"]}
        if not page["hasMore"]:
            break
    assert len(seen) == len(set(seen)) == 10


def test_lines_are_found_by_level_text_type_and_time(tmp_path: Path) -> None:
    api = [
        f"{stamp(0)} INFO api 'GET /health' 200 1.5 ms request_id=one",
        f"{stamp(1)} ERROR api 'GET /me' failed request_id=two",
        *RAISED,
        f'{{"time": "{stamp(2)}", "level": "Warning", "message": "slow"}}',
        "CRITICAL:    the disk is full",
    ]
    client = a_log(tmp_path, {"api": api, "worker": []})
    assert texts(listed(client, level="error")) == ["ERROR api 'GET /me' failed request_id=two"]
    assert len(listed(client, level=["warning", "critical"])["logs"]) == 2
    assert texts(listed(client, text="request_id=one", type="app")) == ["INFO api 'GET /health' 200 1.5 ms request_id=one"]
    assert len(listed(client, text="Traceback (most recent call last)")["logs"]) == 2
    [request] = listed(client, type="request")["logs"]
    assert {"name": "statusCode", "value": "200"} in request["labels"]
    assert not listed(client, startTime=stamp(10))["logs"]
    # What names no time is as old as the line before it.
    assert len(listed(client, startTime=stamp(1), endTime=stamp(1.5))["logs"]) == 1 + len([line for line in RAISED if line])


def test_a_line_that_is_still_written_is_shown_when_it_is_whole(tmp_path: Path) -> None:
    client = a_log(tmp_path, {"api": [f"{stamp(0)} INFO api begun"]})
    with (tmp_path / "api.log").open("a") as file:
        file.write(f"{stamp(1)} INFO api hal")
        file.flush()
        assert len(listed(client)["logs"]) == 1
        file.write("f\n")
        file.flush()
        assert texts(listed(client)) == ["INFO api half", "INFO api begun"]


def test_a_service_without_a_process_wrote_nothing(tmp_path: Path) -> None:
    client = a_log(tmp_path, {"api": [f"{stamp(0)} INFO api begun"]}, render_neighbours=1)
    assert listed(client, resource=["srv-neighbour00"])["logs"] == []
    assert listed(client, resource=[WORKER])["logs"] == []


# ── what the gate reads of them ──────────────────────────────────────────────────────────────────────────


def lines(*said: str, level: str = "", start: float = 0.0, step: float = 0.001) -> list[LogLine]:
    """Lines of one instance; a level stands before a colon."""
    found = []
    for number, text in enumerate(said):
        own, _, rest = text.partition("|")
        at = start + number * step
        found.append(LogLine(f"{start}-{number}", at, "api", "one", own if rest else level, rest or text))
    return found


def test_a_traceback_belongs_to_the_line_before_it() -> None:
    said = records(lines("info|begun", "error|GET /me failed request_id=7", *RAISED, "info|GET /health"))
    assert [record.line.text for record in said] == ["begun", "GET /me failed request_id=7", "GET /health"]
    assert said[1].telling.text == "RuntimeError: invalid token"
    assert not said[1].is_crash
    assert said[1].holds(["request_id=7"])


def test_an_error_that_nothing_caught_is_a_crash() -> None:
    for before in ([], lines("info|worker started"), lines("error|long ago", start=-10)):
        said = records([*before, *lines(*RAISED)])
        assert said[-1].is_crash
        assert said[-1].telling.text == "RuntimeError: invalid token"


def test_half_a_traceback_says_nothing() -> None:
    said = records(lines("error|GET /me failed", *RAISED[:3]))
    assert [(record.line.text, record.error) for record in said] == [("GET /me failed", None)]


def test_what_is_said_again_is_shown_once() -> None:
    said = records(lines("job 1 failed after 12 ms", "job 2 failed after 7 ms", "the disk is full"))
    assert [(record.line.text, record.count) for record in collapsed(said)] == [
        ("job 1 failed after 12 ms", 2),
        ("the disk is full", 1),
    ]


@pytest.mark.parametrize(
    ("step", "count", "is_flood"), [(0.01, FLOOD_LINES, True), (1.0, FLOOD_LINES, False), (0.01, 9, False)]
)
def test_a_flood_is_many_lines_without_a_pause(step: float, count: int, is_flood: bool) -> None:
    found = flood(lines(*(f"job {n} is not ready" for n in range(count)), step=step))
    assert (found is not None and found.count == count) is is_flood


@pytest.mark.parametrize("entry", [None, {}, {"timestamp": "yesterday", "message": "x"}, {"message": "x"}, {"timestamp": 7}])
def test_what_is_no_line_is_none(entry: object) -> None:
    assert read_line(entry, "api", "app") is None


def test_a_line_commands_no_terminal() -> None:
    found = read_line({"timestamp": stamp(0), "message": "red \x1b[31m alert", "labels": None}, "api", "app")
    assert found is not None
    assert "\x1b" not in found.text
    assert found.time == stamp(0)
