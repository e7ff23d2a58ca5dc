"""Deploys, one-off jobs and events of services."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.doubles.render import incidents
from twin.doubles.render.account import Account
from twin.doubles.render.answers import (
    Json,
    Problem,
    among,
    body_of,
    given_list,
    listed,
    matching,
    moment,
    new_id,
    now,
    time_of,
    timely,
)
from twin.doubles.render.course import RUNNING, STATUSES, age_of, end, settle, started

JOB_COURSE = ((0.0, "pending"), (0.3, "running"), (1.0, "succeeded"))
JOB_STATUSES = ("pending", "running", "succeeded", "failed", "canceled")


class Deploys:
    """Handlers of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def _all(self, request: Request) -> list[Json]:
        service_id = self._account.service(request)["id"]
        settle(self._account, service_id)
        return self._account.deploys[service_id]

    def _deploy(self, request: Request, identifier: str) -> Json:
        return self._account.found({each["id"]: each for each in self._all(request)}, identifier, "deploy")

    async def listing(self, request: Request) -> Response:
        """The deploys of a service, newest first."""
        for status in given_list(request, "status"):
            among(status, STATUSES, "status")
        found = matching(self._all(request), request, status="status")
        return listed(request, "deploy", timely(found, request, "created", "updated", "finished"))

    async def get(self, request: Request) -> Response:
        """One deploy."""
        return JSONResponse(self._deploy(request, request.path_params["deploy_id"]))

    async def create(self, request: Request) -> Response:
        """Deploy a service; behind a deploy that runs it is queued."""
        found = self._account.service(request)
        given = await body_of(request) if await request.body() else {}
        among(given.get("clearCache"), ("clear", "do_not_clear"), "clearCache")
        among(given.get("deployMode"), ("build_and_deploy", "deploy_only"), "deployMode")
        if given.get("imageUrl") and found["serviceDetails"].get("runtime") != "image":
            raise Problem(400, "imageUrl is only for services that run an image")
        if found["suspended"] == "suspended":
            raise Problem(409, "service is suspended")
        commit = {"id": given["commitId"], "message": ""} if given.get("commitId") else None
        deploy = started(self._account, found["id"], "api", commit)
        return Response(status_code=202) if deploy["status"] == "queued" else JSONResponse(deploy, status_code=201)

    async def cancel(self, request: Request) -> Response:
        """Stop a deploy that runs."""
        deploy = self._deploy(request, request.path_params["deploy_id"])
        if deploy["status"] not in RUNNING:
            raise Problem(400, f"deploy {deploy['id']} has ended and cannot be canceled")
        deploy |= {"status": "canceled", "updatedAt": now()}
        end(self._account, request.path_params["service_id"], deploy, "canceled")
        return JSONResponse(deploy)

    async def rollback(self, request: Request) -> Response:
        """Deploy again what an earlier deploy built."""
        given = await body_of(request, "deployId")
        target = self._deploy(request, str(given["deployId"]))
        if target["status"] not in ("live", "deactivated"):
            raise Problem(400, f"deploy {target['id']} did not succeed")
        service_id = request.path_params["service_id"]
        if self._account.has_mishap("rollback_gone", service_id):
            raise Problem(400, f"the build artifact of deploy {target['id']} is no longer available")
        elsewhere = self._account.has_mishap("rollback_elsewhere", service_id)
        commit = self._all(request)[0]["commit"] if elsewhere else target["commit"]
        return JSONResponse(started(self._account, service_id, "rollback", commit, target["id"]), status_code=201)


class Jobs:
    """One-off jobs."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def _all(self, request: Request) -> list[Json]:
        jobs = self._account.collection("jobs", self._account.service(request)["id"])
        for job in jobs:
            if job["status"] in ("pending", "running"):
                age = age_of(job["createdAt"])
                job["status"] = next(name for after, name in reversed(JOB_COURSE) if age >= after or after == 0)
                if job["status"] != "pending":
                    job.setdefault("startedAt", now())
                if job["status"] == "succeeded":
                    job["finishedAt"] = now()
        return jobs

    def _job(self, request: Request) -> Json:
        return self._account.found({each["id"]: each for each in self._all(request)}, request.path_params["job_id"], "job")

    async def listing(self, request: Request) -> Response:
        """The jobs of a service, newest first."""
        for status in given_list(request, "status"):
            among(status, JOB_STATUSES, "status")
        found = matching(self._all(request), request, status="status")
        return listed(request, "job", timely(found, request, "created", "started", "finished"))

    async def create(self, request: Request) -> Response:
        """Begin a job."""
        found, given = self._account.service(request), await body_of(request, "startCommand")
        if found["type"] == "static_site":
            raise Problem(400, "jobs are not available for static sites")
        job: Json = {
            "id": new_id("job"),
            "serviceId": found["id"],
            "startCommand": given["startCommand"],
            "planId": given.get("planId") or "plan-srv-006",
            "status": "pending",
            "createdAt": now(),
        }
        self._account.collection("jobs", found["id"]).insert(0, job)
        return JSONResponse(job, status_code=201)

    async def get(self, request: Request) -> Response:
        """One job."""
        return JSONResponse(self._job(request))

    async def cancel(self, request: Request) -> Response:
        """Stop a job that runs."""
        job = self._job(request)
        if job["status"] not in ("pending", "running"):
            raise Problem(400, f"job {job['id']} has ended and cannot be canceled")
        job |= {"status": "canceled", "finishedAt": now()}
        return JSONResponse(job)


class Events:
    """What happened to services."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def listing(self, request: Request) -> Response:
        """The events of a service, newest first."""
        service_id = self._account.service(request)["id"]
        settle(self._account, service_id)
        first, last = moment(request, "startTime"), moment(request, "endTime")
        found = [
            event
            for event in matching(self._of(service_id), request, type="type")
            if event["serviceId"] == service_id
            and (first is None or time_of(event["timestamp"]) >= first)
            and (last is None or time_of(event["timestamp"]) <= last)
        ]
        return listed(request, "event", sorted(found, key=lambda event: time_of(event["timestamp"]), reverse=True))

    def _of(self, service_id: str) -> list[Json]:
        """What the account did with a service, and what became of its instances."""
        return [*self._account.events, *incidents.of(Path(self._account.folder), service_id)]

    async def get(self, request: Request) -> Response:
        """One event."""
        known = {event["id"]: event for service_id in self._account.services for event in self._of(service_id)}
        return JSONResponse(self._account.found(known, request.path_params["event_id"], "event"))


def routes(account: Account) -> list[Route]:
    """The routes of deploys, jobs and events."""
    deploys, jobs, events, one = Deploys(account), Jobs(account), Events(account), "/services/{service_id}"
    return [
        Route(f"{one}/deploys", deploys.listing),
        Route(f"{one}/deploys", deploys.create, methods=["POST"]),
        Route(f"{one}/deploys/{{deploy_id}}", deploys.get),
        Route(f"{one}/deploys/{{deploy_id}}/cancel", deploys.cancel, methods=["POST"]),
        Route(f"{one}/rollback", deploys.rollback, methods=["POST"]),
        Route(f"{one}/jobs", jobs.listing),
        Route(f"{one}/jobs", jobs.create, methods=["POST"]),
        Route(f"{one}/jobs/{{job_id}}", jobs.get),
        Route(f"{one}/jobs/{{job_id}}/cancel", jobs.cancel, methods=["POST"]),
        Route(f"{one}/events", events.listing),
        Route("/events/{event_id}", events.get),
    ]
