"""What schemathesis loads before it asks: how the body of a PDF goes over the wire."""

from __future__ import annotations

import schemathesis
from schemathesis import SerializationContext


@schemathesis.serializer("application/pdf")
def pdf(_: SerializationContext, value: object) -> bytes:
    """The bytes that were generated."""
    data = getattr(value, "data", value)
    return data if isinstance(data, bytes) else str(data).encode()
