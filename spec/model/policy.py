"""What becomes of a release: rules that turn findings into promote, hold or roll back, and the issues that are known."""

from __future__ import annotations

import datetime
import re
from fnmatch import fnmatchcase
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from spec.codes import declared
from spec.model.base import Entry

Action = Literal["promote", "hold", "roll_back"]
Confidence = Literal["proven", "observed", "likely"]
Steadiness = Literal["steady", "intermittent", "unknown"]
Suite = Literal["predeploy", "postdeploy", "security", "performance", "contract", "resilience", "maintenance"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class PolicyRule(Entry):
    """One rule: what it decides, and when it holds. A condition that is left out holds always.

    Of a finding: `harms`, `confidence`, `suites`, `components`, `sections`, `failure_modes`, `codes`, `except_codes` and
    `steadiness`; sections and codes are patterns. Of the run: the rest. `hours` are "HH:MM-HH:MM" in the policy's zone, also
    through midnight.
    """

    name: str = Field(min_length=1)
    action: Action
    harms: list[str] = []
    confidence: list[Confidence] = []
    suites: list[Suite] = []
    components: list[str] = []
    sections: list[str] = []
    failure_modes: list[str] = []
    codes: list[str] = []
    except_codes: list[str] = []
    steadiness: list[Steadiness] = []
    verdicts: list[Literal["pass", "fail", "blocked"]] = []
    targets: list[Literal["twin", "live"]] = []
    interrupted: bool | None = None
    not_judged: bool | None = None
    strict: bool | None = None
    weekdays: list[Weekday] = []
    hours: str = ""

    @field_validator("hours")
    @classmethod
    def _are_hours(cls, value: str) -> str:
        if value and (HOURS.fullmatch(value) is None or value[:5] == value[6:]):
            raise ValueError(f"{value!r} is not of the form HH:MM-HH:MM")
        return value

    @field_validator("harms")
    @classmethod
    def _are_harms(cls, value: list[str]) -> list[str]:
        if unknown := [harm for harm in value if harm not in declared().harms]:
            raise ValueError(f"{', '.join(unknown)}: no class of harm")
        return value

    @field_validator("codes", "except_codes")
    @classmethod
    def _are_codes(cls, value: list[str]) -> list[str]:
        for pattern in value:
            _require_code(pattern)
        return value

    @model_validator(mode="after")
    def _promotes_what_ended(self) -> PolicyRule:
        if self.action == "promote" and self.interrupted:
            raise ValueError("interrupted: a run that was interrupted promotes nothing")
        return self

    def is_within_hours(self, moment: datetime.time) -> bool:
        """Whether a time of day lies within `hours`; the end does not belong to them."""
        if not self.hours:
            return True
        begin, end = (datetime.time.fromisoformat(text) for text in self.hours.split("-"))
        return begin <= moment < end if begin < end else moment >= begin or moment < end


class KnownIssue(Entry):
    """An issue that somebody answers for until a day, which is included: its finding does not count until then.

    It names a code and a pattern of subjects. A finding is known when each of its facts is, and when it did no worse than
    `at_most`, a class of harm; without one, than the code's own.
    """

    id: str = Field(min_length=1)
    code: str = Field(min_length=1)
    subject: str = Field(min_length=1)
    component: str = "*"
    owner: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    expires: datetime.date
    at_most: str = ""

    @field_validator("code")
    @classmethod
    def _is_code(cls, value: str) -> str:
        _require_code(value)
        return value

    @field_validator("at_most")
    @classmethod
    def _is_harm(cls, value: str) -> str:
        if value and value not in declared().harms:
            raise ValueError(f"{value}: no class of harm")
        return value

    @field_validator("subject")
    @classmethod
    def _is_subject(cls, value: str) -> str:
        kind = value.partition(" ")[0]
        if "*" in kind or kind not in declared().subjects:
            raise ValueError(f"{value!r} begins with no kind that codes.toml declares")
        return value

    def is_about(self, code: str, subject: str, component: str) -> bool:
        """Whether a fact is this issue."""
        pairs = ((code, self.code), (subject, self.subject), (component, self.component))
        return all(fnmatchcase(found, pattern) for found, pattern in pairs)


class Acting(Entry):
    """How a decision is carried out (--act): deadlines in seconds, and the suites that judge what is live afterwards."""

    request_seconds: float = Field(default=20.0, gt=0)
    poll_seconds: float = Field(default=5.0, gt=0)
    live_seconds: float = Field(default=900.0, gt=0)
    judge_seconds: float = Field(default=900.0, gt=0)
    again: str = Field(default="postdeploy", min_length=1)
    # Steps of a rollback that are left to people.
    without: list[Literal["hold", "environment", "database", "restart"]] = ["environment", "database", "restart"]


class Policy(Entry):
    """The whole file. The first rule that holds decides; where none does, the release is held."""

    zone: str = "UTC"
    rule: list[PolicyRule] = Field(min_length=1)
    known: list[KnownIssue] = []
    acting: Acting = Acting()

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        zone_of(value)
        return value

    @model_validator(mode="after")
    def _names_stand_once(self) -> Policy:
        for what, names in (("rule", [r.name for r in self.rule]), ("known", [k.id for k in self.known])):
            if twice := [name for name in names if names.count(name) > 1]:
                raise ValueError(f"{what}: {twice[0]!r} stands twice")
        return self

    @property
    def tz(self) -> datetime.tzinfo:
        """The zone in which hours, weekdays and days of expiry are meant."""
        return zone_of(self.zone)


def zone_of(name: str) -> datetime.tzinfo:
    """A time zone by its name; raises ValueError for an unknown one."""
    if name == "UTC":
        return datetime.UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone that this machine knows") from error


def _require_code(pattern: str) -> None:
    if not any(fnmatchcase(code, pattern) for code in declared().codes):
        raise ValueError(f"{pattern}: no code that codes.toml declares")
