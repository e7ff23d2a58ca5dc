"""The admin's view of users."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles.supabase.auth.body import Body
from twin.doubles.supabase.auth.context import Context
from twin.doubles.supabase.auth.errors import AuthError
from twin.doubles.supabase.auth.passwords import address, hashed, require_strong
from twin.doubles.supabase.auth.users import EMAIL_EXISTS, merged

PER_PAGE = 50
# A Go duration.
DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)")
SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}


def banned_until(duration: str) -> datetime | None:
    """The end of a ban, None for no ban; raises AuthError 400."""
    if duration == "none":
        return None
    parts = DURATION.findall(duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        message = f'invalid format for ban duration: time: invalid duration "{duration}"'
        raise AuthError(400, "validation_failed", message)
    return datetime.now(UTC) + timedelta(seconds=sum(float(number) * SECONDS[unit] for number, unit in parts))


def _page(request: Request) -> tuple[int, int]:
    """Number and size of the page that is asked for; raises AuthError 400."""
    found = []
    for name, default in (("page", 1), ("per_page", PER_PAGE)):
        text = request.query_params.get(name, "")
        if text and not (text.isascii() and text.isdigit()):
            message = f'Bad Pagination Parameters: strconv.ParseUint: parsing "{text}": invalid syntax'
            raise AuthError(400, "validation_failed", message)
        found.append(int(text) if text else default)
    return max(1, found[0]), max(1, min(found[1], 1000))


def _links(request: Request, page: int, size: int, total: int) -> str:
    """The `link` header of one page."""
    last = -(-total // size)
    path = request.url.path.removeprefix("/auth/v1")

    def link(number: int, relation: str) -> str:
        query = dict(request.query_params) | {"page": str(number)}
        return f'<{path}?{urlencode(sorted(query.items()))}>; rel="{relation}"'

    return ", ".join([link(page + 1, "next")] * (last > page) + [link(last, "last")])


class Admin:
    """Handlers of one project."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def create(self, request: Request) -> Response:
        """Create a user, confirmed where the body says so."""
        self._context.require_admin(request)
        body = await Body.of(request)
        email, phone = body.text("email"), body.text("phone")
        if not email and not phone:
            raise AuthError(400, "validation_failed", "Cannot create a user without either an email or phone")
        if body.text("password_hash"):
            raise AuthError(400, "validation_failed", "the double cannot read the hash of a password")
        providers = ["email"] * bool(email) + ["phone"] * bool(phone)
        columns: dict[str, Any] = {
            "encrypted_password": hashed(body.text("password") or secrets.token_urlsafe(24)),
            "raw_user_meta_data": merged({}, body.object("user_metadata")),
            "raw_app_meta_data": {"provider": providers[0], "providers": providers} | body.object("app_metadata"),
            "role": body.text("role") or "authenticated",
        }
        if email:
            columns["email"] = address(email)
        if phone:
            columns["phone"] = phone.removeprefix("+")
        if body.text("id"):
            columns["id"] = _uuid(body.text("id"))
        if body.text("ban_duration"):
            columns["banned_until"] = banned_until(body.text("ban_duration"))
        user = await self._context.users.create(AuthError(422, "email_exists", EMAIL_EXISTS), **columns)
        return JSONResponse(await self._context.users.view(await self._confirmed(user, body)))

    async def _confirmed(self, user: Any, body: Body) -> Any:
        if body.flag("email_confirm") and user["email"]:
            user = await self._context.users.confirm(user)
        if body.flag("phone_confirm") and user["phone"] and not user["phone_confirmed_at"]:
            user = await self._context.users.change(user, phone_confirmed_at=datetime.now(UTC))
        return user

    async def listing(self, request: Request) -> Response:
        """All users, the newest first, a page at a time."""
        self._context.require_admin(request)
        page, size = _page(request)
        wanted = f"%{request.query_params.get('filter', '')}%"
        pool = self._context.project.pool
        where = "WHERE coalesce(email, '') ILIKE $1 OR raw_user_meta_data ->> 'full_name' ILIKE $1"
        total = await pool.fetchval(f"SELECT count(*) FROM auth.users {where}", wanted)
        rows = await pool.fetch(
            f"SELECT * FROM auth.users {where} ORDER BY created_at DESC, id LIMIT $2 OFFSET $3",
            wanted,
            size,
            (page - 1) * size,
        )
        headers = {"x-total-count": str(total), "link": _links(request, page, size, total)}
        return JSONResponse({"users": await self._context.users.views(rows), "aud": "authenticated"}, headers=headers)

    async def _user(self, request: Request) -> Any:
        self._context.require_admin(request)
        return await self._context.users.by_id(request.path_params["user_id"])

    async def read(self, request: Request) -> Response:
        """One user."""
        return JSONResponse(await self._context.users.view(await self._user(request)))

    async def change(self, request: Request) -> Response:
        """Change one user; metadata is merged."""
        user = await self._user(request)
        body = await Body.of(request)
        columns: dict[str, Any] = {}
        if body.text("email"):
            columns["email"] = address(body.text("email"))
        if body.text("phone"):
            columns["phone"] = body.text("phone").removeprefix("+")
        if body.text("role"):
            columns["role"] = body.text("role")
        if body.text("ban_duration"):
            columns["banned_until"] = banned_until(body.text("ban_duration"))
        for field, column in (("user_metadata", "raw_user_meta_data"), ("app_metadata", "raw_app_meta_data")):
            if body.has(field):
                columns[column] = merged(user[column], body.object(field))
        if body.has("password"):
            require_strong(body.text("password"))
            columns["encrypted_password"] = hashed(body.text("password"))
        changed = await self._context.users.change(user, **columns)
        if "encrypted_password" in columns:
            await self._context.sessions.end(user["id"], None, "global")
        return JSONResponse(await self._context.users.view(await self._confirmed(changed, body)))

    async def delete(self, request: Request) -> Response:
        """Remove one user, which invalidates their tokens."""
        user = await self._user(request)
        body = await Body.of_optional(request)
        if self._context.project.behaviour.get("keeps") == "users":
            return JSONResponse({})
        if body.flag("should_soft_delete"):
            if user["deleted_at"] is None:
                await self._context.users.hide(user)
        else:
            await self._context.users.remove(user)
        return JSONResponse({})


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise AuthError(400, "validation_failed", "ID must conform to the uuid v4 format") from error
