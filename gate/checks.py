"""What makes a test function a check: its prerequisites, its deadline, and how its failure reads."""

from __future__ import annotations

import traceback
from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import Path

import allure
import pytest

from gate.failures import Blocked, CheckFailed, NotConfigured, shorten
from gate.plugin import SPECIFICATION, session_of
from gate.prerequisites import BUDGET, TARGET
from gate.selection import is_check, marker_value, parametrize, promise, select, waits
from gate.session import Session

PROPERTY = "check"


@dataclass(frozen=True)
class Facts:
    """What a check's report carries: what was promised, expected and observed, and what blocked it."""

    checklist: str
    component: str
    section: str
    promise: str
    expected: str = ""
    observed: str = ""
    hint: str = ""
    blocked_by: str = ""
    not_judged: str = ""
    to_set: str = ""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One check for each entry of the specification that its markers name."""
    spec = metafunc.config.stash.get(SPECIFICATION, None)
    if spec is not None:
        parametrize(metafunc, spec)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Only what this system promises, each within its deadline; those that wait later, measurements last."""
    spec = config.stash.get(SPECIFICATION, None)
    if spec is None:
        return
    select(config, items, spec)
    session = session_of(config)
    waited_for = session.system.waited_for if session else frozenset()
    for item in items:
        if is_check(item):
            item.add_marker(pytest.mark.timeout(spec.safety.check_seconds, method="signal"))
    items.sort(key=lambda item: (item.get_closest_marker("performance") is not None, waits(item, waited_for)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Evidence that is recorded while a check runs belongs to it."""
    session = session_of(item.config)
    if session is None:
        return (yield)
    with session.evidence.of(item.nodeid):
        return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Block a check whose prerequisite is unavailable, before any of its fixtures is built."""
    session = session_of(item.config)
    if session is None or not is_check(item):
        return
    _label(item, session)
    prerequisites = session.prerequisites
    prerequisites.require(BUDGET)
    if item.get_closest_marker("predeploy") is None and prerequisites.target_is_unavailable():
        # Third parties say nothing about a target that is unavailable; asking them would only cost time.
        reason = prerequisites.unavailable(session.spec.service)
        raise Blocked(TARGET, "nothing of the target answers" + (f": {reason}" if reason else ""))
    for marker in item.iter_markers("needs"):
        for name in marker.args:
            prerequisites.require(name)


def _label(item: pytest.Item, session: Session) -> None:
    entry = next(entry for entry in session.spec.checklist if entry.id == marker_value(item, "checklist"))
    section, text = promise(item)
    allure.dynamic.epic(entry.suite)
    allure.dynamic.feature(f"{entry.id} {entry.title}")
    allure.dynamic.story(section)
    if text:
        allure.dynamic.description(text)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write the facts of the check into its report, and show a failure as a message instead of a traceback."""
    report = yield
    session = session_of(item.config)
    if session is None or not is_check(item):
        return report
    error = _too_late(session, call) or (call.excinfo.value if call.excinfo else None)
    if report.outcome == "failed" and session.prerequisites.target_is_unavailable():
        error = Blocked(TARGET, f"the target is unavailable: {error}")
        report.outcome = "skipped"
        report.longrepr = (str(item.path), item.location[1] or 0, f"Skipped: {error}")
    facts = _facts(item, error, session.spec.service)
    mask = session.masking.mask
    if call.when == "setup" or report.outcome != "passed":
        report.user_properties.append((PROPERTY, {name: mask(text) for name, text in asdict(facts).items()}))
    if report.outcome == "failed" and error is not None:
        report.longrepr = mask(_text(facts, error, report, session))
    if report.outcome == "skipped" and isinstance(report.longrepr, tuple):
        path, line, reason = report.longrepr
        report.longrepr = (path, line, mask(reason))
    report.sections = [(title, mask(text)) for title, text in report.sections]
    return report


def _too_late(session: Session, call: pytest.CallInfo[None]) -> CheckFailed | None:
    """The failure of a check that reached its deadline, or None; no check calls pytest.fail by itself."""
    seconds = session.spec.safety.check_seconds
    if call.excinfo is None or not isinstance(call.excinfo.value, pytest.fail.Exception) or call.duration < seconds - 1:
        return None
    return CheckFailed(
        f"the check to end within {seconds:g} s [{session.spec.safety.section}]",
        f"still at work in {_place(call.excinfo.value)}",
        "what that line waits for; [safety] check_seconds of the specification file",
        "harness",
    )


def _facts(item: pytest.Item, error: BaseException | None, main: str) -> Facts:
    """Facts of a report; `main` is the service that answers HTTP."""
    section, text = promise(item)
    base = Facts(marker_value(item, "checklist"), marker_value(item, "component", main), section, text or item.name)
    data = asdict(base)
    if isinstance(error, CheckFailed):
        data |= {"expected": error.expected, "observed": error.observed, "hint": error.hint}
        # What the service itself answered wrongly is the fault of the part that the check is about.
        data["component"] = error.component if error.component not in (None, main) else base.component
    elif isinstance(error, Blocked):
        data |= {"blocked_by": error.prerequisite, "observed": error.reason}
    elif isinstance(error, NotConfigured):
        data |= {"not_judged": error.what, "to_set": error.setting, "observed": str(error)}
    elif error is not None and not isinstance(error, pytest.skip.Exception):
        data |= {"expected": base.promise, "observed": shorten(f"{type(error).__name__}: {error}")}
    return Facts(**data)


def _place(error: BaseException) -> str:
    """The innermost line of this project: file, line, function."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "site-packages" not in frame.filename and "lib/python" not in frame.filename]
    frame = (own or frames)[-1]
    return f"{Path(frame.filename).parent.name}/{Path(frame.filename).name}:{frame.lineno}, {frame.name}"


def _text(facts: Facts, error: BaseException, report: pytest.TestReport, session: Session) -> str:
    if not isinstance(error, CheckFailed):
        # The traceback is kept as evidence; the message only names the line.
        session.evidence.attach("traceback", str(report.longrepr))
        return f"unexpected {facts.observed}\nin        {_place(error)}"
    lines = [f"expected  {facts.expected} [{facts.section}]", f"observed  {facts.observed}"]
    if facts.hint:
        lines.append(f"hint      {facts.hint}")
    return "\n".join(lines)
