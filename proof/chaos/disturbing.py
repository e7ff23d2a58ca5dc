"""Breaks and mends parts as the story says, and reads the health body meanwhile."""

from __future__ import annotations

import threading
from contextlib import suppress

from fixtures.api import Api
from fixtures.drills.control import Control, ControlError, Disturbance, Refused
from fixtures.drills.undisturbed import undisturbed
from fixtures.drills.watching import HEALTH, LOOK_SECONDS, circuits_in
from fixtures.health import HealthReport
from gate.failures import Blocked, Failure
from gate.session import Session
from proof.chaos.happened import Happened, HealthSeen, Struck
from proof.chaos.story import Planned

CLOSED = "closed"
# A harness that ends without lifting a disturbance leaves it for so long beyond its end.
SPARE_SECONDS = 20.0
LONGEST_SECONDS = 3600.0


class Disturber:
    """Carries out disturbances through the control, each in a thread of its own; at the end of `stop` all are lifted."""

    def __init__(self, control: Control, happened: Happened, stop: threading.Event) -> None:
        self._control, self._happened, self._stop = control, happened, stop

    def carry_out(self, planned: Planned) -> None:
        """Begin a disturbance at its time, and lift it at its end."""
        if self._stop.wait(max(0.0, planned.at - self._happened.now)):
            return
        began = self._happened.now
        try:
            found = self._control.begin(**planned.asked, seconds_at_most=planned.seconds + SPARE_SECONDS)
        except ControlError as error:
            self._happened.note(Struck(planned.number, began, self._happened.now, refused=str(error)))
            return
        self._stop.wait(max(0.0, planned.until - self._happened.now))
        self._happened.note(Struck(planned.number, began, *self._lift(found)))

    def _lift(self, found: Disturbance) -> tuple[float, str, int]:
        """When a disturbance had ended, its id, and how often it struck."""
        strikes = 0
        try:
            # One that has ended by itself without a strike is not known any more.
            with suppress(Refused):
                strikes = len(self._control.look(found).seen)
            self._control.lift(found)
        except ControlError as error:
            # The end of all disturbances is asked for once more when the run's time is over.
            self._happened.problem(f"disturbance {found.id} {found.kind} {found.how} was not lifted: {error}")
        return self._happened.now, found.id, strikes


def start_workers(control: Control, count: int) -> list[Disturbance]:
    """Start workers beside the one that there is, until there are so many; raises ControlError."""
    return [
        control.begin(kind="process", target=f"worker{number}", how="start", seconds_at_most=LONGEST_SECONDS)
        for number in range(2, count + 1)
    ]


class HealthWatch:
    """Reads the health body again and again until `stop` is set."""

    def __init__(self, session: Session, happened: Happened) -> None:
        self._happened, self._rule, self._pause = happened, session.spec.health, session.spec.chaos.look_seconds
        self._api = Api(undisturbed(session, LOOK_SECONDS)).for_operator()

    def run(self, stop: threading.Event) -> None:
        """Look until then."""
        while not stop.wait(self._pause):
            at = self._happened.now
            try:
                self._happened.note(self._look(at))
            except (Failure, Blocked):
                self._happened.note(HealthSeen(at, 0))

    def _look(self, at: float) -> HealthSeen:
        reply = self._api.call(HEALTH, timeout=LOOK_SECONDS)
        report = HealthReport(reply, self._rule)
        services = [name for name in report.services if not report.is_healthy(name)]
        circuits = [name for name, state in circuits_in(report.body).items() if state != CLOSED]
        return HealthSeen(at, reply.status, str(report.status), tuple(sorted({*services, *circuits})))
