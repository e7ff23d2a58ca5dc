"""Registration, sign-in and the identity of the caller, all through Supabase Auth."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import httpx
from backend.shared.config import Config
from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, Field, field_validator

router = APIRouter()
# As Supabase Auth has it, which takes passwords of at most 72 bytes.
EMAIL = re.compile(
    r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)+"
)
MIN_PASSWORD = 6
MAX_PASSWORD = 72
WITHOUT_NUL = r"^[^\x00]*$"


@dataclass(frozen=True)
class Caller:
    """The signed-in user."""

    id: UUID
    email: str
    name: str
    token: str


def _unauthorized(reason: str) -> HTTPException:
    return HTTPException(401, reason, headers={"WWW-Authenticate": "Bearer"})


async def verify_token(request: Request, token: str) -> dict[str, Any]:
    """The user that Supabase Auth returns for the token; raises 401 for a refused token, 503 when it does not respond."""
    config: Config = request.app.state.config
    client: httpx.AsyncClient = request.app.state.client
    try:
        reply = await client.get(
            f"{config.supabase_url}/auth/v1/user",
            headers={"Authorization": f"Bearer {token}", "apikey": config.anon_key},
        )
    except httpx.HTTPError as error:
        raise HTTPException(503, "authentication service unreachable") from error
    if reply.status_code >= 500:
        raise HTTPException(503, "authentication service failed")
    if reply.status_code != 200:
        raise _unauthorized("invalid or expired token")
    user: dict[str, Any] = reply.json()
    return user


async def current_user(request: Request) -> Caller:
    """The caller of this request; raises 401 with WWW-Authenticate when the Bearer token is not valid."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip() or not token.isascii():
        raise _unauthorized("missing Bearer token")
    user = await verify_token(request, token.strip())
    return Caller(
        id=UUID(user["id"]),
        email=user["email"],
        name=(user.get("user_metadata") or {}).get("name", ""),
        token=token.strip(),
    )


CurrentUser = Annotated[Caller, Depends(current_user)]


def _is_text(value: str) -> bool:
    """Whether PostgreSQL can store it: no NUL, and no half of a surrogate pair."""
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


async def _json(request: Request, *names: str) -> dict[str, str]:
    try:
        body = await request.json()
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "body is not JSON") from error
    if not isinstance(body, dict):
        raise HTTPException(400, "body is not a JSON object")
    for name in names:
        if not isinstance(body.get(name), str) or not body[name].strip():
            raise HTTPException(400, f"missing field: {name}")
        if not _is_text(body[name]):
            raise HTTPException(400, f"not text: {name}")
    return body


async def _auth_call(request: Request, path: str, body: dict[str, Any]) -> httpx.Response:
    config: Config = request.app.state.config
    client: httpx.AsyncClient = request.app.state.client
    try:
        return await client.post(f"{config.supabase_url}/auth/v1/{path}", headers={"apikey": config.anon_key}, json=body)
    except httpx.HTTPError as error:
        raise HTTPException(503, "authentication service unreachable") from error


def _user_view(user: dict[str, Any]) -> dict[str, Any]:
    metadata = user.get("user_metadata") or {}
    return {
        "id": user["id"],
        "email": user["email"],
        "name": metadata.get("name", ""),
        "created_at": user.get("created_at"),
    }


async def _create(request: Request, email: str, password: str, metadata: dict[str, Any]) -> dict[str, Any]:
    if not EMAIL.fullmatch(email):
        raise HTTPException(400, "not an e-mail address")
    if len(password) > MAX_PASSWORD:
        raise HTTPException(400, f"password is longer than {MAX_PASSWORD} characters")
    reply = await _auth_call(request, "signup", {"email": email, "password": password, "data": metadata})
    if reply.status_code in (400, 409, 422):
        raise HTTPException(409 if "already" in reply.text else 400, reply.json().get("msg", "refused"))
    if reply.status_code != 200:
        raise HTTPException(503, "authentication service failed")
    user: dict[str, Any] = reply.json()["user"]
    return user


async def _sign_in(request: Request, email: str, password: str) -> dict[str, Any]:
    reply = await _auth_call(request, "token?grant_type=password", {"email": email, "password": password})
    if reply.status_code in (400, 401, 422):
        raise _unauthorized("wrong e-mail or password")
    if reply.status_code != 200:
        raise HTTPException(503, "authentication service failed")
    session = reply.json()
    return {
        "access_token": session["access_token"],
        "token_type": "bearer",
        "expires_in": session["expires_in"],
        "user": _user_view(session["user"]),
    }


@router.post("/register")
async def register(request: Request) -> dict[str, Any]:
    """Create a user; the token is null until the user signs in."""
    body = await _json(request, "email", "password", "name")
    user = await _create(request, body["email"], body["password"], {"name": body["name"]})
    return {"access_token": None, "token_type": "bearer", "user": _user_view(user)}


@router.post("/login")
async def login(request: Request) -> dict[str, Any]:
    """Sign in with e-mail and password."""
    body = await _json(request, "email", "password")
    return await _sign_in(request, body["email"], body["password"])


class SignUp(BaseModel):
    """Body of POST /auth/signup."""

    email: str = Field(json_schema_extra={"pattern": f"^{EMAIL.pattern}$"})
    password: str = Field(min_length=8, max_length=MAX_PASSWORD, pattern=WITHOUT_NUL)
    consent_version: str = Field(min_length=1, pattern=WITHOUT_NUL)
    consent_timestamp: str = Field(min_length=1, pattern=WITHOUT_NUL)
    name: str = Field(default="", pattern=WITHOUT_NUL)

    @field_validator("email")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if not EMAIL.fullmatch(value):
            raise ValueError("not an e-mail address")
        return value


class SignIn(BaseModel):
    """Body of POST /auth/login."""

    email: str = Field(min_length=3, pattern=WITHOUT_NUL)
    password: str = Field(min_length=1, pattern=WITHOUT_NUL)


@router.post("/auth/signup", status_code=201)
async def signup(body: SignUp, request: Request) -> dict[str, Any]:
    """Create a user who has given consent."""
    metadata = {
        "name": body.name,
        "consent_version": body.consent_version,
        "consent_timestamp": body.consent_timestamp,
    }
    return {"user": _user_view(await _create(request, body.email, body.password, metadata))}


@router.post("/auth/login")
async def auth_login(body: SignIn, request: Request) -> dict[str, Any]:
    """Sign in; the body is validated by its schema."""
    return await _sign_in(request, body.email, body.password)


@router.get("/me")
@router.get("/auth/user")
async def me(user: CurrentUser) -> dict[str, Any]:
    """The signed-in user."""
    return {"id": str(user.id), "email": user.email, "name": user.name}
