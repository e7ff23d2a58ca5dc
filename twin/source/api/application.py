"""The FastAPI application: middleware, state and routes."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from backend.shared.config import Config
from backend.shared.database import OUTAGES, open_pool
from backend.shared.degradation import Capability, DegradationManager
from backend.shared.logs import REQUEST_ID
from backend.shared.storage import Storage
from backend.shared.vendors import Vendors
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import auth, chat, health, jobs, uploads, webhook
from api.chat import load_fallback
from api.description import describe
from api.request_log import RequestLog

log = logging.getLogger("api")
TRUSTED_HOSTS = ("staging.accessa.ai", "staging-app.accessa.ai", "staging-admin.accessa.ai", "*.render.com")
VENDOR_SECONDS = 30.0
# What the API offers, by the circuits that it relies on.
CAPABILITIES = {
    "retrieval": Capability(needs=["openai.embeddings"]),
    "chat": Capability(needs=["openai.embeddings"], either=["openai.chat", "anthropic"]),
    "uploads": Capability(needs=["storage.sign"]),
    "callbacks": Capability(needs=["storage.write"]),
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class RequestHeaders:
    """Adds X-Request-ID and X-Process-Time (seconds) to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add the headers to its response."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        request_id = given if 0 < len(given) <= 64 and given.isprintable() else str(uuid.uuid4())
        REQUEST_ID.set(request_id)

        async def mark(message: Message) -> None:
            if message["type"] == "http.response.start":
                spent = f"{time.perf_counter() - started:.6f}"
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                    (b"x-process-time", spent.encode()),
                ]
            await send(message)

        await self.app(scope, receive, mark)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code >= 500:
        log.error("%s: %r", error.detail, error.__cause__)
    body = error.detail if isinstance(error.detail, dict) else {"detail": error.detail}
    return JSONResponse(body, status_code=error.status_code, headers=error.headers)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    # FastAPI's own list also contains the input, which may be a password.
    assert isinstance(error, RequestValidationError)
    found = [{"loc": list(item["loc"]), "msg": item["msg"], "type": item["type"]} for item in error.errors()]
    return JSONResponse({"detail": found}, status_code=422)


async def _broken(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "internal error"}, status_code=500)


async def _no_database(_: Request, error: Exception) -> JSONResponse:
    log.error("the database does not serve: %r", error)
    return JSONResponse({"detail": "temporarily unavailable"}, status_code=503, headers={"Retry-After": "1"})


async def _other_method(request: Request, _: Exception) -> JSONResponse:
    # Starlette lists the methods of the first route only that has this path.
    def is_allowed(method: str) -> bool:
        return any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in request.app.routes)

    allowed = ", ".join(filter(is_allowed, METHODS))
    return JSONResponse({"detail": "Method Not Allowed"}, status_code=405, headers={"Allow": allowed})


def create_app(config: Config) -> FastAPI:
    """The service for this configuration; it opens its pool on start-up and closes it on shutdown."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.client = Vendors(config, VENDOR_SECONDS)
        app.state.storage = Storage(app.state.client)
        app.state.degradation = DegradationManager(app.state.client.calls, CAPABILITIES)
        # The first question that needs the fallback would wait for its client longer than a question may take.
        app.state.loading = asyncio.create_task(load_fallback(app.state.client, config))
        app.state.pool = await open_pool(config)
        yield
        await app.state.pool.close()
        await app.state.client.close()

    app = FastAPI(title="Insurance Navigator API", version=config.version, lifespan=lifespan)
    app.state.config = config
    for module in (health, auth, uploads, jobs, webhook, chat):
        app.include_router(module.router)
    describe(app)
    app.add_exception_handler(405, _other_method)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    for outage in OUTAGES:
        app.add_exception_handler(outage, _no_database)
    app.add_exception_handler(Exception, _broken)
    own_host = urlsplit(config.api_base_url).hostname or "localhost"
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*TRUSTED_HOSTS, own_host])
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(config.cors_origins),
        allow_credentials=True,
        allow_methods=["GET", "POST", "PUT", "DELETE", "OPTIONS"],
        allow_headers=["Authorization", "Content-Type", "X-Request-ID"],
        expose_headers=["X-Request-ID", "X-Process-Time"],
    )
    app.add_middleware(RequestLog)
    app.add_middleware(RequestHeaders)
    return app
