"""HTTP that ends: a total deadline and a largest size over all that one call sends and receives, headers included.

httpx bounds each single read; a server that drips a byte now and then keeps such a client for ever.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import httpcore
import httpx

CONNECT_SECONDS = 5.0
# Enough for the largest document that may be uploaded.
MOST_BYTES = 8 * 1024 * 1024
_scope = threading.local()


@dataclass
class Bounds:
    """What is left of one call: the end (monotonic seconds), its length in seconds, and bytes that may still come.

    `opened`: a connection was opened for it. `sent_again`: the one that it was first sent over had been closed meanwhile.
    """

    end: float
    seconds: float
    most: int
    left: int
    opened: bool = False
    sent_again: bool = False

    @property
    def met_a_closed_connection(self) -> bool:
        """Whether an error now is the end of a connection that was kept from an earlier call: nothing has come over it."""
        return not self.opened and not self.sent_again and self.left == self.most

    def timeout(self, usual: float | None) -> float:
        """Seconds for the next step; raises ReadTimeout when none are left."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout(f"not finished within {self.seconds:g} s")
        return left if usual is None else min(left, usual)

    def took(self, size: int) -> None:
        """Count what has come; raises ReadError when it is too much."""
        self.left -= size
        if self.left < 0:
            raise httpcore.ReadError(f"the answer is larger than {self.most} bytes")


@contextmanager
def bounded(seconds: float, most: int) -> Iterator[Bounds]:
    """Everything that this thread does over a bounded client within the block ends after so many seconds and bytes."""
    outer = getattr(_scope, "bounds", None)
    _scope.bounds = bounds = Bounds(time.monotonic() + seconds, seconds, most, most)
    try:
        yield bounds
    finally:
        _scope.bounds = outer


def _bounds() -> Bounds | None:
    return getattr(_scope, "bounds", None)


class _Stream(httpcore.NetworkStream):
    """A connection whose every step takes its time from the call that uses it."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner
        self._is_retired = False

    def retire(self) -> None:
        """Have the pool close this connection instead of using it again."""
        self._is_retired = True

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        bounds = _bounds()
        if bounds is None:
            return self._inner.read(max_bytes, timeout)
        found = self._inner.read(max_bytes, bounds.timeout(timeout))
        bounds.took(len(found))
        return found

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        # A process that has just taken another's place has a connection waiting before it can say anything.
        patience = timeout if _bounds() is None else _left(None)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, patience))

    def get_extra_info(self, info: str) -> Any:
        # What can be read between two answers is the end of the connection: the pool asks so before each further use.
        return True if self._is_retired and info == "is_readable" else self._inner.get_extra_info(info)


def _left(timeout: float | None) -> float | None:
    bounds = _bounds()
    return timeout if bounds is None else bounds.timeout(timeout)


class _Backend(httpcore.NetworkBackend):
    """Opens such connections."""

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        if bounds := _bounds():
            bounds.opened = True
        return _Stream(self._inner.connect_tcp(host, port, _left(timeout), local_address, socket_options))


ERRORS: dict[type[Exception], type[httpx.TransportError]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
    httpcore.ProtocolError: httpx.ProtocolError,
    httpcore.TimeoutException: httpx.TimeoutException,
    httpcore.NetworkError: httpx.NetworkError,
}


# What the end of a connection looks like; time that runs out is none.
CLOSED = (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError)


@contextmanager
def _as_httpx() -> Iterator[None]:
    """Errors of the connection as httpx's own."""
    try:
        yield
    except tuple(ERRORS) as error:
        kind = next(kind for known, kind in ERRORS.items() if isinstance(error, known))
        raise kind(str(error)) from error


class _Body(httpx.SyncByteStream):
    """An answer's body as it comes in."""

    def __init__(self, stream: Iterable[bytes]) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            yield from self._stream

    def close(self) -> None:
        if isinstance(self._stream, Closable):
            self._stream.close()


@runtime_checkable
class Closable(Protocol):
    """Something that can be closed."""

    def close(self) -> None: ...


class BoundedTransport(httpx.BaseTransport):
    """A transport for httpx over such connections, kept alive between calls.

    Either side may close a connection that is kept at any time (RFC 9112 §9.5), so a call can meet one that has just been
    closed. It is then sent once more, over a new connection; whoever judges how often that happens reads `sent_again`.
    """

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._pool, self._new = (
            httpcore.ConnectionPool(
                ssl_context=tls, max_connections=100, max_keepalive_connections=kept, keepalive_expiry=5.0,
                network_backend=_Backend(),
            )
            for kept in (20, 0)
        )  # fmt: skip

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One request and the beginning of its answer; raises httpx.TransportError."""
        url = request.url
        asked = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _as_httpx():
            answer = self._send(asked)
        if not isinstance(answer.stream, Iterable):
            raise httpx.ProtocolError("an answer without a body that can be read")
        connection = answer.extensions.get("network_stream")
        if answer.status >= httpx.codes.INTERNAL_SERVER_ERROR and isinstance(connection, _Stream):
            # Servers close a connection whose handler broke, often only after they have written a traceback.
            connection.retire()
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer.stream), extensions=answer.extensions)

    def _send(self, asked: httpcore.Request) -> httpcore.Response:
        try:
            return self._pool.handle_request(asked)
        except CLOSED:
            bounds = _bounds()
            if bounds is None or not bounds.met_a_closed_connection or not isinstance(asked.stream, httpx.ByteStream):
                raise
            bounds.sent_again = True
            return self._new.handle_request(asked)

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()
        self._new.close()
