"""Where logs and metrics are sent: settings that are kept, and never used."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.doubles.render.account import Account
from twin.doubles.render.answers import Json, Problem, among, body_of, listed, matching
from twin.doubles.render.description import OWNER

PROVIDERS = ("BETTER_STACK", "CUSTOM", "DATADOG", "GRAFANA", "GROUNDCOVER", "HONEYCOMB", "LOGFIRE", "NEW_RELIC", "SIGNOZ")


class Streams:
    """Handlers of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        # By their kind and whose they are.
        self._kept: dict[tuple[str, str], Json] = {}

    def _of(self, request: Request, kind: str, identifier: str) -> Json:
        if (kind, identifier) not in self._kept:
            raise Problem(404, f"not found: {kind} of {identifier}")
        return self._kept[kind, identifier]

    async def owner_logs(self, request: Request) -> Response:
        """Where the logs of the workspace are sent."""
        owner = self._account.found({OWNER: self._account.owner}, request.path_params["owner_id"], "owner")["id"]
        return await self._answer(request, "log stream", owner, "ownerId", ("endpoint", "preview"))

    async def resource_logs(self, request: Request) -> Response:
        """Where the logs of one service are sent."""
        identifier = request.path_params["resource_id"]
        service = self._account.found(self._account.services, identifier, "resource")["id"]
        return await self._answer(request, "resource log stream", service, "resourceId", ("endpoint", "setting"))

    async def owner_metrics(self, request: Request) -> Response:
        """Where the metrics of the workspace are sent."""
        owner = self._account.found({OWNER: self._account.owner}, request.path_params["owner_id"], "owner")["id"]
        return await self._answer(request, "metrics stream", owner, "ownerId", ("provider", "url"))

    async def _answer(self, request: Request, kind: str, of: str, name: str, fields: tuple[str, ...]) -> Response:
        if request.method == "PUT":
            given = await body_of(request, *(["provider", "url"] if "provider" in fields else []))
            among(given.get("provider"), PROVIDERS, "provider")
            self._kept[kind, of] = {name: of} | {field: given[field] for field in fields if given.get(field) is not None}
        found = self._of(request, kind, of)
        if request.method == "DELETE":
            del self._kept[kind, of]
            return Response(status_code=204)
        return JSONResponse(found)

    async def listing(self, request: Request) -> Response:
        """The services whose logs are sent elsewhere."""
        found = [each for (kind, _), each in self._kept.items() if kind == "resource log stream"]
        return JSONResponse(matching(found, request, resourceId="resourceId", setting="setting"))

    async def none(self, request: Request) -> Response:
        """A listing of what the account has none of."""
        return listed(request, "item", [])


def routes(account: Account) -> list[Route]:
    """The routes of streams."""
    at, methods = Streams(account), ["GET", "PUT", "DELETE"]
    return [
        Route("/logs/streams/resource", at.listing),
        Route("/logs/streams/owner/{owner_id}", at.owner_logs, methods=methods),
        Route("/logs/streams/resource/{resource_id}", at.resource_logs, methods=methods),
        Route("/metrics-stream/{owner_id}", at.owner_metrics, methods=methods),
        Route("/notification-settings/overrides", at.none),
        Route("/dedicated-ips", at.none),
    ]
