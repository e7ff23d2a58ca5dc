"""The HTTP client of a service: it keeps no cookies, and follows no redirect but the one to the same address with a slash."""

from __future__ import annotations

from collections.abc import Collection
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Unpack

import httpx

from gate.exchange import Received, Sent, exchange


def make_client(transport: httpx.BaseTransport) -> httpx.Client:
    """A client without cookies: a session that one user's sign-in began would make every later caller that user."""
    jar = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    return httpx.Client(transport=transport, follow_redirects=False, trust_env=False, cookies=jar)


def slashed(url: str, received: Received, accepted: Collection[int]) -> str | None:
    """Where a response redirects to its own address with a slash at the path's end, or without; None otherwise."""
    if received.status not in accepted or not (location := received.headers.get("location")):
        return None
    asked = httpx.URL(url)
    try:
        found = asked.join(location)
    except httpx.InvalidURL:
        return None
    same_host = (found.scheme, found.host, found.port) == (asked.scheme, asked.host, asked.port)
    same_path = found.path != asked.path and found.path.rstrip("/") == asked.path.rstrip("/")
    return str(found) if same_host and same_path else None


def ask(
    client: httpx.Client, method: str, url: str, seconds: float, accepted: Collection[int], **sent: Unpack[Sent]
) -> Received:
    """One call that follows one redirect to the same address with a slash; raises httpx.HTTPError."""
    received = exchange(client, method, url, seconds, **sent)
    target = slashed(url, received, accepted)
    if target is None:
        return received
    # The address already holds the query.
    sent.pop("params", None)
    return exchange(client, method, target, seconds, **sent)
