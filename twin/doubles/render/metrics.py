"""Time series of services: made up from the time that is asked about, so that the same question gets the same answer."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.doubles.render.account import Account
from twin.doubles.render.answers import Json, Problem, among, given_list, written
from twin.doubles.render.ranges import range_of

MOST_VALUES = 1000
# Unit and value of each metric at a time.
Curve = Callable[[float], float]
CURVES: dict[str, tuple[str, Curve]] = {
    "cpu": ("cpu", lambda t: round(0.1 + 0.05 * math.sin(t / 600), 4)),
    "cpu-limit": ("cpu", lambda t: 0.5),
    "cpu-target": ("cpu", lambda t: 0.35),
    "memory": ("bytes", lambda t: round(2e8 + 1e7 * math.sin(t / 900))),
    "memory-limit": ("bytes", lambda t: 536870912.0),
    "memory-target": ("bytes", lambda t: 375809638.0),
    "http-requests": ("requests", lambda t: round(20 + 10 * math.sin(t / 300))),
    "http-latency": ("ms", lambda t: round(40 + 10 * math.sin(t / 300), 2)),
    "bandwidth": ("mb", lambda t: round(5 + math.sin(t / 300), 3)),
    "instance-count": ("instances", lambda t: 1.0),
    "active-connections": ("connections", lambda t: 4.0),
    "replication-lag": ("seconds", lambda t: 0.0),
    "disk-usage": ("bytes", lambda t: 1e8),
    "disk-capacity": ("bytes", lambda t: 1e9),
    "task-runs-queued": ("tasks", lambda t: 0.0),
    "task-runs-completed": ("tasks", lambda t: 0.0),
}
BY_INSTANCE = ("cpu", "cpu-limit", "memory", "memory-limit")


class Metrics:
    """Time series of services."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def _services(self, request: Request) -> list[Json]:
        wanted = given_list(request, "resource") or given_list(request, "service")
        if not wanted:
            raise Problem(400, "resource is required")
        known = self._account.services
        if absent := [each for each in wanted if each not in known]:
            raise Problem(400, f"invalid resource: {absent[0]}")
        return [known[each] for each in wanted]

    async def series(self, request: Request) -> Response:
        """The series of one metric."""
        name = request.path_params["name"]
        if name not in CURVES:
            raise Problem(404, f"not found: metric {name}")
        (first, last), services = range_of(request), self._services(request)
        step = _number(request, "resolutionSeconds", 60.0)
        if step < 1:
            raise Problem(400, "invalid resolutionSeconds")
        if not 0 <= _number(request, "quantile", 0.95) <= 1:
            raise Problem(400, "invalid quantile: must be between 0 and 1")
        start = math.ceil(first.timestamp() / step)
        times = [n * step for n in range(start, int(last.timestamp() / step) + 1)][-MOST_VALUES:]
        return JSONResponse([one for service in services for one in _series(name, service, times, request)])

    async def http_filters(self, request: Request) -> Response:
        """Hosts and statuses of requests."""
        hosts = [f"{service['slug']}.onrender.com" for service in self._services(request)]
        return JSONResponse([{"filter": "host", "values": hosts}, {"filter": "statusCode", "values": ["200", "404"]}])

    async def application_filters(self, request: Request) -> Response:
        """Instances of services."""
        instances = [f"{service['id']}-00000" for service in self._services(request)]
        return JSONResponse([{"filter": "instance", "values": instances}])

    async def path_filters(self, request: Request) -> Response:
        """Paths of requests."""
        self._services(request)
        return JSONResponse(["/health", "/api/chat"])

    async def sources(self, request: Request) -> Response:
        """Bandwidth by what caused it."""
        self._services(request)
        return JSONResponse({"data": []})


def _number(request: Request, name: str, default: float) -> float:
    try:
        return float(request.query_params.get(name, default))
    except ValueError:
        raise Problem(400, f"invalid {name}") from None


def _series(name: str, service: Json, times: list[float], request: Request) -> list[Json]:
    unit, curve = CURVES[name]
    labels = [{"field": "resource", "value": service["id"]}]
    more: list[list[Json]] = [[]]
    if name in BY_INSTANCE and service["serviceDetails"].get("numInstances"):
        count = int(service["serviceDetails"]["numInstances"])
        more = [[{"field": "instance", "value": f"{service['id']}-{number:05x}"}] for number in range(count)]
    elif request.query_params.get("aggregateBy"):
        kind = request.query_params["aggregateBy"]
        among(kind, ("host", "statusCode"), "aggregateBy")
        more = [[{"field": kind, "value": "200" if kind == "statusCode" else f"{service['slug']}.onrender.com"}]]
    elif name == "instance-count":
        curve = _constant(float(service["serviceDetails"].get("numInstances", 0)))
    values = [{"timestamp": written(datetime.datetime.fromtimestamp(t, datetime.UTC)), "value": curve(t)} for t in times]
    return [{"labels": labels + each, "values": values, "unit": unit} for each in more]


def _constant(value: float) -> Curve:
    return lambda _: value


def routes(account: Account) -> list[Route]:
    """The routes of metrics."""
    metrics = Metrics(account)
    return [
        Route("/metrics/filters/http", metrics.http_filters),
        Route("/metrics/filters/application", metrics.application_filters),
        Route("/metrics/filters/path", metrics.path_filters),
        Route("/metrics/bandwidth-sources", metrics.sources),
        Route("/metrics/{name}", metrics.series),
    ]
