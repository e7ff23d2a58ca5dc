"""§5, §10: what is read of the platform where something is wrong."""

from __future__ import annotations

from pydantic import Field

from spec.model.base import Sectioned


class Evidence(Sectioned):
    """The platform's log lines and events: the words by which they are asked for, and how much is asked."""

    # Levels of a line that says what went wrong, and of one that may.
    errors: list[str] = Field(min_length=1)
    warnings: list[str] = []
    # The type of the lines that a service writes itself.
    own: str
    # The whole collection and one request may take so many seconds, and so many findings are looked after.
    seconds: float = Field(gt=0)
    request_seconds: float = Field(gt=0)
    findings: int = Field(gt=0)
    # Clocks may differ by so many seconds.
    slack_seconds: float = Field(ge=0)
    # How long ago a service's last error, and the last event of the platform, may lie before the run.
    error_hours: float = Field(gt=0)
    event_minutes: float = Field(gt=0)
