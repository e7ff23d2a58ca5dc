"""Records what the checks found; concludes and writes the results when everything is cleaned up.

One process does it for all.
"""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from pathlib import Path

import allure
import pytest

from gate import again
from gate.checks import PROPERTY, CheckFacts
from gate.options import is_gate, is_quiet
from gate.plugin import RELEASE, WorkerNode, is_worker, session_of, worker_input
from gate.prerequisites import TARGET
from gate.progress import Progress
from gate.session import Session
from reports import allure as allure_results
from reports import audit, checklist, ctrf, history, judgement, previous, records, summary, terminal, timeline, verdict
from reports.decision.conclude import Deciding
from reports.diagnosis import Diagnosis
from reports.facts import of_left_behind, of_not_loaded
from reports.findings import as_data
from reports.internals import allure_
from reports.model import Check
from reports.previous import ALLURE_RESULTS
from reports.review import Review
from reports.rules import Rules, load_rules
from reports.schema import VerdictData
from reports.wording import Target, Words
from spec import SpecError

RECORDER = "gate-recorder"
HELD = pytest.StashKey[allure_.Held]()
LEFT_OVER_STEP = "python -m fixtures.sweep --older-than 0s, when the target is up and no other run is in progress"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Direct JUnit and Allure into the results folder, before they look where to write.

    Raises UsageError when the folder is a file.
    """
    if is_worker(config):
        # xdist hands on what was said on the command line, not what is set here.
        allure_.use_results_folder(config, worker_input(config).get(ALLURE_RESULTS))
        return
    if is_gate(config) and not is_quiet(config):
        out = Path(config.option.out).resolve()
        if out.exists() and not out.is_dir():
            raise pytest.UsageError(f"--out: {out} is no folder")
        # Also a run that is refused must not leave the verdict of the run before it.
        previous.remove_files(out)
        allure_.direct_results(config, out)
        config.pluginmanager.register(Recorder(out), RECORDER)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerNode) -> None:
    """xdist: tell a worker where Allure's results go."""
    node.workerinput[ALLURE_RESULTS] = allure_.results_folder(node.config)


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """From here on Allure's results are kept, and written when all secrets are known."""
    gate = session_of(session.config)
    if gate is not None:
        session.config.stash[HELD] = held = allure_.Held(gate.masking.mask)
        gate.at_close(held.give_back)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Allure's results are written beside the clean-up, which mostly waits."""
    if (held := session.config.stash.get(HELD, None)) is not None:
        held.begin()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Label Allure's result, which is started elsewhere, with the check's node id."""
    if session_of(item.config) is not None:
        allure.dynamic.label(allure_.NODE_ID, item.nodeid)
    return (yield)


class Recorder:
    """Records every check, and writes the results at the end."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self._checks: dict[str, Check] = {}
        self._not_loaded: list[str] = []
        self._rules = Rules()
        self._started = time.time()
        self._lines: list[str] = []
        self._progress: Progress | None = None
        self._is_broken = False
        self._removal: threading.Thread | None = None

    def pytest_gate_verified(self, config: pytest.Config, session: Session) -> None:
        """Read the rules and remove the old results; raises UsageError for rules that cannot be used."""
        try:
            self._rules = load_rules(session.run.spec_file, session.spec)
        except SpecError as error:
            raise pytest.UsageError(str(error)) from error
        self._progress = Progress(
            lambda: session.system.progress(session), session.system.longest_wait(session), session.masking.mask
        )
        self._progress.start()
        self._removal = previous.remove_folders(self.out)
        (self.out / ALLURE_RESULTS).mkdir(parents=True, exist_ok=True)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Checks that could not be loaded did not pass: xdist runs the others nevertheless."""
        if report.failed:
            self._not_loaded.append(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the outcome and the facts of one phase of a check."""
        if self._progress is not None:
            self._progress.check_ended()
        facts = _facts(report)
        if facts is None and report.nodeid not in self._checks:
            return
        check = self._checks.setdefault(report.nodeid, Check(report.nodeid, "passed"))
        check.duration += report.duration
        check.ended = report.stop
        if facts is not None:
            check.take(facts)
        if report.outcome == "failed":
            check.outcome = "failed"
        elif report.outcome == "skipped":
            check.outcome = "blocked" if check.facts.blocked_by else "not judged" if check.facts.not_judged else "skipped"
            # Already masked where the report was made.
            check.reason = report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else ""

    def pytest_internalerror(self) -> None:
        """A run that broke, in this process or in a worker, judged an unknown part of what it was asked to."""
        self._is_broken = True

    def pytest_gate_concluded(self, config: pytest.Config, session: Session, pytest_session: pytest.Session) -> None:
        """Conclude, write the results, and set the exit status."""
        self._stop_beside()
        checks = list(self._checks.values())
        judgement.block_what_died(session, checks)
        left = of_left_behind(session)
        own = [*([left] if left is not None else []), *of_not_loaded(self._not_loaded)]
        diagnosis = Diagnosis(checks, self._rules, session.spec, _error_of(session), own)
        ranked = diagnosis.conclude()
        words = Words(Target.of(session.api_url, session.spec, checks))
        is_interrupted = pytest_session.exitstatus == pytest.ExitCode.INTERRUPTED
        asked = [] if is_interrupted else ranked
        seen = timeline.see(config.hook, session, asked, checks, self._started, time.time())
        findings = as_data(ranked, words, again.read(session.shared), seen.timelines)
        wants_all = session.run.strict and session.run.kind == "live"
        decided = judgement.decide(checks, bool(findings), session.spec.service, wants_all)
        is_whole = self._is_whole(pytest_session)
        if not is_whole and decided == "pass":
            decided = "blocked"
        data = verdict.build(session, checks, findings, decided, self._times(config))
        data["platform"] = seen.note
        if is_whole:
            Review(config, session, data["started_at"]).add_to(data, checks, diagnosis.facts, words)
        deciding = Deciding(
            config, session, words, again.read(session.shared), is_whole, is_interrupted,
            lambda found: self._write_verdict(session, found),
        )  # fmt: skip
        deciding.take(data, ranked)
        if is_whole:
            pytest_session.exitstatus = deciding.exit_code(data)
        self._write(session, data, checks)
        if is_whole or checks or self._is_broken:
            further = [audit.PAGE] if (self.out / audit.PAGE).is_file() else []
            self._lines = terminal.closing_lines(data, self._shown(), pytest_session.exitstatus, further=further)
        if session.residue and left is None:
            self._lines.insert(0, f"left over  of run {session.run.run_id}: {LEFT_OVER_STEP}")
        self._lines = [session.masking.mask(line) for line in self._lines]

    def _stop_beside(self) -> None:
        if self._progress is not None:
            self._progress.stop()
        if self._removal is not None:
            # What is written now is looked through together with what else lies in the folder.
            self._removal.join()

    def _is_whole(self, pytest_session: pytest.Session) -> bool:
        """Whether the run ended by itself, and ran something."""
        if self._is_broken:
            # xdist ends as if all was well where it was a worker's error.
            pytest_session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
        return pytest_session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)

    def _times(self, config: pytest.Config) -> verdict.Times:
        release = config.stash.get(RELEASE, None)
        started_at = datetime.fromtimestamp(self._started, UTC).isoformat(timespec="seconds")
        return verdict.Times(started_at, time.time() - self._started, release.seconds if release else None)

    def _shown(self) -> str:
        return str(self.out.relative_to(Path.cwd())) if self.out.is_relative_to(Path.cwd()) else str(self.out)

    def _write_verdict(self, session: Session, data: VerdictData) -> None:
        text = json.dumps(data, indent=2, ensure_ascii=False)
        (self.out / "verdict.json").write_text(session.masking.mask(text) + "\n")

    def _write(self, session: Session, data: VerdictData, checks: list[Check]) -> None:
        mask = session.masking.mask
        suites = {entry.id: entry.suite for entry in session.spec.checklist}
        self._write_verdict(session, data)
        (self.out / "checklist.md").write_text(mask(checklist.format_checklist(data, suites)))
        report = ctrf.build(checks, self._started, time.time())
        (self.out / "ctrf.json").write_text(mask(json.dumps(report, indent=1, ensure_ascii=False)) + "\n")
        records.write(self.out, checks, _error_of(session), mask)
        audit.write(self.out, session.shared, data, mask)
        samples = session.shared.path / "samples"
        if samples.is_dir():
            shutil.copytree(samples, self.out / "load", dirs_exist_ok=True)
        allure_results.complete(self.out / ALLURE_RESULTS, data)
        if checks:
            history.remember(self.out, data, mask)
            summary.write(self.out, summary.collect(session, data, checks), mask)
        allure_results.scrub(self.out, mask)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """The verdict stands last."""
        if self._lines:
            out = config.get_terminal_writer()
            for line in self._lines:
                out.line(line)


def _facts(report: pytest.TestReport) -> CheckFacts | None:
    """The facts of a check's report: its promise, from the set-up, and how it ended where it did not pass."""
    found = [value for name, value in report.user_properties if name == PROPERTY and isinstance(value, dict)]
    return CheckFacts(**found[-1]) if found else None


def _error_of(session: Session) -> Callable[[str], str | None]:
    """The kind of error that made a prerequisite unavailable, or None where it is available."""
    prerequisites = session.prerequisites

    def error_of(name: str) -> str | None:
        return None if prerequisites.unavailable(name) is None and name != TARGET else prerequisites.error_of(name)

    return error_of
