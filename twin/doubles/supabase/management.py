"""Supabase's management API, for one organisation with one project: read by the operator with a token of their own.

What `behaviour.supabase` holds under `management` is laid over its answers by name: project, keys, auth, backups, rest, ssl.
Under `manners` stand seconds on the way (`delay`), that every n-th request fails (`flaky`), and how many requests are granted
in how many seconds (`limit`, `window`).
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.doubles.supabase.project import Project
from twin.doubles.supabase.recovery import Recovery
from twin.doubles.web import bearer, same

Handler = Callable[[Request], Awaitable[Response]]
KEYS = ("anon", "service_role")
DAYS_KEPT = 7
WINDOW_SECONDS = 60


class Management:
    """The management API of the twin's project."""

    def __init__(self, project: Project) -> None:
        self._config = project.config
        self._changed: dict[str, Any] = project.behaviour.get("management", {})
        self._manners: dict[str, float] = self._changed.get("manners", {})
        self.recovery = Recovery(project)
        self._asked = 0
        self._granted: list[float] = []

    def _with(self, name: str, found: dict[str, Any]) -> dict[str, Any]:
        return {**found, **self._changed.get(name, {})}

    @property
    def project(self) -> dict[str, Any]:
        """The project, as the list shows it and by itself."""
        ref = self._config.project_ref
        database = {"host": f"db.{ref}.supabase.co", "version": "18.1.1.001", "postgres_engine": "18", "release_channel": "ga"}
        found = {
            "id": ref,
            "ref": ref,
            "organization_id": "navigator",
            "organization_slug": "navigator",
            "name": "insurance-navigator-staging",
            "region": "us-west-2",
            "created_at": "2025-01-21T00:00:00Z",
            "status": self.recovery.status,
            "database": database,
        }
        return self._with("project", found)

    @property
    def keys(self) -> list[dict[str, Any]]:
        """The project's keys; those of the newer kind have other names."""
        values = (self._config.anon_key, self._config.service_role_key)
        is_new = self._config.key_style == "new"
        kinds = ("publishable", "secret") if is_new else ("legacy", "legacy")
        names = ("default", "default") if is_new else KEYS
        listed = [
            {"name": name, "type": kind, "id": kind if is_new else name, "api_key": value, "prefix": value[:5]}
            | {"hash": hashlib.sha256(value.encode()).hexdigest(), "description": ""}
            for name, kind, value in zip(names, kinds, values, strict=True)
        ]
        return [entry | self._changed.get("keys", {}).get(entry["id"], {}) for entry in listed]

    @property
    def auth(self) -> dict[str, Any]:
        """Settings of Auth."""
        found = {
            "site_url": "https://staging.accessa.ai",
            "uri_allow_list": "https://staging.accessa.ai,https://staging-app.accessa.ai,https://staging-admin.accessa.ai",
            "disable_signup": False,
            "external_email_enabled": True,
            "external_phone_enabled": False,
            "external_anonymous_users_enabled": False,
            "mailer_autoconfirm": True,
            "jwt_exp": 3600,
            "refresh_token_rotation_enabled": True,
            "security_refresh_token_reuse_interval": 10,
            "password_min_length": 8,
            "password_hibp_enabled": True,
            "security_captcha_enabled": False,
            "mfa_totp_enroll_enabled": True,
        }
        return self._with("auth", found)

    @property
    def backups(self) -> dict[str, Any]:
        """Daily backups of the last week, the youngest of last night."""
        changed = self._changed.get("backups", {})
        youngest = datetime.now(UTC) - timedelta(hours=changed.get("age_hours", 8))
        kept = [day for day in range(changed.get("count", DAYS_KEPT)) if day not in changed.get("missing", ())]
        status, is_physical = changed.get("status", "COMPLETED"), changed.get("physical", True)
        listed = [
            {
                "is_physical_backup": is_physical,
                "status": "FAILED" if day in changed.get("failed", ()) else status,
                "inserted_at": (youngest - timedelta(days=day)).isoformat(),
                "id": day + 1,
            }
            for day in kept
        ]
        found = {
            "region": changed.get("region", "us-west-2"),
            "walg_enabled": True,
            "pitr_enabled": changed.get("pitr_enabled", self.recovery.is_there),
        }
        return found | {"backups": listed, "physical_backup_data": self.recovery.window}

    @property
    def rest(self) -> dict[str, Any]:
        """Settings of the REST view."""
        found = {"db_schema": "public,graphql_public,upload_pipeline", "max_rows": 1000, "db_extra_search_path": "public"}
        return self._with("rest", found)

    @property
    def ssl(self) -> dict[str, Any]:
        """Whether connections without TLS are refused."""
        return self._with("ssl", {"currentConfig": {"database": True}, "appliedSuccessfully": True})

    def _refusal(self) -> Response | None:
        """What a request gets that fails now and then, or is one too many."""
        self._asked += 1
        now, window = time.monotonic(), self._manners.get("window", WINDOW_SECONDS)
        self._granted = [moment for moment in self._granted if moment > now - window]
        if len(self._granted) >= self._manners.get("limit", float("inf")):
            wait = str(max(1, math.ceil(self._granted[0] + window - now)))
            return JSONResponse({"message": "ThrottlerException: Too Many Requests"}, 429, {"Retry-After": wait})
        self._granted.append(now)
        every = int(self._manners.get("flaky", 0))
        return JSONResponse({"message": "Bad Gateway"}, 502) if every and self._asked % every == 0 else None

    def answer(self, what: Callable[[], object]) -> Handler:
        """A handler that shows this to whoever has the token."""

        async def shown(_: Request) -> Response:
            return JSONResponse(what())

        return self.admitting(shown)

    def admitting(self, inner: Handler) -> Handler:
        """The handler for whoever has the token, and of the own project only."""

        async def handler(request: Request) -> Response:
            await asyncio.sleep(self._manners.get("delay", 0))
            if refusal := self._refusal():
                return refusal
            if not same(bearer(request), self._config.management_token):
                return JSONResponse({"message": "Unauthorized"}, status_code=401)
            ref = request.path_params.get("ref")
            if ref is not None and ref not in (self._config.project_ref, self.project["ref"]):
                return JSONResponse({"message": "Project not found"}, status_code=404)
            return await inner(request)

        return handler


def routes(project: Project) -> list[Route]:
    """Routes below /v1."""
    api = Management(project)
    shown: dict[str, Callable[[], object]] = {
        "": lambda: [api.project],
        "/{ref}": lambda: api.project,
        "/{ref}/api-keys": lambda: api.keys,
        "/{ref}/config/auth": lambda: api.auth,
        "/{ref}/database/backups": lambda: api.backups,
        "/{ref}/postgrest": lambda: api.rest,
        "/{ref}/ssl-enforcement": lambda: api.ssl,
    }
    done: dict[str, Handler] = {
        "/{ref}/database/backups/restore-pitr": api.recovery.restore,
        "/{ref}/database/query": api.recovery.query,
    }
    found = [Route(f"/v1/projects{path}", api.answer(what), methods=["GET"]) for path, what in shown.items()]
    return found + [Route(f"/v1/projects{path}", api.admitting(what), methods=["POST"]) for path, what in done.items()]
