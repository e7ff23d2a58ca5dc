"""Checks that fail each time, or now and then; copied into a folder of its own and run by tests/test_again.py."""

import time
from pathlib import Path

import pytest

from gate.failures import Blocked, Failure

pytestmark = [pytest.mark.predeploy, pytest.mark.checklist("8.1.2"), pytest.mark.component("configuration")]
RUNS = Path(__file__).with_name("runs")


@pytest.fixture(autouse=True)
def number(request: pytest.FixtureRequest) -> int:
    """How often this check was run before; kept in a file, because fixtures are made anew."""
    RUNS.mkdir(exist_ok=True)
    name = str(request.node.name)
    with (RUNS / name).open("a") as out:
        out.write("x")
    return len((RUNS / name).read_text()) - 1


@pytest.fixture
def a_document() -> str:
    """Stands for what a check waits for."""
    return "a document"


def test_each_time() -> None:
    """§1 Environment: fails each time."""
    raise Failure("env.value", "variable api EACH_TIME")


def test_the_same_thing() -> None:
    """§1 Environment: sees what another check sees."""
    raise Failure("env.value", "variable api EACH_TIME")


def test_once(number: int) -> None:
    """§1 Environment: fails the first time only."""
    if number == 0:
        raise Failure("http.value", "endpoint GET /once")


def test_now_and_then(number: int) -> None:
    """§1 Environment: fails, holds, fails."""
    if number != 1:
        raise Failure("http.fields", "endpoint GET /now-and-then")


def test_without_end(number: int) -> None:
    """§1 Environment: is blocked when it is run again."""
    if number == 0:
        raise Failure("http.header", "header blocked")
    raise Blocked("database", "connection refused")


def test_broken_later(number: int) -> None:
    """§1 Environment: cannot read what it gets when it is run again."""
    print("said by a check")
    if number == 0:
        raise Failure("http.header", "header broken-later")
    raise KeyError("something")


@pytest.mark.performance
def test_measured() -> None:
    """§8 Performance: a measurement."""
    raise Failure("target.slow", "target measured")


@pytest.mark.contract
def test_generated() -> None:
    """§4: generated requests."""
    raise Failure("describe.differs", "endpoint GET /health")


def test_waiting(a_document: str) -> None:
    """§3: waits for a document."""
    raise Failure("pipeline.stuck", "stage parsed")


def test_that_passes() -> None:
    """§1 Environment: holds."""


@pytest.mark.parametrize("name", ["one", "two", "three"])
def test_slow(name: str) -> None:
    """§1 Environment: fails after a while."""
    time.sleep(0.5)
    raise Failure("http.status", f"endpoint GET /{name}")
