"""Variants by somebody who knows the contract only: registrations, callbacks and refusals made in another way."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.stranger_twelfth import PARSING, UPLOADS, rewrite

APPLICATION = "api/application.py"
DESCRIPTION = "api/description.py"
WEBHOOK = "api/webhook.py"


ACCOUNTS = """
CREATE TABLE upload_pipeline.upload_accounts (
    user_id uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE,
    registrations bigint NOT NULL DEFAULT 1,
    last_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE upload_pipeline.upload_accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY upload_accounts_service ON upload_pipeline.upload_accounts TO service_role USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON upload_pipeline.upload_accounts TO service_role;
"""
LOCK = '''
# One registration of a user at a time: whoever has the user's row goes on.
ACCOUNT = """INSERT INTO upload_accounts AS a (user_id) VALUES ($1)
    ON CONFLICT (user_id) DO UPDATE SET registrations = a.registrations + 1, last_at = now()"""
REGISTER = """
WITH document AS (
    INSERT INTO documents (document_id, user_id, filename, mime, bytes_len, file_sha256, raw_path, processing_status)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'uploaded')
), job AS (
    INSERT INTO upload_jobs (job_id, document_id, status) VALUES ($8, $1, 'uploaded')
)
INSERT INTO events (job_id, document_id, type) VALUES ($8, $1, 'uploaded')
"""


def ordered_id() -> UUID:
    """An id (UUIDv7) that begins with the time, so that new rows stand beside each other in the index."""
    moment = time.time_ns() // 1_000_000
    bits = moment << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return UUID(int=bits)


async def _insert(connection: asyncpg.Connection, user: Caller, body: UploadRequest, document_id: UUID) -> UUID:
    job_id = ordered_id()
    raw_path = f"{BUCKET}/{object_key(user.id, document_id, 'raw')}"
    values = (document_id, user.id, body.filename, body.mime, body.bytes_len, body.sha256, raw_path, job_id)
    await connection.execute(REGISTER, *values)
    return job_id


'''
SIGN_FIRST = """    document_id = document_id_of(user.id, body.sha256)
    pool = request.app.state.pool
    async with pool.acquire() as connection:
        await _refuse_duplicate(connection, user, body.sha256)
        await _refuse_over_limits(connection, user)
    # Nobody waits for storage while a transaction is open.
    try:
        url = await request.app.state.storage.create_signed_upload(object_key(user.id, document_id, "raw"))
    except CallError as error:
        raise not_served(error, "storage did not sign the upload") from error
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(ACCOUNT, user.id)
        await _refuse_duplicate(connection, user, body.sha256)
        await _refuse_over_limits(connection, user)
        job_id = await _insert(connection, user, body, document_id)
"""


@variant("M50", "a registration is one statement under a lock of the user's row, after storage signed; ids begin with the time")
def ordered_registrations(plan: Plan) -> None:
    (plan.source / "supabase/migrations/20250109000000_upload_accounts.sql").write_text(ACCOUNTS)
    rewrite(plan, UPLOADS, "async def _insert(", '@router.post("/api/upload-pipeline/upload")', LOCK.lstrip("\n"))
    rewrite(plan, UPLOADS, "    document_id = document_id_of(user.id", '    log.info("accepted', SIGN_FIRST)
    plan.replace_in_source(UPLOADS, "import math\n", "import math\nimport secrets\nimport time\n")


KEEP_TEXT = '''async def keep_text(storage: Storage, row: Any, text: str) -> None:
    """Store the text of a document; raises CallError."""
    await storage.write(object_key(row["user_id"], row["document_id"], "parsed"), text.encode(), "text/markdown")


async def store_parsed(connection: Any, storage: Storage, row: Any, text: str) -> None:
    """Store the text and queue the job's next stage; `row` has its job_id, document_id and user_id."""
    await keep_text(storage, row, text)
    await mark_parsed(connection, row, text)


async def mark_parsed(connection: Any, row: Any, text: str) -> None:
    """Queue the next stage of a job whose text is stored."""
    key = object_key(row["user_id"], row["document_id"], "parsed")
'''
OPTIMISTIC = '''# Whether the job still waits for the attempt whose secret was verified.
STILL = """SELECT true FROM upload_jobs
    WHERE job_id = $1 AND webhook_secret = $2 AND status = 'parse_queued' FOR UPDATE"""
RECEIVED = "INSERT INTO webhook_log (job_id, provider, accepted, payload_sha256) VALUES ($1, 'llamaparse', true, $2)"


def _payload(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "body is not JSON") from error
    if not isinstance(payload, dict):
        raise HTTPException(400, "body is not a JSON object")
    return payload


async def _decide(connection: Any, row: Any, payload: dict[str, Any], text: str) -> None:
    if payload.get("status") != "completed":
        await doubt(connection, row, str(payload.get("error") or "parsing failed"))
    elif not text.strip():
        await fail_parse(connection, row, "the document contains no text")
    else:
        await mark_parsed(connection, row, text)


@router.post("/api/upload-pipeline/webhook/llamaparse/{job_id}")
async def llamaparse(job_id: UUID, request: Request) -> dict[str, str]:
    """Accept the result of one document; nothing is locked while it is stored, and what has changed since is respected."""
    body = await request.body()
    pool, storage = request.app.state.pool, request.app.state.storage
    row = await _job(pool, job_id)
    _verify(row["webhook_secret"], body, request.headers.get("x-webhook-signature"))
    payload = _payload(body)
    is_complete = row["status"] == "parse_queued" and payload.get("status") == "completed"
    text = _markdown(payload.get("result")) if is_complete else ""
    if text.strip():
        try:
            await keep_text(storage, row, text)
        except CallError as failed:
            # LlamaParse repeats a callback that is answered so; the job still waits for it.
            raise HTTPException(503, "the text cannot be stored at present", headers={"Retry-After": "1"}) from failed
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(RECEIVED, job_id, hashlib.sha256(body).hexdigest())
        if row["status"] != "parse_queued" or not await connection.fetchval(STILL, job_id, row["webhook_secret"]):
            return {"status": "ignored"}
        await _decide(connection, row, payload, text)
    return {"status": "ok"}
'''


@variant("M52", "a callback locks nothing while its text is stored, and is ignored where the job has moved on meanwhile")
def optimistic(plan: Plan) -> None:
    rewrite(plan, PARSING, "async def store_parsed(", "    await connection.execute(\n", KEEP_TEXT)
    rewrite(plan, WEBHOOK, '@router.post("/api', "", OPTIMISTIC)
    plan.replace_in_source(WEBHOOK, "import conclude, doubt", "import doubt, fail_parse, keep_text, mark_parsed")
    plan.replace_in_source(WEBHOOK, "WHERE j.job_id = $1 FOR UPDATE OF j", "WHERE j.job_id = $1")


PROBLEM = '''
class Problem(JSONResponse):
    """A refusal as RFC 9457 has it; what the service said before stands beside the new names."""

    media_type = "application/problem+json"

    def __init__(self, content: dict[str, Any], status_code: int = 500, headers: Mapping[str, str] | None = None) -> None:
        title = HTTPStatus(status_code).phrase if status_code in set(HTTPStatus) else "Refused"
        super().__init__({"type": "about:blank", "title": title, "status": status_code, **content}, status_code, headers)


async def _unrouted(_: Request, error: Exception) -> Problem:
    assert isinstance(error, StarletteHTTPException)
    return Problem({"detail": error.detail}, error.status_code, error.headers)


async def _refused('''
DESCRIBED = '''

def _as_problems(responses: dict[str, Any]) -> None:
    """Refusals have a media type of their own; the health page, whose check broke, does not refuse."""
    for status, response in responses.items():
        if status[0] in "4d" or status in ("502", "503"):
            content = response.get("content", {})
            if JSON in content:
                content["application/problem+json"] = content.pop(JSON)


def completed('''


@variant("M54", "refusals are problem details (RFC 9457) with the fields that they always had")
def problems(plan: Plan) -> None:
    rewrite(plan, APPLICATION, "async def _refused(", "_: Request", PROBLEM.lstrip("\n"))
    begin = "    assert isinstance(error, HTTPException)"
    text = (plan.source / APPLICATION).read_text()
    handlers = text[text.index(begin) : text.index("def create_app")]
    plan.replace_in_source(APPLICATION, handlers, handlers.replace("JSONResponse(", "Problem("))
    own = "    app.add_exception_handler(HTTPException, _refused)\n"
    plan.replace_in_source(APPLICATION, own, f"{own}    app.add_exception_handler(StarletteHTTPException, _unrouted)\n")
    imports = "from starlette.exceptions import HTTPException as StarletteHTTPException\n"
    plan.replace_in_source(APPLICATION, "from starlette.middleware.cors", f"{imports}from starlette.middleware.cors")
    first = "from collections.abc import AsyncIterator"
    plan.replace_in_source(APPLICATION, f"{first}\n", f"{first}, Mapping\n")
    more = "from http import HTTPStatus\nfrom typing import Any\n"
    plan.replace_in_source(APPLICATION, "from urllib.parse import", f"{more}from urllib.parse import")
    plan.replace_in_source(DESCRIPTION, "\n\ndef completed(", DESCRIBED)
    done = "                _complete(known, operation)\n"
    plan.replace_in_source(DESCRIPTION, done, f'{done}            _as_problems(known["responses"])\n')
