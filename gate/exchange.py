"""One call over a bounded client, from what it carries to the whole of its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict, Unpack

import httpx

from gate.bounded import CONNECT_SECONDS, MOST_BYTES, bounded


class Sent(TypedDict, total=False):
    """What a request carries, in httpx's own terms."""

    json: object
    # A list is sent in pieces, without a word about its length.
    content: bytes | list[bytes] | None
    data: Mapping[str, str]
    files: Mapping[str, tuple[str, bytes, str]]
    params: Mapping[str, str | int | float | bool | None]
    headers: Mapping[str, str] | Sequence[tuple[str, str]]


@dataclass
class Received:
    """One answer, unpacked and whole."""

    status: int
    headers: httpx.Headers
    body: bytes
    sent_again: bool = False


def of_unpacked(headers: httpx.Headers) -> list[tuple[str, str]]:
    """Headers of an answer without those that speak of its packed form."""
    return [(k, v) for k, v in headers.multi_items() if k not in ("content-encoding", "content-length")]


class Incomplete(httpx.TransportError):
    """A response began and did not end; its cause says why, `received` is what had come of it."""

    def __init__(self, error: httpx.HTTPError, received: Received) -> None:
        super().__init__(f"{type(error).__name__} {error}")
        self.received = received
        self.timed_out = isinstance(error, httpx.TimeoutException)


def exchange(client: httpx.Client, method: str, url: str, seconds: float, **sent: Unpack[Sent]) -> Received:
    """One call over a bounded client; raises httpx.HTTPError also for what never ends or is too large, packed or unpacked."""
    body = bytearray()
    # A value may have letters beyond ASCII, as a client may send them.
    sent["headers"] = httpx.Headers(sent.get("headers"), encoding="utf-8")
    usual = httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))
    with bounded(seconds, MOST_BYTES) as bounds, client.stream(method, url, timeout=usual, **sent) as got:
        try:
            for part in got.iter_raw() if got.headers.get("content-encoding") is None else got.iter_bytes():
                body += part
                if len(body) > MOST_BYTES:
                    raise httpx.ReadError(f"the unpacked answer is larger than {MOST_BYTES} bytes")
        except httpx.HTTPError as error:
            raise Incomplete(error, Received(got.status_code, got.headers, bytes(body))) from error
    return Received(got.status_code, got.headers, bytes(body), bounds.sent_again)
