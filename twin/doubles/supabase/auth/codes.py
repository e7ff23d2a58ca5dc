"""One-time codes: what a mail would hold. Each is kept as a hash, and the next of its kind takes its place."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from twin.doubles.supabase.auth.errors import AuthError
from twin.doubles.supabase.project import Project

CODE_SECONDS = 3600
# Two codes of one kind are one code: the last that was made.
KINDS = {
    "signup": "confirmation",
    "invite": "confirmation",
    "recovery": "recovery",
    "magiclink": "recovery",
    "email_change": "email_change",
    "email_change_current": "email_change",
    "email_change_new": "email_change",
}
OF_EMAIL = ("confirmation", "recovery")


def hash_of(email: str, code: str) -> str:
    """The hash of a code, which is what a link holds."""
    return hashlib.sha224(f"{email}{code}".encode()).hexdigest()


class Codes:
    """The codes of one project."""

    def __init__(self, project: Project) -> None:
        self._project = project

    async def make(self, user: Any, kind: str, email: str) -> tuple[str, str]:
        """A new code and its hash."""
        code = f"{secrets.randbelow(10**6):06}"
        hashed = hash_of(email, code)
        await self._project.pool.execute(
            "INSERT INTO auth.one_time_tokens (user_id, token_type, token_hash, relates_to) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (user_id, token_type) DO UPDATE SET token_hash = $3, relates_to = $4, created_at = now()",
            user["id"],
            KINDS[kind],
            hashed,
            email,
        )
        return code, hashed

    async def use(self, hashed: str, kind: str, message: str) -> tuple[Any, str]:
        """The user of a code, which is used up, and its kind; raises AuthError 403 with this message."""
        kinds = OF_EMAIL if kind == "email" else (KINDS[kind],)
        found = await self._project.pool.fetchrow(
            "DELETE FROM auth.one_time_tokens WHERE token_hash = $1 AND token_type = ANY($2) RETURNING *", hashed, list(kinds)
        )
        if found is None or found["created_at"] + timedelta(seconds=CODE_SECONDS) < datetime.now(UTC):
            raise AuthError(403, "otp_expired", message)
        user = await self._project.pool.fetchrow("SELECT * FROM auth.users WHERE id = $1", found["user_id"])
        return user, found["token_type"]
