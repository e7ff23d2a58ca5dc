"""What makes a test function a check: its prerequisites, its deadline, and how its failure reads."""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import allure
import pytest

from gate import calendar
from gate.failures import Blocked, Facts, Failure, NotConfigured, shorten
from gate.messages import expected_text, observed_text
from gate.plugin import SPECIFICATION, session_of
from gate.prerequisites import BUDGET, TARGET
from gate.selection import about, is_check, marker_value, parametrize, promise, select, waits
from gate.session import Session
from spec.codes import declared

PROPERTY = "check"
# Codes of the engine that a check's own code is more specific than, by what the exchange has shown.
ENGINE = {
    "accepted": frozenset({"http.accepted"}),
    "refused": frozenset({"http.refused", "http.limited", "auth.refused"}),
    "denied": frozenset({"http.refused", "auth.refused"}),
}
DENIED = (401, 403)


@dataclass(frozen=True)
class CheckFacts:
    """What a check's report carries: what was promised, what it is about, and how it ended when it did not pass.

    `code` and `subject` are the check's own (spec/codes.toml), `failure` is what was observed (gate/failures.py), `asked` the
    requests, failed ones and those that worked, by endpoint, since the last report.
    """

    checklist: str = ""
    component: str = ""
    section: str = ""
    promise: str = ""
    code: str = ""
    subject: str = ""
    failure: dict[str, Any] | None = None
    blocked_by: str = ""
    not_judged: str = ""
    to_set: str = ""
    reason: str = ""
    asked: dict[str, list[int]] = field(default_factory=dict)


# What the report of a check that passed says of it, such as how much it has seen.
SEEN = pytest.StashKey[str]()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One check for each entry of the specification that its markers name."""
    spec = metafunc.config.stash.get(SPECIFICATION, None)
    if spec is not None:
        parametrize(metafunc, spec)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Only what this system promises, each within its deadline; those that wait later, drills last, or shuffled."""
    spec = config.stash.get(SPECIFICATION, None)
    if spec is None:
        return
    select(config, items, spec)
    calendar.keep(config, items, spec)
    session = session_of(config)
    waited_for = session.system.waited_for if session else frozenset()
    for item in items:
        if is_check(item):
            item.add_marker(pytest.mark.timeout(spec.safety.check_seconds, method="signal"))
    if config.option.shuffle is not None:
        # The same order in each process of a run.
        random.Random(config.option.shuffle).shuffle(items)
        return
    # Drills disturb whatever else is under way, and measurements are disturbed by it.
    items.sort(
        key=lambda item: (
            item.get_closest_marker("resilience") is not None,
            item.get_closest_marker("performance") is not None,
            waits(item, waited_for),
        )
    )


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
    facts = facts_of(item, error, session)
    mask = session.masking.mask
    if call.when == "setup" or report.outcome != "passed" or facts.asked:
        report.user_properties.append((PROPERTY, masked(asdict(facts), mask)))
    if report.outcome == "failed" and error is not None:
        report.longrepr = mask(_text(facts, error, report, session))
    if report.outcome == "skipped" and isinstance(report.longrepr, tuple):
        path, line, reason = report.longrepr
        report.longrepr = (path, line, mask(reason))
    report.sections = [(title, mask(text)) for title, text in report.sections]
    return report


def masked(value: Any, mask: Callable[[str], str]) -> Any:
    """A value with every text in it masked."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {mask(name): masked(item, mask) for name, item in value.items()}
    return [masked(item, mask) for item in value] if isinstance(value, list) else value


def _too_late(session: Session, call: pytest.CallInfo[None]) -> Failure | None:
    """The failure of a check that reached its deadline, or None; no check calls pytest.fail by itself."""
    seconds = session.spec.safety.check_seconds
    if call.excinfo is None or not isinstance(call.excinfo.value, pytest.fail.Exception) or call.duration < seconds - 1:
        return None
    return Failure(
        "check.deadline",
        expected=f"the check to end within {seconds:g} s",
        observed=Facts(detail=f"still at work in {_place(call.excinfo.value)}", seconds=round(call.duration)),
        hint="what that line waits for; [safety] check_seconds of the specification file",
        component="harness",
    )


def facts_of(item: pytest.Item, error: BaseException | None, session: Session) -> CheckFacts:
    """What the report of a check carries."""
    section, text = promise(item)
    main = session.spec.service
    code, subject = about(item)
    base = CheckFacts(
        marker_value(item, "checklist"), marker_value(item, "component", main), section, text or item.name, code, subject,
        asked=session.traffic.drain(), reason=item.stash.get(SEEN, ""),
    )  # fmt: skip
    if isinstance(error, Blocked):
        return replace(base, blocked_by=error.prerequisite, reason=error.reason)
    if isinstance(error, NotConfigured):
        return replace(base, not_judged=error.what, to_set=error.setting, reason=str(error))
    if error is None or isinstance(error, pytest.skip.Exception):
        return base
    if not isinstance(error, Failure):
        kind = type(error).__name__
        error = Failure(
            "check.error", observed=Facts(error=kind, detail=str(error)), what=base.promise, component=base.component
        )
    code, subject = named(error, item)
    failure = error.as_data() | {"code": code, "subject": subject}
    component = error.component or base.component
    if component == main and not error.is_stated and declared().codes[code].at != "service":
        # What the service itself answered wrongly is the fault of the part that the check is about.
        component = base.component
    return replace(base, component=component, failure=failure | {"component": component})


def named(failure: Failure, item: pytest.Item) -> tuple[str, str]:
    """Code and subject of a failure: its own, or the check's, which is more specific than the engine's."""
    code, subject = about(item)
    own = declared().codes[code].on
    if own == "denied" and failure.observed.get("status") not in DENIED:
        own = ""
    if not failure.code or (own and failure.code in ENGINE[own]):
        chosen = failure.subject if failure.subject and not failure.code else subject or failure.subject
        return code, chosen or f"promise {item.name}"
    return failure.code, failure.subject or subject or f"promise {item.name}"


def _place(error: BaseException) -> str:
    """The innermost line of this project: file, line, function."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "site-packages" not in frame.filename and "lib/python" not in frame.filename]
    frame = (own or frames)[-1]
    return f"{Path(frame.filename).parent.name}/{Path(frame.filename).name}:{frame.lineno}, {frame.name}"


def _text(facts: CheckFacts, error: BaseException, report: pytest.TestReport, session: Session) -> str:
    if not isinstance(error, Failure):
        # The traceback is kept as evidence; the message only names the line.
        session.evidence.attach("traceback", str(report.longrepr))
        return f"unexpected {shorten(f'{type(error).__name__}: {error}')}\nin        {_place(error)}"
    found = facts.failure or {}
    expected = expected_text(found["what"], found["relation"], found["expected"], found["because"])
    lines = [f"expected  {expected} [{facts.section}]", f"observed  {observed_text(found['observed'])}"]
    if found["hint"]:
        lines.append(f"hint      {found['hint']}")
    return "\n".join(lines)
