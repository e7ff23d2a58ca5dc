"""What can go wrong with a job, by what has to happen next."""

from __future__ import annotations


class Trouble(Exception):
    """A vendor did not do what it was asked; the job may be tried again. `status` is the vendor's, 0 without one."""

    def __init__(self, service: str, what: str, status: int = 0, wish: float = 0.0) -> None:
        super().__init__(f"{service} {what}")
        self.service = service
        self.status = status
        # Seconds that the vendor asked to be left alone.
        self.wish = wish


class Resting(Trouble):
    """The vendor was not even asked, because it failed too often; no try is spent."""


class NotThereYet(Exception):
    """The document has not been uploaded so far; no try is spent."""


class Hopeless(Exception):
    """Trying again cannot help; the message is the reason that the owner reads."""


class Superseded(Exception):
    """The job has moved on, or is gone: somebody else has it, and nothing may be recorded by this claim."""
