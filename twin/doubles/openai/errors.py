"""Refusals as OpenAI words them in its error bodies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

INVALID = "invalid_request_error"


class RefusedError(Exception):
    """A request that OpenAI refuses."""

    def __init__(
        self,
        message: str,
        param: str | None = None,
        code: str | None = None,
        *,
        status: int = 400,
        kind: str = INVALID,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        self.error = {"message": message, "type": kind, "param": param, "code": code}

    def response(self) -> Response:
        """The refusal as it is sent."""
        return JSONResponse({"error": self.error}, self.status, headers=self.headers)


def missing(name: str) -> RefusedError:
    """A required parameter is not there."""
    return RefusedError(f"Missing required parameter: '{name}'.", name, "missing_required_parameter")


def no_model(name: Any) -> RefusedError:
    """The model is not one of the account's."""
    return RefusedError(
        f"The model `{name}` does not exist or you do not have access to it.", None, "model_not_found", status=404
    )


def not_found(message: str, param: str | None = None) -> RefusedError:
    """The thing that the path names does not exist."""
    return RefusedError(message, param, status=404)


def masked(key: str) -> str:
    """A key as it may be shown."""
    return key if len(key) < 8 else f"{key[:4]}{'*' * min(24, len(key) - 8)}{key[-4:]}"


async def on_refused(_: Request, error: Exception) -> Response:
    """Sends a refusal."""
    assert isinstance(error, RefusedError)
    return error.response()


async def on_unknown_route(request: Request, _: Exception) -> Response:
    """No such path."""
    return RefusedError(f"Invalid URL ({request.method} {request.url.path})", status=404).response()


async def on_wrong_method(request: Request, _: Exception) -> Response:
    """A path that has other methods."""
    message = f"Not allowed to {request.method} on {request.url.path}. (HINT: Perhaps another HTTP method was meant?)"
    return RefusedError(message, None, "method_not_supported", status=405).response()


async def on_failure(_: Request, __: Exception) -> Response:
    """The double itself failed."""
    return RefusedError("The server had an error while processing your request.", status=500, kind="server_error").response()
