"""Checks whose parameters look alike, with every outcome; copied into a folder of its own and run by tests/test_outputs.py."""

import pytest

from gate.failures import Blocked, Failure, not_applicable
from gate.session import Session

pytestmark = [pytest.mark.predeploy, pytest.mark.checklist("8.1.2"), pytest.mark.component("configuration")]


class Shown:
    """Two of them look alike."""

    def __repr__(self) -> str:
        return "shown"


@pytest.mark.parametrize("body", [b"one", b"two", b"three", b"four", b"five"])
def test_bytes(body: bytes) -> None:
    """§1 Environment: bytes are not shown."""
    assert body


@pytest.mark.parametrize("thing", [Shown() for _ in range(2)])
def test_objects(thing: Shown) -> None:
    """§1 Environment: objects look alike."""
    assert thing


@pytest.mark.parametrize(("first", "second"), [(1, "x"), ("1", "x"), (True, "x")], ids=["number", "text", "flag"])
def test_values(first: object, second: str) -> None:
    """§1 Environment: values look alike."""
    assert second


class TestOne:
    """A class of checks."""

    def test_same_name(self) -> None:
        """§1 Environment: a name that stands twice."""


class TestTwo:
    """Another one."""

    def test_same_name(self) -> None:
        """§1 Environment: a name that stands twice."""


def test_that_fails() -> None:
    """§1 Environment: something holds."""
    raise Failure(expected="something", observed="something else", hint="the right place")


@pytest.mark.parametrize("number", range(3))
def test_that_is_not_judged(session: Session, number: int) -> None:
    """§1 Environment: a setting is needed."""
    session.settings.needed("RENDER_API_KEY")


def test_that_is_skipped() -> None:
    """§1 Environment: not on this target."""
    not_applicable("this target has no such thing")


def test_that_is_blocked() -> None:
    """§1 Environment: a prerequisite is unavailable."""
    raise Blocked("database", "connection refused")
