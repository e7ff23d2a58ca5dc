"""TLS as the gate sees it: a server that still speaks TLS 1.0 is noticed."""

import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from fixtures.tls import Tls
from gate.session import Session
from tests.conftest import with_values


@pytest.fixture(params=[True, False], ids=["old-protocols", "current-protocols"])
def server(request: pytest.FixtureRequest, tmp_path: Path, session: Session) -> Iterator[tuple[Session, bool]]:
    """A TLS server on loopback, with or without the old protocols."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    if request.param:
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            try:
                context.wrap_socket(raw, server_side=True).close()
            except OSError:
                raw.close()

    threading.Thread(target=serve, daemon=True).start()
    address = f"https://127.0.0.1:{listener.getsockname()[1]}"
    yield with_values(session, API_BASE_URL=address, HARNESS_CA_FILE=str(tmp_path / "ca.pem")), request.param
    listener.close()


def test_old_protocols_are_noticed(server: tuple[Session, bool]) -> None:
    session, old = server
    assert Tls(session).accepts("TLSv1") is old
    assert Tls(session).certificate()
    assert Tls(session).version() in ("TLSv1.2", "TLSv1.3")
