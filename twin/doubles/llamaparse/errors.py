"""Refusals in the form of FastAPI, on which LlamaCloud is built: `detail` is a text, or a list of what is wrong."""

from __future__ import annotations

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

RETRY_SECONDS = 1


class Refused(Exception):
    """A request that is refused; `detail` is a text or FastAPI's list."""

    def __init__(self, status: int, detail: Any) -> None:
        super().__init__(str(detail))
        self.status = status
        self.detail = detail


def invalid(location: list[str | int], message: str, kind: str = "value_error", given: Any = None) -> Refused:
    """A 422 about one place of the request."""
    return Refused(422, [{"type": kind, "loc": location, "msg": message, "input": given}])


def missing(location: list[str | int], given: Any = None) -> Refused:
    """A 422 about a field that is required."""
    return invalid(location, "Field required", "missing", given)


def unknown_value(location: list[str | int], accepted: list[str], given: Any) -> Refused:
    """A 422 about a value that is none of those accepted."""
    return invalid(location, "Input should be " + " or ".join(repr(value) for value in accepted), "literal_error", given)


async def respond(_: Request, error: Exception) -> Response:
    """The response to a request that was refused."""
    assert isinstance(error, Refused)
    headers = {"Retry-After": str(RETRY_SECONDS)} if error.status == 429 else None
    return JSONResponse({"detail": error.detail}, status_code=error.status, headers=headers)


async def respond_unrouted(_: Request, error: Exception) -> Response:
    """The response to a path or a method that does not exist."""
    assert isinstance(error, HTTPException)
    return JSONResponse({"detail": error.detail}, status_code=error.status_code, headers=error.headers)


def whole_number(request: Request, name: str, default: int, highest: int, lowest: int = 1) -> int:
    """A number of the query; raises Refused where it is none or out of bounds."""
    given = request.query_params.get(name)
    if given is None:
        return default
    place: list[str | int] = ["query", name]
    try:
        value = int(given)
    except ValueError:
        message = "Input should be a valid integer, unable to parse string as an integer"
        raise invalid(place, message, "int_parsing", given) from None
    if value < lowest:
        raise invalid(place, f"Input should be greater than or equal to {lowest}", "greater_than_equal", given)
    if value > highest:
        raise invalid(place, f"Input should be less than or equal to {highest}", "less_than_equal", given)
    return value


async def json_object(request: Request) -> dict[str, Any]:
    """The JSON object of the body; raises Refused."""
    try:
        body = await request.json()
    except ValueError:
        raise invalid(["body", 0], "JSON decode error", "json_invalid", {}) from None
    if not isinstance(body, dict):
        raise invalid(["body"], "Input should be a valid dictionary or object", "model_attributes_type", body)
    return body
