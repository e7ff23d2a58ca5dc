"""Services: their description, creation, change, and the actions on them."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.doubles.render.account import Account
from twin.doubles.render.answers import (
    Json,
    Problem,
    among,
    body_of,
    given_list,
    listed,
    matching,
    new_id,
    now,
    timely,
    written,
)
from twin.doubles.render.course import started
from twin.doubles.render.description import details, service
from twin.doubles.render.sampler import running

TYPES = ("web_service", "background_worker", "private_service", "cron_job", "static_site")
RUNTIMES = ("docker", "elixir", "go", "image", "node", "python", "ruby", "rust")
REGIONS = ("frankfurt", "ohio", "oregon", "singapore", "virginia")
PLANS = ("free", "starter", "starter_plus", "standard", "standard_plus", "pro", "pro_plus", "pro_max", "pro_ultra", "custom")
CHANGEABLE = ("name", "branch", "repo", "rootDir", "buildFilter", "autoDeploy", "autoDeployTrigger", "notifyOnFail")
MOST_INSTANCES = 100


class Services:
    """Handlers of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def listing(self, request: Request) -> Response:
        """The services that the filters leave."""
        found = matching(
            self._account.services.values(),
            request,
            name="name",
            type="type",
            ownerId="ownerId",
            environmentId="environmentId",
            suspended="suspended",
            env="serviceDetails.env",
            region="serviceDetails.region",
        )
        for name, accepted in (("type", TYPES), ("env", RUNTIMES), ("region", REGIONS)):
            for value in given_list(request, name):
                among(value, accepted, name)
        return listed(request, "service", timely(found, request, "created", "updated"))

    async def get(self, request: Request) -> Response:
        """One service."""
        return JSONResponse(self._account.service(request))

    async def create(self, request: Request) -> Response:
        """Add a service, which begins its first deploy."""
        given = await body_of(request, "type", "name", "ownerId")
        self._account.owned(given["ownerId"])
        among(given["type"], TYPES, "type")
        if not given.get("repo") and not given.get("image"):
            raise Problem(400, "repo or image is required")
        if any(each["name"] == given["name"] for each in self._account.services.values()):
            raise Problem(409, f"name {given['name']} is already in use")
        new = service(new_id("crn" if given["type"] == "cron_job" else "srv"), given["name"], given["type"])
        new |= {key: given[key] for key in CHANGEABLE if given.get(key) is not None}
        new |= {"createdAt": now(), "updatedAt": now(), "serviceDetails": _new_details(given, new)}
        if given.get("environmentId") is None:
            del new["environmentId"]
        identifier = new["id"]
        self._account.services[identifier] = new
        self._account.variables[identifier] = {each["key"]: str(each.get("value", "")) for each in given.get("envVars") or []}
        self._account.secret_files[identifier] = {each["name"]: each["content"] for each in given.get("secretFiles") or []}
        self._account.deploys[identifier] = []
        deploy = started(self._account, identifier, "other")
        return JSONResponse({"service": new, "deployId": deploy["id"]}, status_code=201)

    async def update(self, request: Request) -> Response:
        """Change a service."""
        found, given = self._account.service(request), await body_of(request)
        among(given.get("autoDeploy"), ("yes", "no"), "autoDeploy")
        among(given.get("autoDeployTrigger"), ("commit", "checksPass", "off"), "autoDeployTrigger")
        if any(e["name"] == given.get("name") and e is not found for e in self._account.services.values()):
            raise Problem(409, f"name {given['name']} is already in use")
        changed = given.get("serviceDetails") or {}
        _check_details(changed)
        if self._account.has_mishap("auto_deploy_stays", found["id"]):
            given.pop("autoDeploy", None)
        found |= {key: given[key] for key in CHANGEABLE if given.get(key) is not None} | {"updatedAt": now()}
        if given.get("autoDeploy"):
            found["autoDeployTrigger"] = "commit" if given["autoDeploy"] == "yes" else "off"
        elif given.get("autoDeployTrigger"):
            found["autoDeploy"] = "no" if given["autoDeployTrigger"] == "off" else "yes"
        inner = found["serviceDetails"]
        specific = inner.get("envSpecificDetails", {}) | (changed.get("envSpecificDetails") or {})
        inner |= {key: value for key, value in changed.items() if value is not None and key != "envSpecificDetails"}
        if "envSpecificDetails" in inner:
            inner["envSpecificDetails"] = specific
        return JSONResponse(found)

    async def delete(self, request: Request) -> Response:
        """Remove a service and what belongs to it."""
        identifier = self._account.service(request)["id"]
        for place in (self._account.services, self._account.variables, self._account.secret_files, self._account.deploys):
            place.pop(identifier, None)
        for each in self._account.environments.values():
            each["serviceIds"] = [own for own in each["serviceIds"] if own != identifier]
        return Response(status_code=204)

    async def suspend(self, request: Request) -> Response:
        """Stop a service."""
        found = self._account.service(request)
        if found["suspended"] != "suspended":
            found |= {"suspended": "suspended", "suspenders": ["user"], "updatedAt": now()}
            self._account.note(found["id"], "service_suspended", {})
        return Response(status_code=202)

    async def resume(self, request: Request) -> Response:
        """Start a service again."""
        found = self._account.service(request)
        if found["suspended"] == "suspended":
            found |= {"suspended": "not_suspended", "suspenders": [], "updatedAt": now()}
            self._account.note(found["id"], "service_resumed", {})
        return Response(status_code=202)

    async def restart(self, request: Request) -> Response:
        """Start the instances anew."""
        found = self._account.service(request)
        if found["suspended"] == "suspended" or found["type"] in ("static_site", "cron_job"):
            raise Problem(400, "service cannot be restarted")
        if not self._account.has_mishap("restart_ignored", found["id"]):
            self._account.replace_instances(found["id"])
            if self._account.fleet.runs(found["id"]):
                self._account.fleet.restart(found["id"])
        self._account.note(found["id"], "server_restarted", {"triggeredByUser": self._account.user["id"]})
        return Response(status_code=200)

    async def scale(self, request: Request) -> Response:
        """Change the number of instances."""
        found, given = self._account.service(request), await body_of(request)
        count = given.get("numInstances")
        if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MOST_INSTANCES:
            raise Problem(400, f"invalid numInstances: must be between 1 and {MOST_INSTANCES}")
        inner = found["serviceDetails"]
        if "numInstances" not in inner or inner.get("plan") == "free":
            raise Problem(400, "service cannot be scaled")
        self._account.note(
            found["id"], "instance_count_changed", {"fromInstances": inner["numInstances"], "toInstances": count}
        )
        inner["numInstances"] = count
        return Response(status_code=202)

    async def autoscale(self, request: Request) -> Response:
        """Set or remove the autoscaling of a service."""
        inner = self._account.service(request)["serviceDetails"]
        if request.method == "DELETE":
            inner.pop("autoscaling", None)
            return Response(status_code=204)
        given = await body_of(request, "min", "max", "criteria")
        if given["min"] > given["max"]:
            raise Problem(400, "min must not be greater than max")
        inner["autoscaling"] = {"enabled": True} | given
        return JSONResponse(inner["autoscaling"])

    async def instances(self, request: Request) -> Response:
        """The instances that run."""
        found = self._account.service(request)
        if own := running(Path(self._account.folder), found["id"]):
            times = [datetime.datetime.fromtimestamp(each.started, datetime.UTC) for each in own]
            return JSONResponse([{"id": each.id, "createdAt": written(at)} for each, at in zip(own, times, strict=True)])
        count = 0 if found["suspended"] == "suspended" else int(found["serviceDetails"].get("numInstances", 0))
        first = MOST_INSTANCES * self._account.replaced.get(found["id"], 0)
        ids = [f"{found['id']}-{first + number:05x}" for number in range(count)]
        return JSONResponse([{"id": each, "createdAt": found["createdAt"]} for each in ids])

    async def outbound_ips(self, request: Request) -> Response:
        """Addresses from which a service connects to others."""
        self._account.service(request)
        return JSONResponse({"type": "shared", "ips": ["192.0.2.10", "192.0.2.11", "192.0.2.12"]})

    async def purge(self, request: Request) -> Response:
        """Empty the cache in front of a service."""
        if self._account.service(request)["type"] not in ("web_service", "static_site"):
            raise Problem(400, "service has no cache")
        return Response(status_code=202)


def _check_details(given: Json) -> None:
    among(given.get("plan"), PLANS, "plan")
    among(given.get("region"), REGIONS, "region")
    among(given.get("runtime") or given.get("env"), RUNTIMES, "runtime")


def _new_details(given: Json, new: Json) -> Json:
    """Details of a new service: what was given over what Render assumes."""
    wanted: dict[str, Any] = {key: value for key, value in (given.get("serviceDetails") or {}).items() if value is not None}
    _check_details(wanted)
    url = f"https://{new['slug']}.onrender.com"
    if given["type"] == "static_site":
        return {"buildCommand": "", "publishPath": "public", "url": url, "buildPlan": "starter"} | wanted
    inner = details("./Dockerfile")
    runtime = wanted.get("runtime") or wanted.get("env") or ("image" if given.get("image") else "docker")
    specific = wanted.pop("envSpecificDetails", None) or {}
    if runtime in ("docker", "image"):
        specific = inner["envSpecificDetails"] | specific
    else:
        specific = {"buildCommand": "", "startCommand": ""} | specific
    inner |= wanted | {"runtime": runtime, "env": runtime, "envSpecificDetails": specific}
    if given["type"] == "background_worker" and inner["plan"] == "free":
        raise Problem(400, "plan free is not available for background workers")
    if given["type"] == "web_service":
        inner = {"healthCheckPath": "", "openPorts": [{"port": 10000, "protocol": "TCP"}], "url": url} | inner
    if given["type"] == "private_service":
        inner = {"openPorts": [{"port": 10000, "protocol": "TCP"}], "url": f"{new['slug']}:10000"} | inner
    if given["type"] == "cron_job":
        if not wanted.get("schedule"):
            raise Problem(400, "serviceDetails.schedule is required")
        del inner["numInstances"]
    return inner


def routes(account: Account) -> list[Route]:
    """The routes of services."""
    at, one = Services(account), "/services/{service_id}"
    return [
        Route("/services", at.listing),
        Route("/services", at.create, methods=["POST"]),
        Route(one, at.get),
        Route(one, at.update, methods=["PATCH"]),
        Route(one, at.delete, methods=["DELETE"]),
        Route(f"{one}/suspend", at.suspend, methods=["POST"]),
        Route(f"{one}/resume", at.resume, methods=["POST"]),
        Route(f"{one}/restart", at.restart, methods=["POST"]),
        Route(f"{one}/scale", at.scale, methods=["POST"]),
        Route(f"{one}/autoscaling", at.autoscale, methods=["PUT", "DELETE"]),
        Route(f"{one}/instances", at.instances),
        Route(f"{one}/outbound-ips", at.outbound_ips),
        Route(f"{one}/cache/purge", at.purge, methods=["POST"]),
    ]
