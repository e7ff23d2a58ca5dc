"""The end of an observer's check."""

from __future__ import annotations

from gate.failures import Failure, NotConfigured, needs_writing, shorten
from gate.messages import observed_text
from gate.observers import notes
from gate.session import Session


def require_kept(session: Session, name: str) -> None:
    """Raises the worst failure that an observer noted in any process of the run; NotConfigured where it judged no exchange."""
    __tracebackhide__ = True
    noted = notes.read(session.shared, name)
    worst = noted.worst_first()
    if worst:
        raise _with_others(worst)
    if not noted.seen:
        needs_writing(session.read_only, "what could be shown")
        raise NotConfigured("", "no exchange of this run could have shown it")


def _with_others(worst: list[tuple[Failure, int]]) -> Failure:
    """The worst failure, with the number of exchanges that showed it, and what else was seen."""
    first, count = worst[0]
    seen = f"{observed_text(first.observed)}, in {count} exchange{'s' if count != 1 else ''} of the run"
    others = ", ".join(f"{failure.code} {failure.subject}" for failure, _ in worst[1:])
    first.observed["detail"] = shorten(f"{seen}; also {others}" if others else seen)
    return first
