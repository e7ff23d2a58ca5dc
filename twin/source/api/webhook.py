"""LlamaParse's callback: verified and logged; then the parsed text is stored and the job continues."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from typing import Any
from uuid import UUID

from backend.shared.storage import BUCKET, object_key
from fastapi import APIRouter, HTTPException, Request

router = APIRouter()
log = logging.getLogger("api")


def _markdown(result: Any) -> str:
    if isinstance(result, list):
        return "\n\n".join(_page(page) for page in result)
    return _page(result)


def _page(page: Any) -> str:
    return str(page.get("md") or page.get("txt") or "") if isinstance(page, dict) else ""


async def _job(connection: Any, job_id: UUID) -> Any:
    row = await connection.fetchrow(
        """SELECT j.job_id, j.status, j.webhook_secret, d.document_id, d.user_id FROM upload_jobs j
           JOIN documents d USING (document_id) WHERE j.job_id = $1 FOR UPDATE OF j""",
        job_id,
    )
    if row is None:
        log.warning("a callback for a job that does not exist job_id=%s", job_id)
        raise HTTPException(404, "no such job")
    return row


def _verify(secret: str | None, body: bytes, signature: str | None) -> None:
    expected = hmac.new((secret or "").encode(), body, hashlib.sha256).hexdigest()
    if not secret or not signature or not hmac.compare_digest(expected, signature):
        raise HTTPException(401, "wrong or missing signature")


async def _fail(connection: Any, row: Any, reason: str) -> None:
    error = {"stage": "parse", "reason": reason}
    log.warning("parsing failed: %s job_id=%s", reason, row["job_id"])
    await connection.execute(
        """UPDATE upload_jobs SET status = 'failed_parse', state = 'deadletter', last_error = $2, updated_at = now()
           WHERE job_id = $1""",
        row["job_id"],
        error,
    )
    await connection.execute(
        "UPDATE documents SET processing_status = 'failed_parse', updated_at = now() WHERE document_id = $1",
        row["document_id"],
    )
    await _event(connection, row, "failed_parse", error)


async def _event(connection: Any, row: Any, kind: str, payload: dict[str, Any]) -> None:
    await connection.execute(
        "INSERT INTO events (job_id, document_id, type, payload) VALUES ($1, $2, $3, $4)",
        row["job_id"],
        row["document_id"],
        kind,
        payload,
    )


async def _store(request: Request, connection: Any, row: Any, text: str) -> None:
    key = object_key(row["user_id"], row["document_id"], "parsed")
    await request.app.state.storage.write(key, text.encode(), "text/markdown")
    await connection.execute(
        """UPDATE documents SET parsed_path = $2, parsed_sha256 = $3, processing_status = 'parsed', updated_at = now()
           WHERE document_id = $1""",
        row["document_id"],
        f"{BUCKET}/{key}",
        hashlib.sha256(text.encode()).hexdigest(),
    )
    await connection.execute(
        "UPDATE upload_jobs SET status = 'parsed', state = 'queued', updated_at = now() WHERE job_id = $1",
        row["job_id"],
    )
    await _event(connection, row, "parsed", {"characters": len(text)})
    log.info("parsed, %d characters job_id=%s", len(text), row["job_id"])


@router.post("/api/upload-pipeline/webhook/llamaparse/{job_id}")
async def llamaparse(job_id: UUID, request: Request) -> dict[str, str]:
    """Accept the result of one document; a repeat for a job that has moved on is acknowledged and ignored."""
    body = await request.body()
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        row = await _job(connection, job_id)
        _verify(row["webhook_secret"], body, request.headers.get("x-webhook-signature"))
        try:
            payload = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise HTTPException(400, "body is not JSON") from error
        if not isinstance(payload, dict):
            raise HTTPException(400, "body is not a JSON object")
        await connection.execute(
            "INSERT INTO webhook_log (job_id, provider, accepted, payload_sha256) VALUES ($1, 'llamaparse', true, $2)",
            job_id,
            hashlib.sha256(body).hexdigest(),
        )
        if row["status"] != "parse_queued":
            return {"status": "ignored"}
        text = _markdown(payload.get("result"))
        if payload.get("status") != "completed":
            await _fail(connection, row, str(payload.get("error") or "parsing failed"))
        elif not text.strip():
            await _fail(connection, row, "the document contains no text")
        else:
            await _store(request, connection, row, text)
    return {"status": "ok"}
