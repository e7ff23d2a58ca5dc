"""Refusals as Anthropic words them in its error bodies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


class RefusedError(Exception):
    """A request that Anthropic refuses; `code` names the cause where there is a stable name for it."""

    def __init__(
        self, message: str, status: int = 400, code: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        kind = KINDS.get(status, "api_error" if status >= 500 else "invalid_request_error")
        self.error: dict[str, Any] = {"type": kind, "message": message}
        if code:
            self.error["details"] = {"error_code": code}

    def body(self, request_id: str | None) -> dict[str, Any]:
        """The body of the refusal."""
        return {"type": "error", "error": self.error, "request_id": request_id}


def missing(name: str) -> RefusedError:
    """A required field is not there."""
    return RefusedError(f"{name}: Field required")


def _response(request: Request, error: RefusedError) -> Response:
    return JSONResponse(error.body(request.scope["state"]["request_id"]), error.status, headers=error.headers)


async def on_refused(request: Request, error: Exception) -> Response:
    """Sends a refusal."""
    assert isinstance(error, RefusedError)
    return _response(request, error)


async def on_unknown_route(request: Request, _: Exception) -> Response:
    """No such path."""
    return _response(request, RefusedError("Not Found", 404))


async def on_wrong_method(request: Request, _: Exception) -> Response:
    """A path that has other methods."""
    return _response(request, RefusedError("Method Not Allowed", 405))


async def on_failure(request: Request, _: Exception) -> Response:
    """The double itself failed."""
    return _response(request, RefusedError("Internal server error", 500))
