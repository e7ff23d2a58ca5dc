"""What every table of a specification file is made of."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Entry(BaseModel):
    """Base of all tables: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sectioned(Entry):
    """An entry that says where in the specification or contract it comes from."""

    section: str = Field(min_length=1)


class Promised(Sectioned):
    """An entry that is a check of its own: the check has its section and its promise."""

    promise: str = Field(min_length=1)
