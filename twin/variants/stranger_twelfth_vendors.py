"""A variant by somebody who knows the contract only: Supabase without the packages of its vendor."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.stranger_twelfth import rewrite

AUTH = "api/auth.py"
STORAGE = "backend/shared/storage.py"
VENDORS = "backend/shared/vendors.py"


STORED = '''def _status(reply: httpx.Response) -> int:
    """The status that storage means: it says it in the body, and sends 400 with most refusals."""
    try:
        return int(reply.json()["statusCode"])
    except (ValueError, LookupError, TypeError):
        return reply.status_code


class Storage:
    """The calls that the pipeline needs, with the service-role key."""

    def __init__(self, client: Vendors) -> None:
        self._calls, self._http = client.calls, client.http
        self._url, self._key = client.storage_url.rstrip("/"), client.service_key

    async def _send(self, action: str, method: str, path: str, body: bytes = b"", **headers: str) -> httpx.Response:
        """Make a call; raises StorageError where storage refused or failed with a status, otherwise CallError."""
        own = {"authorization": f"Bearer {self._key}", "apikey": self._key}
        own |= {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._calls.to(f"storage.{action}"):
            reply = await self._http.request(method, f"{self._url}/{path}", content=body, headers=own)
            if not reply.is_success:
                raise StorageError(action, _status(reply), reply.text, retry_after(reply.headers))
            return reply

    async def read(self, key: str) -> bytes:
        """The object's bytes; raises CallError."""
        return (await self._send("read", "GET", f"object/{BUCKET}/{quote(key)}")).content

    async def write(self, key: str, body: bytes, mime: str) -> None:
        """Store or replace an object; raises CallError."""
        await self._send("write", "POST", f"object/{BUCKET}/{quote(key)}", body, content_type=mime, x_upsert="true")

    async def create(self, key: str, body: bytes, mime: str) -> None:
        """Store a new object; raises CallError."""
        await self._send("write", "POST", f"object/{BUCKET}/{quote(key)}", body, content_type=mime)

    async def create_signed_upload(self, key: str) -> str:
        """Absolute URL that accepts one PUT of this object; raises CallError."""
        path = f"object/upload/sign/{BUCKET}/{quote(key)}"
        reply = await self._send("sign", "POST", path, b"{}", content_type="application/json")
        try:
            return self._url + reply.json()["url"]
        except (ValueError, LookupError, TypeError) as error:
            raise CallError("storage", Problem.UNREADABLE, "storage unreadable: no signed URL") from error
'''
ASKED = '''class AuthError(Exception):
    """Supabase Auth refused what it was given."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


async def _asked(request: Request, method: str, path: str, body: Any = None, token: str = "") -> dict[str, Any]:
    """What Supabase Auth returns; raises AuthError when it refuses, 503 when it fails or does not respond."""
    config: Config = request.app.state.config
    headers = {"apikey": config.anon_key} | ({"authorization": f"Bearer {token}"} if token else {})
    client: Vendors = request.app.state.client
    try:
        reply = await client.http.request(method, f"{config.supabase_url}/auth/v1/{path}", json=body, headers=headers)
    except httpx.HTTPError as error:
        raise HTTPException(503, "authentication service unreachable") from error
    try:
        found = reply.json()
    except ValueError as error:
        raise HTTPException(503, "authentication service failed") from error
    if not isinstance(found, dict) or not (reply.is_success or reply.status_code in REFUSALS):
        raise HTTPException(503, "authentication service failed")
    if not reply.is_success:
        raise AuthError(str(found.get("error_code") or ""), str(found.get("msg") or "refused"))
    return found


def _user(found: Any) -> dict[str, Any]:
    """A user as Supabase Auth describes it; raises 503 where it does not."""
    if not isinstance(found, dict) or not found.get("id") or not isinstance(found.get("email"), str):
        raise HTTPException(503, "authentication service failed")
    return found


async def verify_token(request: Request, token: str) -> dict[str, Any]:
    """The user that Supabase Auth returns for the token; raises 401 for a refused token, 503 when it does not respond."""
    try:
        return _user(await _asked(request, "GET", "user", token=token))
    except AuthError as error:
        raise _unauthorized("invalid or expired token") from error


'''
CREATED = """    given = {"email": email, "password": password, "data": metadata}
    try:
        made = await _asked(request, "POST", "signup", given)
    except AuthError as error:
        raise HTTPException(409 if error.code in TAKEN else 400, error.message) from error
    # A project that confirms addresses returns the user without a session.
    return _user(made.get("user") or made)


async def _sign_in(request: Request, email: str, password: str) -> dict[str, Any]:
    try:
        found = await _asked(request, "POST", "token?grant_type=password", {"email": email, "password": password})
    except AuthError as error:
        raise _unauthorized("wrong e-mail or password") from error
    if not isinstance(found.get("access_token"), str):
        raise HTTPException(503, "authentication service failed")
    return {
        "access_token": found["access_token"],
        "token_type": "bearer",
        "expires_in": found.get("expires_in", 3600),
        "user": _user_view(_user(found.get("user"))),
    }


"""


def _without_package(plan: Plan) -> None:
    """The vendor's clients, and what they were imported for."""
    rewrite(plan, VENDORS, "from storage3 import", "\nfrom backend.shared.calls", "")
    headers = '        headers = {"Authorization": f"Bearer {config.service_key}"'
    rewrite(plan, VENDORS, headers, "    @cached_property\n    def anthropic", OWN_SETTINGS)


OWN_SETTINGS = """        self.storage_url, self.service_key = config.storage_url, config.service_key

"""


@variant("M60", "Supabase's storage and accounts by plain requests, without the vendor's packages")
def plain_supabase(plan: Plan) -> None:
    _without_package(plan)
    rewrite(plan, STORAGE, "class Storage:", "", STORED)
    plan.replace_in_source(
        STORAGE, "from collections.abc import AsyncIterator\nfrom contextlib import asynccontextmanager\n", ""
    )
    plan.replace_in_source(STORAGE, "from uuid import UUID\n", "from urllib.parse import quote\nfrom uuid import UUID\n")
    plan.replace_in_source(STORAGE, "from storage3.exceptions import StorageApiError\n", "import httpx\n")
    plan.replace_in_source(STORAGE, "import CallError, problem_of", "import CallError, Problem, problem_of")
    rewrite(plan, AUTH, "def _is_refusal(", "async def current_user(", ASKED)
    rewrite(
        plan,
        AUTH,
        "    client: Vendors = request.app.state.client\n    try:\n        made",
        '@router.post("/register")',
        CREATED,
    )
    rewrite(plan, AUTH, "from supabase_auth.errors", "\nrouter = ", "")
    plan.replace_in_source(AUTH, "T = TypeVar", "REFUSALS = (400, 401, 403, 404, 409, 422)\nT = TypeVar")
    rewrite(plan, AUTH, "T = TypeVar", "# As Supabase", "")
    plan.replace_in_source(AUTH, "from collections.abc import Awaitable\n", "")
    plan.replace_in_source(AUTH, "Annotated, Any, TypeVar\n", "Annotated, Any\n")
    plan.replace_in_source(AUTH, "BaseModel, Field, ValidationError, field", "BaseModel, Field, field")
    first = "from backend.shared.vendors import Vendors\n"
    plan.replace_in_source(AUTH, first, f"import httpx\nfrom backend.shared.config import Config\n{first}")
    for name in ("requirements.txt", "requirements-prod.txt"):
        plan.replace_in_source(name, "supabase>=2.20,<3\n", "")
