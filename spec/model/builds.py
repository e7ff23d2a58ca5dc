"""How builds are reviewed: the linter of Dockerfiles, the resolution of requirements, known vulnerabilities, images."""

from __future__ import annotations

import datetime
from collections.abc import Collection

from pydantic import Field

from spec.model.base import Entry, Sectioned


class Lint(Entry):
    """What of the linter's messages is a fault: all of these levels, and these rules at whichever level."""

    levels: list[str] = Field(min_length=1)
    rules: list[str] = []
    # A Dockerfile with a fault, and the rule that must be found in it: proof that the linter works.
    canary: str
    canary_rule: str


class Accepted(Entry):
    """A vulnerability that is accepted for a time; afterwards it counts again."""

    id: str
    reason: str = Field(min_length=1)
    until: datetime.date


class PackageAudit(Entry):
    """Known vulnerabilities of packages. The canary is a release that the service must know as vulnerable."""

    canary: str
    accepted: list[Accepted] = []

    def acceptance(self, ids: Collection[str], today: datetime.date) -> Accepted | None:
        """What accepts a vulnerability, under one of its ids, on this day."""
        return next((each for each in self.accepted if each.id in ids and today <= each.until), None)


class Builds(Sectioned):
    """§1/§2 Build Configuration; §9 Dependency Updates, Security Updates."""

    lint: Lint
    audit: PackageAudit
    # Seconds that pip, pip-audit and an image's build may take, each.
    pip_seconds: float = Field(gt=0)
    image_seconds: float = Field(gt=0)
    # Hours for which a resolution of the same requirements counts.
    resolution_hours: float = Field(ge=0)
    # The largest image of a service.
    most_megabytes: float = Field(gt=0)
