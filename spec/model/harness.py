"""The harness's own view of a system: its settings, the parts of the system, and the prerequisites of checks."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from spec.model.base import Entry


class Setting(Entry):
    """One setting of a target, from the env file or the process environment.

    `target`: a value means that a live target is meant. `strict`: --strict does not begin without it (`reading`: also
    where only the reading suites run; `writing`: where others run). `opens` names a vendor's request (`vendor.request`) that
    only succeeds with this key; it is sent to the address in the setting `at`.
    """

    kind: Literal["web_url", "database_url", "secret", "text", "path", "number"]
    default: str | None = None
    target: bool = False
    strict: Literal["never", "reading", "writing"] = "never"
    # A file that is named must be there before anything is asked.
    must_exist: bool = False
    opens: str = ""
    at: str = ""

    @property
    def is_secret(self) -> bool:
        """True when the value must never be shown."""
        return self.kind in ("secret", "database_url")


class Part(Entry):
    """A part of the system that can be at fault; `needs` are the parts that it does not work without."""

    needs: list[str] = []


class Prerequisite(Entry):
    """What must work before a check can say anything.

    Without one of its `settings` a check is not judged; `part` is named when the prerequisite is unavailable.
    `reaches_target` is true for a part without which nothing of the target can be judged.
    """

    part: str
    settings: list[str] = []
    # Parts that it takes beside those that its part needs.
    needs: list[str] = []
    # The endpoint whose success it is, where it is one's.
    endpoint: str = ""
    reaches_target: bool = False


class Harness(Entry):
    """Settings, parts and prerequisites by name."""

    settings: dict[str, Setting] = Field(min_length=1)
    parts: dict[str, Part] = Field(min_length=1)
    prerequisites: dict[str, Prerequisite] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_exist(self) -> Harness:
        for name, setting in self.settings.items():
            if setting.at and setting.at not in self.settings:
                raise ValueError(f"settings.{name}.at names {setting.at!r}, which is no setting")
        for name, part in self.parts.items():
            if unknown := set(part.needs) - self.parts.keys():
                raise ValueError(f"parts.{name}.needs names {', '.join(sorted(unknown))}, which is no part")
        for name, prerequisite in self.prerequisites.items():
            if prerequisite.part not in self.parts:
                raise ValueError(f"prerequisites.{name}.part names {prerequisite.part!r}, which is no part")
            if unknown := set(prerequisite.settings) - self.settings.keys():
                raise ValueError(f"prerequisites.{name}.settings names {', '.join(sorted(unknown))}, which is no setting")
        return self
