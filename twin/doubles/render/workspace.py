"""The workspace: its owner, members, projects and environments."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.doubles.render.account import Account, environment
from twin.doubles.render.answers import Json, Problem, body_of, given_list, listed, matching, new_id, now, timely
from twin.doubles.render.description import OWNER

CHANGEABLE = ("name", "protectedStatus", "networkIsolationEnabled", "ipAllowList")


class Workspace:
    """Handlers of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def owners(self, request: Request) -> Response:
        """The workspaces of the key."""
        return listed(request, "owner", matching([self._account.owner], request, name="name", email="email"))

    async def owner(self, request: Request) -> Response:
        """One workspace."""
        return JSONResponse(self._account.found({OWNER: self._account.owner}, request.path_params["owner_id"], "owner"))

    async def members(self, request: Request) -> Response:
        """Who belongs to a workspace."""
        self._account.found({OWNER: self._account.owner}, request.path_params["owner_id"], "owner")
        user = self._account.user
        member = {"userId": user["id"], "name": user["name"], "email": user["email"]}
        return JSONResponse([member | {"status": "active", "role": "ADMIN", "mfaEnabled": True}])

    async def user(self, request: Request) -> Response:
        """Whom the key belongs to."""
        return JSONResponse(self._account.user)

    def _project(self, request: Request) -> Json:
        return self._account.found(self._account.projects, request.path_params["project_id"], "project")

    async def projects(self, request: Request) -> Response:
        """The projects."""
        found = matching(self._account.projects.values(), request, name="name", ownerId="owner.id")
        return listed(request, "project", timely(found, request, "created", "updated"))

    async def create_project(self, request: Request) -> Response:
        """Add a project with its environments."""
        given = await body_of(request, "name", "ownerId", "environments")
        self._account.owned(given["ownerId"])
        identifier, time = new_id("prj"), now()
        project: Json = {"id": identifier, "name": given["name"], "owner": self._account.owner, "environmentIds": []}
        self._account.projects[identifier] = project | {"createdAt": time, "updatedAt": time}
        for each in given["environments"]:
            self._add_environment(identifier, each)
        return JSONResponse(self._account.projects[identifier], status_code=201)

    async def project(self, request: Request) -> Response:
        """One project."""
        return JSONResponse(self._project(request))

    async def update_project(self, request: Request) -> Response:
        """Rename a project."""
        project, given = self._project(request), await body_of(request, "name")
        project |= {"name": given["name"], "updatedAt": now()}
        return JSONResponse(project)

    async def delete_project(self, request: Request) -> Response:
        """Remove a project and its environments."""
        project = self._project(request)
        for identifier in project["environmentIds"]:
            self._account.environments.pop(identifier, None)
        del self._account.projects[project["id"]]
        return Response(status_code=204)

    def _add_environment(self, project_id: str, given: Json) -> Json:
        new = environment(new_id("evm"), given["name"], project_id, [])
        new |= {key: given[key] for key in CHANGEABLE if given.get(key) is not None}
        self._account.environments[new["id"]] = new
        self._account.projects[project_id]["environmentIds"].append(new["id"])
        return new

    def _environment(self, request: Request) -> Json:
        return self._account.found(self._account.environments, request.path_params["environment_id"], "environment")

    async def environments(self, request: Request) -> Response:
        """The environments of projects."""
        if not given_list(request, "projectId"):
            raise Problem(400, "projectId is required")
        found = matching(self._account.environments.values(), request, name="name", projectId="projectId", environmentId="id")
        return listed(request, "environment", found)

    async def create_environment(self, request: Request) -> Response:
        """Add an environment to a project."""
        given = await body_of(request, "name", "projectId")
        self._account.found(self._account.projects, given["projectId"], "project")
        return JSONResponse(self._add_environment(given["projectId"], given), status_code=201)

    async def environment(self, request: Request) -> Response:
        """One environment."""
        return JSONResponse(self._environment(request))

    async def update_environment(self, request: Request) -> Response:
        """Change an environment."""
        found, given = self._environment(request), await body_of(request)
        found |= {key: given[key] for key in CHANGEABLE if given.get(key) is not None}
        return JSONResponse(found)

    async def delete_environment(self, request: Request) -> Response:
        """Remove an environment."""
        found = self._environment(request)
        project = self._account.projects[found["projectId"]]
        project["environmentIds"] = [each for each in project["environmentIds"] if each != found["id"]]
        del self._account.environments[found["id"]]
        return Response(status_code=204)

    async def resources(self, request: Request) -> Response:
        """Add services to an environment, or take them out."""
        found = self._environment(request)
        if request.method == "DELETE":
            given = given_list(request, "resourceIds")
            found["serviceIds"] = [each for each in found["serviceIds"] if each not in given]
            return Response(status_code=204)
        given = (await body_of(request, "resourceIds"))["resourceIds"]
        for identifier in given:
            self._account.found(self._account.services, identifier, "resource")["environmentId"] = found["id"]
        found["serviceIds"] = list(dict.fromkeys([*found["serviceIds"], *given]))
        return JSONResponse(found)


def routes(account: Account) -> list[Route]:
    """The routes of a workspace."""
    at = Workspace(account)
    project, one = "/projects/{project_id}", "/environments/{environment_id}"
    return [
        Route("/owners", at.owners),
        Route("/owners/{owner_id}", at.owner),
        Route("/owners/{owner_id}/members", at.members),
        Route("/users", at.user),
        Route("/projects", at.projects),
        Route("/projects", at.create_project, methods=["POST"]),
        Route(project, at.project),
        Route(project, at.update_project, methods=["PATCH"]),
        Route(project, at.delete_project, methods=["DELETE"]),
        Route("/environments", at.environments),
        Route("/environments", at.create_environment, methods=["POST"]),
        Route(one, at.environment),
        Route(one, at.update_environment, methods=["PATCH"]),
        Route(one, at.delete_environment, methods=["DELETE"]),
        Route(f"{one}/resources", at.resources, methods=["POST", "DELETE"]),
    ]
