"""What every request passes first: trusted hosts, CORS, request ids, times, and errors turned into responses."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Awaitable, Callable

import asyncpg
from aiohttp import web

from api.errors import ApiError, unauthorized
from api.settings import Settings

LOG = logging.getLogger("api")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SETTINGS = web.AppKey("settings", Settings)
GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
ALLOWED_METHODS = "GET, HEAD, POST, PUT, OPTIONS"
ALLOWED_HEADERS = "Authorization, Content-Type, X-Request-ID"
UNREACHABLE = (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError)
REFUSING = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.TooManyConnectionsError, asyncpg.CannotConnectNowError)


def _is_trusted(host: str, trusted: tuple[str, ...]) -> bool:
    name = re.sub(r":\d*$", "", host).lower()
    return any(name.endswith(entry[1:]) if entry.startswith("*") else name == entry for entry in trusted if entry)


def _preflight(request: web.Request, origins: frozenset[str]) -> web.Response:
    if request.headers["Origin"] not in origins:
        raise ApiError(403, "origin_refused", "this origin may not call the API")
    headers = {
        "Access-Control-Allow-Methods": ALLOWED_METHODS,
        "Access-Control-Allow-Headers": ALLOWED_HEADERS,
        "Access-Control-Max-Age": "600",
    }
    return web.Response(status=204, headers=headers)


def _of_framework(error: web.HTTPException) -> web.Response:
    code = re.sub(r"[^a-z]+", "_", error.reason.lower()).strip("_")
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    return ApiError(error.status, code, f"{error.reason}.", **headers).response()


async def _handled(request: web.Request, handler: Handler) -> web.StreamResponse:
    settings = request.app[SETTINGS]
    try:
        if not _is_trusted(request.host, settings.hosts):
            raise ApiError(400, "untrusted_host", "this host is not served here")
        is_preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        if is_preflight and "Origin" in request.headers:
            return _preflight(request, settings.origins)
        return await handler(request)
    except ApiError as error:
        return error.response()
    except web.HTTPException as error:
        return unauthorized().response() if error.status == 401 else _of_framework(error)
    except (*UNREACHABLE, *REFUSING) as error:
        LOG.error("%s %s: %s", request.method, request.path, type(error).__name__)
        return ApiError(503, "unavailable", "the database cannot be reached", Retry_After="5").response()
    except Exception:
        LOG.exception("%s %s", request.method, request.path)
        return ApiError(500, "internal", "the request could not be completed").response()


@web.middleware
async def edge(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost layer."""
    request["started"] = time.perf_counter()
    return await _handled(request, handler)


async def sign(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers that every response carries."""
    given = request.headers.get("X-Request-ID", "")
    response.headers["X-Request-ID"] = given if GIVEN_ID.fullmatch(given) else uuid.uuid4().hex
    response.headers["X-Process-Time"] = f"{time.perf_counter() - request.get('started', time.perf_counter()):.6f}"
    response.headers["Server"] = "navigator"
    response.headers["Vary"] = "Origin"
    response.headers.setdefault("Cache-Control", "no-store")
    origin = request.headers.get("Origin")
    if origin in request.app[SETTINGS].origins:
        response.headers["Access-Control-Allow-Origin"] = str(origin)
        response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers["Access-Control-Expose-Headers"] = "X-Request-ID, X-Process-Time"
