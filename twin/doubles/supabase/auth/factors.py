"""Second factors: time-based codes work, other kinds are switched off as they are by default."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles.supabase.auth.body import Body
from twin.doubles.supabase.auth.context import Caller, Context
from twin.doubles.supabase.auth.errors import AuthError
from twin.doubles.supabase.auth.users import factor_view

STEP_SECONDS = 30
CHALLENGE_SECONDS = 300
MOST_FACTORS = 10
NOT_FOUND = AuthError(404, "mfa_factor_not_found", "Factor not found")
# Stands for the drawing of the QR code, which nothing reads.
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><rect width="1" height="1"/></svg>'


def code_at(secret: str, step: int) -> str:
    """The code of a secret (RFC 6238)."""
    digest = hmac.new(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"


def accepts(secret: str, code: str) -> bool:
    """Whether a code is right now; clocks may be a step apart."""
    now = int(time.time()) // STEP_SECONDS
    return any(hmac.compare_digest(code_at(secret, now + apart), code) for apart in (-1, 0, 1))


class Factors:
    """Handlers of one project."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def _pool(self) -> Any:
        return self._context.project.pool

    async def enroll(self, request: Request) -> Response:
        """Begin to use a factor."""
        caller = await self._context.caller(request)
        body = await Body.of(request)
        kind, name = body.text("factor_type"), body.text("friendly_name")
        if kind in ("phone", "webauthn"):
            label = {"phone": "Phone", "webauthn": "WebAuthn"}[kind]
            raise AuthError(422, f"mfa_{kind}_enroll_not_enabled", f"MFA enroll is disabled for {label}")
        if kind != "totp":
            raise AuthError(400, "validation_failed", "factor_type needs to be totp, phone, or webauthn")
        known = await self._pool.fetch("SELECT * FROM auth.mfa_factors WHERE user_id = $1", caller.user["id"])
        if len(known) >= MOST_FACTORS:
            message = "Maximum number of verified factors reached, unenroll to continue"
            raise AuthError(422, "too_many_enrolled_mfa_factors", message)
        if name and any(factor["friendly_name"] == name for factor in known):
            message = f'A factor with the friendly name "{name}" for this user already exists'
            raise AuthError(422, "mfa_factor_name_conflict", message)
        secret = base64.b32encode(secrets.token_bytes(20)).decode()
        query = "INSERT INTO auth.mfa_factors (user_id, friendly_name, factor_type, secret) VALUES ($1, $2, $3, $4) RETURNING *"
        row = await self._pool.fetchrow(query, caller.user["id"], name, kind, secret)
        issuer = body.text("issuer") or "localhost:3000"
        query = urlencode({"algorithm": "SHA1", "digits": 6, "issuer": issuer, "period": STEP_SECONDS, "secret": secret})
        uri = f"otpauth://totp/{quote(issuer)}:{quote(caller.user['email'] or '')}?{query}"
        totp = {"qr_code": DRAWING, "secret": secret, "uri": uri}
        return JSONResponse({"id": str(row["id"]), "type": kind, "friendly_name": name, "totp": totp})

    async def _own(self, request: Request, user_id: UUID) -> Any:
        """The factor of the path, of this user; raises AuthError 404."""
        try:
            wanted = UUID(request.path_params["factor_id"])
        except ValueError as error:
            raise AuthError(404, "validation_failed", "factor_id must be an UUID") from error
        query = "SELECT * FROM auth.mfa_factors WHERE id = $1 AND user_id = $2"
        row = await self._pool.fetchrow(query, wanted, user_id)
        if row is None:
            raise NOT_FOUND
        return row

    async def challenge(self, request: Request) -> Response:
        """Ask for a code of a factor."""
        caller = await self._context.caller(request)
        factor = await self._own(request, caller.user["id"])
        made = await self._pool.fetchrow(
            "WITH f AS (UPDATE auth.mfa_factors SET last_challenged_at = now() WHERE id = $1)"
            " INSERT INTO auth.mfa_challenges (factor_id) VALUES ($1) RETURNING *",
            factor["id"],
        )
        ends = made["created_at"] + timedelta(seconds=CHALLENGE_SECONDS)
        return JSONResponse({"id": str(made["id"]), "type": factor["factor_type"], "expires_at": int(ends.timestamp())})

    async def verify(self, request: Request) -> Response:
        """Prove a factor with a code: the session rises to aal2."""
        caller = await self._context.caller(request)
        factor = await self._own(request, caller.user["id"])
        body = await Body.of(request)
        await self._require_challenge(factor, body.text("challenge_id"))
        if not accepts(factor["secret"], body.text("code")):
            raise AuthError(422, "mfa_verification_failed", "Invalid TOTP code entered")
        await self._pool.execute(
            "UPDATE auth.mfa_factors SET status = 'verified', updated_at = now() WHERE id = $1", factor["id"]
        )
        await self._pool.execute("DELETE FROM auth.mfa_challenges WHERE factor_id = $1", factor["id"])
        return JSONResponse(await self._context.sessions.raise_level(caller.user, caller.session_id or "", "totp"))

    async def _require_challenge(self, factor: Any, challenge_id: str) -> None:
        query = "SELECT created_at FROM auth.mfa_challenges WHERE id::text = $1 AND factor_id = $2"
        created = await self._pool.fetchval(query, challenge_id, factor["id"])
        if created is None:
            raise AuthError(404, "mfa_factor_not_found", "MFA factor with the provided challenge ID not found")
        if created + timedelta(seconds=CHALLENGE_SECONDS) < datetime.now(UTC):
            message = f"MFA challenge {challenge_id} has expired, verify against another challenge or create a new challenge."
            raise AuthError(422, "mfa_challenge_expired", message)

    async def unenroll(self, request: Request) -> Response:
        """Give up a factor; a verified one only in a session that has proven it."""
        caller: Caller = await self._context.caller(request)
        factor = await self._own(request, caller.user["id"])
        if factor["status"] == "verified" and caller.claims.get("aal") != "aal2":
            raise AuthError(422, "insufficient_aal", "AAL2 required to unenroll verified factor")
        await self._pool.execute("DELETE FROM auth.mfa_factors WHERE id = $1", factor["id"])
        return JSONResponse({"id": str(factor["id"])})

    async def listing(self, request: Request) -> Response:
        """The factors of one user, for the admin."""
        self._context.require_admin(request)
        user = await self._context.users.by_id(request.path_params["user_id"])
        rows = await self._pool.fetch("SELECT * FROM auth.mfa_factors WHERE user_id = $1 ORDER BY created_at", user["id"])
        return JSONResponse([factor_view(row) for row in rows])

    async def remove(self, request: Request) -> Response:
        """Remove a factor of one user, as the admin."""
        self._context.require_admin(request)
        user = await self._context.users.by_id(request.path_params["user_id"])
        factor = await self._own(request, user["id"])
        await self._pool.execute("DELETE FROM auth.mfa_factors WHERE id = $1", factor["id"])
        return JSONResponse(factor_view(factor))
