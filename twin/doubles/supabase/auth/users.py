"""Users as Supabase Auth stores and shows them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg

from twin.doubles.supabase.auth.errors import AuthError
from twin.doubles.supabase.project import Project

# Shown only where they have a value.
TIMES = (
    "email_confirmed_at",
    "invited_at",
    "phone_confirmed_at",
    "confirmation_sent_at",
    "recovery_sent_at",
    "email_change_sent_at",
    "reauthentication_sent_at",
    "last_sign_in_at",
    "banned_until",
    "deleted_at",
)
EMAIL_EXISTS = "A user with this email address has already been registered"


def moment(value: datetime) -> str:
    """A time as the service writes it."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def merged(old: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Metadata after a change; null removes a key."""
    return {name: value for name, value in (old | change).items() if value is not None}


def _identity(row: Any) -> dict[str, Any]:
    return {
        "identity_id": str(row["id"]),
        "id": row["provider_id"],
        "user_id": str(row["user_id"]),
        "identity_data": row["identity_data"],
        "provider": row["provider"],
        "last_sign_in_at": moment(row["last_sign_in_at"]),
        "created_at": moment(row["created_at"]),
        "updated_at": moment(row["updated_at"]),
        "email": row["identity_data"].get("email", ""),
    }


def factor_view(row: Any) -> dict[str, Any]:
    """A factor as it is shown."""
    return {
        "id": str(row["id"]),
        "created_at": moment(row["created_at"]),
        "updated_at": moment(row["updated_at"]),
        "status": row["status"],
        "friendly_name": row["friendly_name"],
        "factor_type": row["factor_type"],
        "last_challenged_at": moment(row["last_challenged_at"]) if row["last_challenged_at"] else None,
    }


def _view(row: Any, identities: Sequence[Any], factors: Sequence[Any]) -> dict[str, Any]:
    confirmed = [row[name] for name in ("email_confirmed_at", "phone_confirmed_at") if row[name]]
    shown: dict[str, Any] = {
        "id": str(row["id"]),
        "aud": row["aud"],
        "role": row["role"],
        "email": row["email"] or "",
        "phone": row["phone"] or "",
        "app_metadata": row["raw_app_meta_data"],
        "user_metadata": row["raw_user_meta_data"],
        "identities": [_identity(identity) for identity in identities],
        "created_at": moment(row["created_at"]),
        "updated_at": moment(row["updated_at"]),
        "is_anonymous": row["is_anonymous"],
    }
    shown |= {name: moment(row[name]) for name in TIMES if row[name]}
    if confirmed:
        shown["confirmed_at"] = moment(min(confirmed))
    if row["email_change"]:
        shown["new_email"] = row["email_change"]
    if factors:
        shown["factors"] = [factor_view(factor) for factor in factors]
    return shown


class Users:
    """The users of one project."""

    def __init__(self, project: Project) -> None:
        self._project = project

    async def by_id(self, user_id: str) -> Any:
        """The row of a user; raises AuthError 404."""
        try:
            wanted = UUID(user_id)
        except ValueError as error:
            raise AuthError(404, "validation_failed", "user_id must be an UUID") from error
        row = await self._project.pool.fetchrow("SELECT * FROM auth.users WHERE id = $1", wanted)
        if row is None:
            raise AuthError(404, "user_not_found", "User not found")
        return row

    async def by_email(self, email: str) -> Any:
        """The row of the user with this address, or None."""
        return await self._project.pool.fetchrow("SELECT * FROM auth.users WHERE email = lower($1)", email)

    async def by_phone(self, phone: str) -> Any:
        """The row of the user with this number, or None."""
        return await self._project.pool.fetchrow("SELECT * FROM auth.users WHERE phone = $1", phone)

    async def create(self, taken: AuthError, **columns: Any) -> Any:
        """Create a user with one identity for an address and one for a number; raises `taken` for one that is in use."""
        names = ", ".join(columns)
        places = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
        async with self._project.pool.acquire() as connection, connection.transaction():
            try:
                row = await connection.fetchrow(
                    f"INSERT INTO auth.users ({names}) VALUES ({places}) RETURNING *", *columns.values()
                )
            except asyncpg.UniqueViolationError as error:
                raise taken from error
            for provider in ("email", "phone"):
                if value := row[provider]:
                    data = {"sub": str(row["id"]), provider: value, "email_verified": False, "phone_verified": False}
                    await connection.execute(
                        "INSERT INTO auth.identities (provider_id, user_id, identity_data, provider) VALUES ($1, $2, $3, $4)",
                        str(row["id"]),
                        row["id"],
                        data,
                        provider,
                    )
        return row

    async def change(self, row: Any, **columns: Any) -> Any:
        """Change columns of a user; raises AuthError 422 for an address or a number that is in use."""
        sets = ", ".join(f"{name} = ${number}" for number, name in enumerate(columns, 2))
        query = f"UPDATE auth.users SET {sets + ', ' if sets else ''}updated_at = now() WHERE id = $1 RETURNING *"
        try:
            changed = await self._project.pool.fetchrow(query, row["id"], *columns.values())
        except asyncpg.UniqueViolationError as error:
            if "email" not in columns:
                raise AuthError(422, "phone_exists", "A user with this phone number has already been registered") from error
            raise AuthError(422, "email_exists", EMAIL_EXISTS) from error
        if "email" in columns:
            await self._project.pool.execute(
                "UPDATE auth.identities SET identity_data = identity_data || jsonb_build_object('email', $2::text)"
                " WHERE user_id = $1 AND provider = 'email'",
                row["id"],
                columns["email"],
            )
        return changed

    async def confirm(self, row: Any) -> Any:
        """Confirm the address of a user."""
        if row["email_confirmed_at"]:
            return row
        metadata = row["raw_user_meta_data"] | {"email_verified": True}
        return await self.change(row, email_confirmed_at=datetime.now(UTC), raw_user_meta_data=metadata)

    async def hide(self, row: Any) -> None:
        """Delete a user softly: the row stays, nobody can sign in as it, and the address is free again."""
        digest = hashlib.sha256(f"{row['id']}{row['email']}".encode()).hexdigest()
        await self.change(
            row,
            email=digest,
            phone=None,
            encrypted_password=None,
            email_change=None,
            raw_user_meta_data={},
            raw_app_meta_data={},
            deleted_at=datetime.now(UTC),
        )
        for table in ("sessions", "identities", "one_time_tokens", "mfa_factors"):
            await self._project.pool.execute(f"DELETE FROM auth.{table} WHERE user_id = $1", row["id"])

    async def remove(self, row: Any) -> None:
        """Delete a user with everything that belongs to it."""
        await self._project.pool.execute("DELETE FROM auth.users WHERE id = $1", row["id"])

    async def views(self, rows: Sequence[Any]) -> list[dict[str, Any]]:
        """Users as they are shown."""
        found: dict[str, dict[UUID, list[Any]]] = {"identities": {}, "mfa_factors": {}}
        for table, by_user in found.items():
            query = f"SELECT * FROM auth.{table} WHERE user_id = ANY($1) ORDER BY created_at"
            for part in await self._project.pool.fetch(query, [row["id"] for row in rows]):
                by_user.setdefault(part["user_id"], []).append(part)
        return [_view(row, found["identities"].get(row["id"], []), found["mfa_factors"].get(row["id"], [])) for row in rows]

    async def view(self, row: Any) -> dict[str, Any]:
        """One user as it is shown."""
        return (await self.views([row]))[0]
