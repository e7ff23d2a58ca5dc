"""LlamaParse's callback: verified and logged; then the parsed text is stored and the job continues."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from typing import Any
from uuid import UUID

from backend.shared.calls import CallError
from backend.shared.parsing import conclude, doubt
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
    if signature and not signature.isascii():
        signature = None  # what is compared in the same time for all has to be ASCII
    expected = hmac.new((secret or "").encode(), body, hashlib.sha256).hexdigest()
    if not secret or not signature or not hmac.compare_digest(expected, signature):
        raise HTTPException(401, "wrong or missing signature")


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
        if payload.get("status") != "completed":
            await doubt(connection, row, str(payload.get("error") or "parsing failed"))
            return {"status": "ok"}
        try:
            await conclude(connection, request.app.state.storage, row, _markdown(payload.get("result")))
        except CallError as failed:
            # LlamaParse repeats a callback that is answered so; the job still waits for it.
            raise HTTPException(503, "the text cannot be stored at present", headers={"Retry-After": "1"}) from failed
    return {"status": "ok"}
