"""What happened in a run, as typed facts; seconds count from its beginning, as they do in the story."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from gate.http import Reply

PLACES = 2
ASK, UPLOAD, SEND, POLL, SIGN_IN, FIND = "ask", "upload", "send", "poll", "sign in", "find"


@dataclass(frozen=True)
class Sent:
    """A request of a user; `status` is 0 where no complete response came, and `error` says then why.

    `document` is -1 where it is about none.
    """

    user: int
    what: str
    at: float
    seconds: float
    status: int
    error: str = ""
    document: int = -1

    @property
    def is_success(self) -> bool:
        """Whether it had a response that is none of an error."""
        return 0 < self.status < 400


@dataclass(frozen=True)
class Asked:
    """A question with its answer; `complete` are the user's documents whose jobs were seen complete before it was asked."""

    user: int
    at: float
    seconds: float
    complete: frozenset[int]
    # None where no complete response came.
    reply: Reply | None = None
    # Asked when all was normal again.
    afterwards: bool = False


@dataclass(frozen=True)
class Struck:
    """A disturbance as it was: its number in the story, when it began and ended, and how often it was seen to strike.

    `refused` says why the control did not carry it out.
    """

    number: int
    began: float
    ended: float
    id: str = ""
    strikes: int = 0
    refused: str = ""


@dataclass(frozen=True)
class HealthSeen:
    """One look at the health body; `unwell` are the parts that it names and the circuits that are not closed."""

    at: float
    status: int
    word: str = ""
    unwell: tuple[str, ...] = ()


@dataclass
class Happened:
    """Everything that happened; threads note it as it comes."""

    began: float = field(default_factory=time.monotonic)
    # The same moment in seconds since 1970, for what others have written down.
    began_at: float = field(default_factory=time.time)
    sent: list[Sent] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    struck: list[Struck] = field(default_factory=list)
    looks: list[HealthSeen] = field(default_factory=list)
    # Seconds at which nothing was disturbed any more.
    lifted: float = 0.0
    # Why users or disturbances of the run itself ended early.
    problems: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return round(time.monotonic() - self.began, PLACES)

    def note(self, one: Sent | Asked | Struck | HealthSeen) -> None:
        """Keep one thing."""
        with self._lock:
            if isinstance(one, Sent):
                self.sent.append(one)
            elif isinstance(one, Asked):
                self.asked.append(one)
            elif isinstance(one, Struck):
                self.struck.append(one)
            else:
                self.looks.append(one)

    def problem(self, text: str) -> None:
        """Keep that the run itself could not go on as planned."""
        with self._lock:
            self.problems.append(text)

    def of(self, what: str) -> list[Sent]:
        """The requests of a kind."""
        return [one for one in self.sent if one.what == what]

    @property
    def begun(self) -> list[Struck]:
        """The disturbances that were carried out."""
        return [one for one in self.struck if not one.refused]

    def as_data(self) -> Iterator[dict[str, Any]]:
        """For events.json: everything in the order in which it began; polls only where they failed."""
        entries = [{"event": "request", **asdict(one)} for one in self.sent if one.what != POLL or not one.is_success]
        entries += [{"event": "disturbance", **asdict(one), "at": one.began} for one in self.struck]
        entries += [{"event": "health", **asdict(one)} for one in self.changes()]
        entries += [_answer(one) for one in self.asked]
        yield from sorted(entries, key=lambda entry: entry["at"])

    def changes(self) -> Iterator[HealthSeen]:
        """Looks that differ from the one before."""
        before: tuple[object, ...] = ()
        for look in self.looks:
            if (now := (look.status, look.word, look.unwell)) != before:
                before = now
                yield look


def _answer(one: Asked) -> dict[str, Any]:
    reply = one.reply
    return {
        "event": "answer",
        "at": one.at,
        "user": one.user,
        "seconds": one.seconds,
        "complete": sorted(one.complete),
        "afterwards": one.afterwards,
        "status": reply.status if reply is not None else 0,
        "text": reply.text if reply is not None else "",
    }
