"""Turns refusals and database errors into Supabase's error responses.

Auth and the REST view want the project's key in `apikey` (header or parameter). A Bearer token alone opens none of their
paths, except those of Auth that a browser visits without headers: /verify, /authorize, /callback and the published keys.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable

import asyncpg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles.supabase.lost_database import LOST, READ_ONLY
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
            if error.hint:
                return gateway_refusal(error)
            return failure(error.status, error.message, error.code)
        except (asyncpg.DataError, UnicodeEncodeError):
            return failure(400, "text that cannot be stored", "validation_failed")
        except asyncpg.InsufficientPrivilegeError:
            return failure(403, "new row violates row-level security policy", "42501")
        except (*LOST, READ_ONLY):
            return failure(500, "the database cannot be used", "unexpected_failure")

    return wrapped


def gateway_refusal(error: Refused) -> Response:
    """The gateway's own refusal, which no service has seen."""
    return JSONResponse({"message": error.message, "hint": error.hint}, status_code=error.status)


def failure(status: int, message: str, code: str = "") -> Response:
    """The common error body of auth, storage and REST."""
    body = {"statusCode": str(status), "error_code": code, "error": message, "msg": message, "message": message}
    return JSONResponse(body, status_code=status)
