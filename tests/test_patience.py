"""A platform that limits, fails now and then and is far away is read whole; one that fails for good is not waited for."""

import datetime
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fixtures.patience import retry_after
from fixtures.render import Render
from fixtures.render_environment import environment_of
from gate.failures import Failure
from tests.account import KEY, configuration, serving
from tests.recorded import a_session
from tests.servers import Answer, answering

MANY = {f"KEY_{number:03}": str(number) for number in range(60)}
NOW = datetime.datetime(2025, 1, 21, 12, 0, tzinfo=datetime.UTC)


Reader = Callable[..., Render]


@pytest.fixture
def render(tmp_path: Path) -> Iterator[Reader]:
    """Makes readers of Render at an address."""
    with ExitStack() as open_:

        def at(url: str, seconds: float | None = None) -> Render:
            session = a_session(tmp_path, RENDER_BASE_URL=url, RENDER_API_KEY=KEY)
            open_.callback(session.close)
            return Render(session, seconds)

        yield at


@pytest.mark.parametrize(
    "behaviour",
    [
        {"render_flaky": 2},
        {"render_flaky": 3, "render_page": 7, "render_limits": {"read": 6}, "render_window": 2},
        {"render_limits": {"read": 1}, "render_window": 1, "render_delay": 0.02},
    ],
    ids=["fails now and then", "all at once", "limited"],
)
def test_a_listing_is_whole(render: Reader, behaviour: dict[str, Any]) -> None:
    with serving(configuration(MANY, **behaviour)) as url:
        asked = render(url)
        assert environment_of(asked, "srv-twinapi") == MANY
    assert asked.repeats
    assert all(str(repeat) for repeat in asked.repeats)


def test_pieces_of_work_are_done_at_the_same_time(render: Reader) -> None:
    with serving(configuration(MANY, render_delay=0.3)) as url:
        asked = render(url)
        asked.deploys("srv-twinapi", 1)
        began = time.monotonic()
        found = asked.together({service: partial(asked.deploys, service, 1) for service in ("srv-twinapi", "srv-twinworker")})
        spent = time.monotonic() - began
    assert set(found) == {"srv-twinapi", "srv-twinworker"}
    assert spent < 0.55


def test_a_limit_beyond_the_deadline_is_not_waited_for(render: Reader) -> None:
    with serving(configuration(MANY, render_limits={"read": 1}, render_window=30)) as url:
        asked = render(url, 3)
        asked.deploys("srv-twinapi", 1)
        began = time.monotonic()
        with pytest.raises(Failure) as failed:
            asked.deploys("srv-twinapi", 1)
    assert failed.value.code == "http.limited"
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(("status", "code"), [(500, "http.server_error"), (429, "http.limited")])
def test_what_fails_for_good_is_asked_three_times_and_then_once(render: Reader, status: int, code: str) -> None:
    asked: list[str] = []

    def failing(method: str, path: str, body: Any) -> tuple[int, Any]:
        asked.append(path)
        return status, {"id": "1", "message": "no"}

    answer: Answer = failing
    with answering(answer) as url:
        reader = render(url)
        for expected in (3, 4):
            with pytest.raises(Failure) as failed:
                reader.deploys("srv-twinapi", 1)
            assert failed.value.code == code
            assert len(asked) == expected


def test_no_connection_is_tried_again(render: Reader) -> None:
    reader = render("http://127.0.0.1:9")
    with pytest.raises(Failure) as failed:
        reader.deploys("srv-twinapi", 1)
    assert failed.value.code == "http.unreachable"
    assert [repeat.reason for repeat in reader.repeats] == ["http.unreachable"] * 2


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), ("Tue, 21 Jan 2025 12:00:09 GMT", 9.0), ("Tue, 21 Jan 2025 11:00:00 GMT", 0.0), ("soon", None), ("", None)],
)
def test_retry_after_is_read(text: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": text}, NOW) == seconds
