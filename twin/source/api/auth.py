"""Registration, sign-in and the identity of the caller, all through Supabase Auth."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from uuid import UUID

from backend.shared.vendors import Vendors
from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, Field, ValidationError, field_validator
from supabase_auth.errors import AuthApiError, AuthError, AuthRetryableError, AuthWeakPasswordError

router = APIRouter()
# Codes of an e-mail address that has an account.
TAKEN = ("user_already_exists", "email_exists")
T = TypeVar("T")
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


def _is_refusal(error: AuthError) -> bool:
    """Whether Supabase Auth refused what it was given, and did not fail itself."""
    return isinstance(error, AuthApiError | AuthWeakPasswordError) and error.status in (400, 401, 403, 404, 409, 422)


async def _asked(call: Awaitable[T]) -> T:
    """What Supabase Auth returns; raises AuthError when it refuses, 503 when it fails or does not respond."""
    try:
        return await call
    except AuthRetryableError as error:
        raise HTTPException(503, "authentication service unreachable") from error
    except AuthError as error:
        if _is_refusal(error):
            raise
        raise HTTPException(503, "authentication service failed") from error
    except ValidationError as error:
        raise HTTPException(503, "authentication service failed") from error


async def verify_token(request: Request, token: str) -> dict[str, Any]:
    """The user that Supabase Auth returns for the token; raises 401 for a refused token, 503 when it does not respond."""
    client: Vendors = request.app.state.client
    try:
        reply = await _asked(client.auth.get_user(token))
    except AuthError as error:
        raise _unauthorized("invalid or expired token") from error
    assert reply is not None
    user: dict[str, Any] = reply.user.model_dump(mode="json")
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
    client: Vendors = request.app.state.client
    try:
        made = await _asked(client.auth.sign_up({"email": email, "password": password, "options": {"data": metadata}}))
    except AuthError as error:
        raise HTTPException(409 if error.code in TAKEN else 400, error.message) from error
    if made.user is None:
        raise HTTPException(503, "authentication service failed")
    return made.user.model_dump(mode="json")


async def _sign_in(request: Request, email: str, password: str) -> dict[str, Any]:
    client: Vendors = request.app.state.client
    try:
        signed_in = await _asked(client.auth.sign_in_with_password({"email": email, "password": password}))
    except AuthError as error:
        raise _unauthorized("wrong e-mail or password") from error
    session = signed_in.session
    if session is None:
        raise HTTPException(503, "authentication service failed")
    return {
        "access_token": session.access_token,
        "token_type": "bearer",
        "expires_in": session.expires_in,
        "user": _user_view(session.user.model_dump(mode="json")),
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
