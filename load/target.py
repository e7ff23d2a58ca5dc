"""The target of a load run: opened and verified by the engine, cleaned up after, and ended."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace

from fixtures.system import Staging
from gate.interrupts import Interrupts
from gate.run import checkout_commit
from gate.session import Session
from gate.target import Choice, open_session


@contextmanager
def on_target(choice: Choice, beside_another: bool = False) -> Iterator[Session]:
    """A verified session on the chosen target; what it created is removed in the end.

    A session `beside_another` of this process says nothing of itself, and leaves Ctrl-C to that one.
    Raises ConfigurationError or SpecError in one line when there is no target that may be written to.
    """
    session = open_session(replace(choice, purpose="load"), Staging())
    try:
        session.at_close(session.masking.mask_logs())
        session.verify(writes=True)
        if not beside_another:
            for line in _first_lines(session):
                print(session.masking.mask(line), flush=True)
        yield session
    finally:
        with nullcontext() if beside_another else Interrupts().only_answered():
            end(session)


def quiet_logs(session: Session) -> None:
    """No log line of a process of the load's own holds a secret of the run, or a signed URL."""
    session.at_close(session.masking.mask_logs())
    # httpx logs every URL that it asks.
    logging.getLogger("httpx").setLevel(logging.WARNING)


def end(session: Session) -> None:
    """Remove what the run created, say what is left over, and end it together with its twin."""
    try:
        session.clean_up()
        if session.residue:
            command = "python -m fixtures.sweep --older-than 0s"
            print(session.masking.mask(f"left over   {session.residue}: {command}"), flush=True)
    finally:
        session.end()


def release_under_test(session: Session) -> str:
    """The release that a load record is about: the commit expected of a live target, else that of this checkout."""
    return session.settings.text("HARNESS_EXPECTED_COMMIT") or checkout_commit()


def _first_lines(session: Session) -> list[str]:
    faults = f", faults {', '.join(session.run.faults)}" if session.run.faults else ""
    name = session.settings.text("HARNESS_TARGET_NAME")
    return [f"target {name} ({session.run.kind}) {session.api_url}{faults}", f"run {session.run.run_id}"]
