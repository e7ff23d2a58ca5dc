"""Registering documents, their limits, and the upload proxy."""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from aiohttp import web

from api.context import POOL, UPSTREAM, User, moment, shown, signed_in
from api.errors import ApiError, invalid, json_object, text_field
from api.upstream import failed

routes = web.RouteTableDef()
BUCKET = "files"
MIME = "application/pdf"
MAX_BYTES = 5 * 1024 * 1024
MAX_RUNNING = 2
MAX_A_DAY = 3
URL_SECONDS = 300
LONGEST_NAME = 120
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "documents.insurance-navigator")
RUNNING = (
    "SELECT count(*) FROM upload_pipeline.upload_jobs j JOIN upload_pipeline.documents d USING (document_id)"
    " WHERE d.user_id = $1 AND j.state IN ('queued', 'working', 'retryable')"
    " AND j.status NOT IN ('complete', 'duplicate') AND j.status NOT LIKE 'failed%'"
)
TODAY = "SELECT count(*) FROM upload_pipeline.documents WHERE user_id = $1 AND created_at > now() - interval '1 day'"
SAME = "SELECT filename, created_at FROM upload_pipeline.documents WHERE user_id = $1 AND file_sha256 = $2"
NEW_DOCUMENT = (
    "INSERT INTO upload_pipeline.documents"
    " (document_id, user_id, filename, mime, bytes_len, file_sha256, raw_path, processing_status)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, 'uploaded')"
)
NEW_JOB = "INSERT INTO upload_pipeline.upload_jobs (job_id, document_id, status, state) VALUES ($1, $2, 'uploaded', 'queued')"


@dataclass(frozen=True)
class Wanted:
    """A document that is to be uploaded."""

    filename: str
    size: int
    sha256: str

    @classmethod
    def read(cls, body: dict[str, Any]) -> Wanted:
        """Raises ApiError: 422 for what is malformed, 413 for what is too long."""
        filename = text_field(body, "filename", most=LONGEST_NAME)
        if not filename.isprintable() or re.search(r"[/\\]", filename) or filename.strip(". ") == "":
            raise invalid("filename is not the name of a file")
        size = body.get("bytes_len")
        if not isinstance(size, int) or isinstance(size, bool) or size <= 0:
            raise invalid("bytes_len is not a positive integer")
        if body.get("mime") != MIME:
            raise invalid(f"mime is not {MIME}")
        sha256 = body.get("sha256")
        if not isinstance(sha256, str) or not re.fullmatch(r"[0-9a-fA-F]{64}", sha256):
            raise invalid("sha256 is not 64 hexadecimal digits")
        if not isinstance(body.get("ocr", False), bool):
            raise invalid("ocr is neither true nor false")
        if size > MAX_BYTES:
            raise too_large()
        return cls(filename, size, sha256.lower())


def too_large() -> ApiError:
    """413."""
    return ApiError(413, "too_large", f"a document has at most {MAX_BYTES} bytes")


def path_of(user: uuid.UUID, document: uuid.UUID, folder: str, suffix: str) -> str:
    """Where a document's file lies in storage, the bucket first."""
    return f"{BUCKET}/user/{user}/{folder}/{hashlib.md5(str(document).encode()).hexdigest()[:8]}.{suffix}"


def _duplicate(row: asyncpg.Record) -> web.Response:
    body = {
        "error_type": "duplicate_document",
        "message": "this document was uploaded before",
        "document_title": row["filename"],
        "last_uploaded": moment(row["created_at"]),
    }
    return web.json_response(body, status=409)


async def _within_limits(connection: Any, user: User) -> None:
    if await connection.fetchval(RUNNING, user.id) >= MAX_RUNNING:
        message = f"{MAX_RUNNING} documents are being processed"
        raise ApiError(429, "too_many_jobs", message, Retry_After="30")
    if await connection.fetchval(TODAY, user.id) >= MAX_A_DAY:
        raise ApiError(429, "daily_limit", f"{MAX_A_DAY} documents were uploaded within a day", Retry_After="3600")


@routes.post("/api/upload-pipeline/upload")
async def upload(request: web.Request) -> web.Response:
    """Register a document; the answer says where its bytes go."""
    user = await signed_in(request)
    wanted = Wanted.read(await json_object(request))
    document, job = uuid.uuid5(NAMESPACE, f"{user.id}:{wanted.sha256}"), uuid.uuid4()
    path = path_of(user.id, document, "raw", "pdf")
    async with request.app[POOL].acquire() as connection, connection.transaction():
        # Requests of one user take turns, so that two at once cannot pass a limit that admits one.
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", str(user.id))
        if row := await connection.fetchrow(SAME, user.id, wanted.sha256):
            return _duplicate(row)
        await _within_limits(connection, user)
        url = await request.app[UPSTREAM].signed_upload(path)
        await connection.execute(NEW_DOCUMENT, document, user.id, wanted.filename, MIME, wanted.size, wanted.sha256, path)
        await connection.execute(NEW_JOB, job, document)
    expires = datetime.now(UTC) + timedelta(seconds=URL_SECONDS)
    body = {"upload_expires_at": moment(expires), "signed_url": url, "document_id": shown(document), "job_id": shown(job)}
    return web.json_response(body)


@routes.get("/api/upload-pipeline/upload/limits")
async def limits(_: web.Request) -> web.Response:
    """The limits that are enforced."""
    body = {
        "signed_url_ttl_seconds": URL_SECONDS,
        "max_file_size_bytes": MAX_BYTES,
        "max_filename_length": LONGEST_NAME,
        "max_concurrent_jobs_per_user": MAX_RUNNING,
        "max_uploads_per_day_per_user": MAX_A_DAY,
        "supported_mime_types": [MIME],
    }
    return web.json_response(body)


@routes.put("/api/upload-pipeline/upload-file-proxy/{bucket}/{key:.+}")
async def proxy(request: web.Request) -> web.Response:
    """Carry a document's bytes to storage, into the caller's own folder only."""
    user = await signed_in(request)
    bucket, key = request.match_info["bucket"], request.match_info["key"]
    if bucket != BUCKET or not re.fullmatch(rf"user/{user.id}/raw/[A-Za-z0-9_-]+\.pdf", key):
        raise ApiError(403, "foreign_path", "a document is written to its owner's folder only")
    content = await request.read()
    if not content:
        raise invalid("the body is empty")
    if len(content) > MAX_BYTES:
        raise too_large()
    reply = await request.app[UPSTREAM].store(f"{bucket}/{key}", content, MIME)
    if reply.status >= 500:
        raise failed("storage", reply)
    if reply.status >= 300:
        raise ApiError(reply.status, "storage_refused", str(reply.data.get("message") or "storage refused the document"))
    return web.json_response({"status": "success", "path": f"{bucket}/{key}"})
