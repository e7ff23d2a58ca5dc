"""Render's typed client as the cases use it: an operation's parsed answer, or its refusal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from render.public_api import AuthenticatedClient
from render.public_api.models.error import Error
from render.public_api.types import UNSET


def done(operation: ModuleType, client: AuthenticatedClient, *path: str, **given: Any) -> Any:
    """The parsed answer of an operation that succeeds."""
    reply = operation.sync_detailed(*path, client=client, **given)
    assert 200 <= reply.status_code < 300, (reply.status_code, reply.content)
    assert not isinstance(reply.parsed, Error), reply.content
    return reply.parsed


def refused(operation: ModuleType, client: AuthenticatedClient, *path: str, **given: Any) -> tuple[int, Error]:
    """Status and parsed body of an operation that is refused."""
    reply = operation.sync_detailed(*path, client=client, **given)
    assert isinstance(reply.parsed, Error), (reply.status_code, reply.content)
    assert isinstance(reply.parsed.message, str)
    assert reply.parsed.message
    return int(reply.status_code), reply.parsed


def pages(operation: ModuleType, client: AuthenticatedClient, *path: str, limit: int, **given: Any) -> Iterator[list[Any]]:
    """The pages of a listing, each with the cursor of the last item before it."""
    cursor: Any = UNSET
    while page := done(operation, client, *path, limit=limit, cursor=cursor, **given):
        yield page
        cursor = page[-1].cursor


def wait_for(what: Callable[[], Any], seconds: float = 30.0) -> Any:
    """The first true answer of a question that is asked again and again; raises AssertionError."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds:g} s")
