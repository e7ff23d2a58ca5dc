"""Variables and secret files of services, and the environment groups that several services share."""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.doubles.render.account import SHORT_TYPES, Account, own_value
from twin.doubles.render.answers import Json, Problem, body_of, list_body, listed, matching, now, page_of, timely

KEY = re.compile(r"[A-Za-z_.-][A-Za-z0-9_.-]*")
NO_CONTENT = 204


def _named(request: Request, held: dict[str, str], what: str) -> str:
    name = str(request.path_params["key"])
    if name not in held:
        raise Problem(404, f"not found: {what} {name}")
    return name


def _checked(key: str) -> str:
    if not KEY.fullmatch(key):
        raise Problem(400, f"invalid env var key: {key}")
    return key


class Variables:
    """Variables of services."""

    def __init__(self, account: Account) -> None:
        self._account = account
        # What was changed since the double began, by service and variable.
        self._changed: set[tuple[str, str]] = set()

    def _held(self, request: Request) -> dict[str, str]:
        return self._account.variables[self._account.service(request)["id"]]

    async def listing(self, request: Request) -> Response:
        """Those of the service itself; what comes from a group is the group's."""
        held = [{"key": key, "value": value} for key, value in sorted(self._held(request).items())]
        return listed(request, "envVar", held, "key")

    async def get(self, request: Request) -> Response:
        """One variable."""
        held = self._held(request)
        key = _named(request, held, "env var")
        return JSONResponse({"key": key, "value": held[key]})

    async def put(self, request: Request) -> Response:
        """Add or change one variable."""
        held, key = self._held(request), _checked(request.path_params["key"])
        value = own_value(await body_of(request))
        place = (request.path_params["service_id"], key)
        if not (place in self._changed and self._account.has_mishap("variables_kept", key)):
            held[key] = value
        self._changed.add(place)
        return JSONResponse({"key": key, "value": value})

    async def replace(self, request: Request) -> Response:
        """All variables at once: what is not in the request is removed."""
        held = self._held(request)
        given = {_checked(each["key"]): own_value(each) for each in await list_body(request, "key")}
        held.clear()
        held.update(given)
        return JSONResponse([{"envVar": {"key": key, "value": value}, "cursor": key} for key, value in given.items()])

    async def delete(self, request: Request) -> Response:
        """Remove one variable."""
        held = self._held(request)
        del held[_named(request, held, "env var")]
        return Response(status_code=NO_CONTENT)


class SecretFiles:
    """Secret files of services."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def _held(self, request: Request) -> dict[str, str]:
        return self._account.secret_files[self._account.service(request)["id"]]

    async def listing(self, request: Request) -> Response:
        """The files, by name."""
        held = [{"name": name, "content": content} for name, content in sorted(self._held(request).items())]
        return listed(request, "secretFile", held, "name")

    async def get(self, request: Request) -> Response:
        """One file."""
        held = self._held(request)
        name = _named(request, held, "secret file")
        return JSONResponse({"name": name, "content": held[name]})

    async def put(self, request: Request) -> Response:
        """Add or change one file."""
        held, name = self._held(request), str(request.path_params["key"])
        held[name] = str((await body_of(request, "content"))["content"])
        return JSONResponse({"name": name, "content": held[name]}, status_code=201)

    async def replace(self, request: Request) -> Response:
        """All files at once."""
        held = self._held(request)
        given = {each["name"]: each["content"] for each in await list_body(request, "name", "content")}
        held.clear()
        held.update(given)
        shown = [{"secretFile": {"name": name, "content": content}, "cursor": name} for name, content in given.items()]
        return JSONResponse(shown)

    async def delete(self, request: Request) -> Response:
        """Remove one file."""
        held = self._held(request)
        del held[_named(request, held, "secret file")]
        return Response(status_code=NO_CONTENT)


class Groups:
    """Environment groups."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def _meta(self, group: Json) -> Json:
        services = self._account.services
        links = [
            {"id": identifier, "name": services[identifier]["name"], "type": SHORT_TYPES[services[identifier]["type"]]}
            for identifier in group["links"]
            if identifier in services
        ]
        kept = {key: value for key, value in group.items() if key not in ("links", "variables", "files")}
        return kept | {"serviceLinks": links}

    def _whole(self, group: Json) -> Json:
        return self._meta(group) | {
            "envVars": [{"key": key, "value": value} for key, value in group["variables"].items()],
            "secretFiles": [{"name": name, "content": content} for name, content in group["files"].items()],
        }

    def _group(self, request: Request) -> Json:
        return self._account.found(self._account.groups, request.path_params["group_id"], "environment group")

    def _changed(self, group: Json, status: int = 200) -> Response:
        group["updatedAt"] = now()
        return JSONResponse(self._whole(group), status_code=status)

    async def listing(self, request: Request) -> Response:
        """The groups without their values."""
        found = matching(self._account.groups.values(), request, name="name", ownerId="ownerId", environmentId="environmentId")
        page = page_of(request, timely(found, request, "created", "updated"), lambda group: str(group["id"]))
        return JSONResponse([self._meta(group) for group in page])

    async def create(self, request: Request) -> Response:
        """Add a group."""
        given = await body_of(request, "name", "ownerId")
        self._account.owned(given["ownerId"])
        if not isinstance(given.get("envVars"), list):
            raise Problem(400, "envVars is required")
        for identifier in given.get("serviceIds") or []:
            self._account.found(self._account.services, identifier, "service")
        variables = {_checked(each["key"]): own_value(each) for each in given["envVars"]}
        files = {each["name"]: each["content"] for each in given.get("secretFiles") or []}
        group = self._account.add_group(given["name"], variables, files, given.get("serviceIds") or [])
        if given.get("environmentId"):
            group["environmentId"] = given["environmentId"]
        return JSONResponse(self._whole(group), status_code=201)

    async def get(self, request: Request) -> Response:
        """One group with its values."""
        return JSONResponse(self._whole(self._group(request)))

    async def update(self, request: Request) -> Response:
        """Rename a group."""
        group, given = self._group(request), await body_of(request, "name")
        group["name"] = given["name"]
        return self._changed(group)

    async def delete(self, request: Request) -> Response:
        """Remove a group."""
        del self._account.groups[self._group(request)["id"]]
        return Response(status_code=NO_CONTENT)

    async def link(self, request: Request) -> Response:
        """Link a service to a group, or take the link away."""
        group, service = self._group(request), self._account.service(request)
        if request.method == "DELETE":
            group["links"] = [each for each in group["links"] if each != service["id"]]
            return Response(status_code=NO_CONTENT)
        if service["id"] not in group["links"]:
            group["links"].append(service["id"])
        return self._changed(group)

    async def variable(self, request: Request) -> Response:
        """One variable of a group."""
        group = self._group(request)
        held: dict[str, Any] = group["variables"]
        if request.method == "PUT":
            held[_checked(request.path_params["key"])] = own_value(await body_of(request))
            return self._changed(group)
        key = _named(request, held, "env var")
        if request.method == "DELETE":
            del held[key]
            return Response(status_code=NO_CONTENT)
        return JSONResponse({"key": key, "value": held[key]})

    async def file(self, request: Request) -> Response:
        """One secret file of a group."""
        group = self._group(request)
        held: dict[str, Any] = group["files"]
        if request.method == "PUT":
            held[str(request.path_params["key"])] = str((await body_of(request, "content"))["content"])
            return self._changed(group)
        name = _named(request, held, "secret file")
        if request.method == "DELETE":
            del held[name]
            return Response(status_code=NO_CONTENT)
        return JSONResponse({"name": name, "content": held[name]})


def routes(account: Account) -> list[Route]:
    """The routes of variables, files and groups."""
    found: list[Route] = []
    for handlers, name in ((Variables(account), "env-vars"), (SecretFiles(account), "secret-files")):
        base = f"/services/{{service_id}}/{name}"
        found += [
            Route(base, handlers.listing),
            Route(base, handlers.replace, methods=["PUT"]),
            Route(f"{base}/{{key}}", handlers.get),
            Route(f"{base}/{{key}}", handlers.put, methods=["PUT"]),
            Route(f"{base}/{{key}}", handlers.delete, methods=["DELETE"]),
        ]
    groups, one = Groups(account), "/env-groups/{group_id}"
    return [
        *found,
        Route("/env-groups", groups.listing),
        Route("/env-groups", groups.create, methods=["POST"]),
        Route(one, groups.get),
        Route(one, groups.update, methods=["PATCH"]),
        Route(one, groups.delete, methods=["DELETE"]),
        Route(f"{one}/services/{{service_id}}", groups.link, methods=["POST", "DELETE"]),
        Route(f"{one}/env-vars/{{key}}", groups.variable, methods=["GET", "PUT", "DELETE"]),
        Route(f"{one}/secret-files/{{key}}", groups.file, methods=["GET", "PUT", "DELETE"]),
    ]
