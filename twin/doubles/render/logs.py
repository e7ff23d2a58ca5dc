"""Log lines of services: made up from the time that is asked about, so that the same question gets the same answer."""

from __future__ import annotations

import datetime
import math

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.doubles.render.account import Account
from twin.doubles.render.answers import Json, Problem, among, given_list, limit_of, written
from twin.doubles.render.ranges import range_of

STEP_SECONDS = 15
LABELS = ("host", "instance", "level", "method", "statusCode", "type")
LINES = (
    ("app", "info", "worker polls the queue"),
    ("request", "info", "GET /health"),
    ("app", "info", "job claimed"),
    ("app", "warning", "slow query"),
    ("build", "info", "image pushed"),
    ("app", "error", "connection reset"),
)


class Logs:
    """Log lines of services."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def _resources(self, request: Request) -> list[Json]:
        wanted = given_list(request, "resource")
        if not request.query_params.get("ownerId"):
            raise Problem(400, "ownerId is required")
        self._account.owned(request.query_params["ownerId"])
        if not wanted:
            raise Problem(400, "resource is required")
        return [self._account.found(self._account.services, each, "resource") for each in wanted]

    def _lines(self, request: Request) -> list[Json]:
        """Lines of the range that the filters leave, oldest first."""
        first, last = range_of(request)
        resources = self._resources(request)
        start = max(int(first.timestamp() / STEP_SECONDS) - 1, int(last.timestamp() / STEP_SECONDS) - 10_000)
        found = []
        for step in range(start, math.ceil(last.timestamp() / STEP_SECONDS)):
            for service in resources:
                line = _line(service, step)
                if first <= datetime.datetime.fromisoformat(line["timestamp"]) < last and self._is_wanted(line, request):
                    found.append(line)
        return found

    @staticmethod
    def _is_wanted(line: Json, request: Request) -> bool:
        labels = {label["name"]: label["value"] for label in line["labels"]}
        wanted = {name: given_list(request, name) for name in (*LABELS, "path")}
        if any(values and labels.get(name) not in values for name, values in wanted.items()):
            return False
        texts = given_list(request, "text")
        return not texts or any(text.strip("*").lower() in line["message"].lower() for text in texts)

    async def listing(self, request: Request) -> Response:
        """One page of lines, and the range in which the next one lies."""
        direction, limit = request.query_params.get("direction", "backward"), limit_of(request)
        among(direction, ("backward", "forward"), "direction")
        (first, last), lines = range_of(request), self._lines(request)
        if direction == "backward":
            lines.reverse()
        page, has_more = lines[:limit], len(lines) > limit
        if page and direction == "backward":
            last = datetime.datetime.fromisoformat(page[-1]["timestamp"])
        elif page:
            first = datetime.datetime.fromisoformat(page[-1]["timestamp"]) + datetime.timedelta(microseconds=1)
        return JSONResponse({"hasMore": has_more, "nextStartTime": written(first), "nextEndTime": written(last), "logs": page})

    async def values(self, request: Request) -> Response:
        """The values that a label has."""
        label = request.query_params.get("label")
        if not label:
            raise Problem(400, "label is required")
        among(label, LABELS, "label")
        found = {each["value"] for line in self._lines(request) for each in line["labels"] if each["name"] == label}
        return JSONResponse(sorted(found)[: limit_of(request)])


def _line(service: Json, step: int) -> Json:
    kind, level, message = LINES[step % len(LINES)]
    labels = {"resource": service["id"], "instance": f"{service['id']}-00000", "level": level, "type": kind}
    if kind == "request":
        labels |= {"method": "GET", "statusCode": "200", "path": "/health", "host": f"{service['slug']}.onrender.com"}
    return {
        "id": f"{service['id']}-{step}",
        # Lines of several services never have one time: pages are continued by it.
        "timestamp": written(
            datetime.datetime.fromtimestamp(step * STEP_SECONDS, datetime.UTC)
            + datetime.timedelta(milliseconds=sum(service["id"].encode()) % 1000)
        ),
        "message": message,
        "labels": [{"name": name, "value": value} for name, value in labels.items()],
    }


def routes(account: Account) -> list[Route]:
    """The routes of logs."""
    logs = Logs(account)
    return [Route("/logs", logs.listing), Route("/logs/values", logs.values)]
