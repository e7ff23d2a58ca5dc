"""Variants by a stranger, the thirteenth round: accounts, upload links, rights and refusals of the API."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.stranger_thirteenth import cut

APPLICATION = "api/application.py"
AUTH = "api/auth.py"
DESCRIPTION = "api/description.py"
JOBS = "api/jobs.py"
SCHEMAS = "api/schemas.py"
UPLOADS = "api/uploads.py"

ADMIN_CREATE = """    if not MIN_PASSWORD <= len(password.encode(errors="replace")) <= MAX_PASSWORD:
        raise HTTPException(400, f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} bytes")
    client: Vendors = request.app.state.client
    wanted: Any = {"email": email, "password": password, "user_metadata": metadata, "email_confirm": True}
    try:
        made = await _asked(client.admin.create_user(wanted))
    except AuthError as error:
        raise HTTPException(409 if error.code in TAKEN else 400, error.message) from error
    return made.user.model_dump(mode="json")
"""
ADMIN_CLIENT = '''    @property
    def admin(self) -> Any:
        """What creates users, with the service's key."""
        headers = {"Authorization": f"Bearer {self._config.service_key}", "apikey": self._config.service_key}
        return AsyncGoTrueClient(
            url=f"{self._config.supabase_url}/auth/v1",
            headers=headers,
            auto_refresh_token=False,
            persist_session=False,
            http_client=self.http,
        ).admin

    @cached_property
    def anthropic('''


@variant("M65", "users are created by the admin's API, confirmed, and POST /register signs them in at once")
def created_by_admin(plan: Plan) -> None:
    cut(plan, AUTH, "    if len(password) > MAX_PASSWORD:", 'made.user.model_dump(mode="json")\n', ADMIN_CREATE)
    plan.replace_in_source(
        AUTH,
        '    return {"access_token": None, "token_type": "bearer", "user": _user_view(user)}\n',
        '    session = await _sign_in(request, body["email"], body["password"])\n'
        '    return {**session, "user": _user_view(user)}\n',
    )
    plan.replace_in_source(AUTH, '"""Create a user; the token is null until the user signs in."""', '"""Create a user."""')
    plan.replace_in_source(SCHEMAS, "    access_token: None\n", "    access_token: str\n    expires_in: int\n")
    plan.replace_in_source(SCHEMAS, '"""A new user, who signs in afterwards."""', '"""A new user, who is signed in."""')
    vendors = "backend/shared/vendors.py"
    plan.replace_in_source(vendors, "    @cached_property\n    def anthropic(", ADMIN_CLIENT)
    plan.replace_in_source(vendors, "import TYPE_CHECKING\n", "import TYPE_CHECKING, Any\n")


LINKS = '''"""Upload links of the service's own: for one object, for a while, with a signature over both."""

from __future__ import annotations

import hashlib
import hmac
import time
from urllib.parse import quote

from backend.shared.config import Config

PATH = "/api/upload-pipeline/direct/"


def _signature(config: Config, key: str, expires: int) -> str:
    secret = hashlib.sha256(b"upload links:" + config.service_key.encode()).digest()
    return hmac.new(secret, f"PUT {key} {expires}".encode(), hashlib.sha256).hexdigest()


def make(config: Config, key: str, seconds: int) -> str:
    """A link that accepts one PUT of this object, for so long."""
    expires = int(time.time()) + seconds
    query = f"expires={expires}&signature={_signature(config, key, expires)}"
    return f"{config.api_base_url.rstrip('/')}{PATH}{quote(key)}?{query}"


def is_good(config: Config, key: str, expires: str, signature: str) -> bool:
    """Whether the service made this link, and it has not expired."""
    if not (expires.isascii() and expires.isdigit() and len(expires) < 20 and signature.isascii()):
        return False
    return hmac.compare_digest(_signature(config, key, int(expires)), signature) and int(expires) > time.time()
'''
DIRECT = '''@router.put("/api/upload-pipeline/direct/{key:path}")
async def upload_direct(key: str, request: Request, expires: str = "", signature: str = "") -> dict[str, str]:
    """Store the bytes that a signed link is for."""
    if not links.is_good(request.app.state.config, key, expires, signature):
        raise HTTPException(403, "the link is not valid or has expired")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_FILE_SIZE_BYTES:
            raise HTTPException(413, f"larger than {MAX_FILE_SIZE_BYTES} bytes")
    try:
        await request.app.state.storage.create(key, bytes(body), request.headers.get("content-type", "application/pdf"))
    except StorageError as error:
        raise HTTPException(error.status, "storage refused the file") from error
    except CallError as error:
        raise not_served(error, "storage did not store the file") from error
    return {"status": "success"}


@router.get("/api/upload-pipeline/upload/limits")'''
DIRECT_OPERATION = """    f"PUT {UPLOADS}/direct/{{key}}": Operation(
        schemas.Stored, (403, 413), request=PDF, other={REFUSED_BY_STORAGE: schemas.Refusal}
    ),
    f"GET {UPLOADS}/upload/limits":"""
QUIET_ACCESS = """set_up("api", os.environ.get("LOG_LEVEL", "INFO"))
# Its lines have the query, which is the right to upload; the service has a line of its own for each request.
logging.getLogger("uvicorn.access").disabled = True
"""


@variant("M66", "the API signs upload links itself, and takes the bytes at an address of its own")
def own_links(plan: Plan) -> None:
    (plan.source / "api/links.py").write_text(LINKS)
    start = "        try:\n            url = await request.app.state.storage.create_signed_upload"
    end = 'raise not_served(error, "storage did not sign the upload") from error\n'
    key = "object_key(user.id, document_id, 'raw')"
    cut(plan, UPLOADS, start, end, f"        url = links.make(request.app.state.config, {key}, SIGNED_URL_TTL_SECONDS)\n")
    plan.replace_in_source(UPLOADS, '@router.get("/api/upload-pipeline/upload/limits")', DIRECT)
    plan.replace_in_source(UPLOADS, "from api.auth import", "from api import links\nfrom api.auth import")
    plan.replace_in_source(DESCRIPTION, '    f"GET {UPLOADS}/upload/limits":', DIRECT_OPERATION)
    plan.replace_in_source(APPLICATION, 'needs=["storage.sign"]', 'needs=["storage.write"]')
    plan.replace_in_source("main.py", 'set_up("api", os.environ.get("LOG_LEVEL", "INFO"))\n', QUIET_ACCESS)
    plan.replace_in_source("main.py", "import os\n", "import logging\nimport os\n")


ACTING = '''

@asynccontextmanager
async def acting_as(pool: asyncpg.Pool, user_id: UUID) -> AsyncIterator[asyncpg.Connection]:
    """A transaction under the rights of a user: the policies of the tables decide what is there."""
    claims = json.dumps({"sub": str(user_id), "role": "authenticated"})
    async with pool.acquire() as connection, connection.transaction():
        sql = "SELECT set_config('request.jwt.claims', $1, true), set_config('role', 'authenticated', true)"
        await connection.execute(sql, claims)
        yield connection


def vector_literal('''


@variant("M67", "the API reads jobs, documents and passages under the caller's own rights, which row-level security decides")
def reads_as_the_user(plan: Plan) -> None:
    database = "backend/shared/database.py"
    plan.replace_in_source(database, "\n\ndef vector_literal(", ACTING)
    imports = "import json\nfrom collections.abc import AsyncIterator\nfrom contextlib import asynccontextmanager\n"
    plan.replace_in_source(database, "import json\n", imports + "from uuid import UUID\n")
    for one in ("row = await request.app.state.pool.fetchrow(", "rows = await request.app.state.pool.fetch("):
        text = (plan.source / JOBS).read_text()
        while one in text:
            start = text.index(f"    {one}")
            end = text.index("\n    )\n", start) + len("\n    )\n")
            call = text[start:end].replace("request.app.state.pool", "connection")
            held = "    async with acting_as(request.app.state.pool, user.id) as connection:\n"
            text = text[:start] + held + "".join(f"    {line}\n" for line in call.splitlines()) + text[end:]
        (plan.source / JOBS).write_text(text)
    imports = "from backend.shared.database import acting_as\nfrom backend.shared.parsing"
    plan.replace_in_source(JOBS, "from backend.shared.parsing", imports)
    retrieval = "api/retrieval.py"
    held = "async with pool.acquire() as connection, connection.transaction():"
    plan.replace_in_source(retrieval, held, "async with acting_as(pool, user_id) as connection:")
    plan.replace_in_source(retrieval, "import vector_literal", "import acting_as, vector_literal")


PROBLEM = '''def problem(status: int, detail: object, headers: Any = None) -> JSONResponse:
    """A refusal in the form of RFC 9457."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    more = detail if isinstance(detail, dict) else {"detail": detail}
    return JSONResponse({**body, **more}, status, headers, media_type="application/problem+json")


async def _refused('''
DESCRIBED = '''def _as_problem(found: dict[str, Any]) -> None:
    """Every refusal has the form of RFC 9457."""
    for status, response in found["responses"].items():
        if status == "422":
            response["content"] = {PROBLEM: {"schema": {"$ref": "#/components/schemas/InvalidRequest"}}}
        elif status[0] in "4d" or status in ("502", "503"):
            response["content"] = {PROBLEM: content for content in response.get("content", {}).values()}


def completed('''
INVALID = '''class InvalidRequest(Refusal):
    """What is wrong with a request, each with its place."""

    errors: list[dict[str, Any]]


class DuplicateDocument('''


@variant("M68", "every refusal is a problem of RFC 9457 with its own media type; errors of fields stand in a list beside it")
def problems(plan: Plan) -> None:
    plan.replace_in_source(APPLICATION, "async def _refused(", PROBLEM)
    start = '    body = error.detail if isinstance(error.detail, dict) else {"detail": error.detail}\n'
    refused = "    return problem(error.status_code, error.detail, error.headers)\n"
    cut(plan, APPLICATION, start, "headers=error.headers)\n", refused)
    for old, new in (
        ('JSONResponse({"detail": found}, status_code=422)', 'problem(422, {"detail": "not valid", "errors": found})'),
        ('JSONResponse({"detail": "internal error"}, status_code=500)', 'problem(500, "internal error")'),
        ('JSONResponse({"detail": "temporarily unavailable"}, status_code=503, headers=', 'problem(503, "try again later", '),
        ('JSONResponse({"detail": "Method Not Allowed"}, status_code=405, headers=', 'problem(405, "not this method", '),
    ):
        plan.replace_in_source(APPLICATION, old, new)
    plan.replace_in_source(
        APPLICATION,
        "from contextlib import asynccontextmanager\n",
        "from contextlib import asynccontextmanager\nfrom http import HTTPStatus\nfrom typing import Any\n",
    )
    plan.replace_in_source(APPLICATION, "import FastAPI, HTTPException, Request\n", "import FastAPI, Request\n")
    other = "from starlette.exceptions import HTTPException\nfrom starlette.middleware.cors"
    plan.replace_in_source(APPLICATION, "from starlette.middleware.cors", other)
    plan.replace_in_source(SCHEMAS, "class DuplicateDocument(", INVALID)
    json = 'JSON = "application/json"\n'
    plan.replace_in_source(DESCRIPTION, json, json + 'PROBLEM = "application/problem+json"\n')
    plan.replace_in_source(DESCRIPTION, "def completed(", DESCRIBED)
    models = "{model for operation in OPERATIONS.values()"
    plan.replace_in_source(DESCRIPTION, models, "{schemas.InvalidRequest} | " + models)
    step = "                _complete(known, operation)\n"
    plan.replace_in_source(DESCRIPTION, step, step + "                _as_problem(known)\n")
