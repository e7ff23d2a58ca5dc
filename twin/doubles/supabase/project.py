"""Keys, tokens and roles of one project."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jwt
from starlette.requests import Request

from twin.config import TwinConfig
from twin.doubles.supabase.signing import Signing
from twin.doubles.web import bearer, same

TOKEN_SECONDS = 3600
NO_KEY = ("No API key found in request", "No `apikey` request header or url param was found.")
WRONG_KEY = ("Invalid API key", "Double check your Supabase `anon` or `service_role` API key.")


class Refused(Exception):
    """The gateway's refusal."""

    def __init__(self, status: int, message: str, code: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        # What the gateway adds to its own refusals.
        self.hint = hint


def key_of(request: Request) -> str:
    """The project key that a request was sent with, or an empty string."""
    return request.headers.get("apikey", "") or request.query_params.get("apikey", "")


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
        """The role of the `apikey` header (or parameter); raises Refused 401 as the gateway does."""
        key = key_of(request)
        role = self.role_of_key(key)
        if role is None:
            message, hint = WRONG_KEY if key else NO_KEY
            raise Refused(401, message, hint=hint)
        return role

    @cached_property
    def signing(self) -> Signing:
        """How the project signs and verifies tokens."""
        return Signing(self.config)

    def claims(self, token: str) -> dict[str, Any]:
        """Verified claims of a user's token; raises Refused 401. `behaviour.tokens` is "read" where they are not verified."""
        is_only_read = self.behaviour.get("tokens") == "read"
        try:
            found = jwt.decode(token, options={"verify_signature": False}) if is_only_read else self.signing.verify(token)
        except jwt.PyJWTError as error:
            raise Refused(401, "invalid JWT", "bad_jwt") from error
        if found.get("role") == "authenticated" and found.get("aud") != "authenticated" and not is_only_read:
            raise Refused(401, "invalid audience", "bad_jwt")
        return found

    def role_of_bearer(self, token: str, key: str) -> str | None:
        """The role of a project key that was sent as a Bearer token, None for anything else.

        The gateway puts the key's role in the place of an opaque key only where both headers hold the same one; any other
        opaque key reaches the service, to which it is no token.
        """
        is_swapped = self.config.key_style == "legacy" or same(token, key)
        return self.role_of_key(token) if is_swapped else None

    def identity(self, request: Request) -> dict[str, Any]:
        """The claims of a request: those of its Bearer token, or of its key."""
        role = self.require_key(request)
        token = bearer(request)
        if not token:
            return {"role": role}
        key_role = self.role_of_bearer(token, key_of(request))
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
