"""Starts the API: `uvicorn main:app`, or without a server in front `python -m main --port 8000`."""

from __future__ import annotations

import argparse
import logging
import os
import ssl

from aiohttp import web
from api.bridge import Bridge
from api.server import make_app
from api.settings import Settings
from api.uploads import MAX_BYTES


def _from_environment() -> web.Application:
    return make_app(Settings.from_environment(os.environ))


app = Bridge(_from_environment, most_bytes=MAX_BYTES)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="main", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--certificate", help="serve TLS with this certificate chain")
    parser.add_argument("--key", help="the certificate's private key")
    return parser.parse_args()


def _tls(certificate: str | None, key: str | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


def main() -> None:
    """Serve until terminated; a missing variable ends the process at once."""
    arguments = _arguments()
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "INFO"), format="%(levelname)s %(name)s %(message)s")
    settings = Settings.from_environment(os.environ)
    web.run_app(
        make_app(settings),
        host=arguments.host,
        port=arguments.port,
        ssl_context=_tls(arguments.certificate, arguments.key),
        keepalive_timeout=settings.keep_alive,
        shutdown_timeout=1,
        access_log=None,
        print=None,
    )


if __name__ == "__main__":
    main()
