"""§3 Database Dependencies, §6 Data Security: what the project's database and the project itself must be."""

from __future__ import annotations

from pydantic import Field

from spec.model.base import Sectioned


class Migrations(Sectioned):
    """§3: the database is what the release's migrations make of an empty project.

    `platform` is a file of SQL beside the specification: what a project has before the first migration. `extensions` are those
    that it has by then. `kinds` are compared; things of the kinds in `extras` that no migration made are wrong too. `watched`
    are patterns of things in the platform's own schemas that count as the system's, without those in `owned_by_platform`.
    """

    platform: str
    extensions: list[str] = []
    kinds: list[str] = Field(min_length=1)
    extras: list[str] = []
    watched: list[str] = []
    owned_by_platform: list[str] = []
