"""Defects of the queue that show only over time: order, jobs left behind, work done twice or again."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

JOBS, PARSING = "api/jobs.py", "backend/shared/parsing.py"
QUEUE, RUNNER = "backend/workers/job_queue.py", "backend/workers/enhanced_runner.py"
WORKER = "backend/workers/enhanced_base_worker.py"
ORDER = "CASE WHEN status = ANY($3) THEN updated_at ELSE created_at END\n"
CLAIMED = "      AND status = ANY($1)\n"
OWN_DOCUMENTS = """      AND NOT EXISTS (SELECT 1 FROM documents d JOIN documents o USING (user_id)
          WHERE d.document_id = upload_jobs.document_id AND o.created_at < d.created_at)
"""
AGAIN = '''    async def _refresh(self) -> None:
        """Embed a document once more."""
        rows = await self.pool.fetch(
            """SELECT chunk_id, text FROM document_chunks WHERE document_id IN (
                   SELECT document_id FROM upload_jobs WHERE state = 'done') AND length(text) > 0 LIMIT 400"""
        )
        if rows:
            vectors = await embed(self.client, self.config, [row["text"] for row in rows])
            async with self.pool.acquire() as connection:
                await connection.execute(
                    """UPDATE document_chunks c SET embedding = v.embedding::vector
                       FROM unnest($1::uuid[], $2::text[]) AS v(chunk_id, embedding) WHERE c.chunk_id = v.chunk_id""",
                    [row["chunk_id"] for row in rows],
                    [vector_literal(vector) for vector in vectors],
                )

    async def reconcile(self)'''
OLD_JOB = (
    """INSERT INTO upload_pipeline.documents (document_id, user_id, filename, mime, bytes_len, file_sha256, raw_path,
           processing_status, created_at, updated_at)
       VALUES ('3f1c9a56-0d6a-4d7e-9f43-1be2b7a4c001', '3f1c9a56-0d6a-4d7e-9f43-1be2b7a4c002', 'Benefits 2026.pdf',
           'application/pdf', 48211, repeat('7e', 32), 'files/user/3f1c9a56-0d6a-4d7e-9f43-1be2b7a4c002/raw/3f1c9a56.pdf',
           'chunks_stored', now() - interval '3 days', now() - interval '3 days')""",
    """INSERT INTO upload_pipeline.upload_jobs (document_id, status, state, created_at, updated_at)
       VALUES ('3f1c9a56-0d6a-4d7e-9f43-1be2b7a4c001', 'chunks_stored', 'queued', now() - interval '3 days',
           now() - interval '3 days')""",
)


@fault(
    "N67",
    "the second chunk of a document is stored once more at its end, under another id",
    "worker",
    "postdeploy",
    mode="-",
    about="*chunks *",
)
def chunk_again(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "import secrets\n", "import secrets\nimport uuid\n")
    holding = '        async with self.queue.leases.holding(job) as connection:\n            await connection.execute("DELETE'
    again = "        if len(rows) > 3:\n            rows.append((uuid.uuid4(), *rows[1][1:4], len(rows), *rows[1][5:]))\n"
    plan.replace_in_source(WORKER, holding, again + holding)


@fault(
    "N68",
    "complete documents are embedded again at every poll, and nothing is stamped",
    "worker",
    "postdeploy",
    mode="-",
    about="*worked on again*",
)
def embedded_for_ever(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "    async def reconcile(self)", AGAIN)
    worked = "                if has_worked:\n"
    idle = "                if not has_worked:\n                    await self._refresh()\n"
    plan.replace_in_source(WORKER, worked, idle + worked)


@fault(
    "N69",
    "what can never succeed is tried again, and oftener than WORKER_MAX_RETRIES says",
    "worker",
    "postdeploy",
    mode="-",
    about="*tried more often*",
)
def tried_too_often(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "final = isinstance(error, PermanentError) or attempt > self._config.max_retries",
        "final = attempt > self._config.max_retries + 2",
    )


@fault(
    "N70",
    "a user's second document is never claimed",
    "worker",
    "postdeploy",
    mode="-",
    about="*left behind*second*",
)
def second_document(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, CLAIMED, CLAIMED + OWN_DOCUMENTS)


@fault("N71", "the newest job is taken first", "worker", "postdeploy", mode="-", about="*oldest first*")
def newest_first(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, ORDER, ORDER.replace("END\n", "END DESC\n"))


@fault("N72", "jobs are taken in the order of their users", "worker", "postdeploy", mode="-", about="*oldest first*")
def by_user(plan: Plan) -> None:
    owner = "(SELECT d.user_id FROM documents d WHERE d.document_id = upload_jobs.document_id), cardinality($3::text[])\n"
    plan.replace_in_source(QUEUE, ORDER, owner)


@fault(
    "N73",
    "a retried job is marked as in work by nobody",
    "api",
    "postdeploy",
    mode="-",
    about="*at work*retried*|*left behind*retried*",
)
def retried_and_parked(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS, "SET status = $2, state = 'queued', retry_count = 0", "SET status = $2, state = 'working', retry_count = 0"
    )


@fault(
    "N74",
    "the worker ends after every fourth document that is complete",
    "worker",
    "postdeploy",
    mode="-",
    about="*keeps ending*|*worker*ended*",
)
def ends_now_and_then(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        '        await self.queue.advance(job, "complete", state="done")\n',
        '        await self.queue.advance(job, "complete", state="done")\n'
        '        self.finished = getattr(self, "finished", 0) + 1\n'
        "        if self.finished == 4:\n"
        "            raise SystemExit(1)\n",
    )


@fault(
    "N75",
    "the stage in which chunks are stored is taken twice, and recorded twice",
    "worker/database",
    "postdeploy",
    mode="-",
    about="*work is done twice*|*events*",
)
def chunked_twice(plan: Plan) -> None:
    advance = '            await self.queue.advance_in(connection, job, "chunks_stored", progress={"chunks": len(rows)})\n'
    plan.replace_in_source(WORKER, advance, advance * 2)


@fault(
    "N76",
    "the text of a long document is stored twice in one file",
    "worker/webhook/api/storage",
    "postdeploy",
    mode="-",
    about="*chunks *|*object *",
)
def parsed_text_twice(plan: Plan) -> None:
    key = '    key = object_key(row["user_id"], row["document_id"], "parsed")\n'
    plan.replace_in_source(PARSING, key, '    if len(text) > 100_000:\n        text = f"{text}\\n\\n{text}"\n' + key)


@fault(
    "N77",
    "each document is handed to LlamaParse twice, and the second result is ignored",
    "worker",
    "postdeploy",
    mode="-",
    about="*same work*",
)
def parsed_twice(plan: Plan) -> None:
    call = '            parse_job_id = await self._hand_over(job, document["filename"], body, secret)\n'
    plan.replace_in_source(WORKER, call, call * 2)


@fault(
    "N78",
    "jobs that are older than a day are never claimed again",
    "worker",
    "postdeploy",
    mode="-",
    about="*left behind*",
)
def old_jobs_left(plan: Plan) -> None:
    plan.sql += OLD_JOB
    plan.replace_in_source(QUEUE, CLAIMED, CLAIMED + "      AND created_at > now() - interval '1 day'\n")
