"""A clock that is some seconds off, for the process that calls `shift` before it imports anything else.

The text of this module is also what a release gets as its `sitecustomize`; the database keeps the right time.
"""

from __future__ import annotations

import datetime
import time
from typing import Any


def shift(seconds: float) -> None:
    """From now on `time.time` and `datetime.now` are so many seconds ahead (or behind, when negative)."""
    right_time, right, delta = time.time, datetime.datetime, datetime.timedelta(seconds=seconds)

    class AnyDatetime(type):
        # Values made before, or by extensions, are datetimes as well.
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, right)

        def __subclasscheck__(cls, other: type) -> bool:
            return issubclass(other, right)

    class Shifted(right, metaclass=AnyDatetime):  # type: ignore[valid-type, misc]
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return right.now(tz) + delta

        @classmethod
        def utcnow(cls) -> Any:
            return right.now(datetime.UTC).replace(tzinfo=None) + delta

    Shifted.__name__ = Shifted.__qualname__ = "datetime"
    Shifted.__module__ = "datetime"
    time.time = lambda: right_time() + seconds
    datetime.datetime = Shifted  # type: ignore[misc]
