"""Time series of services: of the twin's own processes while they run, made up for the time before and for what it has not."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from statistics import fmean

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin import pids
from twin.doubles.render.account import Account
from twin.doubles.render.answers import Json, Problem, among, given_list, written
from twin.doubles.render.curves import CURVES, Curve, constant
from twin.doubles.render.description import API
from twin.doubles.render.ranges import range_of
from twin.doubles.render.sampler import Sampler, running
from twin.doubles.render.traffic import Served, served

MOST_VALUES = 1000
BY_INSTANCE = ("cpu", "cpu-limit", "memory", "memory-limit")
SAMPLED = ("cpu", "memory", "instance-count")
SERVED = ("http-requests", "http-latency", "bandwidth")
OF_DISKS = ("disk-usage", "disk-capacity")
WEB = ("web_service", "static_site")
MEGABYTES_OF_A_REQUEST = 0.003
QUANTILE = 0.95
# What a series holds of one moment, and its labels beside the resource's.
Values = dict[float, float]
Labelled = tuple[list[Json], Values]


class Metrics:
    """Time series of services."""

    def __init__(self, account: Account, folder: Path) -> None:
        self._account = account
        self._folder = folder
        self._sampler = Sampler(folder)
        if (folder / pids.FILE).is_file():
            self._sampler.start()

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
        if not 0 <= _number(request, "quantile", QUANTILE) <= 1:
            raise Problem(400, "invalid quantile: must be between 0 and 1")
        start = math.ceil(first.timestamp() / step)
        times = [n * step for n in range(start, int(last.timestamp() / step) + 1)][-MOST_VALUES:]
        found: dict[tuple[str, ...], Json] = {}
        for service in services:
            for more, values in self._labelled(name, service, times, request):
                labels = [{"field": "resource", "value": service["id"]}, *more]
                shown = [{"timestamp": _time(at), "value": value} for at, value in sorted(values.items())]
                if shown:
                    empty = {"labels": labels, "values": [], "unit": CURVES[name][0]}
                    # What is made up and what was seen are one series where they have the same labels.
                    found.setdefault(tuple(label["value"] for label in labels), empty)["values"] += shown
        return JSONResponse(list(found.values()))

    def _labelled(self, name: str, service: Json, times: list[float], request: Request) -> Iterator[Labelled]:
        """The series of one service; each metric has its own way to tell them apart."""
        if (name in SERVED and service["type"] not in WEB) or (name in OF_DISKS and not service["serviceDetails"].get("disk")):
            return
        began = self._sampler.began(service["id"])
        before = [at for at in times if began is None or at < began]
        after = [at for at in times if began is not None and at >= began]
        yield from self._made_up(name, service, before, request)
        if name in SERVED and service["id"] == API:
            yield from self._of_requests(name, after, request)
        elif name in SAMPLED:
            yield from self._sampled(name, service["id"], after)
        else:
            yield from self._constant(name, service, after)

    def _curve(self, name: str, service: Json) -> Curve:
        own = self._account.figures.get(f"{service['id']} {name}")
        return CURVES[name][1] if own is None else constant(own)

    def _constant(self, name: str, service: Json, times: list[float]) -> Iterator[Labelled]:
        """What does not depend on what the service does."""
        own = [{"field": "instance", "value": each.id} for each in running(self._folder, service["id"])]
        for labels in [[each] for each in own] if name in BY_INSTANCE else [[]]:
            yield labels, {at: self._curve(name, service)(at) for at in times}

    def _sampled(self, name: str, service_id: str, times: list[float]) -> Iterator[Labelled]:
        """What was sampled from the processes; the mean of each interval."""
        if name == "instance-count":
            yield [], _means(self._sampler.counts(service_id), times)
            return
        for instance, samples in self._sampler.of(service_id):
            points = [(each.at, each.processors if name == "cpu" else each.memory) for each in samples]
            yield [{"field": "instance", "value": instance}], _means(points, times)

    def _of_requests(self, name: str, times: list[float], request: Request) -> Iterator[Labelled]:
        """What the API's requests show."""
        wanted = request.query_params.get("path")
        found = [each for each in served(self._account.log_files) if not wanted or each.path == wanted]
        if name == "http-latency":
            quantile = _number(request, "quantile", QUANTILE)
            yield [], _in_intervals(found, times, lambda own: _quantile([each.milliseconds for each in own], quantile))
        elif name == "bandwidth":
            yield [], _in_intervals(found, times, lambda own: round(len(own) * MEGABYTES_OF_A_REQUEST, 4))
        elif request.query_params.get("aggregateBy") == "statusCode":
            for status in sorted({each.status for each in found}):
                own = [each for each in found if each.status == status]
                yield [{"field": "statusCode", "value": str(status)}], _in_intervals(own, times, len)
        else:
            yield [], _in_intervals(found, times, len)

    def _made_up(self, name: str, service: Json, times: list[float], request: Request) -> Iterator[Labelled]:
        """The series of a time of which nothing is known."""
        curve = self._curve(name, service)
        more: list[list[Json]] = [[]]
        count = int(service["serviceDetails"].get("numInstances", 0))
        if name in BY_INSTANCE and count:
            more = [[{"field": "instance", "value": f"{service['id']}-{number:05x}"}] for number in range(count)]
        elif request.query_params.get("aggregateBy"):
            kind = request.query_params["aggregateBy"]
            among(kind, ("host", "statusCode"), "aggregateBy")
            more = [[{"field": kind, "value": "200" if kind == "statusCode" else f"{service['slug']}.onrender.com"}]]
        for labels in more:
            yield labels, {at: float(count) if name == "instance-count" else curve(at) for at in times}

    async def http_filters(self, request: Request) -> Response:
        """Hosts and statuses of requests."""
        hosts = [f"{service['slug']}.onrender.com" for service in self._services(request)]
        return JSONResponse([{"filter": "host", "values": hosts}, {"filter": "statusCode", "values": ["200", "404"]}])

    async def application_filters(self, request: Request) -> Response:
        """Instances of services."""
        named = [(service["id"], running(self._folder, service["id"])) for service in self._services(request)]
        found = [each.id for _, instances in named for each in instances] or [f"{service}-00000" for service, _ in named]
        return JSONResponse([{"filter": "instance", "values": found}])

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


def _time(at: float) -> str:
    return written(datetime.datetime.fromtimestamp(at, datetime.UTC))


def _quantile(values: list[float], fraction: float) -> float:
    return sorted(values)[max(0, math.ceil(fraction * len(values)) - 1)]


def _step(times: list[float]) -> float:
    return times[1] - times[0] if len(times) > 1 else 60.0


def _means(points: Iterable[tuple[float, float]], times: list[float]) -> Values:
    """The mean of the points of each interval that ends at one of the times; none where it has no point."""
    step, grouped = _step(times), dict[float, list[float]]()
    if not times:
        return {}
    for at, value in points:
        grouped.setdefault(math.ceil(at / step) * step, []).append(value)
    known = set(times)
    return {at: round(fmean(values), 4) for at, values in grouped.items() if at in known}


def _in_intervals(requests: list[Served], times: list[float], figure: Callable[[list[Served]], float]) -> Values:
    """A figure of the requests of each interval that has any."""
    step, grouped, known = _step(times), dict[float, list[Served]](), set(times)
    for each in requests:
        grouped.setdefault(math.ceil(each.at / step) * step, []).append(each)
    return {at: figure(found) for at, found in grouped.items() if at in known}


def routes(account: Account) -> list[Route]:
    """The routes of metrics."""
    metrics = Metrics(account, Path(account.folder))
    return [
        Route("/metrics/filters/http", metrics.http_filters),
        Route("/metrics/filters/application", metrics.application_filters),
        Route("/metrics/filters/path", metrics.path_filters),
        Route("/metrics/bandwidth-sources", metrics.sources),
        Route("/metrics/{name}", metrics.series),
    ]
