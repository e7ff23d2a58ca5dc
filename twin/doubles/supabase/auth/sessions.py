"""Sessions of users: access tokens, and refresh tokens that are exchanged for the next one."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from twin.doubles.supabase.auth.errors import AuthError
from twin.doubles.supabase.auth.users import Users
from twin.doubles.supabase.project import TOKEN_SECONDS, Project

# A refresh token that was exchanged may be sent again within this time: a client may have lost the answer.
REUSE_SECONDS = 10
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
INSERT = "INSERT INTO auth.refresh_tokens (token, user_id, session_id, parent) VALUES ($1, $2, $3, $4)"


def _refresh_token() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(12))


def entry(method: str) -> dict[str, Any]:
    """One entry of the methods by which a session was authenticated."""
    return {"method": method, "timestamp": int(time.time())}


def require_not_banned(row: Any, message: str) -> None:
    """Raises AuthError 400 for a user who may not sign in for now."""
    if row["banned_until"] and row["banned_until"] > datetime.now(UTC):
        raise AuthError(400, "user_banned", message)


class Sessions:
    """The sessions of one project."""

    def __init__(self, project: Project, users: Users) -> None:
        self._project = project
        self._users = users

    def _access_token(self, user: Any, session: Any) -> str:
        now = int(time.time())
        return self._project.signing.sign(
            {
                "iss": f"{self._project.config.url('supabase')}/auth/v1",
                "sub": str(user["id"]),
                "aud": user["aud"],
                "exp": now + TOKEN_SECONDS,
                "iat": now,
                "email": user["email"] or "",
                "phone": user["phone"] or "",
                "app_metadata": user["raw_app_meta_data"],
                "user_metadata": user["raw_user_meta_data"],
                "role": user["role"],
                "aal": session["aal"],
                "amr": session["amr"],
                "session_id": str(session["id"]),
                "is_anonymous": user["is_anonymous"],
            }
        )

    async def _shown(self, user: Any, session: Any, refresh_token: str) -> dict[str, Any]:
        return {
            "access_token": self._access_token(user, session),
            "token_type": "bearer",
            "expires_in": TOKEN_SECONDS,
            "expires_at": int(time.time()) + TOKEN_SECONDS,
            "refresh_token": refresh_token,
            "user": await self._users.view(user),
        }

    async def begin(self, user: Any, method: str) -> dict[str, Any]:
        """Sign a user in; returns the session as it is shown."""
        require_not_banned(user, "User is banned")
        token = _refresh_token()
        async with self._project.pool.acquire() as connection, connection.transaction():
            session = await connection.fetchrow(
                "INSERT INTO auth.sessions (user_id, amr) VALUES ($1, $2) RETURNING *", user["id"], [entry(method)]
            )
            await connection.execute(INSERT, token, user["id"], session["id"], None)
            await connection.execute("UPDATE auth.identities SET last_sign_in_at = now() WHERE user_id = $1", user["id"])
            user = await connection.fetchrow(
                "UPDATE auth.users SET last_sign_in_at = now(), updated_at = now() WHERE id = $1 RETURNING *", user["id"]
            )
        return await self._shown(user, session, token)

    async def raise_level(self, user: Any, session_id: str, method: str) -> dict[str, Any]:
        """The session after a second factor; its other refresh tokens are revoked."""
        token = _refresh_token()
        async with self._project.pool.acquire() as connection, connection.transaction():
            session = await connection.fetchrow(
                "UPDATE auth.sessions SET aal = 'aal2', amr = $2 || amr, updated_at = now() WHERE id = $1 RETURNING *",
                session_id,
                [entry(method)],
            )
            await connection.execute("UPDATE auth.refresh_tokens SET revoked = true WHERE session_id = $1", session_id)
            await connection.execute(INSERT, token, user["id"], session["id"], None)
        return await self._shown(user, session, token)

    async def refresh(self, token: str) -> dict[str, Any]:
        """Exchange a refresh token; raises AuthError 400."""
        async with self._project.pool.acquire() as connection:
            async with connection.transaction():
                found, next_token = await self._exchange(connection, token)
            if next_token is None:
                # Somebody has a token that is not theirs: the whole session ends.
                await connection.execute("UPDATE auth.refresh_tokens SET revoked = true WHERE session_id = $1", found)
                raise AuthError(400, "refresh_token_already_used", "Invalid Refresh Token: Already Used")
            session = await connection.fetchrow("SELECT * FROM auth.sessions WHERE id = $1", found)
            user = await connection.fetchrow("SELECT * FROM auth.users WHERE id = $1", session["user_id"])
        return await self._shown(user, session, next_token)

    async def _exchange(self, connection: Any, token: str) -> tuple[Any, str | None]:
        """The session of a refresh token and the token that takes its place: None when it must not be used again."""
        row = await connection.fetchrow(
            "SELECT r.*, u.banned_until FROM auth.refresh_tokens r JOIN auth.users u ON u.id = r.user_id"
            " WHERE r.token = $1 FOR UPDATE OF r",
            token,
        )
        if row is None:
            raise AuthError(400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found")
        require_not_banned(row, "Invalid Refresh Token: User Banned")
        session_id = row["session_id"]
        if row["revoked"]:
            active = await connection.fetchrow(
                "SELECT * FROM auth.refresh_tokens WHERE session_id = $1 AND NOT revoked ORDER BY id DESC LIMIT 1", session_id
            )
            if active is not None and active["parent"] == token:
                return session_id, active["token"]
            if row["updated_at"] + timedelta(seconds=REUSE_SECONDS) < datetime.now(UTC):
                return session_id, None
        new = _refresh_token()
        await connection.execute("UPDATE auth.refresh_tokens SET revoked = true, updated_at = now() WHERE token = $1", token)
        await connection.execute("UPDATE auth.sessions SET updated_at = now() WHERE id = $1", session_id)
        await connection.execute(INSERT, new, row["user_id"], session_id, token)
        return session_id, new

    async def exists(self, session_id: str) -> bool:
        """Whether a session has not been signed out."""
        return bool(await self._project.pool.fetchval("SELECT true FROM auth.sessions WHERE id = $1::uuid", session_id))

    async def end(self, user_id: Any, session_id: str | None, scope: str) -> None:
        """End all sessions of a user (`global`), one (`local`) or all but one (`others`)."""
        if self._project.behaviour.get("sessions") == "kept":
            return
        narrowed = {"global": "", "local": " AND id = $2::uuid", "others": " AND id <> $2::uuid"}[scope]
        values = [user_id, session_id] if narrowed else [user_id]
        await self._project.pool.execute(f"DELETE FROM auth.sessions WHERE user_id = $1{narrowed}", *values)
