"""pytest, pluggy, xdist and allure-pytest: which of their frames may be interrupted, how a check runs once more, what it takes.

An exception raised inside a plugin's hook becomes an error of the check, or of pytest itself; and at an instruction that
belongs to no line, pytest cannot report where it was.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from types import FrameType
from typing import Any

import pytest
from _pytest.mark.expression import Expression

MACHINERY = ("_pytest", "pluggy", "xdist", "allure_pytest", "allure_commons")
# Where the machinery hands over to a check or a fixture, and where it waits for the processes that run them.
HANDOVERS = ("pytest_pyfunc_call", "call_fixture_func", "_teardown_yield_fixture")
WAITS = ("loop_once",)
BEGINNING = "pytest_sessionstart"


def selects(expression: str, marker: str) -> bool:
    """Whether an expression of -m selects a check that has only this marker."""

    def has(name: str, /, **_: object) -> bool:
        return name == marker

    try:
        return Expression.compile(expression).evaluate(has)
    except SyntaxError:
        # pytest refuses it later, in one line.
        return False


def run_once(item: pytest.Item) -> None:
    """Run a check that has run before, with its fixtures made anew, without any report or output; raises what it raises."""
    state = item.session._setupstate
    if isinstance(item, pytest.Function):
        item._initrequest()
    capture = item.config.pluginmanager.getplugin("capturemanager")
    # What it prints is masked in reports only.
    with capture.item_capture("again", item) if capture else nullcontext():
        try:
            state.setup(item)
            item.runtest()
        finally:
            state.teardown_exact(None)


def collect(session: pytest.Session, names: Sequence[str]) -> list[pytest.Item]:
    """The checks with these node ids, collected now; what was collected before stays counted."""
    counted = session.testscollected
    try:
        session.perform_collect([str(session.config.rootpath / name) for name in names])
        return list(session.items)
    finally:
        session.testscollected = counted


def fixture_of(item: pytest.Item, name: str) -> tuple[Callable[..., Any], tuple[str, ...]]:
    """The function behind a fixture as a check sees it, and what that takes; raises LookupError for a name without fixture."""
    found = item.session._fixturemanager.getfixturedefs(name, item)
    if not found:
        raise LookupError(name)
    return found[-1].func, tuple(found[-1].argnames)


def arguments_of(item: pytest.Function) -> tuple[str, ...]:
    """The fixtures and parameters that a check takes itself."""
    return item._fixtureinfo.argnames


def may_raise(frame: FrameType | None, spread: bool) -> bool:
    """Whether the machinery's last call was to a check or a fixture, or it waits: for a release, or for other processes.

    `spread` is a run whose checks are in other processes.
    """
    places = HANDOVERS + (WAITS if spread else ())
    called = ""
    while frame is not None:
        if frame.f_lineno is None:
            return False
        if any(f"{os.sep}{package}{os.sep}" in frame.f_code.co_filename for package in MACHINERY):
            return frame.f_code.co_name in places or called == BEGINNING
        called, frame = frame.f_code.co_name, frame.f_back
    return True
