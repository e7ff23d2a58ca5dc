"""§3 Database Dependencies, §6 Data Security: what the project's database and the project itself must be."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from spec.model.base import Entry, Sectioned

Command = Literal["SELECT", "INSERT", "UPDATE", "DELETE"]
Identity = Literal["anonymous", "owner", "other", "service"]


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


class Linters(Sectioned):
    """§9 Security Review: what others' linters may not report.

    Advisors: lints of these `levels`, about things in these `schemas` (or in none), unless `excused` with a reason; `exposed`
    are the schemas that the REST view shows. Migrations of this version and later are held to `migration_rules`.
    """

    advice: list[str] = Field(min_length=1)
    levels: list[str] = Field(min_length=1)
    schemas: list[str]
    exposed: list[str]
    excused: dict[str, str] = {}
    migrations_since: str = ""
    migration_rules: list[str] = []


class SecuredTable(Entry):
    """One table of the matrix: a row of the run's own, and who may do what with it.

    `row` is what a row takes; {document}, {job}, {row}, {hash}, {number}, {user} and {tag} are filled in. It is found by `key`,
    `change` is the column that an UPDATE writes, `after` the tables whose rows must be there first. `situation` are columns
    that say how far a job is, whose {status} and {state} are filled in, and `sometimes` those that only some rows have filled:
    no policy may depend on them.
    """

    key: str
    change: str
    after: list[str] = []
    row: dict[str, str | int | bool]
    situation: dict[str, str] = {}
    sometimes: dict[str, str | int | bool | dict[str, str]] = {}
    may: dict[Identity, list[Command]]


class RowSecurity(Sectioned):
    """contract: Database (row-level security): every table, command and identity."""

    commands: list[Command] = Field(min_length=1)
    tables: dict[str, SecuredTable] = Field(min_length=1)


def _words(text: str) -> set[str]:
    return {word.strip() for word in text.split(",")}


class ProjectSetting(Entry):
    """One setting of the project: `field` of the answer to a call of the management API, and what is right for it.

    `public` is the same field of Auth's own settings, which everybody with the anon key sees: it is asked without a token.
    """

    name: str
    call: str
    field: str
    public: str = ""
    equals: str | int | bool | None = None
    at_least: float | None = None
    at_most: float | None = None
    # A list with commas holds all of these.
    holds: str = ""

    def problem(self, found: object) -> str:
        """What is expected where it is not so, or nothing."""
        if self.equals is not None and found != self.equals:
            return str(self.equals)
        number = float(found) if isinstance(found, int | float) else float("nan")
        if self.at_least is not None and not number >= self.at_least:
            return f"at least {self.at_least:g}"
        if self.at_most is not None and not number <= self.at_most:
            return f"at most {self.at_most:g}"
        return "" if not self.holds or _words(self.holds) <= _words(str(found)) else f"to hold {self.holds}"


class ProjectBackups(Entry):
    """How young the last backup is, how many are kept, and the words for one that can be restored, and for one that cannot.

    Each of the last `window_days` days has one (0: not promised); where they lie (`region`) and of which kind they are
    (`is_physical`) is promised where it is set.
    """

    youngest_hours: float = Field(gt=0)
    kept: int = Field(ge=1)
    complete: list[str] = Field(min_length=1)
    failed: list[str] = []
    window_days: int = Field(ge=0, default=0)
    is_physical: bool | None = None
    region: str = ""


class Project(Sectioned):
    """§3 Supabase, §6 Data Security: the project itself.

    `named_by` are the variables that name the project, each of them the same one; `published` are the tables of a publication.
    """

    named_by: list[str]
    settings: list[ProjectSetting]
    backups: ProjectBackups
    # Whether the pipeline's bucket is open to everybody.
    is_bucket_public: bool = False
    published: dict[str, list[str]] = {}
