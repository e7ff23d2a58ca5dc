"""TLS as the gate sees it: a server that still speaks TLS 1.0 is noticed."""

import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from fixtures.network import Tls
from gate.run import Run


@pytest.fixture(params=[True, False], ids=["old-protocols", "current-protocols"])
def server(request: pytest.FixtureRequest, tmp_path: Path, run: Run) -> Iterator[tuple[Run, bool]]:
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
    values = run.values | {
        "API_BASE_URL": f"https://127.0.0.1:{listener.getsockname()[1]}",
        "HARNESS_CA_FILE": str(tmp_path / "ca.pem"),
    }
    yield replace(run, values=values), request.param
    listener.close()


def test_old_protocols_are_noticed(server: tuple[Run, bool]) -> None:
    run, old = server
    assert Tls(run).accepts("TLSv1") is old
    assert Tls(run).problem() is None
    assert Tls(run).version() in ("TLSv1.2", "TLSv1.3")
