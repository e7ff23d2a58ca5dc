"""Supabase Auth: sign-up, sign-in, the user of a token, and the admin's view of users."""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Any
from uuid import UUID

import asyncpg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.doubles.supabase.gateway import with_error_responses
from twin.doubles.supabase.project import TOKEN_SECONDS, Project, Refused
from twin.doubles.web import bearer, body_of, same

MIN_PASSWORD = 6


def _hash(password: str, salt: bytes) -> str:
    return salt.hex() + "$" + hashlib.scrypt(password.encode(), salt=salt, n=1024, r=8, p=1).hex()


def _matches(password: str, stored: str) -> bool:
    salt = bytes.fromhex(stored.partition("$")[0])
    return hmac.compare_digest(_hash(password, salt), stored)


def _view(row: Any) -> dict[str, Any]:
    return {
        "id": str(row["id"]),
        "aud": row["aud"],
        "role": row["role"],
        "email": row["email"],
        "user_metadata": row["raw_user_meta_data"],
        "created_at": row["created_at"].isoformat(),
        "updated_at": row["updated_at"].isoformat(),
    }


class Auth:
    """Handlers of one project."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def _admin(self, request: Request) -> None:
        self.project.require_key(request)
        if not same(bearer(request), self.project.config.service_role_key):
            raise Refused(403, "User not allowed", "not_admin")

    async def _insert(self, email: str, password: str, metadata: dict[str, Any]) -> Any:
        if "@" not in email:
            raise Refused(422, "Unable to validate email address", "validation_failed")
        if len(password) < MIN_PASSWORD:
            raise Refused(422, "Password should be at least 6 characters", "weak_password")
        try:
            return await self.project.pool.fetchrow(
                """INSERT INTO auth.users (email, encrypted_password, raw_user_meta_data)
                   VALUES (lower($1), $2, $3) RETURNING *""",
                email,
                _hash(password, os.urandom(16)),
                metadata,
            )
        except asyncpg.UniqueViolationError as error:
            raise Refused(422, "User already registered", "user_already_exists") from error

    def _session(self, row: Any) -> Response:
        return JSONResponse(
            {
                "access_token": self.project.issue(row),
                "token_type": "bearer",
                "expires_in": TOKEN_SECONDS,
                "refresh_token": os.urandom(12).hex(),
                "user": _view(row),
            }
        )

    async def health(self, request: Request) -> Response:
        """Version of the auth service."""
        self.project.require_key(request)
        return JSONResponse({"name": "GoTrue", "version": "v2.170.0"})

    async def settings(self, request: Request) -> Response:
        """Public settings of the project."""
        self.project.require_key(request)
        return JSONResponse({"external": {"email": True}, "disable_signup": False, "mailer_autoconfirm": True})

    async def signup(self, request: Request) -> Response:
        """Create a user and sign in."""
        self.project.require_key(request)
        body = await body_of(request)
        row = await self._insert(str(body.get("email", "")), str(body.get("password", "")), body.get("data") or {})
        return self._session(row)

    async def token(self, request: Request) -> Response:
        """Sign in with a password."""
        self.project.require_key(request)
        if request.query_params.get("grant_type") != "password":
            raise Refused(400, "unsupported_grant_type", "validation_failed")
        body = await body_of(request)
        row = await self.project.pool.fetchrow("SELECT * FROM auth.users WHERE email = lower($1)", str(body.get("email", "")))
        if row is None or not _matches(str(body.get("password", "")), row["encrypted_password"]):
            raise Refused(400, "Invalid login credentials", "invalid_credentials")
        return self._session(row)

    async def user(self, request: Request) -> Response:
        """The user of an access token."""
        self.project.require_key(request)
        claims = self.project.claims(bearer(request))
        if claims.get("role") != "authenticated":
            raise Refused(403, "invalid claim: missing sub claim", "bad_jwt")
        row = await self._find(claims.get("sub", ""))
        return JSONResponse(_view(row))

    async def _find(self, user_id: str) -> Any:
        try:
            row = await self.project.pool.fetchrow("SELECT * FROM auth.users WHERE id = $1", UUID(user_id))
        except ValueError as error:
            raise Refused(404, "User not found", "user_not_found") from error
        if row is None:
            raise Refused(404, "User not found", "user_not_found")
        return row

    async def admin_create(self, request: Request) -> Response:
        """Create a confirmed user."""
        self._admin(request)
        body = await body_of(request)
        metadata = body.get("user_metadata") or {}
        row = await self._insert(str(body.get("email", "")), str(body.get("password", "")), metadata)
        return JSONResponse(_view(row))

    async def admin_list(self, request: Request) -> Response:
        """All users, a page at a time."""
        self._admin(request)
        page = max(1, int(request.query_params.get("page", 1)))
        size = min(1000, max(1, int(request.query_params.get("per_page", 50))))
        rows = await self.project.pool.fetch(
            "SELECT * FROM auth.users ORDER BY created_at LIMIT $1 OFFSET $2", size, (page - 1) * size
        )
        return JSONResponse({"users": [_view(row) for row in rows], "aud": "authenticated"})

    async def admin_read(self, request: Request) -> Response:
        """One user."""
        self._admin(request)
        return JSONResponse(_view(await self._find(request.path_params["user_id"])))

    async def admin_delete(self, request: Request) -> Response:
        """Remove one user, which invalidates their tokens."""
        self._admin(request)
        row = await self._find(request.path_params["user_id"])
        if self.project.behaviour.get("keeps") != "users":
            await self.project.pool.execute("DELETE FROM auth.users WHERE id = $1", row["id"])
        return JSONResponse({})


def routes(project: Project) -> list[Route]:
    """Routes below /auth/v1."""
    auth = Auth(project)
    table = (
        ("/health", auth.health, "GET"),
        ("/settings", auth.settings, "GET"),
        ("/signup", auth.signup, "POST"),
        ("/token", auth.token, "POST"),
        ("/user", auth.user, "GET"),
        ("/admin/users", auth.admin_create, "POST"),
        ("/admin/users", auth.admin_list, "GET"),
        ("/admin/users/{user_id}", auth.admin_read, "GET"),
        ("/admin/users/{user_id}", auth.admin_delete, "DELETE"),
    )
    return [Route(f"/auth/v1{path}", with_error_responses(handler), methods=[method]) for path, handler, method in table]
