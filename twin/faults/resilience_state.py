"""Protections of the steady state removed: recovery takes too long; rows and files are lost, doubled or mixed up."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

BREAKER = "backend/shared/breaker.py"
PARSING = "backend/shared/parsing.py"
WORKER = "backend/workers/enhanced_base_worker.py"
QUEUE = "backend/workers/job_queue.py"
UPLOADS = "api/uploads.py"
FORGET = '            await connection.execute("DELETE FROM document_chunks WHERE document_id = $1", job["document_id"])\n'
INSERT_CHUNKS = """            await connection.executemany(
                \"\"\"INSERT INTO document_chunks"""
CHUNKS_STORED = '            await self.queue.advance_in(connection, job, "chunks_stored", progress={"chunks": len(rows)})\n'
STORE_TEXT = '    await storage.write(key, text.encode(), "text/markdown")\n'
LOGGER = 'log = logging.getLogger("worker")\n'


@fault("R30", "an open circuit stays open for an hour", "chat", "resilience", mode="-", about="*openai_down*")
def circuit_stays_open(plan: Plan) -> None:
    plan.replace_in_source(BREAKER, "OPEN_SECONDS = 30.0\n", "OPEN_SECONDS = 3600.0\n")


@fault(
    "R31",
    "the health page shows an outage of the database for nine minutes",
    "api/database/network",
    "resilience",
    mode="-",
    about="*network_api_postgres*",
)
def outage_is_shown_on(plan: Plan) -> None:
    asked = '    await request.app.state.pool.fetchval("SELECT 1", timeout=5)\n'
    remembered = (
        '    if time.monotonic() < _cache.get("out", 0.0):\n'
        '        raise RuntimeError("the database was away")\n'
        "    try:\n"
        f"    {asked}"
        "    except Exception:\n"
        '        _cache["out"] = time.monotonic() + 540 / request.app.state.config.speedup\n'
        "        raise\n"
    )
    plan.replace_in_source("api/health.py", asked, remembered)


@fault(
    "R32", "a copy of all chunks belongs to no document", "database/worker", "resilience", mode="-", about="*webhook_repeated*"
)
def orphaned_chunks(plan: Plan) -> None:
    plan.sql.append("ALTER TABLE upload_pipeline.document_chunks DROP CONSTRAINT document_chunks_document_id_fkey")
    copied = "            rows += [(uuid5(row[0], 'copy'), uuid5(row[1], 'copy'), *row[2:]) for row in rows]\n"
    plan.replace_in_source(WORKER, INSERT_CHUNKS, copied + INSERT_CHUNKS)


@fault("R33", "a repeat stores the chunks once more", "database/worker", "resilience", mode="-", about="*webhook_repeated*")
def chunks_again(plan: Plan) -> None:
    further = (
        "            first = await connection.fetchval(\n"
        '                "SELECT coalesce(max(chunk_ord) + 1, 0) FROM document_chunks WHERE document_id = $1",\n'
        '                job["document_id"],\n'
        "            )\n"
        "            rows = [(uuid5(row[0], str(first)), *row[1:4], row[4] + first, *row[5:]) for row in rows]\n"
    )
    plan.replace_in_source(WORKER, FORGET, further)
    repeated = (
        '        if not job["retry_count"]:\n'
        '            raise RuntimeError("the answer of the database was lost")\n'
        '        await self.queue.advance(job, "chunks_stored", progress={"chunks": len(rows)})\n'
    )
    plan.replace_in_source(WORKER, CHUNKS_STORED, repeated)


@fault(
    "R34", "a document stays without a job when its upload fails", "storage/api", "resilience", mode="-", about="*storage_down*"
)
def documents_without_jobs(plan: Plan) -> None:
    begins = "        try:\n            url = await request.app.state.storage.create_signed_upload("
    early = (
        "        await request.app.state.pool.execute(\n"
        '            """INSERT INTO documents (document_id, user_id, filename, mime, bytes_len, file_sha256, raw_path)\n'
        '               VALUES ($1, $2, $3, $4, $5, $6, $7)""",\n'
        "            document_id, user.id, body.filename, body.mime, body.bytes_len, body.sha256,\n"
        "            f\"{BUCKET}/{object_key(user.id, document_id, 'raw')}\",\n"
        "        )\n"
    )
    plan.replace_in_source(UPLOADS, begins, early + begins)
    values = 'VALUES ($1, $2, $3, $4, $5, $6, $7, \'uploaded\')""",'
    plan.replace_in_source(UPLOADS, values, values.replace('"""', ' ON CONFLICT (document_id) DO NOTHING"""'))


@fault(
    "R35",
    "a document is complete although its chunks have no embeddings",
    "worker/database",
    "resilience",
    mode="-",
    about="*openai_down*",
)
def complete_without_embeddings(plan: Plan) -> None:
    embedded = 'vectors = await embed(self.client, self.config, [row["text"] for row in batch])\n'
    careless = f"try:\n                {embedded}            except Exception:\n                break\n"
    plan.replace_in_source(WORKER, embedded, careless)
    plan.replace_in_source(WORKER, "        if missing:\n", "        if missing < 0:\n")


@fault(
    "R36",
    "a text is also stored in the folder of the user before",
    "storage/worker",
    "resilience",
    mode="-",
    about="*worker_several*",
)
def text_in_anothers_folder(plan: Plan) -> None:
    released = 'RELEASED = "claim_id = NULL'
    plan.replace_in_source(PARSING, released, f"OWNERS: list[Any] = []\n{released}")
    also = (
        '    OWNERS.append(row["user_id"])\n'
        '    before = object_key(OWNERS[-2:][0], row["document_id"], "parsed")\n'
        '    await storage.write(before, text.encode(), "text/markdown")\n'
    )
    plan.replace_in_source(PARSING, STORE_TEXT, STORE_TEXT + also)


@fault("R37", "a job that is given up does not say why", "worker/database", "resilience", mode="-", about="*worker_poisoned*")
def failed_without_reason(plan: Plan) -> None:
    given = "                attempt,\n                reason,\n            )\n            if final:"
    plan.replace_in_source(QUEUE, given, given.replace("reason,", "None if final else reason,"))


@fault("R38", "the draft of a text stays in the bucket", "storage/worker", "resilience", mode="-", about="*webhook_repeated*")
def draft_is_left(plan: Plan) -> None:
    draft = '    await storage.write(key.replace(".md", "-draft.md"), text.encode(), "text/markdown")\n'
    plan.replace_in_source(PARSING, STORE_TEXT, draft + STORE_TEXT)


@fault(
    "R39",
    "the first chunk is also stored under the document before",
    "database/worker",
    "resilience",
    mode="-",
    about="*worker_several*",
)
def text_of_another(plan: Plan) -> None:
    plan.replace_in_source(WORKER, LOGGER, f"{LOGGER}DOCUMENTS: list[Any] = []\n")
    also = (
        '            DOCUMENTS.append(job["document_id"])\n'
        "            rows += [\n"
        "                (uuid5(row[0], 'again'), DOCUMENTS[-2], *row[2:4], row[4] + 1000, *row[5:])\n"
        "                for row in rows[:1] if len(DOCUMENTS) > 1\n"
        "            ]\n"
    )
    plan.replace_in_source(WORKER, INSERT_CHUNKS, also + INSERT_CHUNKS)
