"""Why no whole response came: what broke, by the kind of the error and never by its text."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import httpx

from gate.exchange import Incomplete


@dataclass(frozen=True)
class Break:
    """The code of a broken exchange, the kind of its error, its text for people, and further facts."""

    code: str
    error: str
    detail: str
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_silence(self) -> bool:
        """Whether time ran out."""
        return self.code in ("http.no_answer", "http.incomplete")


def break_of(error: httpx.HTTPError) -> Break:
    """What broke, by the types of an error and of its causes."""
    kinds = list(_causes(error))
    name, text = type(error).__name__, str(error)
    for cause in kinds:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Break("tls.certificate", "certificate", cause.verify_message, {"verify_code": cause.verify_code})
        if isinstance(cause, ssl.SSLError):
            return Break("tls.certificate", "handshake", text, {"reason": cause.reason or ""})
    if isinstance(error, Incomplete):
        facts = {"status": error.received.status, "bytes": len(error.received.body)}
        if error.timed_out:
            return Break("http.incomplete", "body stalled", text, facts)
        return Break("http.incomplete", "body cut", text, facts)
    if isinstance(error, httpx.ConnectTimeout):
        return Break("http.unreachable", "no connection", text)
    if isinstance(error, httpx.TimeoutException):
        return Break("http.no_answer", "timeout", text)
    if isinstance(error, httpx.ConnectError):
        unknown = any(isinstance(cause, socket.gaierror) for cause in kinds)
        return Break("http.unreachable", "unknown host" if unknown else "connection refused", text)
    return Break("http.reset", "connection broken", f"{name} {text}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
