"""Turns refusals and database errors into Supabase's error responses."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable

import asyncpg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles.supabase.project import Refused

Handler = Callable[[Request], Awaitable[Response]]


def with_error_responses(handler: Handler) -> Handler:
    """Wrap a handler so that its errors become responses with Supabase's error body."""

    @functools.wraps(handler)
    async def wrapped(request: Request) -> Response:
        await asyncio.sleep(request.app.state.delay)
        try:
            return await handler(request)
        except Refused as error:
            return failure(error.status, error.message, error.code)
        except (asyncpg.DataError, UnicodeEncodeError):
            return failure(400, "text that cannot be stored", "validation_failed")
        except asyncpg.InsufficientPrivilegeError:
            return failure(403, "new row violates row-level security policy", "42501")

    return wrapped


def failure(status: int, message: str, code: str = "") -> Response:
    """The common error body of auth, storage and REST."""
    body = {"statusCode": str(status), "error_code": code, "error": message, "msg": message, "message": message}
    return JSONResponse(body, status_code=status)
