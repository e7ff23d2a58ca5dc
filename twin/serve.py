"""Runs one double: `python -m twin.serve NAME`, with TWIN_CONFIG naming the configuration file."""

from __future__ import annotations

import asyncio
import importlib
import ssl
import sys
import warnings
from pathlib import Path
from typing import Any

import uvicorn

from twin.certificates import of
from twin.clock import shift
from twin.config import TwinConfig, load
from twin.doubles.disturbed import disturb

MODULES = {
    "supabase": "twin.doubles.supabase.application",
    "openai": "twin.doubles.openai",
    "llamaparse": "twin.doubles.llamaparse",
    "anthropic": "twin.doubles.anthropic",
    "render": "twin.doubles.render",
    "proxy": "twin.doubles.proxy",
    "plain": "twin.doubles.plain",
}
# The double whose process serves the packages too, which saves a process.
BESIDE_THE_REGISTRY = "render"

VERSIONS = {"1.0": ssl.TLSVersion.TLSv1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
# SSL_OP_ALLOW_CLIENT_RENEGOTIATION, which Python has no name for before 3.12.
ALLOW_CLIENT_RENEGOTIATION = 0x100
HSTS = "max-age=31536000; includeSubDomains"


def _application(config: TwinConfig, name: str, part: str) -> Any:
    """The double, with what its host puts in front of it: `behaviour.edge` by part."""
    app = importlib.import_module(MODULES[name]).create_app(config)
    if config.behind:
        disturb(app, name, Path(config.folder))
    if name == BESIDE_THE_REGISTRY:
        app = importlib.import_module("twin.doubles.registry").beside(app, config)
    if options := config.behaviour.get("edge", {}).get(part):
        from twin.doubles.edge import Edge, Options

        return Edge(app, Options(**options | {"repeated": tuple(options.get("repeated", ()))}))
    return app


def _own(part: str, file: str) -> str:
    """A part's own certificate or key, or the one that all parts use."""
    own = of(part, file)
    return own if Path(own).exists() else file


def _of_the_host(config: TwinConfig, part: str) -> list[tuple[str, str]]:
    """What Supabase's gateway adds to every answer, unless an edge in front of it does."""
    is_edged = part in config.behaviour.get("edge", {})
    return [("strict-transport-security", HSTS)] if part == "supabase" and not is_edged else []


def _with_ciphers(ciphers: str, cert_file: str, key_file: str) -> ssl.SSLContext:
    """A server's TLS with these ciphers, and so with the certificates that they allow."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(ciphers)
    context.load_cert_chain(cert_file, key_file)
    return context


def _speak(context: ssl.SSLContext, listen: dict[str, Any]) -> None:
    """`tls` is the oldest version, `newest` the newest; `renegotiates` lets clients have their wish."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        if version := VERSIONS.get(listen.get("tls", "")):
            context.minimum_version = version
        if version := VERSIONS.get(listen.get("newest", "")):
            context.maximum_version = version
    if listen.get("renegotiates"):
        context.options |= ALLOW_CLIENT_RENEGOTIATION


def _server(config: TwinConfig, name: str) -> uvicorn.Server:
    """`behaviour.listen` by part may set host, keep_alive (s), and what `_speak` reads."""
    # The proxy listens on the API's port, with the API's certificate.
    part = "api" if name == "proxy" else name
    listen = config.behaviour.get("listen", {}).get(part, {})
    own = _own(part, config.cert_file), _own(part, config.key_file)
    # uvicorn would refuse a certificate that only other ciphers allow.
    files = (config.cert_file, config.key_file) if "ciphers" in listen else own
    # A proxy that only forwards leaves these two headers to the service.
    adds_headers = part != "api" or "proxy" in config.behaviour
    server = uvicorn.Config(
        _application(config, name, part),
        host=config.behind.get(part) or listen.get("host", "127.0.0.1"),
        port=config.ports[part],
        ssl_certfile=None if name == "plain" else files[0],
        ssl_keyfile=None if name == "plain" else files[1],
        log_level="warning",
        timeout_keep_alive=listen.get("keep_alive", 75),
        timeout_graceful_shutdown=1,
        server_header=adds_headers and "edge" not in config.behaviour,
        date_header=adds_headers,
        headers=_of_the_host(config, part),
    )
    server.load()
    if server.ssl is not None:
        if "ciphers" in listen:
            server.ssl = _with_ciphers(listen["ciphers"], *own)
        _speak(server.ssl, listen)
    return uvicorn.Server(server)


def main(name: str) -> None:
    """Serve the named double over TLS until terminated."""
    config = load()
    if seconds := config.behaviour.get("clock", {}).get(name):
        shift(seconds)
    if name == "line":
        asyncio.run(importlib.import_module("twin.doubles.line").carry(config))
        return
    _server(config, name).run()


if __name__ == "__main__":
    main(sys.argv[1])
