"""Entries of a specification that checks of uploads are made for, one check each."""

from __future__ import annotations

from collections.abc import Iterable

from spec.model import Specification


def file_names(spec: Specification) -> Iterable[str]:
    """Labels of the file names that must come back as they were sent."""
    return spec.uploads.names
