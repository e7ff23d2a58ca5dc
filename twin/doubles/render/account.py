"""One account: everything that its key may read and change. Changes stay in the double."""

from __future__ import annotations

import base64
import datetime
import hashlib
import secrets
from pathlib import Path
from typing import Any

from starlette.requests import Request

from twin.config import TwinConfig
from twin.doubles.render.answers import Json, Problem, new_id, now
from twin.doubles.render.description import API, CREATED, ENVIRONMENT, OWNER, PROJECT, WORKER, describe, service
from twin.doubles.render.fleet import Fleet
from twin.doubles.render.log_files import LogFiles

SHORT_TYPES = {
    "web_service": "web",
    "background_worker": "worker",
    "private_service": "pserv",
    "cron_job": "cron",
    "static_site": "static",
}
TRIGGER: Json = {
    "firstBuild": False,
    "envUpdated": False,
    "manual": True,
    "deployedByRender": False,
    "clearCache": False,
    "rollback": False,
}


class Account:
    """State of one account."""

    def __init__(self, config: TwinConfig) -> None:
        # Where the twin's processes leave their logs, and what is known of them.
        self.folder = config.folder
        self.log_files = LogFiles(Path(config.folder))
        self.fleet = Fleet(config)
        # How rollbacks and their like go wrong here (`render_mishaps`).
        self.mishaps: dict[str, list[str]] = config.behaviour.get("render_mishaps", {})
        # Values in the place of the made-up ones, by service and metric.
        self.figures: dict[str, float] = config.behaviour.get("render_figures", {})
        self.owner: Json = {
            "id": OWNER,
            "name": "Accessa staging",
            "email": "staging@example.com",
            "type": "team",
            "ipAllowList": [],
            "twoFactorAuthEnabled": True,
        }
        self.user: Json = {"id": "usr-twinuser", "email": "staging@example.com", "name": "Staging"}
        self.services = describe(config)
        self.variables: dict[str, dict[str, str]] = {API: dict(config.api_env), WORKER: dict(config.worker_env)}
        self.secret_files: dict[str, dict[str, str]] = {API: {}, WORKER: {}}
        self.groups: dict[str, Json] = {}
        self.deploys: dict[str, list[Json]] = {}
        # How often the instances of a service were replaced, where none of the twin's processes stand for them.
        self.replaced: dict[str, int] = {}
        self.events: list[Json] = []
        # Further collections by the name of the resource; of a service: by the name and its id.
        self.collections: dict[str, list[Json]] = {}
        self.projects: dict[str, Json] = {
            PROJECT: {
                "id": PROJECT,
                "name": "insurance-navigator",
                "owner": self.owner,
                "environmentIds": [ENVIRONMENT],
                "createdAt": CREATED,
                "updatedAt": CREATED,
            }
        }
        self.environments: dict[str, Json] = {ENVIRONMENT: environment(ENVIRONMENT, "staging", PROJECT, [API, WORKER])}
        self._fill(config)

    def _fill(self, config: TwinConfig) -> None:
        """What the account has beside the two services, and what has happened to all of them."""
        for number in range(int(config.behaviour.get("render_neighbours", 0))):
            self._add_neighbour(number)
        for copied, model in config.behaviour.get("render_copies", {}).items():
            self.variables[copied], self.secret_files[copied] = dict(self.variables[model]), {}
        for identifier in self.services:
            self.deploys[identifier] = _history(config, identifier)
            for deploy in self.deploys[identifier]:
                self.fleet.remember(deploy["id"], self.variables.get(identifier, {}))
            self._note_history(identifier)
        for event in config.behaviour.get("render_events", []):
            self.note(event["service"], event["type"], event["details"])
        for name, group in config.behaviour.get("render_groups", {}).items():
            self._gather(name, group)
        for place, key in ((self.variables, "render_variables"), (self.secret_files, "render_files")):
            for identifier, values in config.behaviour.get(key, {}).items():
                _change(place[identifier], values)
        for gone in config.behaviour.get("render_gone", []):
            del self.services[gone]

    def _add_neighbour(self, number: int) -> None:
        """A service of other people in the same workspace, listed before the twin's."""
        identifier, url = f"srv-neighbour{number:02}", f"https://neighbour-{number}.onrender.com"
        site = {"buildCommand": "", "publishPath": "public", "url": url, "buildPlan": "starter"}
        new = service(identifier, f"neighbour-{number}", "static_site") | {"serviceDetails": site}
        self.services = {identifier: new} | self.services
        self.variables[identifier], self.secret_files[identifier] = {}, {}

    def _gather(self, name: str, group: Json) -> None:
        """Move variables of services into a group that is linked to them."""
        links = group["services"]
        linked = [self.variables[identifier] for identifier in links]
        # A group gives all its services one value, so what they have different values for stays where it is.
        held = {key: linked[0][key] for key in group["keys"] if linked and _is_shared(key, linked)}
        for each in linked:
            for key in held:
                del each[key]
        self.add_group(name, held | group.get("values", {}), group.get("files", {}), links)

    def add_group(self, name: str, variables: dict[str, str], files: dict[str, str], links: list[str]) -> Json:
        """An environment group that is linked to services."""
        time = now()
        group: Json = {
            "id": new_id("evg"),
            "name": name,
            "ownerId": OWNER,
            "createdAt": time,
            "updatedAt": time,
            "links": list(links),
            "variables": dict(variables),
            "files": dict(files),
        }
        self.groups[group["id"]] = group
        return group

    def service(self, request: Request) -> Json:
        """The service that the path names; raises Problem."""
        return self.found(self.services, request.path_params["service_id"], "service")

    @staticmethod
    def found(place: dict[str, Json], identifier: str, what: str) -> Json:
        """One object of a collection; raises Problem."""
        if identifier not in place:
            raise Problem(404, f"not found: {what} {identifier}")
        return place[identifier]

    def owned(self, identifier: object) -> None:
        """Raises Problem where a workspace is not that of the key."""
        if identifier != OWNER:
            raise Problem(400, f"invalid ownerId: {identifier}")

    def collection(self, name: str, of: str = "") -> list[Json]:
        """The objects of one kind, of the account or of one service."""
        return self.collections.setdefault(f"{name} {of}", [])

    def note(self, service_id: str, kind: str, details: Json, time: str = "") -> None:
        """Record an event of a service."""
        event = {"id": new_id("evt"), "timestamp": time or now(), "serviceId": service_id, "type": kind, "details": details}
        self.events.append(event)

    def has_mishap(self, name: str, what: str) -> bool:
        """Whether something goes wrong with a service or a variable; `*` stands for all of them."""
        return not {what, "*"}.isdisjoint(self.mishaps.get(name, []))

    def environment_of(self, service_id: str) -> dict[str, str]:
        """What a new deploy of a service runs with: its own variables over those of its groups."""
        found: dict[str, str] = {}
        for group in self.groups.values():
            if service_id in group["links"]:
                found |= group["variables"]
        return found | self.variables.get(service_id, {})

    def replace_instances(self, service_id: str) -> None:
        """Have further listings show other instances of a service."""
        self.replaced[service_id] = self.replaced.get(service_id, 0) + 1

    def _note_history(self, service_id: str) -> None:
        for deploy in reversed(self.deploys[service_id]):
            self.note(service_id, "deploy_started", {"deployId": deploy["id"], "trigger": TRIGGER}, deploy["startedAt"])
            failed = str(deploy["status"]).endswith("failed")
            end: Json = {"deployStatus": "failed" if failed else "succeeded", "status": 3 if failed else 2, "reason": {}}
            self.note(service_id, "deploy_ended", {"deployId": deploy["id"]} | end, deploy["finishedAt"])


def _change(held: dict[str, str], values: dict[str, str | None]) -> None:
    """Put values in the place of others; None removes one."""
    for name, value in values.items():
        held.pop(name, None)
        if value is not None:
            held[name] = value


def _is_shared(key: str, places: list[dict[str, str]]) -> bool:
    return all(key in each and each[key] == places[0][key] for each in places)


def environment(identifier: str, name: str, project_id: str, services: list[str]) -> Json:
    """An environment of a project."""
    return {
        "id": identifier,
        "name": name,
        "projectId": project_id,
        "databasesIds": [],
        "redisIds": [],
        "serviceIds": list(services),
        "envGroupIds": [],
        "protectedStatus": "unprotected",
        "networkIsolationEnabled": False,
    }


def _history(config: TwinConfig, service_id: str) -> list[Json]:
    """Deploys of a service, newest first: the release, and as many before it as `behaviour.render_history` says.

    A service in `behaviour.render_cancelled` has a later one, which never went live.
    """
    first = datetime.datetime(2025, 1, 21, tzinfo=datetime.UTC)
    found = [_deploy(f"dep-twin1{service_id[4:]}", config.commit, "live", first)]
    found[0] |= config.behaviour.get("deploys", {}).get(service_id, {})
    for number in range(1, int(config.behaviour.get("render_history", 1)) + 1):
        # Commits of earlier releases: any other than this one's.
        commit = hashlib.sha1(f"{config.commit}{number}".encode(), usedforsecurity=False).hexdigest()
        time = first - datetime.timedelta(days=number)
        found.append(_deploy(f"dep-twin1{service_id[4:]}before{number}", commit, "deactivated", time))
    if service_id in config.behaviour.get("render_cancelled", []):
        commit, time = (
            hashlib.sha1(config.commit.encode(), usedforsecurity=False).hexdigest(),
            first + datetime.timedelta(days=1),
        )
        found.insert(0, _deploy(f"dep-twin1{service_id[4:]}after", commit, "canceled", time))
    return found


def _deploy(identifier: str, commit: str, status: str, time: datetime.datetime) -> Json:
    def at(minutes: int) -> str:
        return (time + datetime.timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")

    return {
        "id": identifier,
        "status": status,
        "commit": {"id": commit, "message": "release", "createdAt": at(-60)},
        "trigger": "manual",
        "createdAt": at(0),
        "startedAt": at(1),
        "finishedAt": at(5),
        "updatedAt": at(5),
    }


def own_value(given: dict[str, Any]) -> str:
    """The value of a variable as a request gives it, or a generated one; raises Problem."""
    if given.get("generateValue"):
        # 256 bits in base64, as the host documents it.
        return base64.b64encode(secrets.token_bytes(32)).decode()
    value = given.get("value")
    if not isinstance(value, str):
        raise Problem(400, "value or generateValue is required")
    return value
