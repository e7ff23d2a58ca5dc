"""What an account stores: Postgres and key-value instances, registry credentials, notification settings."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.doubles.render.account import Account
from twin.doubles.render.answers import Json, among, body_of, listed, matching, new_id, now, page_of, timely
from twin.doubles.render.description import DASHBOARD, OWNER

REGISTRIES = ("AWS_ECR", "DOCKER", "GITHUB", "GITLAB", "GOOGLE_ARTIFACT")
VERSIONS = tuple(str(number) for number in range(11, 19))


class Instances:
    """Instances of one kind of store; they exist in the double only."""

    def __init__(self, account: Account, kind: str) -> None:
        self._account = account
        self._kind = kind
        self._all: dict[str, Json] = {}

    def _instance(self, request: Request) -> Json:
        return self._account.found(self._all, request.path_params["instance_id"], self._kind)

    async def listing(self, request: Request) -> Response:
        """The instances."""
        found = matching(self._all.values(), request, name="name", region="region", ownerId="owner.id", suspended="suspended")
        return listed(request, self._kind, timely(found, request, "created", "updated"))

    async def create(self, request: Request) -> Response:
        """Add an instance."""
        given = await body_of(request, "name", "ownerId", "plan", *(["version"] if self._kind == "postgres" else []))
        self._account.owned(given["ownerId"])
        new = self._postgres(given) if self._kind == "postgres" else self._key_value(given)
        self._all[new["id"]] = new
        return JSONResponse(new, status_code=201)

    def _common(self, given: Json, prefix: str, page: str) -> Json:
        identifier, time = new_id(prefix), now()
        return {
            "id": identifier,
            "name": given["name"],
            "owner": self._account.owner,
            "plan": given["plan"],
            "region": given.get("region") or "oregon",
            "status": "available",
            "suspended": "not_suspended",
            "suspenders": [],
            "ipAllowList": given.get("ipAllowList") or [],
            "createdAt": time,
            "updatedAt": time,
            "dashboardUrl": f"{DASHBOARD}/{page}/{identifier}",
        }

    def _postgres(self, given: Json) -> Json:
        among(given["version"], VERSIONS, "version")
        name = str(given["name"]).replace("-", "_")
        return self._common(given, "dpg", "d") | {
            "databaseName": given.get("databaseName") or name,
            "databaseUser": given.get("databaseUser") or f"{name}_user",
            "version": given["version"],
            "role": "primary",
            "highAvailabilityEnabled": bool(given.get("enableHighAvailability")),
            "diskAutoscalingEnabled": bool(given.get("enableDiskAutoscaling")),
            "diskSizeGB": given.get("diskSizeGB") or 15,
            "connectionPool": given.get("connectionPool") or "none",
            "readReplicas": [],
        }

    def _key_value(self, given: Json) -> Json:
        policy = {"maxmemoryPolicy": given.get("maxmemoryPolicy") or "allkeys_lru"}
        return self._common(given, "red", "r") | {"version": "8.0.2", "options": policy}

    async def get(self, request: Request) -> Response:
        """One instance."""
        return JSONResponse(self._instance(request))

    async def update(self, request: Request) -> Response:
        """Change an instance."""
        found, given = self._instance(request), await body_of(request)
        found |= {key: given[key] for key in ("name", "plan", "ipAllowList", "diskSizeGB") if given.get(key) is not None}
        found["updatedAt"] = now()
        return JSONResponse(found)

    async def delete(self, request: Request) -> Response:
        """Remove an instance."""
        del self._all[self._instance(request)["id"]]
        return Response(status_code=204)

    async def suspend(self, request: Request) -> Response:
        """Stop an instance, or start it again."""
        found, stops = self._instance(request), request.url.path.endswith("/suspend")
        found |= {"suspended": "suspended" if stops else "not_suspended", "suspenders": ["user"] if stops else []}
        found["status"] = "suspended" if stops else "available"
        return Response(status_code=202)

    async def restart(self, request: Request) -> Response:
        """Start an instance anew."""
        self._instance(request)
        return Response(status_code=202)

    async def connection(self, request: Request) -> Response:
        """How to connect to an instance."""
        host = self._instance(request)["id"]
        outside = f"{host}.oregon.invalid"
        if self._kind == "postgres":
            inner, outer = (f"postgresql://user:password@{place}/database" for place in (host, outside))
            answer = {"password": "password", "psqlCommand": f"psql -h {outside} -U user database"}
        else:
            inner, outer = f"redis://{host}:6379", f"rediss://user:password@{outside}:6379"
            answer = {"cliCommand": f"redis-cli --tls -h {outside}"}
        return JSONResponse(answer | {"internalConnectionString": inner, "externalConnectionString": outer})


class Settings:
    """Registry credentials and notification settings."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._credentials: dict[str, Json] = {}
        self._notifications: Json = {
            "ownerId": OWNER,
            "slackEnabled": False,
            "emailEnabled": True,
            "previewNotificationsEnabled": False,
            "notificationsToSend": "failure",
        }
        self._overrides: dict[str, Json] = {}

    async def credentials(self, request: Request) -> Response:
        """The registry credentials, without their tokens."""
        found = matching(self._credentials.values(), request, name="name", username="username", type="registry")
        return JSONResponse(page_of(request, found, lambda each: str(each["id"])))

    async def create_credential(self, request: Request) -> Response:
        """Add a registry credential."""
        given = await body_of(request, "registry", "name", "username", "authToken", "ownerId")
        self._account.owned(given["ownerId"])
        among(given["registry"], REGISTRIES, "registry")
        kept = {key: given[key] for key in ("registry", "name", "username")}
        made: dict[str, Any] = {"id": new_id("rgc"), "updatedAt": now()} | kept
        self._credentials[made["id"]] = made
        return JSONResponse(made)

    async def credential(self, request: Request) -> Response:
        """One registry credential: read, changed or removed."""
        found = self._account.found(self._credentials, request.path_params["credential_id"], "registry credential")
        if request.method == "DELETE":
            del self._credentials[found["id"]]
            return Response(status_code=204)
        if request.method == "PATCH":
            given = await body_of(request)
            found |= {key: given[key] for key in ("registry", "name", "username") if given.get(key)} | {"updatedAt": now()}
        return JSONResponse(found)

    async def notifications(self, request: Request) -> Response:
        """When the workspace is notified: read or changed."""
        if request.method == "PATCH":
            given = await body_of(request)
            among(given.get("notificationsToSend"), ("none", "failure", "all"), "notificationsToSend")
            self._notifications |= {key: value for key, value in given.items() if key in self._notifications}
        return JSONResponse(self._notifications)

    async def override(self, request: Request) -> Response:
        """The same for one service."""
        service = self._account.service(request)["id"]
        usual = {"serviceId": service, "previewNotificationsEnabled": "default", "notificationsToSend": "default"}
        kept = self._overrides.setdefault(service, usual)
        if request.method == "PATCH":
            kept |= {key: value for key, value in (await body_of(request)).items() if key in kept}
        return JSONResponse(kept)

    async def none(self, request: Request) -> Response:
        """A listing of what the account has none of."""
        return listed(request, "item", [])


def routes(account: Account) -> list[Route]:
    """The routes of what is stored."""
    found: list[Route] = []
    for kind, base in (("postgres", "/postgres"), ("keyValue", "/key-value")):
        at, one = Instances(account, kind), f"{base}/{{instance_id}}"
        found += [
            Route(base, at.listing),
            Route(base, at.create, methods=["POST"]),
            Route(one, at.get),
            Route(one, at.update, methods=["PATCH"]),
            Route(one, at.delete, methods=["DELETE"]),
            Route(f"{one}/suspend", at.suspend, methods=["POST"]),
            Route(f"{one}/resume", at.suspend, methods=["POST"]),
            Route(f"{one}/restart", at.restart, methods=["POST"]),
            Route(f"{one}/connection-info", at.connection),
        ]
    settings, credential = Settings(account), "/registrycredentials/{credential_id}"
    return [
        *found,
        Route("/registrycredentials", settings.credentials),
        Route("/registrycredentials", settings.create_credential, methods=["POST"]),
        Route(credential, settings.credential, methods=["GET", "PATCH", "DELETE"]),
        Route("/notification-settings/owners/{owner_id}", settings.notifications, methods=["GET", "PATCH"]),
        Route("/notification-settings/overrides/services/{service_id}", settings.override, methods=["GET", "PATCH"]),
        Route("/maintenance", settings.none),
        Route("/blueprints", settings.none),
        Route("/owners/{owner_id}/audit-logs", settings.none),
    ]
