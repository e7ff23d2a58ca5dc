"""§3, §7: what is normal: the parts that a probe looks at, what holds of stored data, and how soon all is normal again."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from spec.model.base import Entry, Sectioned
from spec.model.pipeline import DocumentKind

PartName = Literal["health", "sign_in", "upload", "job", "retrieval", "chat"]


class ProbedPart(Entry):
    """One part of the system as a user meets it.

    `seconds` is what one look may take, `pause` lies between two looks while it is not normal.
    """

    title: str = Field(min_length=1)
    seconds: float = Field(gt=0)
    pause: float = Field(gt=0)


class SteadyState(Sectioned):
    """What the probe looks at, with the document that it sends through the pipeline."""

    document: DocumentKind
    parts: dict[PartName, ProbedPart] = Field(min_length=1)
    # Rows and files that are shown of one violation.
    shown: int = Field(gt=0)


class Invariant(Sectioned):
    """What holds of stored data whatever happened; `name` is that of the statement or of the look that finds what breaks it.

    `promise` is what it protects: nothing lost, nothing done twice, nothing orphaned, nothing of one user with another,
    nothing elsewhere than agreed.
    """

    name: str = Field(min_length=1)
    title: str = Field(min_length=1)
    promise: Literal["lost", "twice", "orphaned", "across", "misplaced", "unexplained"]
    kept_in: Literal["database", "storage"]
    # What a violation is about, as a subject of spec/codes.toml.
    subject: str = Field(min_length=1)
    # The service that writes what it speaks of, and so breaks it where nothing was disturbed; empty where several do.
    written_by: str = ""
