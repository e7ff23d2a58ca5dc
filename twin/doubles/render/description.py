"""The twin's two services in Render's own format."""

from __future__ import annotations

import copy
from typing import Any

from twin.config import TwinConfig

API = "srv-twinapi"
WORKER = "srv-twinworker"
OWNER = "tea-twinworkspace"
PROJECT = "prj-twinproject"
ENVIRONMENT = "evm-twinstaging"
CREATED = "2025-01-20T00:00:00Z"
DASHBOARD = "https://dashboard.render.com"
COMMON: dict[str, Any] = {
    "autoDeploy": "no",
    "autoDeployTrigger": "off",
    "suspended": "not_suspended",
    "suspenders": [],
    "branch": "staging",
    "rootDir": "",
    "repo": "https://github.com/example/insurance-navigator",
    "notifyOnFail": "default",
    "ownerId": OWNER,
    "environmentId": ENVIRONMENT,
    "createdAt": CREATED,
    "updatedAt": CREATED,
}
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
    """Both services; `behaviour.render_copies` has further ones, by their id the one that they are made after.

    `behaviour.render` overrides single values by dotted path, of an object the keys that it names.
    """
    web = {"healthCheckPath": "/health", "url": config.url("api"), "openPorts": [{"port": 8000, "protocol": "TCP"}]}
    services: dict[str, dict[str, Any]] = {
        API: service(API, "insurance-navigator-staging-api", "web_service")
        | {"buildFilter": dict(API_FILTER), "serviceDetails": details("./Dockerfile") | web},
        WORKER: service(WORKER, "insurance-navigator-staging-worker", "background_worker")
        | {"buildFilter": dict(WORKER_FILTER), "serviceDetails": details("./backend/workers/Dockerfile")},
    }
    for identifier, model in config.behaviour.get("render_copies", {}).items():
        services[identifier] = copy.deepcopy(services[model]) | {"id": identifier}
    for path, value in config.behaviour.get("render", {}).items():
        *parents, last = path.split(".")
        place: Any = services
        for name in parents:
            place = place[name]
        place[last] = _over(place.get(last), value)
    return services


def _over(old: Any, new: Any) -> Any:
    """A value in the place of another; objects are merged, so that no required key is lost."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old | {key: _over(old.get(key), value) for key, value in new.items()}
    return new


def service(identifier: str, name: str, kind: str) -> dict[str, Any]:
    """What every service has, whatever its type."""
    page = {"background_worker": "worker", "private_service": "pserv", "cron_job": "cron", "static_site": "static"}
    own = {"id": identifier, "name": name, "slug": name, "type": kind}
    return copy.deepcopy(COMMON) | own | {"dashboardUrl": f"{DASHBOARD}/{page.get(kind, 'web')}/{identifier}"}


def details(dockerfile: str) -> dict[str, Any]:
    """Details of a service that is built from a Dockerfile."""
    return {
        "env": "docker",
        "runtime": "docker",
        "region": "oregon",
        "plan": "starter",
        "buildPlan": "starter",
        "numInstances": 1,
        "pullRequestPreviewsEnabled": "no",
        "previews": {"generation": "off"},
        "envSpecificDetails": {"dockerfilePath": dockerfile, "dockerContext": ".", "dockerCommand": ""},
    }
