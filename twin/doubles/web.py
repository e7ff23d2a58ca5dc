"""Small helpers that the doubles share."""

from __future__ import annotations

import hmac
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


def bearer(request: Request) -> str:
    """The Bearer token of the request, or an empty string."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def same(given: str, expected: str) -> bool:
    """Constant-time comparison of keys."""
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())


def refuse(status: int, message: str, **more: Any) -> Response:
    """A response with the vendors' common error body."""
    return JSONResponse({"error": {"message": message, **more}}, status_code=status)


async def body_of(request: Request) -> dict[str, Any]:
    """The request's JSON object, or an empty one when the body is not a JSON object."""
    try:
        body = await request.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
