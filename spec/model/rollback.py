"""§7: rollback, restart, reset and recovery as data: what each step reads and writes, for how long, and how it is undone."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from spec.model.base import Entry, Sectioned

StepName = Literal["hold", "environment", "service", "database", "restart", "reset", "deploy"]


class RollbackStep(Sectioned):
    """One step: what it does, the calls that it reads and writes with (`vendor.call`), its deadline in seconds.

    `verify` says how it is known to have worked, `undo` how it is taken back; both are for people, the program does the first.
    """

    name: StepName
    title: str
    what: str
    reads: list[str] = Field(min_length=1)
    writes: list[str] = Field(min_length=1)
    seconds: float = Field(gt=0)
    verify: str
    undo: str


class Procedure(Sectioned):
    """One procedure of §7: its steps in their order."""

    title: str
    when: str
    steps: list[StepName] = Field(min_length=1)


class ProjectStates(Entry):
    """How Supabase's management API words the state of a project, and the names of fields that are read."""

    healthy: str
    restoring: list[str]
    failed: list[str]


class Defect(Entry):
    """A text of a source file, and the one in its place."""

    path: str
    old: str
    new: str


class Rehearsal(Sectioned):
    """How the release after this one is broken when a rollback is rehearsed, and how long its parts may take (seconds)."""

    seconds: float = Field(gt=0)
    variables: dict[str, str]
    # Variables whose value is a secret, and what all of them become.
    secrets: list[str]
    secret: str
    defect: Defect


class Rollback(Sectioned):
    """How a release is taken back, and what is kept of the one before it."""

    # The folder with snapshots and the journal, beside this checkout; a setting names another.
    folder: str
    # A snapshot that is older is not rolled back to.
    snapshot_hours: float = Field(gt=0)
    # Seconds between two looks at what is under way.
    poll_seconds: float = Field(gt=0)
    # The twin divides deadlines by its speed-up; none is shorter than this.
    least_seconds: float = Field(gt=0)
    # What happens to rows and files that were written since the snapshot.
    rows_since: Literal["lost"]
    files_since: Literal["kept"]
    # Tables whose rows of the time before the snapshot must be there afterwards, with the column that tells the time.
    kept_tables: dict[str, str] = Field(min_length=1)
    # Where the versions of applied migrations stand.
    migrations_table: str
    project: ProjectStates
    rehearsal: Rehearsal
    procedures: dict[str, Procedure] = Field(min_length=1)
    steps: list[RollbackStep] = Field(min_length=1)

    def step(self, name: str) -> RollbackStep:
        """The step of this name; raises KeyError."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)

    @model_validator(mode="after")
    def _consistent(self) -> Rollback:
        known = {step.name for step in self.steps}
        for name, procedure in self.procedures.items():
            if unknown := set(procedure.steps) - known:
                raise ValueError(f"procedures.{name}.steps names {', '.join(sorted(unknown))}, which is no step")
        return self
