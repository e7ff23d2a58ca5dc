"""What handlers get at: the database pool, the vendors, and the user who is asking."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiohttp import web

from api.errors import not_found, unauthorized
from api.upstream import Upstream, failed

POOL = web.AppKey("pool", asyncpg.Pool)
UPSTREAM = web.AppKey("upstream", Upstream)
TOKEN = re.compile(r"[A-Za-z0-9_=-]+\.[A-Za-z0-9_=-]+\.[A-Za-z0-9_=-]+")
LONGEST_TOKEN = 8000


@dataclass(frozen=True)
class User:
    """A signed-in user."""

    id: uuid.UUID
    email: str
    name: str
    created_at: str | None


def user_of(data: dict[str, Any]) -> User:
    """A user of Supabase Auth."""
    email = str(data.get("email") or "")
    details = data.get("user_metadata") or {}
    name = details.get("name") or email.partition("@")[0]
    return User(uuid.UUID(data["id"]), email, str(name), data.get("created_at"))


async def signed_in(request: web.Request) -> User:
    """The user whose token the request carries; raises ApiError (401) without one.

    Supabase decides, so tokens of either kind of signature are right, and a user who was deleted is refused.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or len(token) > LONGEST_TOKEN or not TOKEN.fullmatch(token):
        raise unauthorized()
    reply = await request.app[UPSTREAM].auth("GET", "/user", token)
    if reply.status == 200 and reply.data.get("id"):
        return user_of(reply.data)
    if 400 <= reply.status < 500 and reply.status != 429:
        raise unauthorized()
    raise failed("auth", reply)


def id_in_path(request: web.Request, name: str, what: str) -> uuid.UUID:
    """An id of the path; what is no id names nothing (404)."""
    value = request.match_info[name]
    if not re.fullmatch(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", value):
        raise not_found(what)
    return uuid.UUID(value)


def shown(id: uuid.UUID) -> str:
    """Ids of jobs and documents are written in capitals; RFC 9562 lets readers ignore case."""
    return str(id).upper()


def moment(value: Any) -> str:
    """A time of the database, to the millisecond."""
    return str(value.isoformat(timespec="milliseconds")).replace("+00:00", "Z")
