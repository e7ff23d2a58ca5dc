"""An exchange that breaks is named for what broke: by the kind of the error, on a real connection."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from gate.failures import Failure
from gate.http import Service
from gate.session import Session
from tests.conftest import with_values
from tests.servers import accepting, answering

SECONDS = 0.5
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n"
Act = Callable[[socket.socket], None]


def broken(session: Session, url: str) -> Failure:
    """How asking ends."""
    with pytest.raises(Failure) as caught:
        Service(session, url, "api").get("/health", timeout=SECONDS)
    return caught.value


def said(failure: Failure) -> tuple[str, object]:
    """Its code and the kind of its error."""
    return failure.code, failure.observed["error"]


def silent(connection: socket.socket) -> None:
    """Say nothing until the other side gives up."""
    connection.recv(4096)
    connection.recv(4096)


def reset(connection: socket.socket) -> None:
    """Close without taking leave: TCP sends RST."""
    connection.recv(4096)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def closed(connection: socket.socket) -> None:
    """Close before a response."""
    connection.recv(4096)


def stalled(connection: socket.socket) -> None:
    """Begin a body, and stop."""
    connection.recv(4096)
    connection.sendall(HEAD + b'{"a":')
    connection.recv(4096)


def cut(connection: socket.socket) -> None:
    """Begin a body, and close."""
    connection.recv(4096)
    connection.sendall(HEAD + b'{"a":')


def no_http(connection: socket.socket) -> None:
    """Speak something else."""
    connection.recv(4096)
    connection.sendall(b"220 mail.example ESMTP\r\n\r\n")


@pytest.mark.parametrize(
    ("act", "code", "error"),
    [
        (silent, "http.no_answer", "timeout"),
        (reset, "http.reset", "connection broken"),
        (closed, "http.reset", "connection broken"),
        (no_http, "http.reset", "connection broken"),
        (stalled, "http.incomplete", "body stalled"),
        (cut, "http.incomplete", "body cut"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_broken_exchange_is_named(session: Session, act: Act, code: str, error: str) -> None:
    with accepting(act) as port:
        failure = broken(session, f"http://127.0.0.1:{port}")
    assert said(failure) == (code, error)
    assert (failure.subject, failure.component) == ("endpoint GET /health", "api")
    assert failure.exchange is not None
    assert (failure.exchange.status, failure.exchange.own) == (0, False)
    assert session.traffic.drain() == {"api endpoint GET /health": [1, 1, 0]}


@pytest.mark.parametrize("act", [stalled, cut], ids=["stalled", "cut"])
def test_what_came_of_a_body_is_a_fact(session: Session, act: Act) -> None:
    with accepting(act) as port:
        failure = broken(session, f"http://127.0.0.1:{port}")
    assert (failure.observed["status"], failure.observed["bytes"]) == (200, 5)


def test_a_closed_port_is_refused(session: Session) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert said(broken(session, f"http://127.0.0.1:{port}")) == ("http.unreachable", "connection refused")


def test_a_host_that_no_name_server_knows(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert said(broken(session, "http://no-such-host.invalid")) == ("http.unreachable", "unknown host")


def test_a_full_queue_of_connections_is_unreachable(session: Session) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        failure = broken(session, f"http://127.0.0.1:{listener.getsockname()[1]}")
        for one in waiting:
            one.close()
    assert said(failure) == ("http.unreachable", "no connection")


# ── TLS ──────────────────────────────────────────────────────────────────────────────────────────────────
def tls(session: Session, folder: Path, host: str, is_trusted: bool) -> Failure:
    """How asking a TLS server ends, whose certificate is for this host."""
    authority, trusted = trustme.CA(), trustme.CA()
    (authority if is_trusted else trusted).cert_pem.write_to_path(folder / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)

    def act(connection: socket.socket) -> None:
        context.wrap_socket(connection, server_side=True).close()

    with accepting(act) as port:
        found = with_values(session, HARNESS_CA_FILE=str(folder / "ca.pem"))
        try:
            return broken(found, f"https://127.0.0.1:{port}")
        finally:
            found.close()


@pytest.mark.parametrize(("host", "is_trusted", "verify_code"), [("other.example", True, 64), ("127.0.0.1", False, 20)])
def test_a_certificate_that_cannot_be_trusted(
    session: Session, tmp_path: Path, host: str, is_trusted: bool, verify_code: int
) -> None:
    failure = tls(session, tmp_path, host, is_trusted)
    assert said(failure) == ("tls.certificate", "certificate")
    assert failure.observed["verify_code"] == verify_code


def test_a_server_that_speaks_no_tls(session: Session) -> None:
    with answering(lambda *_: (200, {})) as url:
        failure = broken(session, url.replace("http:", "https:"))
    assert said(failure) == ("tls.certificate", "handshake")


# ── One break explains the next ──────────────────────────────────────────────────────────────────────────
def test_every_request_is_counted_with_its_failures(session: Session) -> None:
    answers = iter([200, 502, 200])
    with answering(lambda *_: (next(answers), {})) as url:
        for _ in range(3):
            Service(session, url, "api").get("/health")
    assert session.traffic.drain() == {"api endpoint GET /health": [3, 1, 2]}
    assert session.traffic.drain() == {}


def test_counts_of_several_threads_add_up(session: Session) -> None:
    def ask() -> None:
        for _ in range(50):
            session.traffic.note("e", "api", 0)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert session.traffic.drain() == {"api e": [200, 200, 0]}


@pytest.mark.parametrize(("status", "connections"), [(b"500 Internal Server Error", 3), (b"200 OK", 1)])
def test_a_connection_is_not_used_again_after_a_server_error(session: Session, status: bytes, connections: int) -> None:
    """A server whose handler broke closes the connection after it has written its log, while the next request is on its way."""
    seen: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        seen.append(connection)
        # The last one is kept alive.
        connection.settimeout(SECONDS)
        while connection.recv(4096):
            connection.sendall(b"HTTP/1.1 " + status + b"\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")

    with accepting(serve) as port:
        service = Service(session, f"http://127.0.0.1:{port}", "api")
        assert [service.get("/health", timeout=SECONDS).status for _ in range(3)] == [int(status[:3])] * 3
    assert len(seen) == connections
