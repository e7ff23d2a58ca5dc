"""Refusals of Supabase Storage: the HTTP status is 400 for most of them, the true one stands in the body."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable

import asyncpg
import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles.supabase.gateway import gateway_refusal
from twin.doubles.supabase.lost_database import LOST, READ_ONLY
from twin.doubles.supabase.project import Project, Refused, key_of

Handler = Callable[[Request], Awaitable[Response]]
DENIED = "new row violates row-level security policy"


class StorageError(Exception):
    """One refusal. `status` stands in the body; `sent` is the HTTP status, when it is not the usual 400."""

    def __init__(self, status: int, error: str, message: str, code: str = "", sent: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.message = message
        self.code = code or error
        self.sent = sent or (status if status >= 500 else 400)

    def response(self) -> Response:
        """The refusal as storage sends it."""
        body = {"statusCode": str(self.status), "error": self.error, "message": self.message, "code": self.code}
        return JSONResponse(body, status_code=self.sent)


def no_object() -> StorageError:
    """The object does not exist, or the caller may not see it."""
    return StorageError(404, "not_found", "Object not found", "NoSuchKey")


def no_bucket() -> StorageError:
    """The bucket does not exist, or the caller may not see it."""
    return StorageError(404, "Bucket not found", "Bucket not found", "NoSuchBucket")


def taken(code: str = "KeyAlreadyExists", sent: int = 0) -> StorageError:
    """There is one already."""
    return StorageError(409, "Duplicate", "The resource already exists", code, sent)


def denied() -> StorageError:
    """The policies do not allow it."""
    return StorageError(403, "Unauthorized", DENIED, "AccessDenied")


def invalid(message: str) -> StorageError:
    """The request does not fit the schema of the route."""
    return StorageError(400, "Error", message, "InvalidRequest")


def bad_token(error: Exception) -> StorageError:
    """The token of a signed URL is malformed, altered or expired."""
    if isinstance(error, jwt.ExpiredSignatureError):
        message = '"exp" claim timestamp check failed'
    elif isinstance(error, jwt.InvalidSignatureError):
        message = "signature verification failed"
    else:
        message = "Invalid Compact JWS"
    return StorageError(400, "InvalidJWT", message)


def unauthorized(error: BaseException | None) -> StorageError:
    """The caller's own token is not accepted."""
    shown = bad_token(error).message if isinstance(error, Exception) else "Invalid Compact JWS"
    return StorageError(403, "Unauthorized", shown, "AccessDenied")


def with_storage_errors(project: Project, handler: Handler) -> Handler:
    """Wrap a handler so that its errors become storage's responses; a wrong key is refused by the gateway."""

    @functools.wraps(handler)
    async def wrapped(request: Request) -> Response:
        await asyncio.sleep(request.app.state.delay)
        try:
            if key_of(request):
                project.require_key(request)
        except Refused as error:
            return gateway_refusal(error)
        try:
            return await handler(request)
        except StorageError as error:
            return error.response()
        except Refused as error:
            return unauthorized(error.__cause__).response()
        except asyncpg.InsufficientPrivilegeError:
            return denied().response()
        except (asyncpg.DataError, UnicodeError):
            return StorageError(400, "InvalidKey", "Invalid key", "InvalidKey").response()
        except LOST:
            return StorageError(544, "DatabaseTimeout", "The connection to the database timed out").response()
        except READ_ONLY as error:
            return StorageError(500, "DatabaseError", str(error.args[0])).response()

    return wrapped
