"""Signing up, in and out, and the user's own account."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles.supabase.auth.body import Body
from twin.doubles.supabase.auth.context import Caller, Context
from twin.doubles.supabase.auth.errors import AuthError, OAuthError
from twin.doubles.supabase.auth.passwords import address, hashed, matches, require_strong
from twin.doubles.supabase.auth.sessions import require_not_banned
from twin.doubles.supabase.auth.users import EMAIL_EXISTS, merged, moment
from twin.doubles.supabase.project import Project

WRONG = AuthError(400, "invalid_credentials", "Invalid login credentials")
ISSUERS = {
    "google": "https://accounts.google.com",
    "apple": "https://appleid.apple.com",
    "azure": "https://login.microsoftonline.com",
    "facebook": "https://www.facebook.com",
    "kakao": "https://kauth.kakao.com",
}
ONE_OF_BOTH = "Only an email address or phone number should be provided on {}."
NO_FLOW = "invalid flow state, no valid flow state found"
NO_PKCE = "invalid request: both auth code and code verifier should be non-empty"


class Accounts:
    """Handlers of one project."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def _project(self) -> Project:
        return self._context.project

    async def signup(self, request: Request) -> Response:
        """Create a user: a session where addresses need no confirmation, otherwise the user alone."""
        body = await Body.of(request)
        email, phone, password = body.text("email"), body.text("phone"), body.text("password")
        if not email and not phone:
            raise AuthError(422, "anonymous_provider_disabled", "Anonymous sign-ins are disabled")
        if not password:
            raise AuthError(400, "validation_failed", "Signup requires a valid password")
        require_strong(password)
        if email and phone:
            raise AuthError(400, "validation_failed", ONE_OF_BOTH.format("signup"))
        if phone:
            raise AuthError(400, "phone_provider_disabled", "Phone signups are disabled")
        email = address(email)
        known = await self._context.users.by_email(email)
        if known is not None and not self._context.autoconfirm:
            return JSONResponse(await self._not_revealed(known))
        taken = AuthError(422, "user_already_exists", "User already registered")
        user = await self._context.users.create(taken, email=email, encrypted_password=hashed(password))
        standing = {"sub": str(user["id"]), "email": email, "email_verified": False, "phone_verified": False}
        user = await self._context.users.change(user, raw_user_meta_data=standing | body.object("data"))
        if self._context.autoconfirm:
            user = await self._context.users.confirm(user)
            return JSONResponse(await self._context.sessions.begin(user, "password"))
        await self._context.codes.make(user, "signup", email)
        user = await self._context.users.change(user, confirmation_sent_at=datetime.now(UTC))
        return JSONResponse(await self._context.users.view(user))

    async def _not_revealed(self, known: Any) -> dict[str, Any]:
        """A user who already exists, shown so that a stranger learns nothing of a confirmed one."""
        view = await self._context.users.view(known)
        if not known["email_confirmed_at"]:
            return view
        now = moment(datetime.now(UTC))
        shown = {name: view[name] for name in ("aud", "email", "phone", "is_anonymous")}
        invented = {"id": str(uuid4()), "role": "", "created_at": now, "updated_at": now, "confirmation_sent_at": now}
        metadata = {"app_metadata": {"provider": "email", "providers": ["email"]}, "user_metadata": {}, "identities": []}
        return shown | invented | metadata

    async def token(self, request: Request) -> Response:
        """Exchange a password, a refresh token or another grant for a session."""
        grants = {"password": self._password, "refresh_token": self._refresh, "id_token": self._id_token, "pkce": self._pkce}
        grant = grants.get(request.query_params.get("grant_type", ""))
        if grant is None:
            raise AuthError(400, "invalid_credentials", "unsupported_grant_type")
        return JSONResponse(await grant(await Body.of(request)))

    async def _password(self, body: Body) -> dict[str, Any]:
        email, phone = body.text("email"), body.text("phone")
        if email and phone:
            raise AuthError(400, "validation_failed", ONE_OF_BOTH.format("login"))
        if phone:
            raise AuthError(422, "phone_provider_disabled", "Phone logins are disabled")
        if not email:
            raise AuthError(400, "validation_failed", "missing email or phone")
        user = await self._context.users.by_email(email)
        if user is None or not matches(body.text("password"), user["encrypted_password"]):
            raise WRONG
        require_not_banned(user, "User is banned")
        if not user["email_confirmed_at"]:
            raise AuthError(400, "email_not_confirmed", "Email not confirmed")
        return await self._context.sessions.begin(user, "password")

    async def _refresh(self, body: Body) -> dict[str, Any]:
        if not body.text("refresh_token"):
            raise AuthError(400, "validation_failed", "refresh_token required")
        return await self._context.sessions.refresh(body.text("refresh_token"))

    async def _id_token(self, body: Body) -> dict[str, Any]:
        if not body.text("id_token"):
            raise OAuthError("invalid request", "id_token required")
        provider = body.text("provider")
        if not provider and not body.text("client_id"):
            raise OAuthError("invalid request", "provider or client_id and issuer required")
        if provider and provider not in ISSUERS:
            raise AuthError(400, "validation_failed", f'Custom OIDC provider "{provider}" not allowed')
        issuer = ISSUERS.get(provider, body.text("issuer"))
        raise AuthError(400, "provider_disabled", f'Provider (issuer "{issuer}") is not enabled')

    async def _pkce(self, body: Body) -> dict[str, Any]:
        if not body.text("auth_code") or not body.text("code_verifier"):
            raise AuthError(400, "validation_failed", NO_PKCE)
        raise AuthError(404, "flow_state_not_found", NO_FLOW)

    async def logout(self, request: Request) -> Response:
        """Sign out everywhere, here, or everywhere but here."""
        scope = request.query_params.get("scope") or "global"
        caller = await self._context.caller(request)
        if scope not in ("global", "local", "others"):
            raise AuthError(400, "validation_failed", f'Unsupported logout scope "{scope}"')
        if caller.session_id is None and scope != "global":
            return Response(status_code=204)
        await self._context.sessions.end(caller.user["id"], caller.session_id, scope)
        return Response(status_code=204)

    async def user(self, request: Request) -> Response:
        """The user of an access token."""
        caller = await self._context.caller(request)
        return JSONResponse(await self._context.users.view(caller.user))

    async def change(self, request: Request) -> Response:
        """Change the caller's password, address or metadata."""
        caller = await self._context.caller(request)
        body, user = await Body.of(request), caller.user
        if body.object("app_metadata"):
            raise AuthError(403, "not_admin", "Updating app_metadata requires admin privileges")
        if body.text("phone"):
            raise AuthError(422, "sms_send_failed", "Unable to get SMS provider")
        email = address(body.text("email")) if body.text("email") else ""
        if email and email != user["email"] and await self._context.users.by_email(email) is not None:
            raise AuthError(422, "email_exists", EMAIL_EXISTS)
        if body.has("password"):
            user = await self._change_password(caller, body.text("password"))
        if body.has("data"):
            metadata = merged(user["raw_user_meta_data"], body.object("data"))
            user = await self._context.users.change(user, raw_user_meta_data=metadata)
        if email and email != user["email"]:
            user = await self._change_email(user, email)
        return JSONResponse(await self._context.users.view(user))

    async def _change_password(self, caller: Caller, password: str) -> Any:
        """The user with another password; all other sessions end."""
        require_strong(password)
        if matches(password, caller.user["encrypted_password"]):
            raise AuthError(422, "same_password", "New password should be different from the old password.")
        scope = "others" if caller.session_id else "global"
        await self._context.sessions.end(caller.user["id"], caller.session_id, scope)
        return await self._context.users.change(caller.user, encrypted_password=hashed(password))

    async def _change_email(self, user: Any, email: str) -> Any:
        if self._context.autoconfirm:
            metadata = user["raw_user_meta_data"] | {"email": email}
            return await self._context.users.change(user, email=email, raw_user_meta_data=metadata)
        await self._context.codes.make(user, "email_change", email)
        return await self._context.users.change(user, email_change=email, email_change_sent_at=datetime.now(UTC))

    async def reauthenticate(self, request: Request) -> Response:
        """Send the caller a code for the change of a password."""
        caller = await self._context.caller(request)
        if not caller.user["email"]:
            raise AuthError(422, "validation_failed", "Reauthentication requires the user to have an email or a phone number")
        now = datetime.now(UTC)
        await self._context.users.change(caller.user, reauthentication_sent_at=now, reauthentication_token=_nonce())
        return JSONResponse({})

    async def manual_linking(self, request: Request) -> Response:
        """Linking another identity, which is switched off as it is by default."""
        await self._context.caller(request)
        raise AuthError(404, "manual_linking_disabled", "Manual linking is disabled")


def _nonce() -> str:
    return f"{secrets.randbelow(10**6):06}"
