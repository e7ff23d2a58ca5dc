"""Upload requests: limits, duplicates, the signed URL and the proxy."""

from __future__ import annotations

import logging
import math
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid5

import asyncpg
from backend.shared.calls import CallError, Problem
from backend.shared.storage import BUCKET, StorageError, object_key
from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import BaseModel, Field, field_validator

from api.auth import Caller, CurrentUser

router = APIRouter()
log = logging.getLogger("api")
NAMESPACE = UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
MAX_FILE_SIZE_BYTES = 5 * 1024 * 1024
MAX_CONCURRENT_JOBS = 2
MAX_UPLOADS_PER_DAY = 3
SIGNED_URL_TTL_SECONDS = 300
MIME_TYPES = ("application/pdf",)


class UploadRequest(BaseModel):
    """Body of POST /api/upload-pipeline/upload."""

    filename: str = Field(min_length=1, max_length=120, pattern=r"^[^/\\\x00-\x1f]+$")
    # A larger one is refused by the route, with 413.
    bytes_len: int = Field(gt=0, json_schema_extra={"maximum": MAX_FILE_SIZE_BYTES})
    mime: Literal["application/pdf"]
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    ocr: bool = Field(default=False, strict=True)

    @field_validator("bytes_len", mode="before")
    @classmethod
    def _is_a_number(cls, value: object) -> object:
        if isinstance(value, (str, bool)):
            raise ValueError("not a number")
        return value


def document_id_of(user_id: UUID, sha256: str) -> UUID:
    """The same user and content give the same document."""
    return uuid5(NAMESPACE, f"{user_id}:{sha256}")


def not_served(error: CallError, reason: str) -> HTTPException:
    """502 where a service that the request needs failed, 503 where it is not called at present."""
    if error.problem is not Problem.CIRCUIT_OPEN:
        return HTTPException(502, reason)
    return HTTPException(503, reason, headers={"Retry-After": str(math.ceil(error.retry_after or 1))})


async def _refuse_duplicate(connection: asyncpg.Connection, user: Caller, sha256: str) -> None:
    row = await connection.fetchrow(
        "SELECT filename, updated_at FROM documents WHERE user_id = $1 AND file_sha256 = $2",
        user.id,
        sha256,
    )
    if row:
        detail = {
            "error_type": "duplicate_document",
            "message": "this document was uploaded before",
            "document_title": row["filename"],
            "last_uploaded": row["updated_at"].isoformat(),
        }
        raise HTTPException(409, detail)


async def _refuse_over_limits(connection: asyncpg.Connection, user: Caller) -> None:
    row = await connection.fetchrow(
        """SELECT count(*) FILTER (WHERE j.state IN ('queued', 'working', 'retryable')) AS running,
                  count(DISTINCT d.document_id) FILTER (WHERE d.created_at > now() - interval '1 day') AS today
           FROM documents d LEFT JOIN upload_jobs j USING (document_id) WHERE d.user_id = $1""",
        user.id,
    )
    if row["running"] >= MAX_CONCURRENT_JOBS:
        raise HTTPException(429, f"at most {MAX_CONCURRENT_JOBS} jobs may run at once")
    if row["today"] >= MAX_UPLOADS_PER_DAY:
        raise HTTPException(429, f"at most {MAX_UPLOADS_PER_DAY} documents a day")


async def _insert(connection: asyncpg.Connection, user: Caller, body: UploadRequest, document_id: UUID) -> UUID:
    await connection.execute(
        """INSERT INTO documents (document_id, user_id, filename, mime, bytes_len, file_sha256, raw_path,
               processing_status) VALUES ($1, $2, $3, $4, $5, $6, $7, 'uploaded')""",
        document_id,
        user.id,
        body.filename,
        body.mime,
        body.bytes_len,
        body.sha256,
        f"{BUCKET}/{object_key(user.id, document_id, 'raw')}",
    )
    job_id: UUID = await connection.fetchval(
        "INSERT INTO upload_jobs (document_id, status) VALUES ($1, 'uploaded') RETURNING job_id", document_id
    )
    await connection.execute("INSERT INTO events (job_id, document_id, type) VALUES ($1, $2, 'uploaded')", job_id, document_id)
    return job_id


@router.post("/api/upload-pipeline/upload")
async def request_upload(body: UploadRequest, user: CurrentUser, request: Request) -> dict[str, Any]:
    """Register a document and its job; returns the URL for uploading the bytes."""
    if body.bytes_len > MAX_FILE_SIZE_BYTES:
        raise HTTPException(413, f"larger than {MAX_FILE_SIZE_BYTES} bytes")
    document_id = document_id_of(user.id, body.sha256)
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", str(user.id))
        await _refuse_duplicate(connection, user, body.sha256)
        await _refuse_over_limits(connection, user)
        try:
            url = await request.app.state.storage.create_signed_upload(object_key(user.id, document_id, "raw"))
        except CallError as error:
            raise not_served(error, "storage did not sign the upload") from error
        job_id = await _insert(connection, user, body, document_id)
    log.info("accepted a document of %d bytes job_id=%s", body.bytes_len, job_id)
    expires = datetime.now(UTC) + timedelta(seconds=SIGNED_URL_TTL_SECONDS)
    return {
        "job_id": str(job_id),
        "document_id": str(document_id),
        "signed_url": url,
        "upload_expires_at": expires.isoformat(),
    }


@router.put("/api/upload-pipeline/upload-file-proxy/{bucket}/{key:path}")
async def upload_proxy(bucket: str, key: str, user: CurrentUser, request: Request) -> dict[str, str]:
    """Store the bytes in the caller's own folder; returns storage's status when it refuses."""
    if bucket != BUCKET or not key.startswith(f"user/{user.id}/") or ".." in key.split("/") or not key.isprintable():
        raise HTTPException(403, "not your folder")
    body = await request.body()
    if len(body) > MAX_FILE_SIZE_BYTES:
        raise HTTPException(413, f"larger than {MAX_FILE_SIZE_BYTES} bytes")
    try:
        await request.app.state.storage.create(key, body, request.headers.get("content-type", "application/pdf"))
    except StorageError as error:
        raise HTTPException(error.status, "storage refused the file") from error
    except CallError as error:
        raise not_served(error, "storage did not store the file") from error
    return {"status": "success"}


@router.get("/api/upload-pipeline/upload/limits")
async def limits() -> dict[str, Any]:
    """The published limits."""
    return {
        "max_file_size_bytes": MAX_FILE_SIZE_BYTES,
        "max_concurrent_jobs_per_user": MAX_CONCURRENT_JOBS,
        "max_uploads_per_day_per_user": MAX_UPLOADS_PER_DAY,
        "supported_mime_types": list(MIME_TYPES),
        "signed_url_ttl_seconds": SIGNED_URL_TTL_SECONDS,
    }


@router.options("/api/upload-pipeline/upload", response_class=Response)
async def upload_options() -> Response:
    """OPTIONS without an Origin header."""
    return Response(headers={"Allow": "POST, OPTIONS"})
