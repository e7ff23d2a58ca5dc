"""Answers in Render's form: problems, pages with cursors, filters, and the limits of what may be asked."""

from __future__ import annotations

import base64
import datetime
import secrets
from collections.abc import Callable, Iterable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

Json = dict[str, Any]
SIZE, LARGEST = 20, 100
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


class Problem(Exception):
    """A request that is refused."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def problem(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """The body of every refusal."""
    return JSONResponse({"id": secrets.token_hex(8), "message": message}, status_code=status, headers=headers)


async def respond(_: Request, error: Exception) -> Response:
    """The response to a request that was refused, or to a path that does not exist."""
    if isinstance(error, HTTPException):
        return problem(error.status_code, error.detail.lower())
    assert isinstance(error, Problem)
    return problem(error.status, error.message)


def new_id(prefix: str) -> str:
    """An identifier of Render's form."""
    return f"{prefix}-" + "".join(secrets.choice(LETTERS) for _ in range(20))


def now() -> str:
    """The time as Render writes it."""
    return written(datetime.datetime.now(datetime.UTC))


def written(time: datetime.datetime) -> str:
    """A time as Render writes it."""
    return time.astimezone(datetime.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def time_of(text: str) -> datetime.datetime:
    """The time in a text; raises Problem."""
    try:
        # An unescaped + of an offset arrives as a space.
        time = datetime.datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise Problem(400, f"invalid time: {text}") from None
    return time if time.tzinfo else time.replace(tzinfo=datetime.UTC)


def moment(request: Request, name: str) -> datetime.datetime | None:
    """A time of the query."""
    given = request.query_params.get(name)
    return time_of(given) if given else None


def given_list(request: Request, name: str) -> list[str]:
    """All values of a filter: repeated, or separated by commas."""
    return [value for given in request.query_params.getlist(name) for value in given.split(",") if value]


def matching(items: Iterable[Json], request: Request, **fields: str) -> list[Json]:
    """Items whose fields have one of the values that the query gives; `fields` names the field of each filter."""
    wanted = {field: given_list(request, name) for name, field in fields.items()}
    return [item for item in items if all(not values or str(_at(item, field)) in values for field, values in wanted.items())]


def _at(item: Json, path: str) -> Any:
    value: Any = item
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def timely(items: Iterable[Json], request: Request, *stems: str) -> list[Json]:
    """Items whose times lie between `createdAfter` and `createdBefore`, and so on for each stem."""
    kept = list(items)
    for stem in stems:
        after, before = moment(request, f"{stem}After"), moment(request, f"{stem}Before")
        if after is None and before is None:
            continue
        dated = [(time_of(item[f"{stem}At"]), item) for item in kept if item.get(f"{stem}At")]
        kept = [item for time, item in dated if (after is None or time > after) and (before is None or time < before)]
    return kept


def limit_of(request: Request) -> int:
    """How many items a page may hold; raises Problem."""
    given = request.query_params.get("limit", str(SIZE))
    if not given.isdigit() or not 1 <= int(given) <= LARGEST:
        raise Problem(400, f"invalid limit: must be between 1 and {LARGEST}")
    return int(given)


def _cursor(identifier: str) -> str:
    return base64.urlsafe_b64encode(identifier.encode()).decode()


def page_of(request: Request, items: list[Json], id_of: Callable[[Json], str]) -> list[Json]:
    """The items behind the query's cursor, as many as its limit allows; raises Problem."""
    start, cursor = 0, request.query_params.get("cursor")
    if cursor:
        known = [_cursor(id_of(item)) for item in items]
        if cursor not in known:
            raise Problem(400, "invalid cursor")
        start = known.index(cursor) + 1
    most = request.app.state.page_size or LARGEST
    return items[start : start + min(limit_of(request), most)]


def listed(request: Request, name: str, items: list[Json], key: str = "id") -> Response:
    """One page of a listing: each item under its name, with the cursor that continues after it."""
    page = page_of(request, items, lambda item: str(item[key]))
    return JSONResponse([{name: item, "cursor": _cursor(str(item[key]))} for item in page])


async def body_of(request: Request, *required: str) -> Json:
    """The JSON object of the body; raises Problem where it is none or lacks a field."""
    try:
        body = await request.json()
    except ValueError:
        raise Problem(400, "invalid JSON") from None
    if not isinstance(body, dict):
        raise Problem(400, "invalid JSON: an object is expected")
    for name in required:
        if body.get(name) in (None, ""):
            raise Problem(400, f"{name} is required")
    return body


async def list_body(request: Request, *required: str) -> list[Json]:
    """The JSON list of the body; raises Problem."""
    try:
        body = await request.json()
    except ValueError:
        raise Problem(400, "invalid JSON") from None
    if not isinstance(body, list) or not all(isinstance(each, dict) for each in body):
        raise Problem(400, "invalid JSON: a list of objects is expected")
    for each in body:
        for name in required:
            if not isinstance(each.get(name), str) or not each[name]:
                raise Problem(400, f"{name} is required")
    return body


def among(value: Any, accepted: Iterable[str], name: str) -> None:
    """Raises Problem where a value is given and is none of those accepted."""
    if value is not None and value not in accepted:
        raise Problem(400, f"invalid {name}: {value}")
