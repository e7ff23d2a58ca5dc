"""LlamaParse's callback: the parsed text arrives, signed."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import asyncpg
from aiohttp import web

from api.context import POOL, UPSTREAM, id_in_path
from api.errors import invalid, json_object, not_found, unauthorized
from api.uploads import path_of
from api.upstream import failed

routes = web.RouteTableDef()
JOB = (
    "SELECT j.job_id, j.status, j.webhook_secret, d.document_id, d.user_id FROM upload_pipeline.upload_jobs j"
    " JOIN upload_pipeline.documents d USING (document_id) WHERE j.job_id = $1 FOR UPDATE OF j"
)
LOG = "INSERT INTO upload_pipeline.webhook_log (job_id, provider, accepted, payload_sha256) VALUES ($1, 'llamaparse', $2, $3)"
PARSED = (
    "UPDATE upload_pipeline.upload_jobs SET status = 'parsed', state = 'queued', retry_count = 0, last_error = NULL,"
    " updated_at = now() WHERE job_id = $1"
)
FAILED = (
    "UPDATE upload_pipeline.upload_jobs SET status = 'failed_parse', state = 'deadletter', last_error = $2,"
    " updated_at = now() WHERE job_id = $1"
)
DOCUMENT = (
    "UPDATE upload_pipeline.documents SET processing_status = $2, parsed_path = coalesce($3, parsed_path),"
    " parsed_sha256 = coalesce($4, parsed_sha256), updated_at = now() WHERE document_id = $1"
)


def is_signed(raw: bytes, given: str, secret: str | None) -> bool:
    """Whether the signature is the body's, by the job's own secret."""
    if not secret:
        return False
    expected = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return hmac.compare_digest(given.strip().removeprefix("sha256=").lower().encode(), expected.encode())


def text_of(result: Any) -> str:
    """The parsed text, from an object or from a list of pages."""
    if isinstance(result, dict):
        pages = result.get("pages")
        found = result.get("md") or result.get("markdown") or result.get("txt") or result.get("text")
        return found if isinstance(found, str) else text_of(pages) if isinstance(pages, list) else ""
    if isinstance(result, list):
        return "\n\n".join(filter(None, map(text_of, result)))
    return result if isinstance(result, str) else ""


async def _fail(connection: Any, row: asyncpg.Record, reason: str) -> None:
    error = json.dumps({"stage": "parse", "error": reason})
    await connection.execute(FAILED, row["job_id"], error)
    await connection.execute(DOCUMENT, row["document_id"], "failed_parse", None, None)


async def _take(request: web.Request, connection: Any, row: asyncpg.Record, body: dict[str, Any]) -> str:
    if body["status"] == "failed":
        await _fail(connection, row, f"LlamaParse: {str(body.get('error') or 'no reason given')[:500]}")
        return "failed_parse"
    text = text_of(body.get("result")).replace("\0", "").encode("utf-8", "replace")
    if not text.strip():
        await _fail(connection, row, "LlamaParse found no text in the document")
        return "failed_parse"
    path = path_of(row["user_id"], row["document_id"], "parsed", "md")
    reply = await request.app[UPSTREAM].store(path, text, "text/markdown", overwrite=True)
    if reply.status >= 300:
        raise failed("storage", reply)
    await connection.execute(DOCUMENT, row["document_id"], "parsed", path, hashlib.sha256(text).hexdigest())
    await connection.execute(PARSED, row["job_id"])
    return "parsed"


@routes.post("/api/upload-pipeline/webhook/llamaparse/{job_id}")
async def callback(request: web.Request) -> web.Response:
    """Store what was parsed, once; a repetition changes nothing."""
    raw = await request.read()
    id = id_in_path(request, "job_id", "job")
    async with request.app[POOL].acquire() as connection, connection.transaction():
        row = await connection.fetchrow(JOB, id)
        if row is None:
            raise not_found("job")
        if not is_signed(raw, request.headers.get("X-Webhook-Signature", ""), row["webhook_secret"]):
            raise unauthorized("the signature is missing or wrong")
        body = await json_object(request)
        if body.get("status") not in ("completed", "failed"):
            raise invalid("status is neither completed nor failed")
        is_awaited = row["status"] == "parse_queued"
        outcome = await _take(request, connection, row, body) if is_awaited else row["status"]
        await connection.execute(LOG, id, is_awaited, hashlib.sha256(raw).hexdigest())
    return web.json_response({"received": True, "repeated": not is_awaited, "status": outcome})
