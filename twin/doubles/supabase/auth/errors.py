"""Refusals of Supabase Auth, in the form that the request's API version asks for."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles.supabase.gateway import gateway_refusal
from twin.doubles.supabase.lost_database import LOST, READ_ONLY
from twin.doubles.supabase.project import Refused

Handler = Callable[[Request], Awaitable[Response]]
VERSION_HEADER = "X-Supabase-Api-Version"
VERSION = "2024-01-01"
UNEXPECTED = "Unexpected failure, please check server logs for more information"


class AuthError(Exception):
    """A refusal. `reasons` are those of a weak password."""

    def __init__(self, status: int, code: str, message: str, reasons: list[str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.reasons = reasons


class OAuthError(Exception):
    """A refusal in the form of OAuth 2."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


def failure(request: Request, error: AuthError) -> Response:
    """The response to a refused request."""
    headers = {"x-sb-error-code": error.code}
    if request.headers.get(VERSION_HEADER, "") >= VERSION:
        headers[VERSION_HEADER] = VERSION
        body: dict[str, Any] = {"code": error.code, "message": error.message}
    else:
        body = {"code": error.status, "error_code": error.code, "msg": error.message}
    if error.reasons is not None:
        body["weak_password"] = {"reasons": error.reasons}
    return JSONResponse(body, status_code=error.status, headers=headers)


def with_auth_errors(handler: Handler) -> Handler:
    """Wrap a handler so that its errors become responses with Auth's error body."""

    @functools.wraps(handler)
    async def wrapped(request: Request) -> Response:
        await asyncio.sleep(request.app.state.delay)
        try:
            return await handler(request)
        except AuthError as error:
            return failure(request, error)
        except OAuthError as error:
            return JSONResponse({"error": error.error, "error_description": error.description}, status_code=400)
        except Refused as error:
            return gateway_refusal(error)
        except (asyncpg.DataError, UnicodeEncodeError):
            return failure(request, AuthError(400, "validation_failed", "text that cannot be stored"))
        except (*LOST, READ_ONLY):
            return failure(request, AuthError(500, "unexpected_failure", UNEXPECTED))

    return wrapped
