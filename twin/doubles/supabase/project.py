"""Keys, tokens and roles of one project."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from starlette.requests import Request

from twin.config import TwinConfig
from twin.doubles.web import bearer, same

TOKEN_SECONDS = 3600


class Refused(Exception):
    """The gateway's refusal."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code


@dataclass
class Project:
    """State that the parts of the gateway share."""

    config: TwinConfig
    files: Path
    behaviour: dict[str, Any]
    pool: Any = None
    feed: Any = None

    def role_of_key(self, key: str) -> str | None:
        """anon or service_role for the project's own keys, None for any other."""
        if same(key, self.config.service_role_key):
            return "service_role"
        return "anon" if same(key, self.config.anon_key) else None

    def require_key(self, request: Request) -> str:
        """The role of the `apikey` header; raises Refused 401."""
        role = self.role_of_key(request.headers.get("apikey", "") or request.query_params.get("apikey", ""))
        if role is None:
            raise Refused(401, "Invalid API key")
        return role

    def issue(self, user: Any) -> str:
        """An access token for a user."""
        now = int(time.time())
        claims = {
            "sub": str(user["id"]),
            "aud": "authenticated",
            "role": "authenticated",
            "email": user["email"],
            "iss": f"{self.config.url('supabase')}/auth/v1",
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "session_id": str(uuid.uuid4()),
        }
        return jwt.encode(claims, self.config.jwt_secret, algorithm="HS256")

    def claims(self, token: str) -> dict[str, Any]:
        """Verified claims of a token or key of this project; raises Refused 401."""
        try:
            found: dict[str, Any] = jwt.decode(
                token, self.config.jwt_secret, algorithms=["HS256"], options={"verify_aud": False, "require": ["exp"]}
            )
        except jwt.PyJWTError as error:
            raise Refused(401, "invalid JWT", "bad_jwt") from error
        if found.get("role") == "authenticated" and found.get("aud") != "authenticated":
            raise Refused(401, "invalid audience", "bad_jwt")
        return found

    def identity(self, request: Request) -> dict[str, Any]:
        """The claims of a request: those of its Bearer token, or of its key."""
        role = self.require_key(request)
        token = bearer(request)
        if not token:
            return {"role": role}
        key_role = self.role_of_key(token)
        return {"role": key_role} if key_role else self.claims(token)

    @asynccontextmanager
    async def acting_as(self, claims: dict[str, Any]) -> AsyncIterator[Any]:
        """A transaction under the claims' database role, so that row-level security decides."""
        role = claims.get("role")
        if role not in ("anon", "authenticated", "service_role"):
            raise Refused(401, "unknown role")
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(f"SET LOCAL ROLE {role}")
            await connection.execute("SELECT set_config('request.jwt.claims', $1, true)", json.dumps(claims))
            yield connection
