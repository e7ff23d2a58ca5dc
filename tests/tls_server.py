"""A TLS server on loopback that accepts every handshake that it can, and says nothing."""

from __future__ import annotations

import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import trustme

from fixtures.handshake import Place

EVERYTHING = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
VERSIONS = {"1.0": ssl.TLSVersion.TLSv1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@contextmanager
def serving(certificate: trustme.LeafCert, *, ciphers: str = "", oldest: str = "", newest: str = "") -> Iterator[Place]:
    """Where it listens, for the length of the block."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if ciphers:
        context.set_ciphers(ciphers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        if oldest:
            context.minimum_version = VERSIONS[oldest]
        if newest:
            context.maximum_version = VERSIONS[newest]
    certificate.configure_cert(context)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            raw.settimeout(5)
            threading.Thread(target=_greet, args=(raw, context), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield Place("127.0.0.1", listener.getsockname()[1])
    finally:
        listener.close()


def _greet(raw: socket.socket, context: ssl.SSLContext) -> None:
    try:
        with context.wrap_socket(raw, server_side=True) as secured:
            secured.recv(1024)
    except OSError:
        raw.close()
