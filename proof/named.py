"""Whether texts name what they must, by patterns of `fnmatch` that a bar separates."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase


def names(patterns: str, texts: Sequence[str]) -> bool:
    """Whether one of these texts holds one of the patterns, which a bar separates."""
    wanted = [f"*{one.strip('*').lower()}*" for one in patterns.split("|")]
    return any(fnmatchcase(text.lower(), one) for one in wanted for text in texts)
