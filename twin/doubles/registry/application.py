"""The routes of the registry, which lie beside those of another double."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from twin.config import TwinConfig
from twin.doubles.registry.packages import Offered, installed, planted
from twin.doubles.web import body_of

PREFIX = "/registry"
LISTING = "application/vnd.pypi.simple.v1+json"
# What everybody knows to be vulnerable, by name and version.
OLD = {("jinja2", "2.4.1"): ["GHSA-8r7q-cvjq-x353"]}


class Registry:
    """Packages and vulnerabilities of one twin."""

    def __init__(self, config: TwinConfig) -> None:
        self._behaviour: dict[str, Any] = config.behaviour.get("registry", {})
        self._planted = list(planted(self._behaviour.get("packages", [])))

    def _find(self, name: str) -> list[Offered]:
        own = installed(name)
        found = [each for each in self._planted if each.name == name] or ([own] if own else [])
        if not found:
            raise HTTPException(404)
        return found

    async def project(self, request: Request) -> Response:
        """The releases of a package."""
        name = request.path_params["name"]
        address = f"{request.scope.get('root_path', '')}/files/{name}"
        files = [
            {"filename": each.filename, "url": f"{address}/{each.filename}", "hashes": {}, "core-metadata": True}
            for each in self._find(name)
        ]
        return JSONResponse({"meta": {"api-version": "1.0"}, "name": name, "files": files}, media_type=LISTING)

    async def described(self, request: Request) -> Response:
        """The metadata of a release; its content is not offered."""
        wanted = request.path_params["filename"]
        for each in self._find(request.path_params["name"]):
            if wanted == f"{each.filename}.metadata":
                return PlainTextResponse(each.metadata)
        raise HTTPException(404)

    async def query(self, request: Request) -> Response:
        """The vulnerabilities of one release of a package."""
        body = await body_of(request)
        name = str((body.get("package") or {}).get("name"))
        known = OLD.get((name, str(body.get("version"))), []) + list(self._behaviour.get("vulnerable", {}).get(name, []))
        if self._behaviour.get("silent"):
            raise HTTPException(503)
        return JSONResponse({"vulns": [_described(id, name) for id in known]} if known else {})


def _described(id: str, name: str) -> dict[str, Any]:
    events = [{"introduced": "0"}, {"fixed": "999"}]
    affected = {"package": {"name": name, "ecosystem": "PyPI"}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
    times = {"modified": "2026-01-01T00:00:00Z", "published": "2026-01-01T00:00:00Z"}
    return {"id": id, "summary": "planted by the twin", "schema_version": "1.6.0", "affected": [affected], **times}


def create_app(config: TwinConfig) -> Starlette:
    """The registry by itself."""
    registry = Registry(config)
    routes = [
        Route("/simple/{name}/", registry.project),
        Route("/files/{name}/{filename}", registry.described),
        Route("/osv/v1/query", registry.query, methods=["POST"]),
    ]
    return Starlette(routes=[Mount(PREFIX, routes=routes)])


def beside(app: ASGIApp, config: TwinConfig) -> ASGIApp:
    """Another double, with the registry under a path of its own."""
    made: list[ASGIApp] = []

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(f"{PREFIX}/"):
            if not made:
                made.append(create_app(config))
            await made[0](scope, receive, send)
            return
        await app(scope, receive, send)

    return serve
