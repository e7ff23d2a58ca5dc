"""The refusals of vendors that are down, busy or full, in the form that each of them has for it."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.control.board import Entry

DOWN, BUSY, FULL = 503, 429, 507
STATUSES = {"down": DOWN, "rate_limited": BUSY, "full": FULL}


def _openai(status: int, headers: dict[str, str], _: Request) -> Response:
    from twin.doubles.openai.account import PLANTED
    from twin.doubles.openai.errors import RefusedError

    message, kind, code = PLANTED[status]
    return RefusedError(message, None, code, status=status, kind=kind, headers=headers).response()


def _anthropic(status: int, headers: dict[str, str], request: Request) -> Response:
    from twin.doubles.anthropic.account import PLANTED
    from twin.doubles.anthropic.errors import RefusedError

    # Its documentation has 529 for a service that is overloaded.
    own = 529 if status == DOWN else status
    error = RefusedError(PLANTED[own], own, headers=headers)
    return JSONResponse(error.body(request.scope["state"]["request_id"]), own, headers=headers)


def _llamaparse(status: int, headers: dict[str, str], _: Request) -> Response:
    return JSONResponse({"detail": "Too Many Requests" if status == BUSY else "Service Unavailable"}, status, headers=headers)


def _storage(status: int, headers: dict[str, str], _: Request) -> Response:
    from twin.doubles.supabase.storage_errors import StorageError

    error = {
        DOWN: StorageError(DOWN, "Service Unavailable", "The storage service is unavailable", "InternalError", DOWN),
        BUSY: StorageError(BUSY, "too_many_requests", "Too many requests", "SlowDown", BUSY),
        FULL: StorageError(FULL, "Insufficient Storage", "The project's storage quota is used up", "InsufficientStorage", FULL),
    }[status]
    response = error.response()
    response.headers.update(headers)
    return response


def _auth(status: int, headers: dict[str, str], request: Request) -> Response:
    from twin.doubles.supabase.auth.errors import AuthError, failure

    busy = AuthError(BUSY, "over_request_rate_limit", "Request rate limit reached")
    response = failure(request, busy if status == BUSY else AuthError(status, "unexpected_failure", "Service Unavailable"))
    response.headers.update(headers)
    return response


FORMS: dict[str, Callable[[int, dict[str, str], Request], Response]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "llamaparse": _llamaparse,
    "storage": _storage,
    "auth": _auth,
}


def refusal(entry: Entry, request: Request) -> Response:
    """What the vendor sends to a request while this disturbance holds."""
    status = STATUSES[entry["how"]]
    seconds = entry.get("retry_after", 1 if status == BUSY else None)
    headers = {} if seconds is None else {"retry-after": f"{seconds:g}"}
    return FORMS[entry["target"]](status, headers, request)
