"""§9 Update Procedures: what can be updated, and where a date bounds how long it may stay as it is."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from spec.model.base import Sectioned


class Updates(Sectioned):
    """Bounds in days. `supported` says until when an image gets security updates, by its name and the beginning of its version.

    `keys` are settings whose values may be tokens that say when they were made and when they end; one older than
    `key_days` is due to be replaced.
    """

    supported: dict[str, date]
    image_days_left: int = Field(ge=0)
    keys: list[str]
    key_days_left: int = Field(ge=0)
    key_days: int = Field(gt=0)
    index_seconds: float = Field(gt=0)
