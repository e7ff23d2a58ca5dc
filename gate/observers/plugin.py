"""The observers' checks are judged last: after every check of every process, its re-run and the work beside it have ended.

No process schedules them. The one that opened the run runs them itself after its loop; where other processes run the checks,
they name the held-back ones in the run's folder, and it collects those by their names.
"""

from __future__ import annotations

import json
from collections.abc import Generator

import pytest

from gate.checks import SEEN
from gate.internals import pytest_
from gate.observers import notes
from gate.plugin import is_worker, session_of
from gate.selection import marker_value, params_of

HELD_BACK = "observers.json"
MARKER = "observes"
# The argument of the check that is the observer's entry in the specification.
ARGUMENT = "observer"
ITEMS = pytest.StashKey[list[pytest.Item]]()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take the observers' checks, as far as they are selected, out of what is scheduled."""
    gate = session_of(config)
    if gate is None or ITEMS in config.stash:
        return
    held = [item for item in items if item.get_closest_marker(MARKER) is not None]
    config.stash[ITEMS] = held
    items[:] = [item for item in items if item not in held]
    if is_worker(config):
        gate.shared.write(HELD_BACK, json.dumps([item.nodeid for item in held]))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Say in the check's report how many exchanges its observer has judged."""
    gate = session_of(item.config)
    if gate is None or item.get_closest_marker(MARKER) is None:
        return
    seen = notes.read(gate.shared, name_of(item)).seen
    item.stash[SEEN] = f"{seen:,} exchanges judged" if seen else ""


def name_of(item: pytest.Item) -> str:
    """The name of the observer that a check is about: its marker's, or that of the entry for which the check was made."""
    return marker_value(item, MARKER) or str(getattr(params_of(item).get(ARGUMENT), "name", ""))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Judge what the observers have seen, when everything else has ended."""
    result = yield
    config = session.config
    gate = session_of(config)
    if gate is None or is_worker(config):
        return result
    # Documents that no check waits for are observed as well.
    gate.stop(at_once=False)
    for item in _held_back(session):
        session.testscollected += 1
        config.hook.pytest_runtest_protocol(item=item, nextitem=None)
    return result


def _held_back(session: pytest.Session) -> list[pytest.Item]:
    config, gate = session.config, session_of(session.config)
    if ITEMS in config.stash or gate is None:
        return config.stash.get(ITEMS, [])
    # Not to be held back again.
    config.stash[ITEMS] = []
    names: list[str] = json.loads(gate.shared.read(HELD_BACK) or "[]")
    return pytest_.collect(session, names) if names else []
