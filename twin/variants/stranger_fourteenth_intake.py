"""Variants by a stranger, the fourteenth set: how uploads are admitted and passed on, and how tokens are looked up."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.stranger_fourteenth import migrate

UPLOADS = "api/uploads.py"
# A row that its own transaction inserts and deletes is never seen, but others that insert it wait for that transaction.
ADMIT = """CREATE TABLE upload_pipeline.admissions (user_id uuid PRIMARY KEY);
ALTER TABLE upload_pipeline.admissions ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON upload_pipeline.admissions TO service_role;
CREATE POLICY admissions_service ON upload_pipeline.admissions TO service_role USING (true) WITH CHECK (true);
CREATE FUNCTION upload_pipeline.admit(
    uploader uuid, document uuid, name text, kind text, size bigint, hash text, path text, most_running int, most_today int,
    OUT verdict text, OUT job uuid, OUT title text, OUT seen timestamptz)
LANGUAGE plpgsql SET search_path = upload_pipeline AS $$
BEGIN
    INSERT INTO admissions VALUES (uploader);
    DELETE FROM admissions WHERE user_id = uploader;
    SELECT d.filename, d.updated_at INTO title, seen FROM documents d WHERE d.user_id = uploader AND d.file_sha256 = hash;
    IF FOUND THEN
        verdict := 'duplicate';
    ELSIF (SELECT count(*) FROM documents d JOIN upload_jobs j USING (document_id)
           WHERE d.user_id = uploader AND j.state IN ('queued', 'working', 'retryable')) >= most_running THEN
        verdict := 'running';
    ELSIF (SELECT count(*) FROM documents d
           WHERE d.user_id = uploader AND d.created_at > now() - interval '1 day') >= most_today THEN
        verdict := 'today';
    ELSE
        verdict := 'admitted';
        INSERT INTO documents (document_id, user_id, filename, mime, bytes_len, file_sha256, raw_path, processing_status)
            VALUES (document, uploader, name, kind, size, hash, path, 'uploaded');
        INSERT INTO upload_jobs (document_id, status) VALUES (document, 'uploaded') RETURNING job_id INTO job;
        INSERT INTO events (job_id, document_id, type) VALUES (job, document, 'uploaded');
    END IF;
END $$;
REVOKE EXECUTE ON FUNCTION
    upload_pipeline.admit(uuid, uuid, text, text, bigint, text, text, int, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    upload_pipeline.admit(uuid, uuid, text, text, bigint, text, text, int, int) TO service_role;
"""
ADMITTED = """async def _admit(connection: asyncpg.Connection, user: Caller, body: UploadRequest, document_id: UUID) -> UUID:
    row = await connection.fetchrow(
        "SELECT * FROM admit($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        user.id,
        document_id,
        body.filename,
        body.mime,
        body.bytes_len,
        body.sha256,
        f"{BUCKET}/{object_key(user.id, document_id, 'raw')}",
        MAX_CONCURRENT_JOBS,
        MAX_UPLOADS_PER_DAY,
    )
    if row["verdict"] == "duplicate":
        detail = {
            "error_type": "duplicate_document",
            "message": f"{row['title']} is among your documents already",
            "document_title": row["title"],
            "last_uploaded": row["seen"].isoformat(),
        }
        raise HTTPException(409, detail)
    if row["verdict"] == "running":
        raise HTTPException(429, f"wait until one of your {MAX_CONCURRENT_JOBS} documents is done")
    if row["verdict"] == "today":
        raise HTTPException(429, f"no more than {MAX_UPLOADS_PER_DAY} documents in 24 hours")
    job_id: UUID = row["job"]
    return job_id


"""
BEFORE_SIGNING = """        await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", str(user.id))
        await _refuse_duplicate(connection, user, body.sha256)
        await _refuse_over_limits(connection, user)
"""


@variant("M81", "one function of the database admits an upload: it locks, judges and inserts; a refused link takes it back")
def admitted_by_the_database(plan: Plan) -> None:
    migrate(plan, "20250106000400_admission", ADMIT)
    text = (plan.source / UPLOADS).read_text()
    judged = text[text.index("async def _refuse_duplicate") : text.index('@router.post("/api/upload-pipeline/upload")')]
    plan.replace_in_source(UPLOADS, judged, ADMITTED)
    plan.replace_in_source(UPLOADS, BEFORE_SIGNING, "        job_id = await _admit(connection, user, body, document_id)\n")
    plan.replace_in_source(UPLOADS, "        job_id = await _insert(connection, user, body, document_id)\n", "")


LOOK_UP = '''# Questions to Supabase Auth that are under way, by the token's hash; an answer is not kept.
_asked_now: dict[bytes, asyncio.Task[dict[str, Any]]] = {}


def _is_past(token: str) -> bool:
    """Whether the token is none, or says of itself that it has expired; that costs no question."""
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return float(claims["exp"]) <= time.time()
    except (ValueError, LookupError, TypeError, RecursionError):
        return True


async def verify_token(request: Request, token: str) -> dict[str, Any]:
    """The token's user; requests of the same moment share one question. Raises 401 for a refused token, 503 as `_asked`."""
    if _is_past(token):
        raise _unauthorized("invalid or expired token")
    name = hashlib.sha256(token.encode()).digest()
    asking = _asked_now.get(name)
    if asking is None:
        asking = asyncio.create_task(_look_up(request.app.state.client, token))
        _asked_now[name] = asking
        asking.add_done_callback(lambda done: (_asked_now.pop(name, None), done.cancelled() or done.exception()))
    # One caller who goes away does not take the others' answer along.
    return await asyncio.shield(asking)


async def _look_up(client: Vendors, token: str) -> dict[str, Any]:
'''


@variant("M82", "requests of one token at the same moment share one question to Supabase Auth; expired ones cost none")
def shared_look_ups(plan: Plan) -> None:
    text = (plan.source / "api/auth.py").read_text()
    begin, end = text.index("async def verify_token"), text.index("    try:\n        reply = await _asked(client.auth.get_user")
    plan.replace_in_source("api/auth.py", text[begin:end], LOOK_UP)
    modules = ("asyncio", "base64", "hashlib", "json", "re", "time")
    plan.replace_in_source("api/auth.py", "import re\n", "".join(f"import {module}\n" for module in modules))


STREAMED = '''    async def create_from(self, key: str, file: BinaryIO, size: int, mime: str) -> None:
        """Store a new object from a file, piece by piece; raises CallError."""

        async def pieces() -> AsyncIterator[bytes]:
            while piece := file.read(PIECE):
                yield piece

        headers = self._headers | {"content-type": mime, "content-length": str(size), "x-upsert": "false"}
        async with self._calls.to("storage.write"):
            url = f"{self._url}/object/{BUCKET}/{quote(key, safe='/')}"
            reply = await self._http.post(url, content=pieces(), headers=headers)
            if reply.status_code >= 400:
                said = reply.json()
                status = str(said.get("statusCode", reply.status_code))
                number = int(status) if status.isdigit() else reply.status_code
                raise StorageError("write", number, str(said.get("message", "")), retry_after(reply.headers))

'''
SPOOLED = '''async def _spool(request: Request, file: BinaryIO) -> int:
    """Write the body into a file; what is beyond the limit is read and dropped, lest the caller misses the answer."""
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size <= MAX_FILE_SIZE_BYTES:
            file.write(piece)
        elif size > MOST_READ:
            break
    if size > MAX_FILE_SIZE_BYTES:
        raise HTTPException(413, f"larger than {MAX_FILE_SIZE_BYTES} bytes")
    file.seek(0)
    return size


@router.put("/api/upload-pipeline/upload-file-proxy/{bucket}/{key:path}")
'''
READ = """    body = await request.body()
    if len(body) > MAX_FILE_SIZE_BYTES:
        raise HTTPException(413, f"larger than {MAX_FILE_SIZE_BYTES} bytes")
    try:
        await request.app.state.storage.create(key, body, request.headers.get("content-type", "application/pdf"))
    except StorageError as error:
        raise HTTPException(error.status, "storage refused the file") from error
    except CallError as error:
        raise not_served(error, "storage did not store the file") from error
"""
PASSED_ON = """    mime = request.headers.get("content-type", "application/pdf")
    with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        size = await _spool(request, file)
        try:
            await request.app.state.storage.create_from(key, file, size, mime)
        except StorageError as error:
            raise HTTPException(error.status, "storage refused the file") from error
        except CallError as error:
            raise not_served(error, "storage did not store the file") from error
"""


@variant("M83", "the upload proxy keeps what is large on disk and passes it on piece by piece as the plain body of a POST")
def spooled_uploads(plan: Plan) -> None:
    storage = "backend/shared/storage.py"
    plan.replace_in_source(storage, "    async def create_signed_upload", f"{STREAMED}    async def create_signed_upload")
    plan.replace_in_source(
        storage,
        "        self._calls = client.calls\n",
        "        self._calls, self._http = client.calls, client.http\n"
        "        self._url, self._headers = client.storage_url, client.storage_headers\n",
    )
    plan.replace_in_source(storage, 'BUCKET = "files"\n', 'BUCKET = "files"\nPIECE = 64 * 1024\n')
    modules = "from typing import BinaryIO\nfrom urllib.parse import quote\nfrom uuid import UUID\n"
    plan.replace_in_source(storage, "from uuid import UUID\n", modules)
    plan.replace_in_source(
        "backend/shared/vendors.py",
        "        self.storage = Async",
        "        self.storage_url, self.storage_headers = config.storage_url, headers\n        self.storage = Async",
    )
    plan.replace_in_source(UPLOADS, READ, PASSED_ON)
    plan.replace_in_source(UPLOADS, SPOOLED.splitlines()[-1] + "\n", SPOOLED)
    modules = "from tempfile import SpooledTemporaryFile\nfrom typing import Any, BinaryIO, Literal\n"
    plan.replace_in_source(UPLOADS, "from typing import Any, Literal\n", modules)
    limits = "IN_MEMORY = 256 * 1024\nMOST_READ = 64 * 1024 * 1024\n"
    plan.replace_in_source(UPLOADS, "MAX_CONCURRENT_JOBS = 2\n", f"{limits}MAX_CONCURRENT_JOBS = 2\n")
