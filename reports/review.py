"""A run of the calendar held against the one before it, and kept for the next; a run of anything adds its times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from gate import calendar, history, observations
from gate.checks import masked
from gate.history import KeptRecoveries, KeptTimes
from gate.run import checkout_commit
from gate.session import Session
from gate.shared import RECOVERIES, RELEASE
from reports import change_points, kept, recoveries, response_times
from reports.change_schema import ChangesData
from reports.changes import Comparison, first_changes, kept_facts, outcomes
from reports.kept import KeptRun
from reports.model import Check, Fact
from reports.recovery_schema import RecoveryData
from reports.schema import VerdictData
from reports.wording import Words

UNKNOWN = "unknown"


@dataclass
class Review:
    """The history of one target, and what a run adds to it."""

    config: pytest.Config
    session: Session
    started_at: str

    @property
    def folder(self) -> Path:
        """Where runs on this target are kept."""
        return history.target_folder(history.root_of(self.config), self.session)

    def add_to(self, data: VerdictData, checks: Sequence[Check], facts: Sequence[Fact], words: Words) -> None:
        """Have verdict.json say how soon all was normal after drills, and what changed where an entry of the calendar runs."""
        if found := self._recoveries():
            data["recoveries"] = found
        if (changes := self.conclude(checks, facts, words, data["verdict"])) is not None:
            data["changes"] = changes

    def conclude(self, checks: Sequence[Check], facts: Sequence[Fact], words: Words, verdict: str) -> ChangesData | None:
        """What changed since the last run of the same entry of the calendar; None where no entry runs. Keeps the run."""
        session, spec = self.session, self.session.spec
        if not spec.has("history") or not checks:
            return None
        self._keep_times()
        review = calendar.review_of(self.config, spec)
        if review is None:
            return None
        path = self.folder / f"{calendar.name_of(self.config)}.jsonl"
        now = self._run(checks, facts, words, verdict)
        earlier: list[KeptRun] = [run for run in history.read_lines(path) if run["selection"] == now["selection"]]
        times: list[KeptTimes] = history.read_lines(self.folder / history.TIMES)
        shifts = change_points.shifts(times, spec.history.shifts, earlier[-1]["shifts"] if earlier else [])
        now["shifts"] = [change_points.key_of(shift) for shift in shifts]
        if earlier:
            comparison = Comparison(earlier[-1], now, spec.history)
            changes = comparison.changes(review.title, len(earlier) + 1, shifts)
            now["facts"] += comparison.carried
        else:
            changes = first_changes(now, review.title, 1, shifts)
        kept.append(path, now, spec.history.runs, session.masking.mask)
        return changes

    def _run(self, checks: Sequence[Check], facts: Sequence[Fact], words: Words, verdict: str) -> KeptRun:
        run_id, mask = self.session.run.run_id, self.session.masking.mask
        found, reasons = outcomes(checks)
        seen = {name: kept.without_run(value, run_id) for name, value in observations.read(self.session.shared).items()}
        run: KeptRun = {
            "schema": history.SCHEMA,
            "run_id": run_id,
            "started_at": self.started_at,
            "calendar": calendar.name_of(self.config),
            "selection": calendar.selection(self.config),
            "harness": checkout_commit(),
            "release": self.session.shared.read(RELEASE) or UNKNOWN,
            "verdict": verdict,
            "checks": found,
            "reasons": reasons,
            "facts": kept_facts(facts, words, run_id, self.started_at),
            "values": seen,
            "shifts": [],
        }
        # As the earlier run was written: a value that is masked there is no change here.
        concealed: KeptRun = masked(run, mask)
        return concealed

    @property
    def _is_itself(self) -> bool:
        """Whether the target was neither broken nor changed on purpose, so that later runs may be compared with this one."""
        return not self.session.run.faults and not self.session.run.variants

    def _recoveries(self) -> list[RecoveryData]:
        """Recoveries of this run beside those of earlier ones; they are added to the target's."""
        session, spec = self.session, self.session.spec
        now = recoveries.read(session.shared.path / RECOVERIES)
        if not now or not spec.has("recovery") or not spec.has("history"):
            return []
        path, speedup = self.folder / history.RECOVERIES, session.speedup
        found = recoveries.conclude(now, history.read_lines(path), speedup, spec.recovery)
        entry: KeptRecoveries = {
            "schema": history.SCHEMA,
            "run_id": session.run.run_id,
            "started_at": self.started_at,
            "release": session.shared.read(RELEASE) or UNKNOWN,
            "speedup": speedup,
            "recoveries": now,
        }
        if self._is_itself:
            kept.append(path, entry, spec.history.runs, session.masking.mask)
        return found

    def _keep_times(self) -> None:
        """Add the response times of this run to the target's, unless it was broken or changed on purpose."""
        rows = response_times.read(self.session.shared.path / "samples")
        if not rows or not self._is_itself:
            return
        entry: KeptTimes = {
            "schema": history.SCHEMA,
            "run_id": self.session.run.run_id,
            "started_at": self.started_at,
            "release": self.session.shared.read(RELEASE) or UNKNOWN,
            "times": change_points.figures_of(rows),
            "targets": {row["name"]: row["targets"] for row in rows},
        }
        kept.append(self.folder / history.TIMES, entry, self.session.spec.history.runs, self.session.masking.mask)
