"""Render's API as far as the harness reads it: services, their environment and their deploys."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.config import TwinConfig
from twin.doubles.web import bearer, refuse, same

API = "srv-twinapi"
WORKER = "srv-twinworker"
COMMON = {"autoDeploy": "no", "suspended": "not_suspended", "branch": "staging", "rootDir": ""}
SHARED_PATHS = ["backend/shared/**", "config/render/**", "supabase/migrations/**"]
API_FILTER = {
    "paths": ["api/**", *SHARED_PATHS, "requirements-prod.txt", "Dockerfile", "main.py"],
    "ignoredPaths": ["ui/**", "docs/**", "tests/**", "examples/**", "*.md", ".gitignore", "README.md"],
}
WORKER_FILTER = {
    "paths": ["backend/workers/**", *SHARED_PATHS, "requirements.txt", "pyproject.toml"],
    "ignoredPaths": [],
}


def describe(config: TwinConfig) -> dict[str, dict[str, Any]]:
    """Both services in Render's own format; `behaviour.render` overrides single values by dotted path."""
    web = {"healthCheckPath": "/health", "url": config.url("api"), "openPorts": [{"port": 8000, "protocol": "TCP"}]}
    services: dict[str, dict[str, Any]] = {
        API: COMMON
        | {
            "id": API,
            "name": "insurance-navigator-staging-api",
            "type": "web_service",
            "buildFilter": dict(API_FILTER),
            "serviceDetails": _details("./Dockerfile") | web,
        },
        WORKER: COMMON
        | {
            "id": WORKER,
            "name": "insurance-navigator-staging-worker",
            "type": "background_worker",
            "buildFilter": dict(WORKER_FILTER),
            "serviceDetails": _details("./backend/workers/Dockerfile"),
        },
    }
    for path, value in config.behaviour.get("render", {}).items():
        *parents, last = path.split(".")
        place: Any = services
        for name in parents:
            place = place[name]
        place[last] = value
    return services


def _details(dockerfile: str) -> dict[str, Any]:
    return {
        "env": "docker",
        "runtime": "docker",
        "region": "oregon",
        "plan": "starter",
        "buildPlan": "starter",
        "numInstances": 1,
        "envSpecificDetails": {"dockerfilePath": dockerfile, "dockerContext": ".", "dockerCommand": ""},
    }


class Render:
    """Handlers of one account."""

    def __init__(self, config: TwinConfig) -> None:
        self._key = config.render_key
        self._services = describe(config)
        self._environments = {API: config.api_env, WORKER: config.worker_env}
        self._changed_deploys: dict[str, dict[str, Any]] = config.behaviour.get("deploys", {})
        self._deploy = {
            "id": "dep-twin1",
            "status": "live",
            "commit": {"id": config.commit, "message": "release"},
            "trigger": "manual",
            "createdAt": "2025-01-21T00:00:00Z",
            "finishedAt": "2025-01-21T00:05:00Z",
        }

    def _refusal(self, request: Request) -> Response | None:
        if not same(bearer(request), self._key):
            return refuse(401, "unauthorized")
        service = request.path_params.get("service_id")
        return refuse(404, "not found") if service and service not in self._services else None

    async def listing(self, request: Request) -> Response:
        """All services, or those of one name."""
        if refused := self._refusal(request):
            return refused
        name = request.query_params.get("name")
        found = [service for service in self._services.values() if name in (None, service["name"])]
        return JSONResponse([{"cursor": service["id"], "service": service} for service in found])

    async def service(self, request: Request) -> Response:
        """One service."""
        return self._refusal(request) or JSONResponse(self._services[request.path_params["service_id"]])

    async def variables(self, request: Request) -> Response:
        """The environment of one service."""
        if refused := self._refusal(request):
            return refused
        values = self._environments[request.path_params["service_id"]]
        return JSONResponse([{"cursor": key, "envVar": {"key": key, "value": value}} for key, value in values.items()])

    async def deploys(self, request: Request) -> Response:
        """The latest deploy of one service."""
        if refused := self._refusal(request):
            return refused
        deploy = self._deploy | self._changed_deploys.get(request.path_params["service_id"], {})
        return JSONResponse([{"cursor": "1", "deploy": deploy}])


def create_app(config: TwinConfig) -> Starlette:
    """The double; `behaviour.render` and `behaviour.deploys` change what it returns."""
    render = Render(config)
    return Starlette(
        routes=[
            Route("/v1/services", render.listing),
            Route("/v1/services/{service_id}", render.service),
            Route("/v1/services/{service_id}/env-vars", render.variables),
            Route("/v1/services/{service_id}/deploys", render.deploys),
        ]
    )
