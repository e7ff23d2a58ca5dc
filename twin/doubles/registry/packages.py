"""Releases that the registry offers: those that are installed here, and those that the twin plants."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any


@dataclass(frozen=True)
class Offered:
    """One release of a package, by its normal name."""

    name: str
    version: str
    metadata: str

    @property
    def filename(self) -> str:
        """The name of its wheel, which runs anywhere: it is never installed."""
        return f"{self.name.replace('-', '_')}-{self.version}-py3-none-any.whl"


def normal(name: str) -> str:
    """A package's name as indexes write it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed(name: str) -> Offered | None:
    """The release that this interpreter has, or None."""
    try:
        found = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None
    text = found.read_text("METADATA")
    return Offered(normal(found.metadata["Name"]), found.version, text) if text else None


def planted(releases: Iterable[Mapping[str, Any]]) -> Iterator[Offered]:
    """Releases that nobody has installed: name, version and requirements."""
    for each in releases:
        lines = ["Metadata-Version: 2.1", f"Name: {each['name']}", f"Version: {each['version']}"]
        lines += [f"Requires-Dist: {wanted}" for wanted in each.get("requires", ())]
        yield Offered(normal(each["name"]), str(each["version"]), "\n".join(lines) + "\n")
