"""Deploy hooks: one address for each service, with a secret key in it; a GET or a POST deploys the service.

`ref` is the commit that is deployed; without it what the branch holds, which is the live one here. The answer names the deploy.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.doubles.render.account import Account
from twin.doubles.render.answers import Json, Problem
from twin.doubles.render.course import started
from twin.doubles.web import same
from twin.keys import deploy_hook_key


class Hooks:
    """Handlers of one account."""

    def __init__(self, account: Account, render_key: str) -> None:
        self._account = account
        self._key = render_key

    async def deploy(self, request: Request) -> Response:
        """Deploy a service; behind a deploy that runs it is queued."""
        service_id, given = request.path_params["service_id"], request.query_params
        if not same(given.get("key", ""), deploy_hook_key(self._key, service_id)):
            raise Problem(401, "unauthorized")
        found = self._account.service(request)
        if found["suspended"] == "suspended":
            raise Problem(409, "service is suspended")
        commit: Json | None = {"id": given["ref"], "message": ""} if given.get("ref") else None
        deploy = started(self._account, found["id"], "deploy_hook", commit)
        return JSONResponse({"deploy": {"id": deploy["id"]}}, status_code=202 if deploy["status"] == "queued" else 200)


def routes(account: Account, render_key: str) -> list[Route]:
    """The hooks of all services."""
    return [Route("/deploy/{service_id}", Hooks(account, render_key).deploy, methods=["GET", "POST"])]
