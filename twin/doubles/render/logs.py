"""Log lines of services: those of the twin's own processes, in pages that are continued by time."""

from __future__ import annotations

import datetime
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import merge
from itertools import islice

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.doubles.render.account import Account
from twin.doubles.render.answers import Json, Problem, among, given_list, limit_of, written
from twin.doubles.render.log_files import AFTER, Line
from twin.doubles.render.ranges import range_of

LABELS = ("host", "instance", "level", "method", "statusCode", "type")
AT_ONCE, STEP = datetime.timedelta(), datetime.timedelta(microseconds=1)


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

    def _lines(self, request: Request, newest_first: bool = False) -> Iterator[Json]:
        """Lines of the range that the filters leave, in the order of time."""
        (first, last), wanted = range_of(request), _Wanted.of(request)

        def shown(lines: Sequence[Line], later: datetime.timedelta, show: Callable[[Line], Json | None]) -> Iterator[Json]:
            begin, end = (bisect_left(lines, at - later, key=lambda line: line.at) for at in (first, last))
            within = reversed(lines[begin:end]) if newest_first else lines[begin:end]
            return (data for line in within if (data := show(line)) is not None and wanted.has(data))

        found: list[Iterator[Json]] = []
        for service in self._resources(request):
            for instance, lines in self._account.log_files.of(service["id"]):
                found.append(shown(lines, AT_ONCE, partial(Line.as_data, service=service, instance=instance)))
                found.append(shown(lines, AFTER, partial(Line.of_host, service=service, instance=instance)))
        return merge(*found, key=lambda line: str(line["timestamp"]), reverse=newest_first)

    async def listing(self, request: Request) -> Response:
        """One page of lines, and the range in which the next one lies."""
        direction, limit = request.query_params.get("direction", "backward"), limit_of(request)
        among(direction, ("backward", "forward"), "direction")
        first, last = range_of(request)
        # A host that keeps few lines together gives smaller pages than were asked for.
        limit = min(limit, request.app.state.page_size or limit)
        lines = list(islice(self._lines(request, direction == "backward"), limit + 1))
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


@dataclass(frozen=True)
class _Wanted:
    """What a request asks for: values of labels, and texts of which a line holds one."""

    labels: Mapping[str, Sequence[str]]
    texts: Sequence[str]

    @classmethod
    def of(cls, request: Request) -> _Wanted:
        """The filters of a request."""
        given = {name: given_list(request, name) for name in (*LABELS, "path")}
        texts = [text.strip("*").lower() for text in request.query_params.getlist("text")]
        return cls({name: values for name, values in given.items() if values}, texts)

    def has(self, line: Json) -> bool:
        """Whether a line passes."""
        labels = {label["name"]: label["value"] for label in line["labels"]} if self.labels else {}
        if any(labels.get(name) not in values for name, values in self.labels.items()):
            return False
        return not self.texts or any(text in line["message"].lower() for text in self.texts)


def routes(account: Account) -> list[Route]:
    """The routes of logs."""
    logs = Logs(account)
    return [Route("/logs", logs.listing), Route("/logs/values", logs.values)]
