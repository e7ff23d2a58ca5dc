"""One run: users work, parts are broken, all is mended, and what came of it is judged."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from fixtures.drills.control import Control, ControlError, Disturbance
from fixtures.drills.invariants import Judged
from fixtures.drills.observation import Recovery
from fixtures.drills.recovery_times import RecoveryTimes
from fixtures.drills.scope import Registered, Scope
from fixtures.drills.steady_state import SteadyState
from fixtures.stored import canonical
from gate.failures import Blocked, Failure
from gate.session import Session
from proof.chaos.answers import Answers, Known
from proof.chaos.disturbing import Disturber, HealthWatch, start_workers
from proof.chaos.happened import Happened
from proof.chaos.judging import Judge
from proof.chaos.people import Person, gather
from proof.chaos.stored import Ended, Stored
from proof.chaos.story import Story
from spec.codes import declared

DRILL = "chaos"
# The part at fault where it cannot be said which one is.
WHOLE = "target"
LOOK_SECONDS = 0.2
ASKING = 4
# What ended before it could be judged has no more time than this.
AT_ONCE = 0.001


@dataclass
class Outcome:
    """What came of a run; `answers` counts the answers by kind, `repeated` the calls that were charged more than once."""

    story: Story
    happened: Happened
    stored: list[Ended] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    recovery: Recovery | None = None
    limit: float = 0.0
    repeated: int = 0
    failures: list[Failure] = field(default_factory=list)
    not_judged: dict[str, str] = field(default_factory=dict)
    # How often each process of the target was started.
    starts: dict[str, int] = field(default_factory=dict)


class ChaosRun:
    """Carries out a story on a session's target, whose control is given."""

    def __init__(self, session: Session, control: Control, story: Story, history: Path) -> None:
        self._session, self._control, self._story = session, control, story
        self._rule = session.spec.chaos
        self._times = RecoveryTimes(session, history)
        self._stop, self._calm = threading.Event(), threading.Event()

    def run(self) -> Outcome:
        """The whole run; raises Failure, Blocked, NotConfigured, ControlError where it cannot begin or be judged."""
        workers = start_workers(self._control, self._story.options.workers)
        people = gather(self._session, self._rule, self._story)
        steady = SteadyState(self._session)
        steady.prepare(documents=2)
        happened = Happened()
        try:
            threads = self._begin(people, happened)
            self._disturb(happened, workers)
            recovery = self._recover(steady)
            deadline = happened.lifted + self._times.patience(self._rule.recovery) + self._rule.settle_seconds
            self._await(threads, lambda: happened.now > deadline)
            stored = Stored(self._session, happened.began_at)
            while stored.unfinished(people) and happened.now < deadline:
                time.sleep(LOOK_SECONDS)  # the rows are the only sign that the workers give
        finally:
            self._stop.set()
            self._calm.set()
        self._await(threads, lambda: False)
        self._ask_all(people)
        return self._judge(people, happened, steady, recovery, stored)

    # ── what happens ─────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, people: list[Person], happened: Happened) -> list[threading.Thread]:
        """Have everybody work, each in a thread of their own."""
        work = [partial(person.live, happened, self._stop) for person in people]
        work.append(partial(HealthWatch(self._session, happened).run, self._calm))
        return [self._start(partial(self._guarded, one, happened)) for one in work]

    def _disturb(self, happened: Happened, workers: list[Disturbance]) -> None:
        """Break and mend parts as the story says, until its time is over; then mend what is still broken."""
        disturber = Disturber(self._control, happened, self._stop)
        under_way: list[threading.Thread] = []
        for planned in self._story.disturbances:
            while happened.now < planned.at:
                time.sleep(min(LOOK_SECONDS, max(0.0, planned.at - happened.now)))
            under_way.append(self._start(partial(self._guarded, partial(disturber.carry_out, planned), happened)))
        while happened.now < self._story.options.seconds:
            time.sleep(LOOK_SECONDS)
        self._await(under_way, lambda: False)
        kept = {one.id for one in workers}
        for id in self._control.disturbances():
            if id not in kept:
                self._control.lift(Disturbance(id, "", "", ""))
        happened.lifted = happened.now

    def _recover(self, steady: SteadyState) -> Recovery:
        """Wait until all is normal, at most as long as recoveries are waited for."""
        found: list[Recovery] = []
        patience = self._times.patience(self._rule.recovery)
        self._await([self._start(lambda: found.append(steady.until_normal(patience)))], lambda: False)
        self._calm.set()
        return found[0]

    def _ask_all(self, people: list[Person]) -> None:
        """Everybody with a complete document asks once more."""
        with ThreadPoolExecutor(ASKING) as pool:
            list(pool.map(lambda person: person.ask(afterwards=True), [one for one in people if one.complete]))

    def _guarded(self, work: Callable[[], None], happened: Happened) -> None:
        try:
            work()
        except (Failure, Blocked, ControlError) as error:
            happened.problem(f"{type(error).__name__}: {error}")

    @staticmethod
    def _start(work: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread

    @staticmethod
    def _await(threads: list[threading.Thread], is_over: Callable[[], bool]) -> None:
        """Wait for threads in short steps, so that Ctrl-C is heard, until they or the time have ended."""
        for thread in threads:
            while thread.is_alive() and not is_over():
                thread.join(LOOK_SECONDS)

    # ── what came of it ──────────────────────────────────────────────────────────────────────────────────

    def _judge(
        self, people: list[Person], happened: Happened, steady: SteadyState, recovery: Recovery, stored: Stored
    ) -> Outcome:
        ended = stored.read(people)
        judge = Judge(self._story, self._rule, self._session.spec.pipeline, happened)
        kinds, wrong = self._answers(people, ended).judge(happened.asked)
        invariants = self._invariants(steady, ended)
        late = self._times.record(DRILL, self._rule.recovery, recovery, WHOLE)
        found = [*judge.documents(ended), *judge.charges(ended), *wrong, *(one.failure() for one in invariants)]
        codes = declared()
        return Outcome(
            self._story,
            happened,
            ended,
            kinds,
            recovery,
            self._times.limit(self._rule.recovery),
            judge.repeated(ended),
            sorted([*found, *([late] if late else [])], key=lambda one: codes.rank(codes.codes[one.code].harm)),
            invariants.not_judged,
            {name: process.starts for name, process in self._control.processes().items()},
        )

    def _invariants(self, steady: SteadyState, ended: list[Ended]) -> Judged:
        """All that must hold of what is stored, by all documents of all users, and by the probe's own."""
        own = [
            Registered(canonical(one.user_id), canonical(one.document_id), canonical(one.job_id), one.mark)
            for one in ended
            if one.document_id
        ]
        others = tuple(canonical(one.user_id) for one in ended if not one.document_id)
        return steady.invariants(Scope((*own, *steady.scope.documents), AT_ONCE, others))

    def _answers(self, people: list[Person], ended: list[Ended]) -> Answers:
        named = re.compile(rf"{re.escape(self._session.tag)}-{DRILL}-(\d+)")
        return Answers(self._story, self._session.spec.chat, list(_known(people, ended)), named)


def _known(people: list[Person], ended: list[Ended]) -> Iterator[Known]:
    """The documents as answers may hold them."""
    ids = {one.number: one.document_id for one in ended}
    for person in people:
        for one in person.mine:
            fact = one.document.facts[0][1] if one.document.facts else ""
            id = ids.get(one.number, "")
            yield Known(one.number, person.number, canonical(id) if id else "", one.document.filename, fact)
