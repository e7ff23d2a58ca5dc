"""Variants by a stranger, the fourteenth set: an inbox for callbacks, and retrieval that the database does as a whole."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.stranger_fourteenth import migrate

INBOX = """CREATE TABLE upload_pipeline.callback_inbox (
    callback_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id uuid NOT NULL REFERENCES upload_pipeline.upload_jobs (job_id) ON DELETE CASCADE,
    body bytea NOT NULL,
    due timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX callback_inbox_job_idx ON upload_pipeline.callback_inbox (job_id);
ALTER TABLE upload_pipeline.callback_inbox ENABLE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON upload_pipeline.callback_inbox TO service_role;
CREATE POLICY callback_inbox_service ON upload_pipeline.callback_inbox TO service_role USING (true) WITH CHECK (true);
"""
MODULE = '''"""The inbox of callbacks: the API puts in what it has verified, and whoever is awake takes it out."""

from __future__ import annotations

import json
import logging
from typing import Any

from backend.shared.calls import CallError
from backend.shared.config import Config
from backend.shared.parsing import conclude, doubt
from backend.shared.storage import Storage

log = logging.getLogger("backend.inbox")
PAUSE_SECONDS = 30.0
NEXT = """SELECT callback_id, job_id, body FROM callback_inbox WHERE due <= now()
    ORDER BY callback_id FOR UPDATE SKIP LOCKED LIMIT 1"""
JOB = """SELECT j.job_id, j.status, d.document_id, d.user_id FROM upload_jobs j JOIN documents d USING (document_id)
    WHERE j.job_id = $1 FOR UPDATE OF j"""


def _page(page: Any) -> str:
    return str(page.get("md") or page.get("txt") or "") if isinstance(page, dict) else ""


def _markdown(result: Any) -> str:
    return "\\n\\n".join(map(_page, result)) if isinstance(result, list) else _page(result)


async def put(connection: Any, job_id: Any, body: bytes) -> None:
    """Keep a callback until it is taken out."""
    await connection.execute("INSERT INTO callback_inbox (job_id, body) VALUES ($1, $2)", job_id, body)


async def _take(connection: Any, storage: Storage, found: Any) -> None:
    row = await connection.fetchrow(JOB, found["job_id"])
    # Another callback, or the worker's own question, may have been faster.
    if row is None or row["status"] != "parse_queued":
        return
    payload = json.loads(found["body"])
    if payload.get("status") == "completed":
        await conclude(connection, storage, row, _markdown(payload.get("result")))
    else:
        await doubt(connection, row, str(payload.get("error") or "parsing failed"))


async def _take_one(pool: Any, config: Config, storage: Storage) -> bool:
    async with pool.acquire() as connection, connection.transaction():
        found = await connection.fetchrow(NEXT)
        if found is None:
            return False
        try:
            await _take(connection, storage, found)
        except CallError as error:
            # Storage is written before the database, so there is nothing to take back.
            log.warning("a callback waits: %s job_id=%s", error, found["job_id"])
            pause = PAUSE_SECONDS / config.speedup
            await connection.execute(
                "UPDATE callback_inbox SET due = now() + make_interval(secs => $2) WHERE callback_id = $1",
                found["callback_id"],
                pause,
            )
            return False
        await connection.execute("DELETE FROM callback_inbox WHERE callback_id = $1", found["callback_id"])
    return True


async def drain(pool: Any, config: Config, storage: Storage) -> None:
    """Take out everything that is due; what goes wrong is left to whoever comes next."""
    try:
        while await _take_one(pool, config, storage):
            pass
    except Exception as error:
        log.warning("the inbox cannot be read: %s", type(error).__name__)
'''
WAITING = """            return {"status": "ignored"}
        if payload.get("status") != "completed":
            await doubt(connection, row, str(payload.get("error") or "parsing failed"))
            return {"status": "ok"}
        try:
            await conclude(connection, request.app.state.storage, row, _markdown(payload.get("result")))
        except CallError as failed:
            # LlamaParse repeats a callback that is answered so; the job still waits for it.
            raise HTTPException(503, "the text cannot be stored at present", headers={"Retry-After": "1"}) from failed
"""
PUT = """            return {"status": "ignored"}
        await put(connection, job_id, body)
    draining = asyncio.create_task(drain(request.app.state.pool, request.app.state.config, request.app.state.storage))
    _draining.add(draining)
    draining.add_done_callback(_draining.discard)
"""
PAGES = """def _markdown(result: Any) -> str:
    if isinstance(result, list):
        return "\\n\\n".join(_page(page) for page in result)
    return _page(result)


def _page(page: Any) -> str:
    return str(page.get("md") or page.get("txt") or "") if isinstance(page, dict) else ""


"""
WORKER = "backend/workers/enhanced_base_worker.py"


@variant("M79", "a verified callback is put into an inbox and acknowledged; a task takes it out at once, or the worker later")
def inbox_of_callbacks(plan: Plan) -> None:
    migrate(plan, "20250106000200_inbox", INBOX)
    (plan.source / "backend/shared/inbox.py").write_text(MODULE)
    plan.replace_in_source("api/webhook.py", WAITING, PUT)
    plan.replace_in_source("api/webhook.py", PAGES, "")
    plan.replace_in_source("api/webhook.py", "from backend.shared.calls import CallError\n", "")
    plan.replace_in_source("api/webhook.py", "shared.parsing import conclude, doubt", "shared.inbox import drain, put")
    plan.replace_in_source("api/webhook.py", "import hashlib\nimport hmac", "import asyncio\nimport hashlib\nimport hmac")
    plan.replace_in_source(
        "api/webhook.py",
        'log = logging.getLogger("api")\n',
        'log = logging.getLogger("api")\n'
        "# A task that nobody refers to may be collected before it ends.\n"
        "_draining: set[asyncio.Task[None]] = set()\n",
    )
    plan.replace_in_source(
        "api/application.py",
        "        yield\n        await app.state.pool.close()\n",
        "        yield\n        await asyncio.gather(*webhook._draining)\n        await app.state.pool.close()\n",
    )
    plan.replace_in_source(
        WORKER,
        "        try:\n            await self.reconciler.run()\n",
        "        await drain(self.pool, self.config, self.storage)\n        try:\n            await self.reconciler.run()\n",
    )
    plan.replace_in_source(
        WORKER,
        "from backend.shared.storage import",
        "from backend.shared.inbox import drain\nfrom backend.shared.storage import",
    )


PASSAGES = """CREATE FUNCTION upload_pipeline.passages(question vector, owner uuid, threshold float8, most int, budget int)
RETURNS TABLE (chunk_id uuid, document_id uuid, filename text, text text, similarity float8)
LANGUAGE sql STABLE SET search_path = upload_pipeline, public AS $$
    WITH own AS MATERIALIZED (
        SELECT c.chunk_id, c.document_id, d.filename, c.text, 1 - (c.embedding <=> question) AS similarity
        FROM documents d JOIN document_chunks c USING (document_id)
        WHERE d.user_id = owner AND c.embedding IS NOT NULL
    ), nearest AS (
        SELECT * FROM own WHERE own.similarity > threshold ORDER BY own.similarity DESC, own.chunk_id LIMIT most
    ), counted AS (
        SELECT *, sum(length(nearest.text) / 4 + 1) OVER (ORDER BY nearest.similarity DESC, nearest.chunk_id) AS tokens
        FROM nearest
    )
    SELECT k.chunk_id, k.document_id, k.filename, k.text, k.similarity FROM counted k WHERE k.tokens <= budget
    ORDER BY k.similarity DESC, k.chunk_id
$$;
REVOKE EXECUTE ON FUNCTION upload_pipeline.passages(vector, uuid, float8, int, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION upload_pipeline.passages(vector, uuid, float8, int, int) TO service_role;
"""
ASKED = """    rows = await pool.fetch(
        "SELECT * FROM passages($1::vector, $2, $3, $4, $5)",
        vector,
        user_id,
        config.similarity_threshold,
        config.max_chunks,
        config.token_budget,
    )
    return [Passage(**dict(row.items())) for row in rows]
"""


@variant("M80", "retrieval is one function of the database: exact over the caller's chunks, with threshold, number and budget")
def retrieval_in_the_database(plan: Plan) -> None:
    migrate(plan, "20250106000300_passages", PASSAGES)
    text = (plan.source / "api/retrieval.py").read_text()
    begin = text.index("    async with pool.acquire()")
    plan.replace_in_source("api/retrieval.py", text[begin:], ASKED)
    unused = text[text.index("def within_budget") : text.index("async def retrieve")]
    plan.replace_in_source("api/retrieval.py", unused, "")
    plan.replace_in_source("api/retrieval.py", "CHARACTERS_PER_TOKEN = 4\n", "")
