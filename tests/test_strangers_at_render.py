"""Accounts at Render that are other than the double, and right: what they do not list or write otherwise is no fault."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from fixtures.monitoring import Monitoring
from fixtures.platform_events import PlatformEvents
from fixtures.platform_series import is_figure
from fixtures.render import Render
from fixtures.render_environment import RenderEnvironment
from fixtures.timestamps import moment_of
from fixtures.vendor_answers import VendorAnswers
from gate.failures import Failure, NotConfigured
from spec.model import Headroom
from tests.recorded import a_session
from tests.servers import answering

NOW = time.time()
GROUP = {"id": "evg-1", "createdAt": "2025-01-21T12:00:00.123456789Z", "serviceLinks": None}
LINKED = {"id": "evg-2", "serviceLinks": [{"id": "srv-1"}, None]}


def at(seconds: float) -> str:
    """A time of Render's, so many seconds ago."""
    return datetime.fromtimestamp(NOW - seconds, UTC).isoformat()


def event(seconds: float, kind: str, details: Any = None) -> dict[str, Any]:
    """An event as Render lists it."""
    return {"event": {"timestamp": at(seconds), "type": kind, "details": details}, "cursor": f"{kind} {seconds}"}


def events(folder: Path, status: int, body: Any) -> PlatformEvents:
    """The events of a service, read of an account that returns this for them."""
    found = []
    with answering(lambda *_: (status, body)) as url:
        reader = PlatformEvents(Render(a_session(folder, RENDER_BASE_URL=url, RENDER_API_KEY="key-of-a-test")))
        found = reader.of("srv-1")
    assert isinstance(found, list)
    return reader


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_platform_that_is_out_of_order_is_no_fault_of_the_release(tmp_path: Path, status: int) -> None:
    with pytest.raises(pytest.skip.Exception, match="NOT APPLICABLE"):
        events(tmp_path, status, {"message": "no"})


@pytest.mark.parametrize("status", [400, 403, 404, 405])
def test_a_listing_that_is_closed_is_not_judged(tmp_path: Path, status: int) -> None:
    with pytest.raises(NotConfigured):
        events(tmp_path, status, {"message": "no"})


@pytest.mark.parametrize("status", [429, 500, 503])
def test_services_that_cannot_be_listed_are_not_judged_by_their_events(tmp_path: Path, status: int) -> None:
    with answering(lambda *_: (status, {"message": "no"})) as url:
        session = a_session(tmp_path, RENDER_BASE_URL=url, RENDER_API_KEY="key-of-a-test")
        with pytest.raises(pytest.skip.Exception, match="NOT APPLICABLE"):
            Monitoring(Render(session)).hold("api", "restarts")


def test_what_is_no_event_is_none(tmp_path: Path) -> None:
    strange = [{"event": None}, {"event": {"timestamp": None, "type": "server_failed"}}, {"event": {"timestamp": 1}}, {}]
    assert events(tmp_path, 200, strange).of("srv-1") == []


def test_a_reason_that_denies_memory_is_another_one(tmp_path: Path) -> None:
    reasons: list[Any] = [{"oomKilled": None}, {"oomKilled": {}}, None]
    listed = [event(9, "server_failed", {"reason": reason}) for reason in reasons]
    reader = events(tmp_path, 200, listed)
    assert (len(reader.ended("srv-1", NOW - 60)), len(reader.out_of_memory("srv-1", NOW - 60))) == (2, 1)


@pytest.mark.parametrize(("began", "open_"), [(9e7, 0), (9000, 0), (600, 1)])
def test_a_deploy_whose_end_was_never_listed_does_not_go_on_for_ever(tmp_path: Path, began: float, open_: int) -> None:
    assert len(events(tmp_path, 200, [event(began, "deploy_started")]).deploys("srv-1", NOW - 60)) == open_


@pytest.mark.parametrize(
    ("status", "groups", "hides"),
    [
        (404, {}, False),
        (405, {}, False),
        (403, {}, True),
        (200, [GROUP], False),
        (200, [LINKED], True),
        (200, [{"envGroup": None}], False),
    ],
)
def test_variables_are_read_where_groups_and_files_are_not(tmp_path: Path, status: int, groups: Any, hides: bool) -> None:
    def account(method: str, path: str, body: Any) -> tuple[int, Any]:
        if urlsplit(path).path.endswith("/env-vars"):
            return 200, [{"envVar": {"key": "A", "value": "1"}}, {"envVar": {"key": "B", "value": None}}, {"envVar": None}]
        if path.endswith("/env-groups/evg-2"):
            return 403, {"message": "no"}
        return (status, groups) if "/env-groups" in path else (status if status != 200 else 500, {"message": "no"})

    with answering(account) as url:
        session = a_session(tmp_path, RENDER_BASE_URL=url, RENDER_API_KEY="key-of-a-test")
        environment = RenderEnvironment(Render(session))
        found = environment.settings({"id": "srv-1"})
    assert {name: held.value for name, held in found.variables.items()} == {"A": "1", "B": None}
    assert environment.hides_groups is hides


def test_an_answer_of_another_form_does_not_show_its_values(tmp_path: Path) -> None:
    with answering(lambda *_: (200, {"API_KEY": "a-secret-nobody-knows"})) as url:
        render = Render(a_session(tmp_path, RENDER_BASE_URL=url, RENDER_API_KEY="key-of-a-test"))
        with pytest.raises(Failure) as failed:
            RenderEnvironment(render).settings({"id": "srv-1"})
    assert failed.value.code == "http.fields"
    assert "a-secret-nobody-knows" not in str(failed.value.as_data())


def test_a_platform_that_hangs_is_not_asked_again_for_a_while(tmp_path: Path) -> None:
    asked: list[str] = []

    def hanging(method: str, path: str, body: Any) -> tuple[int, Any]:
        asked.append(path)
        time.sleep(1.5)
        return 200, []

    with answering(hanging) as url:
        render = Render(a_session(tmp_path, RENDER_BASE_URL=url, RENDER_API_KEY="key-of-a-test"), 0.5)
        for _ in range(3):
            with pytest.raises(Failure) as failed:
                render.deploys("srv-1", 1)
            assert failed.value.code == "http.no_answer"
    assert len(asked) == 1


@pytest.mark.parametrize(
    "text", ["2025-01-21T12:00:00Z", "2025-01-21T12:00:00.123456789Z", "2025-01-21t13:00:00+01:00", "2025-01-21T12:00"]
)
def test_times_are_read_in_every_spelling(text: str) -> None:
    assert int(moment_of(text) or 0) == 1737460800


@pytest.mark.parametrize("value", [None, "", "soon", 1737460800, "9999-99-99T00:00:00Z"])
def test_what_is_no_time_is_none(value: object) -> None:
    assert moment_of(value) is None


@pytest.mark.parametrize(("value", "counts"), [(1, True), (0.5, True), (float("nan"), False), (True, False), ("1", False)])
def test_what_cannot_be_added_up_is_no_figure(value: object, counts: bool) -> None:
    assert is_figure(value) is counts


@pytest.mark.parametrize("limit", ["inf", "nan", "0", "many"])
def test_a_limit_that_is_none_leaves_no_share(limit: str) -> None:
    answers = VendorAnswers()
    answers.note({"limit": limit, "left": "1"}, {"requests": Headroom(limit="limit", remaining="left")})
    assert answers.least == {}


@pytest.mark.parametrize(
    ("details", "samples"),
    [
        ({"numInstances": 1}, 1),
        ({"numInstances": 1, "autoscaling": {"enabled": True, "min": 1, "max": 3}}, 0),
        ({"numInstances": 1, "autoscaling": {"enabled": False}}, 1),
        (None, 0),
    ],
)
def test_where_the_platform_scales_by_itself_no_number_is_agreed(tmp_path: Path, details: Any, samples: int) -> None:
    series = [{"labels": None, "values": [{"timestamp": at(5), "value": 1}, {"timestamp": "soon", "value": 9}, None]}, None]
    with answering(lambda *_: (200, series)) as url:
        session = a_session(tmp_path, RENDER_BASE_URL=url, RENDER_API_KEY="key-of-a-test")
        found = Monitoring(Render(session))._instances({"id": "srv-1", "serviceDetails": details}, "run")
    assert found[1] == samples
