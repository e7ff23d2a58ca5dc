"""Projects, saved webhooks and saved configurations of an account."""

from __future__ import annotations

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.doubles.llamaparse.account import Account, page_of
from twin.doubles.llamaparse.configuration import EVENTS, check, check_hook
from twin.doubles.llamaparse.errors import Refused, invalid, json_object, missing, unknown_value, whole_number
from twin.doubles.llamaparse.jobs import now

HOOK_FIELDS = ("webhook_url", "webhook_events", "webhook_headers", "webhook_output_format", "webhook_signing_secret")
OTHER_PRODUCTS = ("batch", "classify", "extract", "sheets", "split", "verify")
ALL_EVENTS = [
    *EVENTS,
    *(f"{product}.{state}" for product in OTHER_PRODUCTS for state in ("pending", "success", "error", "cancelled")),
]
PRODUCTS = ["parse_v2", "extract_v2", "classify_v2", "split_v1", "spreadsheet_v1", "unknown"]


class Settings:
    """Handlers of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def projects(self, request: Request) -> Response:
        """The projects of the key, or the one of a name."""
        self._account.admit(request)
        name = request.query_params.get("project_name") or request.query_params.get("name")
        found = [self._account.project] if name in (None, self._account.project["name"]) else []
        if request.url.path.startswith("/api/v2/"):
            size = whole_number(request, "page_size", 50, 1000)
            return JSONResponse(page_of(found, size, request.query_params.get("page_token")))
        return JSONResponse(found)

    async def project(self, request: Request) -> Response:
        """One project."""
        self._account.admit(request)
        asked = request.path_params["project_id"]
        if asked != self._account.project["id"]:
            try:
                uuid.UUID(asked)
            except ValueError:
                raise invalid(["path", "project_id"], "Input should be a valid UUID", "uuid_parsing", asked) from None
            raise Refused(404, f"Project {asked} not found")
        return JSONResponse(self._account.project)

    def _shown(self, hook: dict[str, Any]) -> dict[str, Any]:
        shown = {key: value for key, value in hook.items() if key != "webhook_signing_secret"}
        return shown | {"has_secret": bool(hook.get("webhook_signing_secret"))}

    def _hook(self, request: Request) -> dict[str, Any]:
        self._account.admit(request)
        hook = self._account.hooks.get(request.path_params["config_id"])
        if hook is None:
            raise Refused(404, f"Webhook configuration {request.path_params['config_id']} not found")
        return hook

    async def create_hook(self, request: Request) -> Response:
        """Save a webhook."""
        self._account.admit(request)
        given = await json_object(request)
        if not given.get("webhook_url"):
            raise missing(["body", "webhook_url"], given)
        check_hook(given, ["body"], ALL_EVENTS)
        identifier, time = f"whc-{uuid.uuid4()}", now()
        kept = {"webhook_output_format": "string"} | {key: given.get(key) for key in HOOK_FIELDS if given.get(key) is not None}
        owner = {"tenant_id": self._account.project["id"], "tenant_type": "project", "created_at": time, "updated_at": time}
        empty: dict[str, Any] = {"webhook_events": None, "webhook_headers": None}
        self._account.hooks[identifier] = {"id": identifier} | owner | empty | kept
        return JSONResponse(self._shown(self._account.hooks[identifier]))

    async def hook(self, request: Request) -> Response:
        """One saved webhook."""
        return JSONResponse(self._shown(self._hook(request)))

    async def update_hook(self, request: Request) -> Response:
        """Change what the request holds."""
        hook, given = self._hook(request), await json_object(request)
        check_hook(given, ["body"], ALL_EVENTS)
        hook |= {key: given[key] for key in HOOK_FIELDS if key in given} | {"updated_at": now()}
        return JSONResponse(self._shown(hook))

    async def delete_hook(self, request: Request) -> Response:
        """Remove a saved webhook."""
        del self._account.hooks[self._hook(request)["id"]]
        return Response(status_code=204)

    async def hooks(self, request: Request) -> Response:
        """The saved webhooks, newest first."""
        self._account.admit(request)
        found = [self._shown(hook) for hook in reversed(self._account.hooks.values())]
        if not request.url.path.startswith("/api/v2/"):
            return JSONResponse(found)
        query = request.query_params
        size = whole_number(request, "page_size", 50, 1000)
        return JSONResponse(page_of(found, size, query.get("page_token"), total=query.get("include_total") == "true"))

    def _configuration(self, request: Request) -> dict[str, Any]:
        self._account.admit(request)
        configuration = self._account.configurations.get(request.path_params["config_id"])
        if configuration is None:
            raise Refused(404, f"Configuration {request.path_params['config_id']} not found")
        return configuration

    def _parameters(self, given: dict[str, Any]) -> dict[str, Any]:
        parameters = given.get("parameters")
        if not isinstance(parameters, dict):
            raise missing(["body", "parameters"], given)
        if parameters.get("product_type") not in PRODUCTS:
            raise unknown_value(["body", "parameters", "product_type"], PRODUCTS, parameters.get("product_type"))
        if parameters["product_type"] == "parse_v2":
            check(parameters, ["body", "parameters", "parse_v2"])
        return parameters

    async def create_configuration(self, request: Request) -> Response:
        """Save a configuration."""
        self._account.admit(request)
        given = await json_object(request)
        if not given.get("name"):
            raise missing(["body", "name"], given)
        parameters, identifier, time = self._parameters(given), f"cfg-{uuid.uuid4()}", now()
        self._account.configurations[identifier] = {
            "id": identifier,
            "name": given["name"],
            "parameters": parameters,
            "product_type": parameters["product_type"],
            "version": time,
            "created_at": time,
            "updated_at": time,
        }
        return JSONResponse(self._account.configurations[identifier])

    async def configuration(self, request: Request) -> Response:
        """One saved configuration."""
        return JSONResponse(self._configuration(request))

    async def update_configuration(self, request: Request) -> Response:
        """Change a saved configuration."""
        configuration, given = self._configuration(request), await json_object(request)
        if given.get("parameters") is not None:
            configuration["parameters"] = self._parameters(given)
        configuration |= {"name": given.get("name") or configuration["name"], "updated_at": now()}
        return JSONResponse(configuration)

    async def delete_configuration(self, request: Request) -> Response:
        """Remove a saved configuration."""
        del self._account.configurations[self._configuration(request)["id"]]
        return Response(status_code=204)

    async def listed_configurations(self, request: Request) -> Response:
        """The saved configurations, newest first."""
        self._account.admit(request)
        query = request.query_params
        kinds = query.getlist("product_type")
        found = [
            each
            for each in reversed(self._account.configurations.values())
            if query.get("name") in (None, each["name"]) and (not kinds or each["product_type"] in kinds)
        ]
        return JSONResponse(page_of(found, whole_number(request, "page_size", 50, 1000), query.get("page_token")))


def routes(account: Account) -> list[Route]:
    """The routes of settings."""
    at = Settings(account)
    hooks, configurations = "/api/v1/beta/webhook-configs", "/api/v1/beta/configurations"
    return [
        Route("/api/v1/projects", at.projects),
        Route("/api/v2/projects", at.projects),
        Route("/api/v1/projects/{project_id}", at.project),
        Route("/api/v2/projects/{project_id}", at.project),
        Route("/api/v2/webhook-configs", at.hooks),
        Route(hooks, at.hooks),
        Route(hooks, at.create_hook, methods=["POST"]),
        Route(f"{hooks}/{{config_id}}", at.hook),
        Route(f"{hooks}/{{config_id}}", at.update_hook, methods=["PUT"]),
        Route(f"{hooks}/{{config_id}}", at.delete_hook, methods=["DELETE"]),
        Route(configurations, at.listed_configurations),
        Route(configurations, at.create_configuration, methods=["POST"]),
        Route(f"{configurations}/{{config_id}}", at.configuration),
        Route(f"{configurations}/{{config_id}}", at.update_configuration, methods=["PUT"]),
        Route(f"{configurations}/{{config_id}}", at.delete_configuration, methods=["DELETE"]),
    ]
