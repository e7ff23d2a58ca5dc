"""What Auth would send by mail (the double sends none), and the codes and links that a mail would hold."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from twin.doubles.supabase.auth.body import Body
from twin.doubles.supabase.auth.codes import KINDS, hash_of
from twin.doubles.supabase.auth.context import Context, redirect_of
from twin.doubles.supabase.auth.errors import AuthError
from twin.doubles.supabase.auth.passwords import address, hashed

# One mail a minute for a user.
MAIL_SECONDS = 60
STALE_CODE = "Token has expired or is invalid"
STALE_LINK = "Email link is invalid or has expired"
RESENT = ("signup", "email_change", "sms", "phone_change")


class Mail:
    """Handlers of one project."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def _send(self, user: Any, kind: str, email: str, column: str) -> None:
        """Make a code and note when it was sent; raises AuthError 429 within a minute of the last."""
        now = datetime.now(UTC)
        if user[column] and (waited := (now - user[column]).total_seconds()) < MAIL_SECONDS:
            wait = max(1, int(MAIL_SECONDS - waited))
            message = f"For security purposes, you can only request this after {wait} seconds."
            raise AuthError(429, "over_email_send_rate_limit", message)
        await self._context.codes.make(user, kind, email)
        await self._context.users.change(user, **{column: now})

    async def recover(self, request: Request) -> Response:
        """Send a link for a new password; unknown addresses are not revealed."""
        body = await Body.of(request)
        if not body.text("email"):
            raise AuthError(400, "validation_failed", "Password recovery requires an email")
        email = address(body.text("email"))
        if (user := await self._context.users.by_email(email)) is not None:
            await self._send(user, "recovery", email, "recovery_sent_at")
        return JSONResponse({})

    async def otp(self, request: Request) -> Response:
        """Send a code to sign in with; creates the user unless the body says otherwise."""
        body = await Body.of(request)
        if body.text("email") and body.text("phone"):
            message = "Only an email address or phone number should be provided"
            raise AuthError(400, "validation_failed", message)
        if body.text("phone"):
            raise AuthError(400, "phone_provider_disabled", "Unsupported phone provider")
        if not body.text("email"):
            raise AuthError(400, "validation_failed", "One of email or phone must be set")
        email = address(body.text("email"))
        user = await self._context.users.by_email(email)
        if user is None and not body.flag("create_user", True):
            raise AuthError(422, "otp_disabled", "Signups not allowed for otp")
        if user is None:
            user = await self._new(email, hashed(secrets.token_urlsafe(24)), body.object("data"))
        await self._send(user, "magiclink", email, "recovery_sent_at")
        return JSONResponse({})

    async def _new(self, email: str, password: str, data: dict[str, Any]) -> Any:
        taken = AuthError(422, "email_exists", "A user with this email address has already been registered")
        user = await self._context.users.create(taken, email=email, encrypted_password=password)
        standing = {"sub": str(user["id"]), "email": email, "email_verified": False, "phone_verified": False}
        return await self._context.users.change(user, raw_user_meta_data=standing | data)

    async def resend(self, request: Request) -> Response:
        """Send a code again; unknown and confirmed addresses are not revealed."""
        body = await Body.of(request)
        kind = body.text("type")
        if kind not in RESENT:
            raise AuthError(400, "validation_failed", f"Missing one of these types: {', '.join(RESENT)}")
        if kind in ("sms", "phone_change"):
            if not body.text("phone"):
                raise AuthError(400, "validation_failed", "Type provided requires a phone number")
            raise AuthError(400, "phone_provider_disabled", "Phone logins are disabled")
        if not body.text("email"):
            raise AuthError(400, "validation_failed", "Type provided requires an email address")
        email = address(body.text("email"))
        user = await self._context.users.by_email(email)
        if user is not None and kind == "signup" and not user["email_confirmed_at"]:
            await self._send(user, kind, email, "confirmation_sent_at")
        if user is not None and kind == "email_change" and user["email_change"]:
            await self._send(user, kind, user["email_change"], "email_change_sent_at")
        return JSONResponse({})

    async def verify(self, request: Request) -> Response:
        """Exchange a code for a session."""
        body = await Body.of(request)
        kind, code, hashed_code = body.text("type"), body.text("token"), body.text("token_hash")
        if not kind:
            raise AuthError(400, "validation_failed", "Verify requires a verification type")
        if not code and not hashed_code:
            raise AuthError(400, "validation_failed", "Verify requires a token or a token hash")
        if hashed_code and (body.text("email") or body.text("phone")):
            raise AuthError(400, "validation_failed", "Only the token_hash and type should be provided")
        if kind in ("sms", "phone_change"):
            raise AuthError(403, "otp_expired", STALE_CODE)
        if kind != "email" and kind not in KINDS:
            raise AuthError(400, "validation_failed", "Invalid email verification type")
        if hashed_code:
            return JSONResponse(await self._accept(hashed_code, kind, STALE_LINK))
        if not body.text("email"):
            raise AuthError(400, "validation_failed", "Only an email address or phone number should be provided on verify")
        return JSONResponse(await self._accept(hash_of(address(body.text("email")), code), kind, STALE_CODE))

    async def _accept(self, hashed_code: str, kind: str, message: str) -> dict[str, Any]:
        """The session that a code opens."""
        user, group = await self._context.codes.use(hashed_code, kind, message)
        if group == "email_change" and user["email_change"]:
            user = await self._context.users.change(user, email=user["email_change"], email_change=None)
        user = await self._context.users.confirm(user)
        return await self._context.sessions.begin(user, "otp")

    async def follow(self, request: Request) -> Response:
        """What the browser does with a link: back to the site, with a session or with the reason why not."""
        query = request.query_params
        kind = query.get("type", "")
        try:
            if kind not in KINDS:
                raise AuthError(400, "validation_failed", "Verify requires a verification type")
            session = await self._accept(query.get("token", ""), kind, STALE_LINK)
        except AuthError as error:
            reason = {"error": "access_denied", "error_code": error.code, "error_description": error.message}
            return RedirectResponse(f"{redirect_of(request)}#{urlencode(reason)}", 303)
        shown = {name: session[name] for name in ("access_token", "expires_at", "expires_in", "refresh_token", "token_type")}
        return RedirectResponse(f"{redirect_of(request)}#{urlencode(shown | {'type': kind})}", 303)

    async def invite(self, request: Request) -> Response:
        """Invite a user by mail."""
        self._context.require_admin(request)
        body = await Body.of(request)
        user = await self._invited(address(body.text("email")), body.object("data"))
        await self._context.codes.make(user, "invite", user["email"])
        return JSONResponse(await self._context.users.view(user))

    async def _invited(self, email: str, data: dict[str, Any]) -> Any:
        user = await self._context.users.by_email(email)
        if user is not None and user["email_confirmed_at"]:
            raise AuthError(422, "email_exists", "A user with this email address has already been registered")
        if user is None:
            user = await self._new(email, "", data)
        now = datetime.now(UTC)
        return await self._context.users.change(user, invited_at=now, confirmation_sent_at=now)

    async def link(self, request: Request) -> Response:
        """A link, and the code in it, for the admin to send."""
        self._context.require_admin(request)
        body = await Body.of(request)
        email, kind = address(body.text("email")), body.text("type")
        user, kind, to = await self._subject(body, email, kind)
        code, hashed_code = await self._context.codes.make(user, kind, to)
        redirect = redirect_of(request, body.text("redirect_to"))
        address_of_link = f"{self._context.project.config.url('supabase')}/auth/v1/verify"
        # Both of these lead to one kind of link.
        shown = "email_change" if kind.startswith("email_change") else kind
        query = urlencode({"token": hashed_code, "type": shown, "redirect_to": redirect}, safe=":/")
        made = {"action_link": f"{address_of_link}?{query}", "email_otp": code, "hashed_token": hashed_code}
        about = {"verification_type": kind, "redirect_to": redirect}
        return JSONResponse(await self._context.users.view(user) | made | about)

    async def _subject(self, body: Body, email: str, kind: str) -> tuple[Any, str, str]:
        """The user of a link, what the link is for, and the address it goes to."""
        now = datetime.now(UTC)
        users = self._context.users
        user = await users.by_email(email)
        if kind not in KINDS or kind == "email_change":
            raise AuthError(400, "validation_failed", f"Invalid email action link type requested: {kind}")
        if kind == "invite":
            return await self._invited(email, body.object("data")), kind, email
        if kind == "magiclink" and user is None:
            return await self._new(email, hashed(secrets.token_urlsafe(24)), body.object("data")), "signup", email
        if kind == "signup":
            return await self._signed_up(user, email, body), kind, email
        if user is None:
            raise AuthError(404, "user_not_found", "User with this email not found")
        if kind in ("magiclink", "recovery"):
            return await users.change(user, recovery_sent_at=now), kind, email
        new = address(body.text("new_email"))
        if await users.by_email(new) is not None:
            raise AuthError(422, "email_exists", "A user with this email address has already been registered")
        changed = await users.change(user, email_change=new, email_change_sent_at=now)
        return changed, kind, email if kind == "email_change_current" else new

    async def _signed_up(self, user: Any, email: str, body: Body) -> Any:
        if user is not None and user["email_confirmed_at"]:
            raise AuthError(422, "email_exists", "A user with this email address has already been registered")
        if not body.text("password"):
            raise AuthError(400, "validation_failed", "Signup requires a valid password")
        if user is None:
            user = await self._new(email, hashed(body.text("password")), body.object("data"))
        return await self._context.users.change(user, confirmation_sent_at=datetime.now(UTC))
