"""Runs one double: `python -m twin.serve NAME`, with TWIN_CONFIG naming the configuration file."""

from __future__ import annotations

import asyncio
import importlib
import sys

import uvicorn

from twin.config import load
from twin.doubles import line

MODULES = {
    "supabase": "twin.doubles.supabase.application",
    "openai": "twin.doubles.openai",
    "llamaparse": "twin.doubles.llamaparse",
    "anthropic": "twin.doubles.anthropic",
    "render": "twin.doubles.render",
    "proxy": "twin.doubles.proxy",
}


def main(name: str) -> None:
    """Serve the named double over TLS until terminated."""
    config = load()
    if name == "line":
        asyncio.run(line.carry(config))
        return
    # The proxy listens on the API's port, with the API's certificate.
    part, suffix = ("api", "-api") if name == "proxy" else (name, "")
    app = importlib.import_module(MODULES[name]).create_app(config)
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=config.ports[part],
        ssl_certfile=config.cert_file.replace("cert.pem", f"cert{suffix}.pem"),
        ssl_keyfile=config.key_file.replace("key.pem", f"key{suffix}.pem"),
        log_level="warning",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main(sys.argv[1])
