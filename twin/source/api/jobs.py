"""Progress of the caller's jobs and documents."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from backend.shared.parsing import RELEASED
from fastapi import APIRouter, HTTPException, Query, Request

from api.auth import CurrentUser

router = APIRouter()
COLUMNS = """j.job_id, j.status, j.state, j.retry_count, j.progress, j.document_id, j.last_error,
             j.created_at, j.updated_at"""
MAX_OFFSET = 2**31 - 1
STAGES = ("uploaded", "parse_queued", "parsed", "parse_validated", "chunks_stored", "embeddings_stored", "complete")


def _percent(status: str) -> int:
    return round(100 * STAGES.index(status) / (len(STAGES) - 1)) if status in STAGES else 0


def _view(row: Any) -> dict[str, Any]:
    return {
        "job_id": str(row["job_id"]),
        "document_id": str(row["document_id"]),
        "status": row["status"],
        "state": row["state"],
        "retry_count": row["retry_count"],
        "progress": {"percent": _percent(row["status"]), **row["progress"]},
        "cost_cents": 0,
        "last_error": row["last_error"],
        "created_at": row["created_at"].isoformat(),
        "updated_at": row["updated_at"].isoformat(),
    }


@router.get("/api/upload-pipeline/jobs/{job_id}")
async def job(job_id: UUID, user: CurrentUser, request: Request) -> dict[str, Any]:
    """One job of the caller."""
    row = await request.app.state.pool.fetchrow(
        f"SELECT {COLUMNS} FROM upload_jobs j JOIN documents d USING (document_id) WHERE j.job_id = $1 AND d.user_id = $2",
        job_id,
        user.id,
    )
    if row is None:
        raise HTTPException(404, "no such job")
    return _view(row)


@router.get("/api/upload-pipeline/jobs")
async def jobs(
    user: CurrentUser,
    request: Request,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET)] = 0,
    state: Literal["queued", "working", "retryable", "done", "deadletter"] | None = None,
) -> dict[str, Any]:
    """The caller's jobs, newest first."""
    rows = await request.app.state.pool.fetch(
        f"SELECT {COLUMNS} FROM upload_jobs j JOIN documents d USING (document_id) "
        "WHERE d.user_id = $1 AND ($2::text IS NULL OR j.state = $2) "
        "ORDER BY j.created_at DESC LIMIT $3 OFFSET $4",
        user.id,
        state,
        limit,
        offset,
    )
    return {"jobs": [_view(row) for row in rows], "limit": limit, "offset": offset}


@router.post("/api/upload-pipeline/jobs/{job_id}/retry")
async def retry(job_id: UUID, user: CurrentUser, request: Request) -> dict[str, Any]:
    """Queue a failed job of the caller again, at the stage where it failed."""
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            f"SELECT {COLUMNS} FROM upload_jobs j JOIN documents d USING (document_id) "
            "WHERE j.job_id = $1 AND d.user_id = $2 FOR UPDATE OF j",
            job_id,
            user.id,
        )
        if row is None:
            raise HTTPException(404, "no such job")
        if row["state"] != "deadletter":
            raise HTTPException(409, f"a job in state {row['state']} is not retryable")
        restart = {
            "failed_parse": "uploaded",
            "failed_chunking": "parse_validated",
            "failed_embedding": "chunks_stored",
        }[row["status"]]
        row = await connection.fetchrow(
            f"""UPDATE upload_jobs j SET status = $2, state = 'queued', retry_count = 0, last_error = NULL,
                    not_before = NULL, {RELEASED}, updated_at = now() WHERE job_id = $1 RETURNING {COLUMNS}""",
            job_id,
            restart,
        )
    return _view(row)


@router.get("/documents/{document_id}/status")
async def document_status(document_id: UUID, user: CurrentUser, request: Request) -> dict[str, Any]:
    """Progress of one document of the caller."""
    row = await request.app.state.pool.fetchrow(
        """SELECT d.document_id, d.filename, d.processing_status, d.created_at, d.updated_at, j.job_id, j.status,
                  j.state, j.last_error
           FROM documents d LEFT JOIN upload_jobs j USING (document_id)
           WHERE d.document_id = $1 AND d.user_id = $2 ORDER BY j.created_at DESC LIMIT 1""",
        document_id,
        user.id,
    )
    if row is None:
        raise HTTPException(404, "no such document")
    return {
        "document_id": str(row["document_id"]),
        "filename": row["filename"],
        "status": row["status"],
        "state": row["state"],
        "processing_status": row["processing_status"],
        "progress": {"percent": _percent(row["status"] or "")},
        "job_id": str(row["job_id"]) if row["job_id"] else None,
        "last_error": row["last_error"],
        "updated_at": row["updated_at"].isoformat(),
    }
