"""What becomes of a document that LlamaParse has parsed, whether the callback brought its result or the worker asked for it."""

from __future__ import annotations

import hashlib
import logging
from typing import Any

from backend.shared.storage import BUCKET, Storage, object_key

log = logging.getLogger("backend.parsing")
# A job that leaves its stage belongs to no worker.
RELEASED = "claim_id = NULL, lease_until = NULL, claims = 0"


async def fail_parse(connection: Any, row: Any, reason: str) -> None:
    """End a job whose document cannot be parsed; `row` has its job_id and document_id."""
    error = {"stage": "parse", "reason": reason}
    log.warning("parsing failed: %s job_id=%s", reason, row["job_id"])
    await connection.execute(
        f"""UPDATE upload_jobs SET status = 'failed_parse', state = 'deadletter', last_error = $2, not_before = NULL,
                {RELEASED}, updated_at = now() WHERE job_id = $1""",
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


async def store_parsed(connection: Any, storage: Storage, row: Any, text: str) -> None:
    """Store the text and queue the job's next stage; `row` has its job_id, document_id and user_id."""
    key = object_key(row["user_id"], row["document_id"], "parsed")
    await storage.write(key, text.encode(), "text/markdown")
    await connection.execute(
        """UPDATE documents SET parsed_path = $2, parsed_sha256 = $3, processing_status = 'parsed', updated_at = now()
           WHERE document_id = $1""",
        row["document_id"],
        f"{BUCKET}/{key}",
        hashlib.sha256(text.encode()).hexdigest(),
    )
    await connection.execute(
        f"""UPDATE upload_jobs SET status = 'parsed', state = 'queued', retry_count = 0, not_before = NULL, {RELEASED},
                updated_at = now() WHERE job_id = $1""",
        row["job_id"],
    )
    await _event(connection, row, "parsed", {"characters": len(text)})
    log.info("parsed, %d characters job_id=%s", len(text), row["job_id"])


async def doubt(connection: Any, row: Any, reason: str) -> None:
    """Have the worker ask LlamaParse at once about a job that is said to have failed.

    Callbacks come in any order: this one may be about an attempt that another one has followed.
    """
    log.warning("said to have failed: %s job_id=%s", reason, row["job_id"])
    await connection.execute(
        "UPDATE upload_jobs SET not_before = now(), last_error = $2, updated_at = now() WHERE job_id = $1",
        row["job_id"],
        {"stage": "parse", "reason": reason},
    )


async def conclude(connection: Any, storage: Storage, row: Any, text: str, error: str = "") -> None:
    """Store the text of a document that waits for it, or end its job where there is an error or no text."""
    if error:
        await fail_parse(connection, row, error)
    elif not text.strip():
        await fail_parse(connection, row, "the document contains no text")
    else:
        await store_parsed(connection, storage, row, text)
