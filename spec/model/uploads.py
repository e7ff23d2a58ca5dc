"""contract: HTTP API (uploads): what a file, its link and its name may be, to the byte."""

from __future__ import annotations

from pydantic import Field

from spec.model.base import Sectioned


class Uploads(Sectioned):
    """contract: HTTP API (uploads), Storage; the limits themselves stand in `limits`."""

    # Types that no upload may be stored as, the first of which is the plainest.
    foreign_types: list[str] = Field(min_length=1)
    # Further ones, such as those of which a text could be had.
    further_types: list[str] = []
    # Version of the UUIDs that documents have.
    id_version: int = Field(default=5, ge=1, le=8)
    # Zones in which a day may begin by which documents are counted, beside the database's own.
    day_zones: list[str] = []
    # Seconds that a link lives whose token is the vendor's own, which a release cannot change.
    vendor_link_seconds: int = Field(gt=0)
    # The claim by which such a token is known: it names the object.
    vendor_link_claim: str
    # File names by what is special about them, and those that may be refused instead of kept.
    names: dict[str, str] = Field(min_length=1)
    refusable_names: list[str] = []
    # One character of several bytes: names are limited by characters.
    wide_letter: str = Field(min_length=1, max_length=1)
    # Requests beyond a limit that are sent at the same moment.
    at_once: int = Field(gt=0)
    # Times that a value is beyond its limit; jobs on a page, and on the last page, of a user with many.
    far_beyond: int = Field(gt=1)
    # Digits of a number that no type of a database holds.
    beyond_all: str = Field(pattern=r"^\d+$")
    page: int = Field(gt=0)
    more_jobs: int = Field(gt=0)
    # Beginnings and ends that a file keeps, by what they are: before its header, and behind its last byte.
    beginnings: dict[str, str] = {}
    ends: dict[str, str] = {}
    # What a body that shows a document calls its file name.
    name_fields: list[str] = Field(min_length=1)

    def types_by(self, is_link: bool) -> list[str]:
        """Types that are tried by the link itself, or by another way in to the same storage: together all of them."""
        return self.foreign_types if is_link else [self.foreign_types[0], *self.further_types]
