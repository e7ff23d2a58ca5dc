"""Runs one double: `python -m twin.serve NAME`, with TWIN_CONFIG naming the configuration file."""

from __future__ import annotations

import importlib
import sys

import uvicorn

from twin.config import load

MODULES = {
    "supabase": "twin.doubles.supabase.application",
    "openai": "twin.doubles.openai",
    "llamaparse": "twin.doubles.llamaparse",
    "anthropic": "twin.doubles.anthropic",
    "render": "twin.doubles.render",
}


def main(name: str) -> None:
    """Serve the named double over TLS until terminated."""
    config = load()
    app = importlib.import_module(MODULES[name]).create_app(config)
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=config.ports[name],
        ssl_certfile=config.cert_file,
        ssl_keyfile=config.key_file,
        log_level="warning",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main(sys.argv[1])
