"""The rollback drill: N is healthy, N+1 goes live with a defect, the gate turns red, N comes back, the gate turns green.

`python -m proof.rollback_drill [--fault ID]` runs it on a twin of its own, and writes one timeline to `reports/out/rollback/`.
A fault of the twin (R85 to R99) shows what the drill says when the rollback itself goes wrong.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fixtures.rollback.journal import SENDING, STEP_DONE, STEP_FAILED, Attempt
from fixtures.rollback.next_release import COMMIT, TREE
from fixtures.rollback.program import KEPT
from fixtures.rollback.rehearsal import Rehearsal, Rehearsed
from gate.exit_codes import ExitCode
from gate.failures import Failure
from gate.messages import expected_text, observed_text
from gate.places import OUT
from proof.gate_run import Concluded, run_gate
from proof.targets import Target, operator_of, running, write_env
from reports.rollback_page import Row, Story, Tone

FOLDER = "rollback"
GATE_SECONDS = 240.0
SUITE = "postdeploy"
# What a release shows first; `--whole` runs the whole suite.
MODULES = tuple(
    f"acceptance/postdeploy/test_{name}.py"
    for name in ("health_checks", "release", "rollback", "api_jobs", "worker_processing", "external_services")
)
# A drill may take this long, from a twin that is up to the last verdict.
LIMIT_SECONDS = 120.0
TOLD = {"step begun": "begins", STEP_DONE: "is done", STEP_FAILED: "failed", SENDING: "sends"}


@dataclass
class Drill:
    """One drill on one twin; the gate judges each release in a process of its own."""

    target: Target
    out: Path
    is_whole: bool = False
    began: float = field(default_factory=time.time)
    verdicts: dict[str, Concluded] = field(default_factory=dict)

    def judge(self, release: str, rehearsed: Rehearsed) -> None:
        """Run the gate on what is live; N is judged by its steady state alone before anything happens."""
        if release == "N":
            return
        values = self.target.values | {"HARNESS_ROLLBACK_FOLDER": str(self.target.folder / FOLDER / KEPT)}
        if release == "N+1":
            values |= {"HARNESS_EXPECTED_COMMIT": values[COMMIT], "HARNESS_SOURCE_TREE": values[TREE]}
        name = release.replace(" ", "-").replace("+", "-")
        env_file = self.target.folder / f"{name}.env"
        write_env(env_file, values)
        arguments = ["--target", "live", f"--env-file={env_file}"]
        found = run_gate(SUITE, self.out / name, arguments, GATE_SECONDS, () if self.is_whole else MODULES)
        self.verdicts[release] = found
        top = f": {found.top}" if found.top else ""
        rehearsed.note(f"the gate is {'green' if found.exit_code == ExitCode.PASS else 'red'} on {release}{top}")

    def story(self, rehearsed: Rehearsed, attempt: Attempt | None, ended: float) -> Story:
        """What happened, in one timeline."""
        rows = [Row(e.at - self.began, "drill", e.what, _facts(e.facts), _tone(e.what)) for e in rehearsed.events]
        rows += self._of_program(attempt)
        problems = self.problems(rehearsed, ended)
        headline = "FAIL" if problems else "N is back"
        seconds = f"{ended - self.began:.0f} s in all ({self.limit}), {rehearsed.seconds:.1f} s of them for the rollback"
        return Story(headline, not problems, [*problems, seconds], rows)

    @property
    def limit(self) -> str:
        """How long it should take, where the machine has nothing else to do."""
        return f"agreed: {LIMIT_SECONDS:g} s"

    def _of_program(self, attempt: Attempt | None) -> list[Row]:
        if attempt is None:
            return []
        entries = [entry for entry in (attempt.begun, *attempt.entries) if entry["event"] != "sent"]
        return [
            Row(
                entry["at"] - self.began,
                "program",
                f"{entry.get('step', attempt.procedure)} {TOLD.get(entry['event'], entry['event'])}",
                str(entry.get("request") or entry.get("problem") or ""),
                "bad" if entry["event"] == STEP_FAILED else "",
            )
            for entry in entries
        ]

    def problems(self, rehearsed: Rehearsed, ended: float) -> list[str]:
        """What is not as promised, the rollback's own failure first."""
        found = [
            f"{name}: {failure.code} of {failure.subject}: {_text(failure)}" for name, failure in rehearsed.failures.items()
        ]
        wanted = {"N+1": "red", "N again": "green"}
        for release, colour in wanted.items():
            seen = self.verdicts.get(release)
            if seen is not None and (seen.exit_code == ExitCode.PASS) != (colour == "green"):
                found.append(f"the gate is not {colour} on {release}: {seen.top or seen.tail[-200:]}")
        return found


def _text(failure: Failure) -> str:
    wanted = expected_text(failure.what, failure.relation, failure.expected, failure.because)
    return f"expected {wanted}; found {observed_text(failure.observed)}"


def _facts(facts: object) -> str:
    return ", ".join(f"{name} {value}" for name, value in facts.items()) if isinstance(facts, dict) else ""


def _tone(what: str) -> Tone:
    if " red " in what or "not as promised" in what:
        return "bad"
    return "good" if " green " in what or "as promised" in what else ""


def drill(faults: Sequence[str], out: Path, is_whole: bool = False) -> Story:
    """One drill on a twin with these faults; raises Failure where N or N+1 is not what the drill begins with."""
    with running(["--drills"], faults=faults) as target, operator_of(target) as session:
        session.verify(writes=True)
        one = Drill(target, out, is_whole)
        rehearsal = Rehearsal(session, target.folder / FOLDER, one.judge)
        rehearsal.found.tell = lambda event: print(f"{event.at - one.began:7.1f} s  {event.what}", flush=True)
        rehearsed = rehearsal.run()
        return one.story(rehearsed, rehearsal.attempt(), time.time())


def main(arguments: list[str] | None = None) -> int:
    """Run the drill; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m proof.rollback_drill", description=__doc__)
    parser.add_argument("--fault", action="append", default=[], metavar="ID", help="a fault of the twin (repeatable)")
    parser.add_argument("--out", type=Path, default=OUT / FOLDER, metavar="PATH", help="folder of the timeline")
    parser.add_argument("--whole", action="store_true", help="judge the releases by the whole suite")
    options = parser.parse_args(arguments)
    try:
        story = drill(options.fault, options.out, options.whole)
    except Failure as failure:
        print(f"the drill could not begin: {failure}: {_text(failure)}")
        return ExitCode.BLOCKED
    print("\nthe whole story:")
    for row in story.in_order():
        print(row)
    print(f"{story.headline}  {'; '.join(story.summary)}")
    print(f"page  {story.write(options.out)}")
    return ExitCode.PASS if story.passed else ExitCode.FAIL


if __name__ == "__main__":
    sys.exit(main())
