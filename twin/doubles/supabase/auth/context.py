"""What the handlers of Supabase Auth share: the project's state, its settings, and who is asking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jwt
from starlette.requests import Request

from twin.doubles.supabase.auth.codes import Codes
from twin.doubles.supabase.auth.errors import AuthError
from twin.doubles.supabase.auth.sessions import Sessions
from twin.doubles.supabase.auth.users import Users
from twin.doubles.supabase.project import Project, key_of
from twin.doubles.web import bearer

SITE_URL = "http://localhost:3000"
KEY_ROLES = ("anon", "service_role")
NO_SUB = "invalid claim: missing sub claim"


@dataclass(frozen=True)
class Caller:
    """The user of a request."""

    user: Any
    claims: dict[str, Any]

    @property
    def session_id(self) -> str | None:
        """The session of the token."""
        return self.claims.get("session_id")


class Context:
    """The state of Auth of one project."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.users = Users(project)
        self.sessions = Sessions(project, self.users)
        self.codes = Codes(project)

    @property
    def autoconfirm(self) -> bool:
        """Whether addresses count as confirmed without a mail."""
        return bool(self.project.behaviour.get("autoconfirm", True))

    def claims(self, request: Request) -> dict[str, Any]:
        """The claims of a request's Bearer token; raises AuthError 401, 403.

        A project with opaque keys needs no Authorization beside `apikey`: its gateway adds one.
        """
        role = self.project.require_key(request)
        token = bearer(request)
        if not token and self.project.config.key_style == "new":
            return {"role": role}
        if not token:
            raise AuthError(401, "no_authorization", "This endpoint requires a valid Bearer token")
        if key_role := self.project.role_of_bearer(token, key_of(request)):
            return {"role": key_role}
        try:
            return self.project.signing.verify(token)
        except jwt.PyJWTError as error:
            reason = f"invalid JWT: unable to parse or verify signature, {error}"
            raise AuthError(403, "bad_jwt", reason) from error

    async def caller(self, request: Request) -> Caller:
        """The user who is asking; raises AuthError 401, 403."""
        claims = self.claims(request)
        if not claims.get("sub") or claims.get("role") in KEY_ROLES:
            raise AuthError(403, "bad_jwt", NO_SUB)
        if claims.get("aud") != "authenticated":
            raise AuthError(400, "validation_failed", "Token audience doesn't match request audience")
        if not _is_uuid(claims["sub"]):
            raise AuthError(400, "bad_jwt", "invalid claim: sub claim must be a UUID")
        user = await self.project.pool.fetchrow("SELECT * FROM auth.users WHERE id = $1", UUID(claims["sub"]))
        if user is None:
            raise AuthError(403, "user_not_found", "User from sub claim in JWT does not exist")
        if session_id := claims.get("session_id"):
            if not _is_uuid(session_id):
                raise AuthError(403, "bad_jwt", "invalid claim: session_id claim must be a UUID")
            if not await self.sessions.exists(session_id):
                raise AuthError(403, "session_not_found", "Session from session_id claim in JWT does not exist")
        return Caller(user, claims)

    def require_admin(self, request: Request) -> None:
        """Raises AuthError 401, 403 for anybody but the service role; `behaviour.admin` is "anybody" where all may."""
        is_open = self.project.behaviour.get("admin") == "anybody"
        if self.claims(request).get("role") != "service_role" and not is_open:
            raise AuthError(403, "not_admin", "User not allowed")


def _is_uuid(text: object) -> bool:
    try:
        UUID(str(text))
    except ValueError:
        return False
    return True


def redirect_of(request: Request, given: str = "") -> str:
    """Where a link leads; the project's list of allowed addresses holds every web address."""
    wanted = given or request.query_params.get("redirect_to", "") or request.headers.get("redirect_to", "")
    return wanted if wanted.startswith(("http://", "https://")) else SITE_URL
