"""Log lines of services: those of the twin's own processes, in pages that are continued by time."""

from __future__ import annotations

import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.doubles.render.account import Account
from twin.doubles.render.answers import Json, Problem, among, given_list, limit_of, written
from twin.doubles.render.ranges import range_of

LABELS = ("host", "instance", "level", "method", "statusCode", "type")
STEP = datetime.timedelta(microseconds=1)


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
        found = []
        for service in self._resources(request):
            for instance, lines in self._account.log_files.of(service["id"]):
                for line in lines:
                    if first <= line.at < last:
                        found += [each for each in line.as_data(service, instance) if _is_wanted(each, request)]
        return sorted(found, key=lambda line: str(line["timestamp"]))

    async def listing(self, request: Request) -> Response:
        """One page of lines, and the range in which the next one lies."""
        direction, limit = request.query_params.get("direction", "backward"), limit_of(request)
        among(direction, ("backward", "forward"), "direction")
        (first, last), lines = range_of(request), self._lines(request)
        if direction == "backward":
            lines.reverse()
        # A host that keeps few lines together gives smaller pages than were asked for.
        limit = min(limit, request.app.state.page_size or limit)
        page, has_more = lines[:limit], len(lines) > limit
        if page and direction == "backward":
            last = datetime.datetime.fromisoformat(page[-1]["timestamp"])
        elif page:
            first = datetime.datetime.fromisoformat(page[-1]["timestamp"]) + STEP
        return JSONResponse({"hasMore": has_more, "nextStartTime": written(first), "nextEndTime": written(last), "logs": page})

    async def values(self, request: Request) -> Response:
        """The values that a label has."""
        label = request.query_params.get("label")
        if not label:
            raise Problem(400, "label is required")
        among(label, LABELS, "label")
        found = {each["value"] for line in self._lines(request) for each in line["labels"] if each["name"] == label}
        return JSONResponse(sorted(found)[: limit_of(request)])


def _is_wanted(line: Json, request: Request) -> bool:
    labels = {label["name"]: label["value"] for label in line["labels"]}
    wanted = {name: given_list(request, name) for name in (*LABELS, "path")}
    if any(values and labels.get(name) not in values for name, values in wanted.items()):
        return False
    texts = request.query_params.getlist("text")
    return not texts or any(text.strip("*").lower() in line["message"].lower() for text in texts)


def routes(account: Account) -> list[Route]:
    """The routes of logs."""
    logs = Logs(account)
    return [Route("/logs", logs.listing), Route("/logs/values", logs.values)]
