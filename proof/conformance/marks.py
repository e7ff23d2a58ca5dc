"""The marks of a case."""

from __future__ import annotations

import pytest

VENDORS = (
    "Supabase Auth",
    "Supabase Storage",
    "Supabase Realtime",
    "PostgREST",
    "OpenAI",
    "Anthropic",
    "LlamaParse",
    "Render",
)

writes = pytest.mark.writes


def operation(vendor: str, text: str) -> pytest.MarkDecorator:
    """What a case is about: a vendor of VENDORS and the operation in a few words. Raises ValueError for another vendor."""
    if vendor not in VENDORS:
        raise ValueError(f"unknown vendor {vendor!r}: expected one of {', '.join(VENDORS)}")
    return pytest.mark.operation(vendor, text)
