"""Rollbacks that are interrupted at random moments: a half-rolled-back system is never unmentioned.

`python -m proof.rollback_interrupts --moments 10 --seed 1` starts a twin, and for each moment puts release N+1 live, starts the
program, ends it with SIGINT or SIGKILL, and compares what the system is with what the program and the gate say of it. Then the
rollback goes on with --resume, and everything must be back.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from fixtures.rollback import unfinished
from fixtures.rollback.database import UNSEEN, DatabaseRollback
from fixtures.rollback.environment import EnvironmentRollback
from fixtures.rollback.moves import Means
from fixtures.rollback.program import KEPT
from fixtures.rollback.rehearsal import Rehearsal
from fixtures.rollback.services import ServiceRollback
from fixtures.rollback.snapshot import Snapshot
from gate.exit_codes import ExitCode
from gate.failures import Failure
from gate.session import Session
from gate.settings import ConfigurationError
from proof.figures import Share
from proof.pages import SAFETY, put
from proof.targets import Target, operator_of, running, write_env

HEADING = "Interrupted rollbacks"
# The lines that a whole rollback writes: a moment is one of them, and up to so many seconds more.
LINES, LONGEST_PAUSE = 38, 1.5
GIVE_UP_SECONDS, PROBE_SECONDS = 240.0, 0.005
State = Literal["N", "N+1", "between"]


@dataclass(frozen=True)
class Seen:
    """One interruption: after which line of the journal, how, what the system was, and what was said of it."""

    line: int
    how: str
    state: State
    said_by_program: bool
    said_by_gate: bool
    resumed: bool
    step: str = ""

    @property
    def is_unmentioned(self) -> bool:
        """Whether the system was between two releases and somebody did not say so, or did not come back."""
        return not self.resumed or (self.state == "between" and not (self.said_by_program and self.said_by_gate))

    def __str__(self) -> str:
        told = {True: "says so", False: "is silent"}
        said = f"program {told[self.said_by_program]}, gate {told[self.said_by_gate]}"
        return f"{self.how:<4} at line {self.line:>2} ({self.step or 'no step'}): {self.state}; {said}; resumed: {self.resumed}"


class Interruptions:
    """Interruptions of rollbacks on one twin."""

    def __init__(self, target: Target, session: Session, seed: int) -> None:
        self._session = session
        self._chance = random.Random(seed)
        self._rehearsal = Rehearsal(session, target.folder / "rollback")
        self._name = session.spec.services[session.spec.service].name

    def run(self, moments: int) -> Iterator[Seen]:
        """One after the other."""
        for _ in range(moments):
            snapshot = self._rehearsal.release_next()
            yield self._interrupt(snapshot)

    def _interrupt(self, snapshot: Snapshot) -> Seen:
        number = self._chance.choice([signal.SIGINT, signal.SIGKILL])
        line, pause = self._chance.randint(1, LINES), self._chance.random() * LONGEST_PAUSE
        began = self._lines()
        program = self._rehearsal.program.start("--act", "--confirm", self._name)
        end = time.monotonic() + GIVE_UP_SECONDS
        while program.poll() is None and self._lines() < began + line and time.monotonic() < end:
            time.sleep(PROBE_SECONDS)  # the journal is the only sign
        time.sleep(pause)
        if program.poll() is None:
            program.send_signal(number)
        program.communicate(timeout=GIVE_UP_SECONDS)
        return self._look(snapshot, line, signal.Signals(number).name.removeprefix("SIG"))

    def _look(self, snapshot: Snapshot, line: int, how: str) -> Seen:
        state, attempt = self._state(snapshot), self._rehearsal.journal.unfinished()
        gate = bool(unfinished.lines(self._session)) and self._is_finding()
        again = self._rehearsal.program.run()
        said = "UNFINISHED" in again.stdout
        resumed = True
        if attempt is not None:
            done = self._rehearsal.program.run("--resume", "--act", "--confirm", self._name)
            resumed = done.returncode == ExitCode.PASS
        elif state == "N+1":
            # It was ended before it had sent anything.
            done = self._rehearsal.program.run("--act", "--confirm", self._name)
            resumed = done.returncode == ExitCode.PASS
        resumed = resumed and self._state(snapshot) == "N"
        return Seen(line, how, state, said, gate, resumed, attempt.at if attempt else "")

    def _lines(self) -> int:
        try:
            return self._rehearsal.journal.path.read_bytes().count(b"\n")
        except FileNotFoundError:
            return 0

    def _is_finding(self) -> bool:
        try:
            unfinished.require_finished(self._session)
        except Failure:
            return True
        return False

    def _state(self, snapshot: Snapshot) -> State:
        """What the system is, by what it shows and not by what anybody says."""
        means = Means(self._session, snapshot)
        judges = ServiceRollback(means).verify, EnvironmentRollback(means).verify, DatabaseRollback(means).verify
        back = [self._holds(judge) for judge in judges]
        return "N" if all(back) else "between" if any(back) else "N+1"

    @staticmethod
    def _holds(judge: object) -> bool:
        assert callable(judge)
        try:
            judge()
        except UNSEEN:
            return False
        return True


@contextmanager
def _operator(target: Target) -> Iterator[Session]:
    """A session whose gate reads the journal of the program that is interrupted."""
    env_file = target.folder / "operator.env"
    write_env(env_file, target.values | {"HARNESS_ROLLBACK_FOLDER": str(target.folder / "rollback" / KEPT)})
    with operator_of(replace(target, env_file=env_file)) as session:
        yield session


def main(arguments: list[str] | None = None) -> int:
    """Interrupt rollbacks; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m proof.rollback_interrupts", description=__doc__)
    parser.add_argument("--moments", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--page", action="store_true", help=f"write the figures to {SAFETY.name}")
    options = parser.parse_args(arguments)
    seen: list[Seen] = []
    try:
        with running(["--drills"]) as target, _operator(target) as session:
            session.verify(writes=True)
            for one in Interruptions(target, session, options.seed).run(options.moments):
                print(one, flush=True)
                seen.append(one)
    except (ConfigurationError, Failure, subprocess.TimeoutExpired) as error:
        print(f"interrupted rollbacks: {error}", file=sys.stderr)
        return ExitCode.INTERNAL_ERROR
    unmentioned = Share(sum(one.is_unmentioned for one in seen), len(seen))
    between = sum(one.state == "between" for one in seen)
    lines = [
        f"`python -m proof.rollback_interrupts --moments {options.moments} --seed {options.seed} --page`:",
        "",
        f"{len(seen)} rollbacks were ended by SIGINT or SIGKILL at random moments; {between} of them left the system between",
        "two releases. Not mentioned by the program's next start or by the gate, or not brought to its end by `--resume`:",
        f"**{unmentioned.below}** at 95 % confidence.",
    ]
    print("\n".join(lines))
    if options.page:
        put(SAFETY, HEADING, lines)
    return ExitCode.FAIL if unmentioned.count else ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
