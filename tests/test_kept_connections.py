"""A kept connection that was closed meanwhile costs nothing; a new one that breaks is a failure."""

import socket
import ssl
import threading
from collections.abc import Iterator

import httpx
import pytest

from gate.bounded import BoundedTransport
from gate.client import make_client
from gate.exchange import Received, exchange

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
SECONDS = 5.0


class Server:
    """Answers so many calls on each connection, and closes it under the next one."""

    def __init__(self, answered: list[int]) -> None:
        self._answered = answered
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.calls = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        for number in self._answered:
            taken, _ = self._socket.accept()
            with taken:
                for _ in range(number):
                    self._take(taken)
                    taken.sendall(ANSWER)
                self._take(taken)

    def _take(self, taken: socket.socket) -> None:
        asked = b""
        while b"\r\n\r\n" not in asked and (more := taken.recv(65536)):
            asked += more
        self.calls += bool(asked)

    def close(self) -> None:
        """Take no more connections."""
        self._socket.close()


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """A client as the gate's services have it."""
    transport = BoundedTransport(ssl.create_default_context())
    with make_client(transport) as made:
        yield made


def ask(client: httpx.Client, server: Server) -> Received:
    """One call without a body."""
    return exchange(client, "POST", f"http://127.0.0.1:{server.port}/", SECONDS, content=b"")


def test_a_call_over_a_closed_connection_is_sent_again_over_a_new_one(client: httpx.Client) -> None:
    server = Server([1, 1])
    assert not ask(client, server).sent_again
    second = ask(client, server)
    server.close()
    assert (second.status, second.sent_again, server.calls) == (200, True, 3)


@pytest.mark.parametrize("answered", [[0], [1, 0]], ids=["the first call", "and the one that was sent again"])
def test_a_new_connection_that_breaks_is_an_error(client: httpx.Client, answered: list[int]) -> None:
    server = Server(answered)
    for _ in answered[1:]:
        ask(client, server)
    with pytest.raises(httpx.RemoteProtocolError):
        ask(client, server)
    server.close()
    assert server.calls == sum(answered) + len(answered)


def test_a_body_that_cannot_be_sent_twice_is_not(client: httpx.Client) -> None:
    server = Server([1, 1])
    ask(client, server)
    with pytest.raises(httpx.TransportError):
        exchange(client, "POST", f"http://127.0.0.1:{server.port}/", SECONDS, content=iter([b"a", b"b"]))  # type: ignore[arg-type]
    server.close()
