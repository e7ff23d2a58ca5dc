"""Entries of a specification that checks of accounts are made for, one check each."""

from __future__ import annotations

from collections.abc import Iterable

from spec.model import Specification


def password_forms(spec: Specification) -> Iterable[str]:
    """Labels of the forms of passwords that are kept to the letter, those of some size included."""
    return [*spec.accounts.passwords, *(of_size(size) for size in spec.accounts.password_bytes)]


def of_size(size: int) -> str:
    """The label of a password of so many bytes."""
    return f"{size} bytes"
