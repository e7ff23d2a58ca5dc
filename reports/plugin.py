"""Records what the checks found, cleans up, concludes, and writes the results. One process does it for all."""

from __future__ import annotations

import json
import re
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fixtures import sweep
from gate.failures import Blocked, CheckFailed, NotConfigured
from gate.prerequisites import TARGET, Grounds
from gate.masking import mask
from gate.options import is_gate
from gate.journal import read_all
from gate.session import Session
from gate.plugin import LIVE_SECONDS, QUIET_OPTIONS, is_worker, run_of
from reports import allure, summary, verdict
from reports.diagnosis import Diagnosis
from reports.model import Check, Finding
from reports.progress import Progress

# What a check sees of a target that is gone.
SILENCE = re.compile(
    r"(?i)refused|reset|closed|broke|no (complete )?answer|not answer|disconnect|timeout|ConnectError|OSError|\b50[0-4]\b"
)
RECORDER = "gate-recorder"
LEFT_OVER_STEP = "python -m fixtures.sweep --older-than 0s, once the target answers again"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Direct JUnit and Allure into the results folder."""
    if is_gate(config):
        allure.veil()
    if is_worker(config):
        # xdist hands on what was said on the command line, not what is set here.
        config.option.allure_report_dir = config.workerinput.get("allure_results")  # type: ignore[attr-defined]
        return
    quiet = any(getattr(config.option, name, False) for name in QUIET_OPTIONS)
    if not is_gate(config) or quiet:
        return
    out = Path(config.option.out).resolve()
    config.option.xmlpath = config.option.xmlpath or str(out / "junit.xml")
    config.option.allure_report_dir = config.option.allure_report_dir or str(out / "allure-results")
    config.pluginmanager.register(Recorder(config, out), RECORDER)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """xdist: tell a worker where Allure's results go."""
    node.workerinput["allure_results"] = node.config.option.allure_report_dir


class Recorder:
    """Hears of every check, and speaks at the end."""

    def __init__(self, config: pytest.Config, out: Path) -> None:
        self.config = config
        self.out = out
        self.checks: dict[str, Check] = {}
        self.started = time.monotonic()
        self.started_at = datetime.now(UTC).isoformat(timespec="seconds")
        self.lines: list[str] = []
        self.residue = False
        self.before: dict[str, int] = {}
        self.after: dict[str, int] = {}
        self.progress: Progress | None = None

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self) -> None:
        """Old results must not be taken for new ones."""
        run = run_of(self.config)
        if run is None:
            return
        if run.kind == "live" and not run.read_only and not Grounds(run).lost("supabase"):
            for line in sweep.finish_dead_runs(run):
                self.config.get_terminal_writer().line(line)
        if not run.read_only and not Grounds(run).lost("supabase"):
            self.before = sweep.before(run)
        self.progress = Progress(run, self.config.get_terminal_writer())
        self.progress.start()
        self.out.mkdir(parents=True, exist_ok=True)
        for name in (
            "verdict.json",
            "checklist.md",
            "junit.xml",
            "allure-results",
            "allure-report",
            "load",
            "index.html",
            "summary.json",
        ):
            path = self.out / name
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        (self.out / "allure-results").mkdir()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the outcome and the facts of one phase of a check."""
        if self.progress is not None:
            self.progress.heard()
        facts: dict[str, Any] = next(
            (dict(v) for k, v in reversed(report.user_properties) if k == "check" and isinstance(v, dict)), {}
        )
        if not facts and report.nodeid not in self.checks:
            return
        check = self.checks.setdefault(report.nodeid, Check(report.nodeid, "passed"))
        check.duration += report.duration
        check.suite = report.nodeid.split("/")[1] if "/" in report.nodeid else ""
        if facts and (report.when == "setup" or report.outcome != "passed"):
            for name, value in facts.items():
                setattr(check, name, value)
        if report.outcome == "failed":
            check.outcome = "failed"
        elif report.outcome == "skipped":
            check.outcome = "blocked" if check.blocked_by else "skipped"
            check.reason = mask(report.longrepr[2]).removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else ""

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Clean up, conclude, write, and set the exit code."""
        run = run_of(self.config)
        if run is None:
            return
        if self.progress is not None:
            self.progress.stop()
        left = self._clean(run)
        checks = self._judged(run)
        findings = Diagnosis(checks).conclude() + ([left] if left else [])
        decided = verdict.decide(checks, findings)
        usual = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        if usual:
            session.exitstatus = verdict.EXIT_CODES[decided]
        elif session.exitstatus == pytest.ExitCode.INTERRUPTED:
            decided = "blocked" if decided == "pass" else decided
        data = verdict.build(run, checks, findings, decided, self.started_at, time.monotonic() - self.started)
        live = self.config.stash.get(LIVE_SECONDS, None)
        data["residue"] = {"before": self.before, "after": self.after}
        data["release_live_s"] = None if live is None else round(live, 1)
        self._write(run, data, checks)
        if usual or checks:
            self.lines = [mask(line) for line in verdict.closing_lines(data, self._shown())]
        close_all()
        if self.residue:
            self.lines.insert(0, f"left over   users of run {run.run_id}: {LEFT_OVER_STEP}")
        if run.kind == "twin" or not (self.residue or left):
            run.remove()

    def _judged(self, session: Session) -> list[Check]:
        """All checks; those that failed only because the target died under them are blocked."""
        checks = list(self.checks.values())
        if any(check.blocked_by for check in checks) and Grounds(run).target_is_gone():
            for check in checks:
                if check.outcome == "failed" and SILENCE.search(check.observed):
                    check.outcome, check.blocked_by = "blocked", TARGET
        return checks

    def _shown(self) -> str:
        return str(self.out.relative_to(Path.cwd())) if self.out.is_relative_to(Path.cwd()) else str(self.out)

    def _clean(self, session: Session) -> Finding | None:
        if Grounds(run).lost("supabase"):
            # A target that is gone is one finding already; what is left is said in a line of its own.
            self.residue = any("id" in entry for entry in read_all(run.folder))
            return None
        try:
            swept = sweep.remove_run(run)
        except (Blocked, CheckFailed, NotConfigured, OSError) as error:
            return _left_behind(str(error)) if read_all(run.folder) else None
        self.after = swept.after or self.before
        return _left_behind("; ".join(swept.left)) if swept.left else None

    def _write(self, session: Session, data: dict[str, Any], checks: list[Check]) -> None:
        (self.out / "verdict.json").write_text(mask(json.dumps(data, indent=2, ensure_ascii=False)) + "\n")
        suites = {entry.id: entry.suite for entry in run.spec.checklist}
        (self.out / "checklist.md").write_text(mask(verdict.checklist_markdown(data, suites)))
        if (run.folder / "samples").is_dir():
            shutil.copytree(run.folder / "samples", self.out / "load", dirs_exist_ok=True)
        allure.complete(self.out / "allure-results", run, data)
        if checks:
            summary.remember(self.out, data)
            summary.write(self.out, summary.collect(run, data, checks))
        allure.scrub(self.out)

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """The verdict stands last."""
        if self.lines:
            out = self.config.get_terminal_writer()
            for line in self.lines:
                out.line(line)


def _left_behind(what: str) -> Finding:
    return Finding(
        component="harness",
        summary="the run could not remove everything that it created",
        category="harness",
        expected="no user, row or file of this run is left",
        evidence=what,
        causes=["the target stopped answering before the clean-up", "a part says that it removed something and did not"],
        next_step=LEFT_OVER_STEP,
    )
