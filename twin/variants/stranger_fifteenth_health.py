"""Variants by somebody who has not read the checks, fifteenth time: a health page that is ahead."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.stranger_twelfth import rewrite

APPLICATION = "api/application.py"
HEALTH = "api/health.py"

REFRESHED = '''async def _refresh(request: Request) -> None:
    """Check everything once, however many ask at the same time."""
    seen = _cache.get("at")
    async with _lock:
        if _cache.get("at") == seen:
            _cache.update(body=await collect(request), at=time.monotonic())


async def _refresh_behind(request: Request) -> None:
    try:
        await _refresh(request)
    except Exception:
        log.exception("the health cannot be checked ahead")


async def _fresh(request: Request) -> dict[str, Any]:
    """What is not older than the cache allows; from half of that age on it is checked again behind the answer."""
    age = time.monotonic() - _cache.get("at", float("-inf"))
    longest = CACHE_SECONDS / request.app.state.config.speedup
    if age > longest:
        await _refresh(request)
    elif age > longest / 2 and not _lock.locked():
        task = asyncio.create_task(_refresh_behind(request))
        _behind.add(task)
        task.add_done_callback(_behind.discard)
    return dict(_cache["body"])


@router.get("/health")
'''
TIMED = """async def _guarded(check: Awaitable[Any]) -> Any:
    started = time.perf_counter()
    try:
        found = await asyncio.wait_for(check, timeout=8)
    except Exception as error:
        log.warning("a health check failed: %r", error)
        found = f"error: {type(error).__name__}"
    if found == "not_configured":
        return found
    reason = found if isinstance(found, str) and found != "healthy" else None
    spent = round((time.perf_counter() - started) * 1000, 1)
    state = "unhealthy" if reason else "healthy"
    return {"status": state, "healthy": not reason, "last_check": _now(), "error": reason, "latency_ms": spent}


"""


@variant("M107", "the health is checked once for all that ask, and ahead of time; every service is an object; two pools")
def health_ahead(plan: Plan) -> None:
    rewrite(plan, HEALTH, "async def _guarded(", "def _is_healthy", TIMED)
    plan.replace_in_source(HEALTH, '@router.get("/health")\n', REFRESHED)
    rewrite(
        plan,
        HEALTH,
        '        age = time.monotonic() - _cache.get("at", float("-inf"))\n        if age',
        "        return JSONResponse(_with_circuits",
        "        body = await _fresh(request)\n",
    )
    plan.replace_in_source(
        HEALTH,
        "_cache: dict[str, Any] = {}\n",
        "_cache: dict[str, Any] = {}\n_lock = asyncio.Lock()\n_behind: set[asyncio.Task[None]] = set()\n",
    )
    # What only looks does not wait for connections behind those that work.
    plan.replace_in_source(HEALTH, "request.app.state.pool.", "request.app.state.watching.")
    plan.replace_in_source(
        APPLICATION,
        "        app.state.pool = await open_pool(config)\n        yield\n",
        "        app.state.pool = await open_pool(config, size=6)\n"
        "        app.state.watching = await open_pool(config, size=2)\n        yield\n"
        "        await app.state.watching.close()\n",
    )
