"""The FastAPI application: middleware, state and routes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from . import appointments, clinics, status
from .database import UNAVAILABLE, open_pool
from .middleware import BodyLimit, Trace
from .settings import Settings


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = [{"loc": list(item["loc"]), "msg": item["msg"], "type": item["type"]} for item in error.errors()]
    return JSONResponse({"detail": found}, status_code=422)


async def _unavailable(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": "the database is unavailable"}, status_code=503)


def create_app(settings: Settings) -> FastAPI:
    """The service for these settings; it opens its pool on start-up and closes it on shutdown."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.pool = await open_pool(settings)
        yield
        await app.state.pool.close()

    app = FastAPI(title="Clinic Directory", version=settings.release, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.settings = settings
    for router in (status.router, clinics.create_router(settings), appointments.router):
        app.include_router(router)
    app.add_exception_handler(RequestValidationError, _invalid)
    for kind in UNAVAILABLE:
        app.add_exception_handler(kind, _unavailable)
    app.add_middleware(BodyLimit, limit=settings.request_limit_bytes)
    own_host = urlsplit(settings.base_url).hostname or "localhost"
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*settings.hosts, own_host])
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(settings.origins),
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "X-Correlation-ID"],
        expose_headers=["X-Correlation-ID", "X-Elapsed-Seconds"],
    )
    app.add_middleware(Trace)
    return app
