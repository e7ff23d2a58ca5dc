"""What hangs on services: custom domains, headers, routes, disks and cron runs; and the account's webhooks."""

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.doubles.render.account import Account
from twin.doubles.render.answers import Json, Problem, among, body_of, list_body, listed, matching, new_id, now, timely

FOR_DOMAINS = ("web_service", "static_site")
ROUTE_TYPES = ("redirect", "rewrite")
PARTS_OF_APEX = 2


def _of(items: list[Json], identifier: str, what: str) -> Json:
    return Account.found({each["id"]: each for each in items}, identifier, what)


class Domains:
    """Custom domains of services."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def _all(self, request: Request) -> list[Json]:
        return self._account.collection("domains", self._account.service(request)["id"])

    def _domain(self, request: Request) -> Json:
        asked, domains = request.path_params["domain"], self._all(request)
        named = {each["name"]: each for each in domains} | {each["id"]: each for each in domains}
        return self._account.found(named, asked, "custom domain")

    async def listing(self, request: Request) -> Response:
        """The domains of a service."""
        found = matching(
            self._all(request), request, name="name", domainType="domainType", verificationStatus="verificationStatus"
        )
        return listed(request, "customDomain", timely(found, request, "created"))

    async def create(self, request: Request) -> Response:
        """Add a domain; with an apex comes its www domain, which redirects to it."""
        service, given = self._account.service(request), await body_of(request, "name")
        if service["type"] not in FOR_DOMAINS:
            raise Problem(400, "custom domains are for web services and static sites")
        name, domains = str(given["name"]).lower(), self._all(request)
        if "." not in name or "/" in name:
            raise Problem(400, f"invalid name: {name}")
        taken = [
            each["name"] for (key, held) in self._account.collections.items() if key.startswith("domains ") for each in held
        ]
        if name in taken:
            raise Problem(409, f"custom domain {name} already exists")
        made = [_domain(name, "", service)]
        if made[0]["domainType"] == "apex":
            made.append(_domain(f"www.{name}", name, service))
        domains += made
        return JSONResponse(made, status_code=201)

    async def get(self, request: Request) -> Response:
        """One domain, by name or id."""
        return JSONResponse(self._domain(request))

    async def delete(self, request: Request) -> Response:
        """Remove a domain."""
        self._all(request).remove(self._domain(request))
        return Response(status_code=204)

    async def verify(self, request: Request) -> Response:
        """Look at its DNS records again."""
        self._domain(request)
        return Response(status_code=202)


def _domain(name: str, redirects_to: str, service: Json) -> Json:
    is_apex = len(name.split(".")) == PARTS_OF_APEX
    return {
        "id": new_id("cdm"),
        "name": name,
        "domainType": "apex" if is_apex else "subdomain",
        "publicSuffix": name.rpartition(".")[2],
        "redirectForName": redirects_to,
        "verificationStatus": "unverified",
        "createdAt": now(),
        "server": {"id": service["id"], "name": service["name"]},
    }


class Rules:
    """Header rules and redirect rules of services."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def _all(self, request: Request, kind: str) -> list[Json]:
        return self._account.collection(kind, self._account.service(request)["id"])

    async def headers(self, request: Request) -> Response:
        """The header rules."""
        return listed(
            request, "header", matching(self._all(request, "headers"), request, path="path", name="name", value="value")
        )

    async def add_header(self, request: Request) -> Response:
        """Add a header rule."""
        rules, given = self._all(request, "headers"), await body_of(request, "path", "name", "value")
        rules.append(_header(given))
        return JSONResponse({"headers": rules[-1]}, status_code=201)

    async def put_headers(self, request: Request) -> Response:
        """All header rules at once."""
        rules = self._all(request, "headers")
        rules[:] = [_header(each) for each in await list_body(request, "path", "name", "value")]
        return JSONResponse(rules)

    async def delete_header(self, request: Request) -> Response:
        """Remove a header rule."""
        rules = self._all(request, "headers")
        rules.remove(_of(rules, request.path_params["rule_id"], "header"))
        return Response(status_code=204)

    async def routes(self, request: Request) -> Response:
        """The redirect rules, in the order in which they are tried."""
        found = matching(self._all(request, "routes"), request, type="type", source="source", destination="destination")
        return listed(request, "route", found)

    async def add_route(self, request: Request) -> Response:
        """Add a redirect rule, at the end or where it is wanted."""
        rules, given = self._all(request, "routes"), await body_of(request, "type", "source", "destination")
        rule = _route(given)
        position = given.get("priority")
        rules.insert(len(rules) if position is None else int(position), rule)
        _number(rules)
        return JSONResponse(rule, status_code=201)

    async def put_routes(self, request: Request) -> Response:
        """All redirect rules at once."""
        rules = self._all(request, "routes")
        rules[:] = [_route(each) for each in await list_body(request, "type", "source", "destination")]
        _number(rules)
        return JSONResponse(rules)

    async def patch_route(self, request: Request) -> Response:
        """Move a redirect rule."""
        rules, given = self._all(request, "routes"), await body_of(request, "priority")
        rule = _of(rules, request.path_params["rule_id"], "route")
        rules.remove(rule)
        rules.insert(int(given["priority"]), rule)
        _number(rules)
        return JSONResponse({"headers": rule})

    async def delete_route(self, request: Request) -> Response:
        """Remove a redirect rule."""
        rules = self._all(request, "routes")
        rules.remove(_of(rules, request.path_params["rule_id"], "route"))
        _number(rules)
        return Response(status_code=204)


def _header(given: Json) -> Json:
    return {"id": new_id("hdr"), "path": given["path"], "name": given["name"], "value": given["value"]}


def _route(given: Json) -> Json:
    among(given["type"], ROUTE_TYPES, "type")
    rule = {"id": new_id("rdr"), "type": given["type"], "source": given["source"], "destination": given["destination"]}
    return rule | {"priority": 0}


def _number(rules: list[Json]) -> None:
    for number, rule in enumerate(rules):
        rule["priority"] = number


class Webhooks:
    """The account's webhooks; none of them is called."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._all = account.collection("webhooks")

    def _webhook(self, request: Request) -> Json:
        return _of(self._all, request.path_params["webhook_id"], "webhook")

    async def listing(self, request: Request) -> Response:
        """The webhooks."""
        return listed(request, "webhook", self._all)

    async def create(self, request: Request) -> Response:
        """Add a webhook."""
        given = await body_of(request, "ownerId", "url", "name")
        self._account.owned(given["ownerId"])
        if not str(given["url"]).startswith("https://"):
            raise Problem(400, "invalid url: https is required")
        kept: Json = {
            "id": new_id("whk"),
            "url": given["url"],
            "name": given["name"],
            "secret": f"whsec_{secrets.token_urlsafe(24)}",
        }
        self._all.append(kept | {"enabled": bool(given.get("enabled", True)), "eventFilter": given.get("eventFilter") or []})
        return JSONResponse(self._all[-1], status_code=201)

    async def get(self, request: Request) -> Response:
        """One webhook."""
        return JSONResponse(self._webhook(request))

    async def update(self, request: Request) -> Response:
        """Change a webhook."""
        found, given = self._webhook(request), await body_of(request)
        found |= {key: given[key] for key in ("name", "url", "enabled", "eventFilter") if given.get(key) is not None}
        return JSONResponse(found)

    async def delete(self, request: Request) -> Response:
        """Remove a webhook."""
        self._all.remove(self._webhook(request))
        return Response(status_code=204)

    async def events(self, request: Request) -> Response:
        """What was sent to a webhook: nothing."""
        self._webhook(request)
        return listed(request, "webhookEvent", [])


def routes(account: Account) -> list[Route]:
    """The routes of what hangs on services."""
    domains, rules, webhooks = Domains(account), Rules(account), Webhooks(account)
    one = "/services/{service_id}"
    domain, webhook = f"{one}/custom-domains/{{domain}}", "/webhooks/{webhook_id}"
    return [
        Route(f"{one}/custom-domains", domains.listing),
        Route(f"{one}/custom-domains", domains.create, methods=["POST"]),
        Route(domain, domains.get),
        Route(domain, domains.delete, methods=["DELETE"]),
        Route(f"{domain}/verify", domains.verify, methods=["POST"]),
        Route(f"{one}/headers", rules.headers),
        Route(f"{one}/headers", rules.add_header, methods=["POST"]),
        Route(f"{one}/headers", rules.put_headers, methods=["PUT"]),
        Route(f"{one}/headers/{{rule_id}}", rules.delete_header, methods=["DELETE"]),
        Route(f"{one}/routes", rules.routes),
        Route(f"{one}/routes", rules.add_route, methods=["POST"]),
        Route(f"{one}/routes", rules.put_routes, methods=["PUT"]),
        Route(f"{one}/routes/{{rule_id}}", rules.patch_route, methods=["PATCH"]),
        Route(f"{one}/routes/{{rule_id}}", rules.delete_route, methods=["DELETE"]),
        Route("/webhooks", webhooks.listing),
        Route("/webhooks", webhooks.create, methods=["POST"]),
        Route(webhook, webhooks.get),
        Route(webhook, webhooks.update, methods=["PATCH"]),
        Route(webhook, webhooks.delete, methods=["DELETE"]),
        Route(f"{webhook}/events", webhooks.events),
    ]
