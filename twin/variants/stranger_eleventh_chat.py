"""Another stranger's variants: a line that is kept alive, chunks that are kept, who reads which file, what a day is."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.stranger_eleventh import WORKER, exchange

CHAT = "api/chat.py"
STORAGE = "backend/shared/storage.py"
UPLOADS = "api/uploads.py"
ALIVE = '''async def _kept_alive(answering: asyncio.Task[dict[str, Any]]) -> AsyncIterator[str]:
    """The answer as JSON, with blanks before it while it is awaited: proxies close lines that are silent for long."""
    try:
        while not (await asyncio.wait({answering}, timeout=BLANK_SECONDS))[0]:
            yield " "
        yield json.dumps(answering.result())
    finally:
        answering.cancel()


@router.post("/chat")
@router.post("/api/chat")
async def chat(body: ChatRequest, user: CurrentUser, request: Request) -> Response:
    """Answer one question from the caller's documents."""
    if not body.message.strip():
        raise HTTPException(400, "empty message")
    answering = asyncio.create_task(_answered(body, user, request))
    try:
        done, _ = await asyncio.wait({answering}, timeout=BLANK_SECONDS)
    except asyncio.CancelledError:
        answering.cancel()
        raise
    if done:
        return JSONResponse(answering.result())
    return StreamingResponse(_kept_alive(answering), media_type="application/json")


async def _answered(body: ChatRequest, user: CurrentUser, request: Request) -> dict[str, Any]:
'''
SHA = '''def chunk_sha(text: str) -> str:
    """The hash of what a text says: equal where only white space or the notation of letters differs."""
    return hashlib.sha256(" ".join(unicodedata.normalize("NFC", text).split()).encode()).hexdigest()


class UploadPending('''
STORED = '''            await connection.execute(
                """DELETE FROM document_chunks WHERE document_id = $1
                   AND NOT (chunker_name = $2 AND chunker_version = $3 AND chunk_ord < $4)""",
                job["document_id"],
                CHUNKER_NAME,
                CHUNKER_VERSION,
                len(rows),
            )
            await connection.executemany(
                """INSERT INTO document_chunks AS c (chunk_id, document_id, chunker_name, chunker_version, chunk_ord,
                       text, chunk_sha) VALUES ($1, $2, $3, $4, $5, $6, $7)
                   ON CONFLICT (document_id, chunker_name, chunker_version, chunk_ord) DO UPDATE
                   SET text = excluded.text, chunk_sha = excluded.chunk_sha, embedding = NULL, vector_dim = NULL,
                       embed_model = NULL, embed_version = NULL, updated_at = now()
                   WHERE c.text <> excluded.text OR c.chunk_sha <> excluded.chunk_sha""",
                rows,
            )
'''
READ = '''            """SELECT chunk_id, text, embedding IS NULL OR embed_model IS DISTINCT FROM $2 AS is_missing
               FROM document_chunks WHERE document_id = $1 ORDER BY chunk_ord""",
            job["document_id"],
            self.config.embedding_model,
'''
FILES = """
DROP POLICY files_owner ON storage.objects;
DROP POLICY files_service_read ON storage.objects;
DROP POLICY files_service_insert ON storage.objects;
DROP POLICY files_service_update ON storage.objects;
DROP POLICY files_service_delete ON storage.objects;
CREATE POLICY "pipeline: everything in files" ON storage.objects TO service_role
    USING (bucket_id = 'files') WITH CHECK (bucket_id = 'files');
CREATE POLICY "users: the files of their documents" ON storage.objects FOR SELECT TO authenticated
    USING (bucket_id = 'files' AND EXISTS (
        SELECT 1 FROM upload_pipeline.documents d WHERE d.user_id = (SELECT auth.uid())
        AND objects.bucket_id || '/' || objects.name IN (d.raw_path, d.parsed_path)));
INSERT INTO storage.buckets (id, name, public) VALUES ('exports', 'exports', false) ON CONFLICT (id) DO NOTHING;
"""
SIGNED = '''        """The object's bytes, by a URL that is signed for this one reading; raises CallError."""
        async with self._call("read"):
            signed = await self._files.create_signed_url(key, SIGNED_SECONDS)
            reply = await self._http.get(signed["signedURL"])
            if not reply.is_success:
                raise StorageError("read", reply.status_code, reply.text, retry_after(reply.headers))
            return reply.content

'''


@variant(
    "M40", "a day of three documents is the calendar day of the region that the service runs in, and the limits page says so"
)
def calendar_day(plan: Plan) -> None:
    """Contract, HTTP API: `429 above 2 running jobs or 3 documents a day for one user`; specification: region Oregon."""
    plan.replace_in_source(
        UPLOADS, "d.created_at > now() - interval '1 day'", "d.created_at >= date_trunc('day', now(), 'America/Los_Angeles')"
    )
    plan.replace_in_source(
        UPLOADS,
        '{MAX_UPLOADS_PER_DAY} documents a day"',
        '{MAX_UPLOADS_PER_DAY} documents a day, which ends at midnight in Oregon"',
    )
    limit = '        "max_uploads_per_day_per_user": MAX_UPLOADS_PER_DAY,\n'
    plan.replace_in_source(UPLOADS, limit, f'{limit}        "day_is_of_time_zone": "America/Los_Angeles",\n')


@variant("M41", "a chat's answer that takes longer is sent in chunks: blanks, which keep the line alive, and then the JSON")
def line_kept_alive(plan: Plan) -> None:
    """Contract: `JSON unless said`; RFC 8259, 2: JSON-text = ws value ws."""
    plan.replace_in_source(CHAT, "import asyncio\nimport logging\n", "import asyncio\nimport json\nimport logging\n")
    plan.replace_in_source(CHAT, "import uuid\n", "import uuid\nfrom collections.abc import AsyncIterator\n")
    imported = "from fastapi import APIRouter, HTTPException, Request\n"
    plan.replace_in_source(
        CHAT, imported, f"{imported}from fastapi.responses import JSONResponse, Response, StreamingResponse\n"
    )
    plan.replace_in_source(CHAT, "MAX_TOKENS = 1024\n", "MAX_TOKENS = 1024\nBLANK_SECONDS = 0.5\n")
    exchange(plan, CHAT, '@router.post("/chat")\n', "    started = time.perf_counter()\n", ALIVE)


@variant("M42", "chunks that say the same as before keep their rows and vectors; chunk_sha leaves white space out of account")
def unchanged_chunks_are_kept(plan: Plan) -> None:
    """Contract, Database: `Unique (document_id, chunker_name, chunker_version, chunk_ord)`; what chunk_sha hashes is open."""
    plan.replace_in_source(WORKER, "import secrets\n", "import secrets\nimport unicodedata\n")
    plan.replace_in_source(WORKER, "class UploadPending(", SHA)
    plan.replace_in_source(WORKER, "hashlib.sha256(text.encode()).hexdigest(),", "chunk_sha(text),")
    exchange(
        plan,
        WORKER,
        '            await connection.execute("DELETE FROM doc',
        "            await self.queue.advance_in(",
        STORED,
    )
    exchange(plan, WORKER, '            "SELECT chunk_id, text', "        )\n        if not rows:", READ)
    loop = "        for start in range(0, len(rows), BATCH):\n            batch = rows[start : start + BATCH]\n"
    plan.replace_in_source(
        WORKER, loop, '        missing = [row for row in rows if row["is_missing"]]\n' + loop.replace("rows", "missing")
    )


@variant(
    "M43", "users read the files that their documents name, whatever the folder; the pipeline has one rule; a second bucket"
)
def files_of_documents(plan: Plan) -> None:
    """Contract, Storage: `Private bucket files`, paths as ever; field: `extra … policies … common, and nobody's business`."""
    plan.sql.append(FILES)


@variant("M44", "the worker reads files by URLs that it has signed for a minute, as everybody else does")
def signed_readings(plan: Plan) -> None:
    """Contract, Storage: `POST /object/sign/…` is among the operations; by which of them the worker `reads the PDF` is open."""
    plan.replace_in_source(STORAGE, 'BUCKET = "files"\n', 'BUCKET = "files"\nSIGNED_SECONDS = 60\n')
    plan.replace_in_source(
        STORAGE,
        "        self._calls = client.calls\n",
        "        self._calls = client.calls\n        self._http = client.http\n",
    )
    exchange(plan, STORAGE, '        """The object\'s bytes; raises CallError."""\n', "    async def write(", SIGNED)
