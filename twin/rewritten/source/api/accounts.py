"""Registration, signing in, and who is signed in."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from aiohttp import web

from api.context import UPSTREAM, User, signed_in, user_of
from api.errors import ApiError, invalid, json_object, text_field
from api.upstream import Reply, failed

routes = web.RouteTableDef()
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
EXISTS = {"user_already_exists", "email_exists"}


def _public(user: User) -> dict[str, Any]:
    return {"id": str(user.id), "email": user.email, "name": user.name, "created_at": user.created_at}


async def _credentials(request: web.Request, status: int) -> dict[str, Any]:
    body = await json_object(request, status)
    if not EMAIL.fullmatch(text_field(body, "email", status, 320)):
        raise invalid("email is no address", status)
    text_field(body, "password", status)
    return body


def _exists(reply: Reply) -> bool:
    message = str(reply.data.get("msg") or reply.data.get("message") or "")
    return reply.data.get("error_code") in EXISTS or "already registered" in message


async def _create(request: web.Request, body: dict[str, Any], details: dict[str, Any], invalid_as: int) -> Reply:
    sent = {"email": body["email"], "password": body["password"], "data": details}
    reply = await request.app[UPSTREAM].auth("POST", "/signup", body=sent)
    if reply.status < 300:
        return reply
    if _exists(reply):
        raise ApiError(400, "email_taken", "a user with this e-mail address exists")
    if reply.status == 429:
        raise ApiError(429, "too_many_requests", "too many accounts are being created", Retry_After="60")
    if reply.status in (400, 422):
        raise invalid(str(reply.data.get("msg") or "the account was refused"), invalid_as)
    raise failed("auth", reply)


def _created(reply: Reply) -> dict[str, Any]:
    # Where addresses must be confirmed first, the user stands alone, and there is no session yet.
    user = reply.data.get("user") or reply.data
    return {
        "user": _public(user_of(user)),
        "token_type": "bearer",
        "access_token": reply.data.get("access_token"),
    }


@routes.post("/register")
async def register(request: web.Request) -> web.Response:
    """Create a user."""
    body = await _credentials(request, 400)
    name = text_field(body, "name", 400, 200)
    return web.json_response(_created(await _create(request, body, {"name": name}, 400)))


@routes.post("/auth/signup")
async def sign_up(request: web.Request) -> web.Response:
    """Create a user who has consented."""
    body = await _credentials(request, 422)
    consent = {name: text_field(body, name) for name in ("consent_version", "consent_timestamp")}
    try:
        datetime.fromisoformat(consent["consent_timestamp"])
    except ValueError:
        raise invalid("consent_timestamp is no ISO 8601 time") from None
    return web.json_response(_created(await _create(request, body, consent, 422)), status=201)


async def _sign_in(request: web.Request, malformed: int) -> web.Response:
    body = await json_object(request, malformed)
    sent = {"email": text_field(body, "email", malformed), "password": text_field(body, "password", malformed)}
    reply = await request.app[UPSTREAM].auth("POST", "/token?grant_type=password", body=sent)
    if reply.status == 200:
        session = {
            "token_type": "bearer",
            "access_token": reply.data["access_token"],
            "expires_in": reply.data.get("expires_in"),
            "user": _public(user_of(reply.data["user"])),
        }
        return web.json_response(session)
    if reply.status in (400, 401, 403, 422):
        raise ApiError(401, "invalid_credentials", "the e-mail address or the password is wrong", WWW_Authenticate="Bearer")
    if reply.status == 429:
        raise ApiError(429, "too_many_requests", "too many attempts", Retry_After="60")
    raise failed("auth", reply)


@routes.post("/login")
async def login(request: web.Request) -> web.Response:
    """Sign in; 400 for what is malformed."""
    return await _sign_in(request, 400)


@routes.post("/auth/login")
async def auth_login(request: web.Request) -> web.Response:
    """Sign in; 422 for what is malformed."""
    return await _sign_in(request, 422)


@routes.get("/me")
@routes.get("/auth/user")
async def me(request: web.Request) -> web.Response:
    """The signed-in user."""
    return web.json_response(_public(await signed_in(request)))
