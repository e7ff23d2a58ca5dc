"""§6 Authentication, Data Security: the access matrix, as who asks for what of whose, and what must come of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, model_validator

from spec.model.base import Entry, Sectioned

Kind = Literal[
    "open", "read", "act", "resource", "folder", "webhook", "object", "link", "upload_link", "rows", "table", "admin",
    "session", "topic",
]  # fmt: skip
Standing = Literal[
    "nobody", "forged", "expired", "claims", "key", "gone", "other", "owner", "signed_out", "anonymous", "service", "unsigned",
    "link", "altered_link", "ended_link",
]  # fmt: skip
Whose = Literal["own", "another", "nobody", "missing"]
Answer = Literal[
    "open", "known", "unauthorized", "unknown", "refused", "served", "hidden", "nobody_else", "ends", "heard", "silent",
    "row_security",
]  # fmt: skip


class Who(Entry):
    """Somebody who asks: how they are named, what they are to the system, and how their credentials are made.

    `thorough`: tried by the maintenance suite only.
    """

    name: str = Field(pattern=r"^[a-z][a-z_]+$")
    title: str = Field(min_length=1)
    standing: Standing
    made: str
    thorough: bool = False


class What(Entry):
    """One thing that is asked for: an endpoint, a request to the vendor, a table, a topic; `target` where its name is another.

    `writes`: asking with success changes something; `thorough`: tried by the maintenance suite only.
    """

    name: str = Field(pattern=r"^[a-z][a-z_]+$")
    kind: Kind
    target: str = ""
    writes: bool = False
    thorough: bool = False

    @property
    def asked(self) -> str:
        """The name of the endpoint, request or table."""
        return self.target or self.name


class AccessRule(Entry):
    """What must come of it where somebody of one of these standings asks for one of these kinds, of one of these owners.

    `thorough`: tried by the maintenance suite only.
    """

    kinds: list[Kind] = Field(min_length=1)
    standings: list[Standing] = Field(min_length=1)
    whose: list[Whose] = Field(min_length=1)
    answer: Answer
    because: str = Field(min_length=1)
    thorough: bool = False


class Risk(Entry):
    """One risk of OWASP's list: the kinds of the matrix and the checks that look for it, or the reason why there are none."""

    id: str
    title: str
    kinds: list[Kind] = []
    checks: list[str] = []
    reason: str = ""

    @model_validator(mode="after")
    def _is_explained(self) -> Risk:
        if bool(self.kinds or self.checks) == bool(self.reason):
            raise ValueError(f"{self.id} needs kinds or checks, or else a reason")
        return self


@dataclass(frozen=True)
class AccessCell:
    """One cell of the matrix, with the rule that it is held to."""

    who: Who
    what: What
    whose: Whose
    rule: AccessRule

    @property
    def thorough(self) -> bool:
        """Whether the maintenance suite tries it, and no other."""
        return self.who.thorough or self.what.thorough or self.rule.thorough


class Access(Sectioned):
    """The whole matrix. All times in seconds."""

    expired_seconds: float = Field(gt=0)
    long_expired_seconds: float = Field(gt=0)
    worn_seconds: int = Field(gt=0)
    remembered_seconds: float = Field(ge=0)
    link_seconds: int = Field(gt=0)
    longest_link_seconds: float = Field(gt=0)
    topic_seconds: float = Field(gt=0)
    topic_grace_seconds: float = Field(gt=0)
    # Headers, and fields of a query or a body, in which somebody else says to be the owner, and headers beside the one for it
    # that hold the owner's token.
    claimed_headers: dict[str, str] = {}
    claimed_fields: dict[str, str] = {}
    token_headers: dict[str, str] = {}
    # Words for the owners, and for the kinds.
    whose: dict[Whose, str]
    kinds: dict[Kind, str]
    who: list[Who] = Field(min_length=1)
    what: list[What] = Field(min_length=1)
    rule: list[AccessRule] = Field(min_length=1)
    owasp: list[Risk] = []

    @model_validator(mode="after")
    def _consistent(self) -> Access:
        for kind, names in (("who", [one.name for one in self.who]), ("what", [one.name for one in self.what])):
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"{kind}: {', '.join(twice)} stands twice")
        if idle := sorted({one.name for one in self.who} - {cell.who.name for cell in self.cells()}):
            raise ValueError(f"who: no rule is for {', '.join(idle)}")
        if idle := sorted({one.name for one in self.what} - {cell.what.name for cell in self.cells()}):
            raise ValueError(f"what: no rule is for {', '.join(idle)}")
        if unnamed := sorted({one.kind for one in self.what} ^ self.kinds.keys()):
            raise ValueError(f"kinds: {', '.join(unnamed)} has no words, or no row")
        return self

    def cells(self, *whats: str) -> Iterator[AccessCell]:
        """The cells of these rows, or of all."""
        for what in self.what:
            if whats and what.name not in whats:
                continue
            for who in self.who:
                for whose in self.whose:
                    if (rule := self._rule(who, what, whose)) is not None:
                        yield AccessCell(who, what, whose, rule)

    def _rule(self, who: Who, what: What, whose: Whose) -> AccessRule | None:
        named = (r for r in self.rule if what.kind in r.kinds and who.standing in r.standings and whose in r.whose)
        return next(named, None)

    def of_kind(self, *kinds: Kind) -> list[What]:
        """The rows of these kinds."""
        return [what for what in self.what if what.kind in kinds]
