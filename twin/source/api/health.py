"""Liveness, health of the dependencies, and the status page."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any

import httpx
from backend.shared.config import Config
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

router = APIRouter()
log = logging.getLogger("api")
CACHE_SECONDS = 30.0
_cache: dict[str, Any] = {}


def _now() -> str:
    return datetime.now(UTC).isoformat()


@router.get("/")
@router.head("/")
async def root(request: Request) -> dict[str, str]:
    """Name and version of the service."""
    return {"service": "insurance-navigator-api", "version": request.app.state.config.version}


async def _database(request: Request) -> dict[str, Any]:
    await request.app.state.pool.fetchval("SELECT 1", timeout=5)
    return {"status": "healthy", "healthy": True, "last_check": _now(), "error": None}


async def _supabase_auth(request: Request) -> str:
    config: Config = request.app.state.config
    client: httpx.AsyncClient = request.app.state.client.http
    reply = await client.get(f"{config.supabase_url}/auth/v1/health", headers={"apikey": config.anon_key})
    return "healthy" if reply.status_code == 200 else f"error: status {reply.status_code}"


async def _vendor(request: Request, key: str, url: str) -> str:
    if not key:
        return "not_configured"
    client: httpx.AsyncClient = request.app.state.client.http
    reply = await client.get(url, headers={"Authorization": f"Bearer {key}"}, timeout=5)
    return "healthy" if reply.status_code == 200 else f"error: status {reply.status_code}"


async def _rag(request: Request) -> dict[str, Any]:
    schema = request.app.state.config.schema
    await request.app.state.pool.fetchval(f"SELECT count(*) FROM {schema}.document_chunks LIMIT 1", timeout=5)
    return {"status": "healthy", "healthy": True, "last_check": _now(), "error": None}


async def _guarded(check: Awaitable[Any]) -> Any:
    try:
        return await asyncio.wait_for(check, timeout=8)
    except Exception as error:
        log.warning("a health check failed: %r", error)
        return f"error: {type(error).__name__}"


def _is_healthy(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(value.get("healthy"))
    return value in ("healthy", "not_configured")


async def collect(request: Request) -> dict[str, Any]:
    """Check every dependency now."""
    config: Config = request.app.state.config
    names = ("database", "supabase_auth", "openai", "llamaparse", "rag")
    values = await asyncio.gather(
        _guarded(_database(request)),
        _guarded(_supabase_auth(request)),
        _guarded(_vendor(request, config.openai_key, f"{config.openai_url}/models")),
        _guarded(_vendor(request, config.llamaparse_key, f"{config.llamaparse_url}/api/v1/projects")),
        _guarded(_rag(request)),
    )
    services = dict(zip(names, values, strict=True))
    healthy = all(_is_healthy(value) for value in services.values())
    if not healthy:
        log.warning("unhealthy: %s", {name: value for name, value in services.items() if not _is_healthy(value)})
    return {
        "status": "healthy" if healthy else "degraded",
        "timestamp": _now(),
        "version": config.version,
        "services": services,
    }


def _with_circuits(request: Request, body: dict[str, Any]) -> dict[str, Any]:
    """The body with the states of the circuits now, which cost nothing to know, and what is degraded by them."""
    degraded = request.app.state.degradation.degraded()
    status = "degraded" if degraded else body["status"]
    return {**body, "status": status, "circuits": request.app.state.client.calls.shown(), "degraded": degraded}


@router.get("/health")
@router.head("/health")
async def health(request: Request) -> Response:
    """Health of the service; checked again when the cached body is older than 30 s."""
    try:
        age = time.monotonic() - _cache.get("at", float("-inf"))
        if age > CACHE_SECONDS / request.app.state.config.speedup:
            _cache.update(body=await collect(request), at=time.monotonic())
        body = _cache["body"]
        return JSONResponse(_with_circuits(request, body))
    except Exception as error:
        log.exception("the health cannot be checked")
        body = {"status": "error", "timestamp": _now(), "services": {}, "error": type(error).__name__}
        return JSONResponse(body, status_code=500)


@router.get("/api/v1/status")
async def status(request: Request) -> dict[str, Any]:
    """Version, environment and database of this deployment."""
    config: Config = request.app.state.config
    database = await _guarded(_database(request))
    return {
        "status": "ok" if _is_healthy(database) else "degraded",
        "timestamp": _now(),
        "version": config.version,
        "commit": config.commit,
        "database": "connected" if _is_healthy(database) else "disconnected",
        "environment": config.environment,
    }
