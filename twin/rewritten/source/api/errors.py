"""Errors that reach the caller, and how a request's JSON is read."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web


class ApiError(Exception):
    """A refusal with a status, a stable code and a message for people."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def response(self) -> web.Response:
        """The body that every refusal has."""
        body = {"error": {"code": self.code, "message": self.message}}
        return web.json_response(body, status=self.status, headers=self.headers)


def unauthorized(message: str = "a valid bearer token is required") -> ApiError:
    """401, with the challenge that RFC 6750 asks for."""
    return ApiError(401, "unauthorized", message, WWW_Authenticate="Bearer")


def not_found(what: str) -> ApiError:
    """404, also for what belongs to another user."""
    return ApiError(404, "not_found", f"no such {what}")


def invalid(message: str, status: int = 422) -> ApiError:
    """A request that can be read but not accepted."""
    return ApiError(status, "invalid_request", message)


async def json_object(request: web.Request, status: int = 422) -> dict[str, Any]:
    """The request's JSON object; raises ApiError when the body is anything else."""
    raw = await request.read()
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise invalid("the body is not JSON", status) from None
    if not isinstance(body, dict):
        raise invalid("the body is not a JSON object", status)
    return body


def text_field(body: dict[str, Any], name: str, status: int = 422, most: int = 1000) -> str:
    """A text that must be there and not be blank; raises ApiError."""
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise invalid(f"{name} is missing", status)
    if len(value) > most:
        raise invalid(f"{name} is longer than {most} characters", status)
    if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise invalid(f"{name} contains characters that no text has", status)
    return value
