"""Slips in what rows say, who sees them, and what they are found by, each in one state or statement only."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

PARSING = "backend/shared/parsing.py"
QUEUE = "backend/workers/job_queue.py"
WEBHOOK = "api/webhook.py"


@fault(
    "D45",
    "the callback does not say when it changed the job",
    "api/worker/database",
    "postdeploy",
    mode="-",
    about="*updated_at*",
)
def silent_callback(plan: Plan) -> None:
    plan.replace_in_source(
        PARSING,
        """not_before = NULL, {RELEASED},
                updated_at = now() WHERE job_id = $1\"\"\",
        row["job_id"],
    )
    await _event(connection, row, "parsed\"""",
        """not_before = NULL, {RELEASED}
            WHERE job_id = $1\"\"\",
        row["job_id"],
    )
    await _event(connection, row, "parsed\"""",
    )


@fault(
    "D46",
    "the worker does not say when it changed a document",
    "worker/database",
    "postdeploy",
    mode="-",
    about="*documents.updated_at*|*document_updated_at*",
)
def silent_document(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "SET processing_status = $2, updated_at = now() WHERE", "SET processing_status = $2 WHERE")


@fault(
    "D47",
    "the event of a parse keeps the first words of its document",
    "api/worker/database",
    "postdeploy",
    mode="-",
    about="*events*|*payload*",
)
def first_words(plan: Plan) -> None:
    plan.replace_in_source(PARSING, '{"characters": len(text)}', '{"characters": len(text), "begins": text[:400]}')


@fault(
    "D48",
    "the log of callbacks keeps the secret that signed each",
    "api/webhook/database",
    "postdeploy",
    mode="-",
    about="*webhook_log*",
)
def logged_secret(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK, "VALUES ($1, 'llamaparse', true, $2)\",\n", "VALUES ($1, 'llamaparse ' || $3, true, $2)\",\n"
    )
    plan.replace_in_source(
        WEBHOOK,
        "            hashlib.sha256(body).hexdigest(),\n        )\n",
        '            hashlib.sha256(body).hexdigest(),\n            row["webhook_secret"],\n        )\n',
    )


@fault("D49", "every user sees documents that are cut", "database", "postdeploy", mode="-|F24", about="*documents*")
def open_while_cut(plan: Plan) -> None:
    plan.sql.append(
        "CREATE POLICY documents_support ON upload_pipeline.documents FOR SELECT TO authenticated"
        " USING (processing_status = 'chunking')"
    )


@fault("D50", "every user sees the events of duplicates", "database", "postdeploy", mode="-|F24", about="*events*")
def open_events(plan: Plan) -> None:
    plan.sql.append(
        "CREATE POLICY events_public ON upload_pipeline.events FOR SELECT TO authenticated USING (type = 'duplicate')"
    )


@fault("D51", "users do not see their jobs that were given up", "database", "postdeploy", mode="-", about="*upload_jobs*")
def hidden_failures(plan: Plan) -> None:
    plan.sql.append(
        "CREATE POLICY upload_jobs_alive ON upload_pipeline.upload_jobs AS RESTRICTIVE FOR SELECT TO authenticated"
        " USING (state <> 'deadletter')"
    )


@fault(
    "D52",
    "the index of the queue leaves out the jobs that are tried again",
    "database",
    "postdeploy",
    mode="-",
    about="*upload_jobs*|*index*",
)
def not_all_unfinished(plan: Plan) -> None:
    plan.sql += [
        "DROP INDEX upload_pipeline.upload_jobs_unfinished_idx",
        "CREATE INDEX upload_jobs_unfinished_idx ON upload_pipeline.upload_jobs (status, created_at)"
        " WHERE state IN ('queued', 'working')",
    ]


@fault(
    "D53",
    "the index of the embeddings is over another version of them",
    "database",
    "postdeploy",
    mode="F27|-",
    about="*embedding*|*index*",
)
def index_of_another_version(plan: Plan) -> None:
    plan.sql += [
        "DROP INDEX upload_pipeline.document_chunks_embedding_idx",
        "CREATE INDEX document_chunks_embedding_idx ON upload_pipeline.document_chunks USING hnsw (embedding vector_cosine_ops)"
        " WHERE embed_version = '2'",
    ]


@fault("D54", "every user may change the bucket", "storage/database", "postdeploy", mode="-|F23", about="*storage*|*bucket*")
def open_buckets(plan: Plan) -> None:
    plan.sql.append(
        "CREATE POLICY buckets_limits ON storage.buckets FOR UPDATE TO authenticated"
        " USING (id = 'files') WITH CHECK (id = 'files')"
    )


@fault(
    "D55",
    "jobs that have been under way for a day do not count as running",
    "api",
    "postdeploy",
    mode="-|F34",
    about="*max_concurrent_jobs*|*limit*",
)
def stale_jobs(plan: Plan) -> None:
    plan.replace_in_source(
        "api/uploads.py",
        "(WHERE j.state IN ('queued', 'working', 'retryable')) AS running",
        "(WHERE j.state IN ('queued', 'working', 'retryable') AND j.created_at > now() - interval '1 day') AS running",
    )


@fault(
    "D56",
    "the place of a long text is noted under a shorter name",
    "api/worker/database",
    "postdeploy",
    mode="-",
    about="*documents*|*parsed_path*",
)
def another_place(plan: Plan) -> None:
    plan.replace_in_source(
        PARSING, 'f"{BUCKET}/{key}",', 'f"{BUCKET}/{key}" if len(text) < 5000 else f"{BUCKET}/{key[:-7]}.md",'
    )


@fault("D57", "a retry does not say when it changed the job", "api/database", "postdeploy", mode="-", about="*updated_at*")
def silent_retry(plan: Plan) -> None:
    plan.replace_in_source(
        "api/jobs.py", "not_before = NULL, {RELEASED}, updated_at = now() WHERE", "not_before = NULL, {RELEASED} WHERE"
    )


@fault(
    "D58",
    "whoever calls themselves an administrator sees everybody's documents",
    "database",
    "postdeploy",
    mode="-|F24",
    about="*documents*",
)
def self_made_administrators(plan: Plan) -> None:
    # What stands in user_metadata is written by the users themselves.
    plan.sql.append(
        "CREATE POLICY documents_admin ON upload_pipeline.documents FOR SELECT TO authenticated"
        " USING ((current_setting('request.jwt.claims', true)::jsonb -> 'user_metadata' ->> 'role') = 'admin')"
    )


@fault(
    "D59",
    "who was refused for running jobs is refused for a minute, whatever becomes of these",
    "api",
    "postdeploy",
    mode="-",
    about="*max_concurrent_jobs*|*limit*",
)
def refused_for_a_minute(plan: Plan) -> None:
    file = "api/uploads.py"
    plan.replace_in_source(file, "import math\n", "import math\nimport time\n")
    plan.replace_in_source(file, "MIME_TYPES = (", "_REFUSED: dict[UUID, float] = {}\nMIME_TYPES = (")
    plan.replace_in_source(
        file,
        '    if row["running"] >= MAX_CONCURRENT_JOBS:\n',
        '    if row["running"] >= MAX_CONCURRENT_JOBS or time.monotonic() < _REFUSED.get(user.id, 0.0):\n'
        "        _REFUSED[user.id] = time.monotonic() + 60\n",
    )
