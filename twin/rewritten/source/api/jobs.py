"""A user's jobs and documents, and how far they are."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
from aiohttp import web

from api.context import POOL, id_in_path, moment, shown, signed_in
from api.errors import ApiError, invalid, not_found

routes = web.RouteTableDef()
STATES = ("queued", "working", "retryable", "done", "deadletter")
MOST = 100
JOBS = (
    "SELECT j.job_id, j.document_id, j.status, j.state, j.retry_count, j.progress, j.last_error, j.created_at, j.updated_at"
    " FROM upload_pipeline.upload_jobs j JOIN upload_pipeline.documents d USING (document_id) WHERE d.user_id = $1"
)
DOCUMENT = "SELECT * FROM upload_pipeline.documents WHERE user_id = $1 AND document_id = $2"
# Where a failed job starts again: after the last step that succeeded.
AGAIN_FROM = {"failed_parse": "uploaded", "failed_chunking": "parsed", "failed_embedding": "chunks_stored"}
AGAIN = (
    "UPDATE upload_pipeline.upload_jobs SET status = $2, state = 'queued', retry_count = 0, last_error = NULL,"
    " updated_at = now() WHERE job_id = $1"
)


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _job(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "document_id": shown(row["document_id"]),
        "job_id": shown(row["job_id"]),
        "state": row["state"],
        "status": row["status"],
        "progress": _json(row["progress"]),
        "retry_count": row["retry_count"],
        "last_error": _json(row["last_error"]),
        "cost_cents": 0,
        "created_at": moment(row["created_at"]),
        "updated_at": moment(row["updated_at"]),
    }


def _number(request: web.Request, name: str, default: int, least: int, most: int) -> int:
    given = request.query.get(name, str(default))
    if not (given.isascii() and given.isdigit() and len(given) < 10 and least <= int(given) <= most):
        raise invalid(f"{name} is not a number between {least} and {most}")
    return int(given)


@routes.get("/api/upload-pipeline/jobs")
async def jobs(request: web.Request) -> web.Response:
    """The caller's jobs, the newest first."""
    user = await signed_in(request)
    limit, offset = _number(request, "limit", 20, 1, MOST), _number(request, "offset", 0, 0, 10**6)
    state = request.query.get("state")
    if state is not None and state not in STATES:
        raise invalid(f"state is none of {', '.join(STATES)}")
    query = f"{JOBS} AND ($2::text IS NULL OR j.state = $2) ORDER BY j.created_at DESC, j.job_id LIMIT $3 OFFSET $4"
    rows = await request.app[POOL].fetch(query, user.id, state, limit, offset)
    return web.json_response({"items": [_job(row) for row in rows], "limit": limit, "offset": offset})


@routes.get("/api/upload-pipeline/jobs/{job_id}")
async def job(request: web.Request) -> web.Response:
    """One job of the caller."""
    user = await signed_in(request)
    row = await request.app[POOL].fetchrow(f"{JOBS} AND j.job_id = $2", user.id, id_in_path(request, "job_id", "job"))
    if row is None:
        raise not_found("job")
    return web.json_response(_job(row))


@routes.post("/api/upload-pipeline/jobs/{job_id}/retry")
async def retry(request: web.Request) -> web.Response:
    """Start a failed job again."""
    user = await signed_in(request)
    id = id_in_path(request, "job_id", "job")
    async with request.app[POOL].acquire() as connection, connection.transaction():
        row = await connection.fetchrow(f"{JOBS} AND j.job_id = $2 FOR UPDATE OF j", user.id, id)
        if row is None:
            raise not_found("job")
        if row["status"] not in AGAIN_FROM:
            raise ApiError(409, "not_retryable", f"a job that is {row['status']} is not retried")
        await connection.execute(AGAIN, id, AGAIN_FROM[row["status"]])
    return web.json_response({"job_id": shown(id), "status": AGAIN_FROM[row["status"]], "state": "queued"})


@routes.get("/documents/{document_id}/status")
async def document(request: web.Request) -> web.Response:
    """One document of the caller, with its newest job."""
    user = await signed_in(request)
    id = id_in_path(request, "document_id", "document")
    pool = request.app[POOL]
    row = await pool.fetchrow(DOCUMENT, user.id, id)
    if row is None:
        raise not_found("document")
    job = await pool.fetchrow(f"{JOBS} AND j.document_id = $2 ORDER BY j.created_at DESC LIMIT 1", user.id, id)
    body = {
        "document_id": shown(id),
        "filename": row["filename"],
        "processing_status": row["processing_status"],
        "status": job["status"] if job else row["processing_status"],
        "job": _job(job) if job else None,
        "created_at": moment(row["created_at"]),
        "updated_at": moment(row["updated_at"]),
    }
    return web.json_response(body)
