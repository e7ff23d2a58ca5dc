"""Health and version of this deployment."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import asyncpg
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from .database import UNAVAILABLE
from .settings import Settings

router = APIRouter()
CHECK_SECONDS = 5
UNHEALTHY: dict[int | str, dict[str, str]] = {503: {"description": "A check fails; the body has the same format"}}


async def _database(request: Request) -> dict[str, Any]:
    started = time.perf_counter()
    try:
        await request.app.state.pool.fetchval("SELECT count(*) FROM clinics", timeout=CHECK_SECONDS)
    except (*UNAVAILABLE, asyncpg.PostgresError) as error:
        return {"status": "failing", "reason": type(error).__name__}
    return {"status": "ok", "latency_ms": round((time.perf_counter() - started) * 1000, 2)}


@router.get("/healthz", responses=UNHEALTHY)
@router.head("/healthz", responses=UNHEALTHY)
async def healthz(request: Request) -> JSONResponse:
    """Queries the database now; 503 when that fails."""
    settings: Settings = request.app.state.settings
    checks = {"database": await _database(request)}
    healthy = all(check["status"] == "ok" for check in checks.values())
    body = {
        "status": "ok" if healthy else "failing",
        "checked_at": datetime.now(UTC).isoformat(),
        "release": settings.release,
        "checks": checks,
    }
    return JSONResponse(body, status_code=200 if healthy else 503, headers={"Cache-Control": "no-store"})


@router.get("/version")
async def version(request: Request) -> dict[str, str]:
    """The release, and the environment that it runs in."""
    settings: Settings = request.app.state.settings
    return {
        "service": "clinic-directory",
        "version": settings.release,
        "commit": settings.commit,
        "environment": settings.environment,
    }
