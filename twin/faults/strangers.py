"""Faults by an author who knows the specification and the release, but not the gate."""

from __future__ import annotations

import secrets

from twin.faults import fault
from twin.plan import Plan

WEBHOOK = "api/webhook.py"
QUEUE = "backend/workers/job_queue.py"
WORKER = "backend/workers/enhanced_base_worker.py"


@fault(
    "S02",
    "the worker's DATABASE_URL names another database of the same server",
    "worker/configuration/database",
    "predeploy",
    "postdeploy",
    mode="F03|F05",
    about="DATABASE_URL|queue",
)
def other_database(plan: Plan) -> None:
    plan.set_worker("DATABASE_URL", plan.config.worker_env["DATABASE_URL"].replace("/staging_db", "/postgres"))


@fault("S03", "the bucket `files` no longer accepts Markdown", "storage", "postdeploy", mode="F04", about="files|parsed")
def no_markdown(plan: Plan) -> None:
    plan.sql.append("UPDATE storage.buckets SET allowed_mime_types = ARRAY['application/pdf'] WHERE id = 'files'")


@fault(
    "S04",
    "the CHECK constraint on `state` does not know `deadletter`",
    "database",
    "predeploy",
    "postdeploy",
    mode="F06",
    about="upload_jobs.state",
)
def no_deadletter(plan: Plan) -> None:
    plan.sql.append(
        "ALTER TABLE upload_pipeline.upload_jobs DROP CONSTRAINT upload_jobs_state_check, ADD CONSTRAINT "
        "upload_jobs_state_check CHECK (state IN ('queued', 'working', 'retryable', 'done', 'failed'))"
    )


@fault(
    "S05",
    "the worker's live deploy is the release before; only the API was deployed",
    "worker/render/build",
    "postdeploy",
    mode="F07",
    about="worker",
)
def worker_left_behind(plan: Plan) -> None:
    plan.behaviour["deploys"] = {"srv-twinworker": {"commit": {"id": secrets.token_hex(20), "message": "the release before"}}}


@fault(
    "S07",
    "SUPABASE_DB_PASSWORD of the API is the password before the rotation",
    "configuration/database/api",
    "predeploy",
    mode="F10",
    about="DB_PASSWORD",
)
def rotated_in_one_variable(plan: Plan) -> None:
    plan.set_api("SUPABASE_DB_PASSWORD", secrets.token_hex(16))


@fault(
    "S08",
    "an undeclared variable gives the worker another embedding model",
    "worker/rag/configuration",
    "postdeploy",
    mode="F11",
    about="embedding|vectors",
)
def environment_group(plan: Plan) -> None:
    plan.extra_env["worker"] = {"RAG_EMBEDDING_MODEL": "text-embedding-ada-002"}


@fault(
    "S09",
    "callbacks above 16 KiB are refused with 413: the text of long documents is lost",
    "webhook/api",
    "postdeploy",
    mode="F13",
    about="parse_queued",
)
def long_documents_lost(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK,
        "    body = await request.body()\n",
        '    body = await request.body()\n    if len(body) > 16 * 1024:\n        raise HTTPException(413, "too large")\n',
    )


@fault("S11", "the worker's Dockerfile does not copy backend/shared", "build/worker", "predeploy", mode="F17", about="worker")
def nothing_shared(plan: Plan) -> None:
    plan.replace_in_source("backend/workers/Dockerfile", "COPY backend/shared/ ./backend/shared/\n", "")


@fault(
    "S14",
    "the policy of `document_chunks` compares a column with itself: who owns a document reads all chunks",
    "database",
    "predeploy",
    "postdeploy",
    mode="F24",
    about="document_chunks",
)
def compared_with_itself(plan: Plan) -> None:
    plan.sql.append(
        "ALTER POLICY document_chunks_owner ON upload_pipeline.document_chunks USING (EXISTS (SELECT 1 FROM "
        "upload_pipeline.documents d WHERE d.document_id = d.document_id AND d.user_id = auth.uid()))"
    )


@fault(
    "S16",
    "WORKER_RETRY_BASE_DELAY is 0: retries follow at once",
    "configuration/worker",
    "predeploy",
    mode="F26",
    about="WORKER_RETRY_BASE_DELAY",
)
def no_delay(plan: Plan) -> None:
    plan.set_worker("WORKER_RETRY_BASE_DELAY", "0")


@fault(
    "S17",
    "the vector index is built for Euclidean distance; the search uses cosine",
    "database",
    "predeploy",
    mode="F27",
    about="embedding",
)
def wrong_distance(plan: Plan) -> None:
    plan.sql.append("DROP INDEX upload_pipeline.document_chunks_embedding_idx")
    plan.sql.append(
        "CREATE INDEX document_chunks_embedding_idx ON upload_pipeline.document_chunks USING hnsw (embedding vector_l2_ops)"
    )


@fault(
    "S18",
    "a job without its file is claimed without pause, and younger uploads wait behind it",
    "worker",
    "postdeploy",
    mode="F28",
    about="queue|upload",
)
def missing_file_blocks(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "SET state = 'retryable', progress", "SET state = 'queued', progress")


@fault(
    "S19",
    "the last chunk of each longer document is stored with a zero vector",
    "worker/rag",
    "postdeploy",
    mode="F29",
    about="embedding",
)
def last_vector_is_zero(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        '        await connection.execute(\n            """UPDATE document_chunks c',
        "        filled = max(1, len(vectors) - 1)\n"
        "        vectors = vectors[:filled] + [[0.0] * len(vectors[0]) for _ in vectors[filled:]]\n"
        '        await connection.execute(\n            """UPDATE document_chunks c',
    )


@fault(
    "S23", "a storage policy lets `anon` read the parsed texts", "storage", "predeploy", "postdeploy", mode="F23", about="files"
)
def parsed_is_public(plan: Plan) -> None:
    plan.sql.append(
        "CREATE POLICY preview_read ON storage.objects FOR SELECT TO anon "
        "USING (bucket_id = 'files' AND name LIKE 'user/%/parsed/%')"
    )


@fault(
    "S26",
    "of a callback with a list of pages only the first page is stored",
    "webhook/api",
    "postdeploy",
    mode="-",
    about="page|parsed|chunks",
)
def first_page(plan: Plan) -> None:
    plan.replace_in_source(WEBHOOK, "for page in result)", "for page in result[:1])")


@fault(
    "S29",
    "the unique constraint of `documents` also contains the file name",
    "database",
    "predeploy",
    mode="-",
    about="documents",
)
def unique_by_name(plan: Plan) -> None:
    plan.sql.append(
        "ALTER TABLE upload_pipeline.documents DROP CONSTRAINT documents_user_file_unique, ADD CONSTRAINT "
        "documents_user_file_unique UNIQUE (user_id, file_sha256, filename)"
    )
