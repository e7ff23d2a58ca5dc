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


def describe(config: TwinConfig) -> dict[str, dict[str, Any]]:
    """Both services in Render's own shape; `behaviour.render` overrides single values by dotted path."""
    common = {"autoDeploy": "no", "suspended": "not_suspended", "branch": "staging", "rootDir": ""}
    services: dict[str, dict[str, Any]] = {
        API: common
        | {
            "id": API,
            "name": "insurance-navigator-staging-api",
            "type": "web_service",
            "buildFilter": {
                "paths": [
                    "api/**",
                    "backend/shared/**",
                    "config/render/**",
                    "supabase/migrations/**",
                    "requirements-prod.txt",
                    "Dockerfile",
                    "main.py",
                ],
                "ignoredPaths": [
                    "ui/**",
                    "docs/**",
                    "tests/**",
                    "examples/**",
                    "*.md",
                    ".gitignore",
                    "README.md",
                ],
            },
            "serviceDetails": _details("./Dockerfile")
            | {
                "healthCheckPath": "/health",
                "url": config.url("api"),
                "openPorts": [{"port": 8000, "protocol": "TCP"}],
            },
        },
        WORKER: common
        | {
            "id": WORKER,
            "name": "insurance-navigator-staging-worker",
            "type": "background_worker",
            "buildFilter": {
                "paths": [
                    "backend/workers/**",
                    "backend/shared/**",
                    "config/render/**",
                    "supabase/migrations/**",
                    "requirements.txt",
                    "pyproject.toml",
                ],
                "ignoredPaths": [],
            },
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


def create_app(config: TwinConfig) -> Starlette:
    """The double."""
    services = describe(config)
    environments = {API: config.api_env, WORKER: config.worker_env}
    deploy = {
        "id": "dep-twin1",
        "status": "live",
        "commit": {"id": config.commit, "message": "release"},
        "trigger": "manual",
        "createdAt": "2025-01-21T00:00:00Z",
        "finishedAt": "2025-01-21T00:05:00Z",
    }

    def _guard(request: Request) -> Response | None:
        if not same(bearer(request), config.render_key):
            return refuse(401, "unauthorized")
        known = request.path_params.get("service_id")
        return refuse(404, "not found") if known and known not in services else None

    async def listing(request: Request) -> Response:
        if refused := _guard(request):
            return refused
        name = request.query_params.get("name")
        found = [s for s in services.values() if name in (None, s["name"])]
        return JSONResponse([{"cursor": s["id"], "service": s} for s in found])

    async def one(request: Request) -> Response:
        return _guard(request) or JSONResponse(services[request.path_params["service_id"]])

    async def variables(request: Request) -> Response:
        if refused := _guard(request):
            return refused
        values = environments[request.path_params["service_id"]]
        return JSONResponse([{"cursor": key, "envVar": {"key": key, "value": value}} for key, value in values.items()])

    async def deploys(request: Request) -> Response:
        if refused := _guard(request):
            return refused
        shown = deploy | config.behaviour.get("deploys", {}).get(request.path_params["service_id"], {})
        return JSONResponse([{"cursor": "1", "deploy": shown}])

    return Starlette(
        routes=[
            Route("/v1/services", listing),
            Route("/v1/services/{service_id}", one),
            Route("/v1/services/{service_id}/env-vars", variables),
            Route("/v1/services/{service_id}/deploys", deploys),
        ]
    )
