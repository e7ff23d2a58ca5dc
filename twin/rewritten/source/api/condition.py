"""How the service and what it depends on are."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

import asyncpg
from aiohttp import web

from api.context import POOL, UPSTREAM, moment
from api.edge import SETTINGS

routes = web.RouteTableDef()
DATABASE_SECONDS = 5.0
CHECKED = web.AppKey("checked", dict[str, Any])
# Every check asks four vendors: callers who come together share one.
FRESH_SECONDS = 2.0


async def _database(pool: asyncpg.Pool) -> str:
    try:
        async with asyncio.timeout(DATABASE_SECONDS):
            await pool.fetchval("SELECT 1 FROM upload_pipeline.documents LIMIT 1")
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return f"error: {type(error).__name__}"
    return "healthy"


async def _services(app: web.Application) -> dict[str, dict[str, Any]]:
    settings, upstream = app[SETTINGS], app[UPSTREAM]
    llamaparse = f"{settings.llamaparse_url}/api/v1/projects"
    states = await asyncio.gather(
        _database(app[POOL]),
        upstream.probe("auth", f"{settings.supabase_url}/auth/v1/health", apikey=settings.anon_key),
        upstream.probe("openai", f"{settings.openai_url}/models", Authorization=f"Bearer {settings.openai_key}"),
        upstream.probe("llamaparse", llamaparse, Authorization=f"Bearer {settings.llamaparse_key}"),
    )
    database, auth, openai, parse = states
    rag = next((state for state in (database, openai) if state != "healthy"), "healthy")
    now = moment(datetime.now(UTC))
    named = {"database": database, "supabase_auth": auth, "openai": openai, "llamaparse": parse, "rag": rag}
    return {name: _service(state, now) for name, state in named.items()}


def _service(state: str, now: str) -> dict[str, Any]:
    is_healthy = state == "healthy"
    short = "healthy" if is_healthy else "error"
    return {"healthy": is_healthy, "status": short, "error": None if is_healthy else state, "last_check": now}


async def _check(app: web.Application) -> dict[str, Any]:
    services = await _services(app)
    is_healthy = all(service["healthy"] for service in services.values())
    return {
        "status": "healthy" if is_healthy else "degraded",
        "version": app[SETTINGS].version,
        "timestamp": moment(datetime.now(UTC)),
        "services": services,
    }


@routes.get("/health")
async def health(request: web.Request) -> web.Response:
    """The service's health; 500 when it cannot be determined."""
    checked = request.app[CHECKED]
    try:
        async with checked["lock"]:
            if time.monotonic() - checked["at"] > FRESH_SECONDS:
                checked.update(body=await _check(request.app), at=time.monotonic())
    except Exception:
        now = moment(datetime.now(UTC))
        version = request.app[SETTINGS].version
        return web.json_response({"status": "error", "version": version, "timestamp": now, "services": {}}, status=500)
    return web.json_response(checked["body"])


@routes.get("/api/v1/status")
async def status(request: web.Request) -> web.Response:
    """The release and its database."""
    database = await _database(request.app[POOL])
    body = {
        "status": "operational" if database == "healthy" else "degraded",
        "environment": request.app[SETTINGS].environment,
        "version": request.app[SETTINGS].version,
        "database": database,
        "timestamp": moment(datetime.now(UTC)),
    }
    return web.json_response(body)


@routes.get("/")
async def root(request: web.Request) -> web.Response:
    """A greeting."""
    return web.json_response({"service": "insurance-navigator", "version": request.app[SETTINGS].version})


def fresh() -> dict[str, Any]:
    """The state before the first check."""
    return {"lock": asyncio.Lock(), "at": float("-inf"), "body": {}}
