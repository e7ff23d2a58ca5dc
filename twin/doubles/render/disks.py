"""Disks of services; they exist in the double only."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.doubles.render.account import Account
from twin.doubles.render.answers import Json, Problem, body_of, listed, matching, new_id, now, timely

SMALLEST_GB = 1


class Disks:
    """Disks of services."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._all: dict[str, Json] = {}

    def _disk(self, request: Request) -> Json:
        return self._account.found(self._all, request.path_params["disk_id"], "disk")

    async def listing(self, request: Request) -> Response:
        """The disks."""
        found = matching(self._all.values(), request, name="name", diskId="id", serviceId="serviceId")
        return listed(request, "disk", timely(found, request, "created", "updated"))

    async def create(self, request: Request) -> Response:
        """Give a service a disk; it has one at most."""
        given = await body_of(request, "name", "sizeGB", "mountPath", "serviceId")
        service = self._account.found(self._account.services, given["serviceId"], "service")
        if any(each["serviceId"] == service["id"] for each in self._all.values()):
            raise Problem(400, f"service {service['id']} has a disk already")
        if given["sizeGB"] < SMALLEST_GB or not str(given["mountPath"]).startswith("/"):
            raise Problem(400, "invalid sizeGB or mountPath")
        kept = {key: given[key] for key in ("name", "sizeGB", "mountPath", "serviceId")}
        disk: Json = {"id": new_id("dsk"), "createdAt": now(), "updatedAt": now()} | kept
        self._all[disk["id"]] = disk
        service["serviceDetails"]["disk"] = {key: disk[key] for key in ("id", "name", "sizeGB", "mountPath")}
        return JSONResponse(disk, status_code=201)

    async def get(self, request: Request) -> Response:
        """One disk."""
        return JSONResponse(self._disk(request))

    async def update(self, request: Request) -> Response:
        """Change a disk, which grows only."""
        disk, given = self._disk(request), await body_of(request)
        if given.get("sizeGB") is not None and given["sizeGB"] < disk["sizeGB"]:
            raise Problem(400, "a disk cannot be made smaller")
        disk |= {key: given[key] for key in ("name", "sizeGB", "mountPath") if given.get(key) is not None}
        disk["updatedAt"] = now()
        return JSONResponse(disk)

    async def delete(self, request: Request) -> Response:
        """Remove a disk."""
        disk = self._disk(request)
        self._account.services.get(disk["serviceId"], {}).get("serviceDetails", {}).pop("disk", None)
        del self._all[disk["id"]]
        return Response(status_code=204)


def routes(account: Account) -> list[Route]:
    """The routes of disks."""
    disks = Disks(account)
    return [
        Route("/disks", disks.listing),
        Route("/disks", disks.create, methods=["POST"]),
        Route("/disks/{disk_id}", disks.get),
        Route("/disks/{disk_id}", disks.update, methods=["PATCH"]),
        Route("/disks/{disk_id}", disks.delete, methods=["DELETE"]),
    ]
