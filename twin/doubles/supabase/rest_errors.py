"""Refusals of PostgREST, its own and the database's, with the statuses that it gives them."""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles.supabase.gateway import gateway_refusal
from twin.doubles.supabase.lost_database import LOST
from twin.doubles.supabase.project import Project, Refused

Handler = Callable[[Request], Awaitable[Response]]
# The database's codes and the statuses that they become, the longest prefix first.
STATUSES = (
    ("23503", 409),
    ("23505", 409),
    ("25006", 405),
    ("21000", 500),
    ("22023", 400),
    ("53400", 500),
    ("57P01", 503),
    ("P0001", 400),
    ("42883", 404),
    ("42P01", 404),
    ("42P17", 500),
    ("08", 503),
    ("09", 500),
    ("0L", 403),
    ("0P", 403),
    ("25", 500),
    ("28", 403),
    ("2D", 500),
    ("38", 500),
    ("39", 500),
    ("3B", 500),
    ("40", 500),
    ("53", 503),
    ("54", 500),
    ("55", 500),
    ("57", 500),
    ("58", 500),
    ("F0", 500),
    ("HV", 500),
    ("P0", 500),
    ("XX", 500),
)


class RestError(Exception):
    """One refusal."""

    def __init__(
        self, status: int, code: str, message: str, details: Any = None, hint: str | None = None, **headers: str
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"code": code, "details": details, "hint": hint, "message": message}
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def response(self, *, head: bool = False) -> Response:
        """The refusal as PostgREST sends it."""
        headers = {"Proxy-Status": f"PostgREST; error={self.body['code']}"} | self.headers
        media = "application/json; charset=utf-8"
        if head:
            return Response(status_code=self.status, headers=headers, media_type=media)
        return JSONResponse(self.body, self.status, headers, media)


def unparsable(what: str, text: str, at: int = 0) -> RestError:
    """A parameter of the query that is not understood."""
    found = f"unexpected {text[at]!r}" if at < len(text) else "unexpected end of input"
    message = f'"failed to parse {what} ({text})" (line 1, column {at + 1})'
    return RestError(400, "PGRST100", message, found.replace("'", '"'))


def of_database(error: asyncpg.PostgresError, role: str) -> RestError:
    """The database's refusal; an anonymous caller is asked to sign in where others are forbidden."""
    code = str(error.sqlstate or "XX000")
    if code == "42501":
        status = 401 if role == "anon" else 403
    elif re.fullmatch(r"PT[1-5]\d\d", code):
        status = int(code[2:])
    else:
        status = next((status for prefix, status in STATUSES if code.startswith(prefix)), 400)
    headers = {"WWW_Authenticate": "Bearer"} if status == 401 else {}
    return RestError(status, code, str(error.args[0]), getattr(error, "detail", None), getattr(error, "hint", None), **headers)


def of_token(error: BaseException | None) -> RestError:
    """Why a token was refused."""
    if isinstance(error, jwt.ExpiredSignatureError):
        code, message, details = "PGRST303", "JWT expired", None
    elif isinstance(error, jwt.InvalidAudienceError):
        code, message, details = "PGRST303", "JWT not in audience", None
    elif isinstance(error, jwt.InvalidSignatureError | jwt.InvalidKeyError):
        message, details = "No suitable key or wrong key type", "None of the keys was able to decode the JWT"
        code = "PGRST301"
    else:
        code, message, details = "PGRST301", "JWT couldn't be decoded", None
    challenge = f'Bearer error="invalid_token", error_description="{message}"'
    return RestError(401, code, message, details, WWW_Authenticate=challenge)


def with_rest_errors(project: Project, handler: Handler) -> Handler:
    """Wrap a handler so that its errors become PostgREST's responses; a wrong key is refused by the gateway."""

    @functools.wraps(handler)
    async def wrapped(request: Request) -> Response:
        await asyncio.sleep(request.app.state.delay)
        try:
            project.require_key(request)
        except Refused as error:
            return gateway_refusal(error)
        try:
            claims = project.identity(request)
            claims |= {"role": project.behaviour.get("rest_role") or claims.get("role")}
        except Refused as error:
            return of_token(error.__cause__).response()
        request.state.claims = claims
        try:
            return await handler(request)
        except RestError as error:
            refusal = error
        except LOST:
            refusal = RestError(503, "PGRST001", "Database client error. Retrying the connection.")
        except asyncpg.PostgresError as error:
            refusal = of_database(error, str(claims.get("role")))
        except UnicodeError:
            refusal = RestError(400, "22021", 'invalid byte sequence for encoding "UTF8"')
        return refusal.response(head=request.method == "HEAD")

    return wrapped
