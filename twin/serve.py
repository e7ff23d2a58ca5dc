"""Runs one double: `python -m twin.serve NAME`, with TWIN_CONFIG naming the configuration file."""

from __future__ import annotations

import asyncio
import importlib
import ssl
import sys
from typing import Any

import uvicorn

from twin.clock import shift
from twin.config import TwinConfig, load

MODULES = {
    "supabase": "twin.doubles.supabase.application",
    "openai": "twin.doubles.openai",
    "llamaparse": "twin.doubles.llamaparse",
    "anthropic": "twin.doubles.anthropic",
    "render": "twin.doubles.render",
    "proxy": "twin.doubles.proxy",
}
# The double whose process serves the packages too, which saves a process.
BESIDE_THE_REGISTRY = "render"


def _application(config: TwinConfig, name: str, part: str) -> Any:
    """The double, with what its host puts in front of it: `behaviour.edge` by part."""
    app = importlib.import_module(MODULES[name]).create_app(config)
    if name == BESIDE_THE_REGISTRY:
        app = importlib.import_module("twin.doubles.registry").beside(app, config)
    if options := config.behaviour.get("edge", {}).get(part):
        from twin.doubles.edge import Edge, Options

        return Edge(app, Options(**options | {"repeated": tuple(options.get("repeated", ()))}))
    return app


def _server(config: TwinConfig, name: str) -> uvicorn.Server:
    """`behaviour.listen` by part may set host, keep_alive (s), and tls to 1.3 alone."""
    # The proxy listens on the API's port, with the API's certificate.
    part, suffix = ("api", "-api") if name == "proxy" else (name, "")
    listen = config.behaviour.get("listen", {}).get(part, {})
    # A proxy that only forwards leaves these two headers to the service.
    adds_headers = part != "api" or "proxy" in config.behaviour
    server = uvicorn.Config(
        _application(config, name, part),
        host=listen.get("host", "127.0.0.1"),
        port=config.ports[part],
        ssl_certfile=config.cert_file.replace("cert.pem", f"cert{suffix}.pem"),
        ssl_keyfile=config.key_file.replace("key.pem", f"key{suffix}.pem"),
        log_level="warning",
        timeout_keep_alive=listen.get("keep_alive", 75),
        timeout_graceful_shutdown=1,
        server_header=adds_headers and "edge" not in config.behaviour,
        date_header=adds_headers,
    )
    server.load()
    if listen.get("tls") == "1.3" and server.ssl is not None:
        server.ssl.minimum_version = ssl.TLSVersion.TLSv1_3
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
