"""Faults of a stranger's release: the queue over time, and retrieval by measurement."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

WORKER = "backend/workers/enhanced_base_worker.py"
QUEUE = "backend/workers/job_queue.py"
RECONCILIATION = "backend/workers/reconciliation.py"
CHUNKING = "backend/workers/chunking.py"
RETRIEVAL = "api/retrieval.py"


@fault(
    "Q21",
    "a job older than a day is never claimed again",
    "worker",
    "postdeploy",
    mode="-",
    about="*old* job*|*older*|*waiting*|*never claimed*|*claim*|*queue*|*starv*|*upload_jobs*|*aged*",
)
def old_jobs_are_forgotten(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "      AND status = ANY($1)\n",
        "      AND status = ANY($1) AND created_at > now() - interval '1 day'\n",
    )


@fault(
    "Q22",
    "within a stage the smallest document goes first, not the oldest job",
    "worker",
    "postdeploy",
    mode="F28|-",
    about="*order*|*oldest*|*first*|*queue*|*overtak*|*fair*|*starv*",
)
def smallest_first(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "    ORDER BY array_position($2::text[], status), CASE",
        "    ORDER BY array_position($2::text[], status),\n"
        "        (SELECT bytes_len FROM documents d WHERE d.document_id = upload_jobs.document_id), CASE",
    )


@fault(
    "Q23",
    "a job whose worker died while it embedded is never taken up again",
    "worker",
    "postdeploy",
    mode="-",
    about="*worker*die*|*died*|*dead worker*|*abandon*|*lease*|*chunks_stored*|*taken up*|*stuck*|*interrupted*|*crash*",
)
def interrupted_embedding(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "(state = 'working' AND lease_until <= now())",
        "(state = 'working' AND lease_until <= now() AND status <> 'chunks_stored')",
    )


@fault(
    "Q24",
    "a file that is no PDF ends the worker's process, three times over",
    "worker",
    "postdeploy",
    mode="-",
    about="*worker*restart*|*restart*|*worker*end*|*exit*|*crash*|*last_error*|*not a PDF*|*no PDF*|*PDF header*",
)
def exit_on_other_files(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        'raise PermanentError("the file cannot be read: no %PDF- header")',
        'raise SystemExit("the file cannot be read: no %PDF- header")',
    )


STAYING = '''        await self.queue.await_callback(job, parse_job_id, self.reconciler.callback_seconds)
        await self._until_parsed(job)

    async def _until_parsed(self, job: Any) -> None:
        """Stay with the document until its callback has come, so that the next stage begins without another poll."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.reconciler.callback_seconds):
                while await self.pool.fetchval(WAITS, job["job_id"]):
                    await asyncio.sleep(self.poll_seconds / 10)
'''


@fault(
    "Q25",
    "the worker stays with a document until its callback has come, and serves nobody else meanwhile",
    "worker",
    "postdeploy",
    mode="F28|-",
    about="*wait*callback*|*callback*|*webhook*|*parked*|*serve*other*|*others*|*behind*|*starv*|*queue*",
)
def stays_with_the_document(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER, "        await self.queue.await_callback(job, parse_job_id, self.reconciler.callback_seconds)\n", STAYING
    )
    plan.replace_in_source(
        WORKER,
        "class UploadPending(",
        "WAITS = \"SELECT true FROM upload_jobs WHERE job_id = $1 AND status = 'parse_queued'\"\n\n\nclass UploadPending(",
    )


@fault(
    "Q26",
    "a document that LlamaParse cannot parse is submitted again without end",
    "worker",
    "postdeploy",
    mode="F28|-",
    about="*submit*again*|*resubmit*|*again and again*|*without end*|*failed_parse*|*retr*|*cannot be parsed*|*damaged*"
    "|*unreadable*|*never ends*|*failing job*|*corrupt*",
)
def hopeless_documents_again(plan: Plan) -> None:
    plan.replace_in_source(
        RECONCILIATION,
        '        if status == "COMPLETED" or error:\n            await self._conclude(row, text, error)\n',
        "        if error:\n            await self._submit_again(row, f\"ended with '{error}'\")\n"
        '        elif status == "COMPLETED":\n            await self._conclude(row, text, error)\n',
    )


@fault(
    "Q27",
    "at most four passages of one document are found, however many match",
    "rag/api",
    "postdeploy",
    mode="-",
    about="*RAG_MAX_CHUNKS*|*max_chunks*|*nearest*|*sources*|*retriev*|*passages*|*chunks*|*broad question*",
)
def few_of_one_document(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL,
        '"""SELECT c.chunk_id, c.document_id, d.filename, c.text, 1 - (c.embedding <=> $1::vector) AS similarity\n',
        '"""SELECT chunk_id, document_id, filename, text, similarity FROM (\n'
        "               SELECT c.chunk_id, c.document_id, d.filename, c.text, 1 - (c.embedding <=> $1::vector) AS similarity,\n"
        "                   row_number() OVER (PARTITION BY c.document_id ORDER BY c.embedding <=> $1::vector) AS place\n",
    )
    plan.replace_in_source(
        RETRIEVAL,
        "               ORDER BY c.embedding <=> $1::vector LIMIT $3",
        "               ) ranked WHERE place <= 4 ORDER BY similarity DESC LIMIT $3",
    )


@fault(
    "Q28",
    "the nearest passages of everybody are taken first, and other users' are dropped afterwards",
    "rag/api",
    "postdeploy",
    mode="F09|F11|-",
    about="*nearest*|*sources*|*retriev*|*passages*|*own document*|*own chunks*|*crowd*|*missing*|*not found*|*chunks*",
)
def crowded_out(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL,
        "               FROM document_chunks c JOIN documents d USING (document_id)\n",
        "               FROM (SELECT * FROM document_chunks WHERE embedding IS NOT NULL\n"
        "                     ORDER BY embedding <=> $1::vector LIMIT 2 * $3) c JOIN documents d USING (document_id)\n",
    )


@fault(
    "Q29",
    "what was found for a question is kept for five minutes, whatever is uploaded meanwhile",
    "rag/api",
    "postdeploy",
    mode="-",
    about="*cache*|*stale*|*kept*|*searchable*|*asked again*|*repeat*|*same question*|*nearest*|*sources*|*retriev*"
    "|*new document*|*own document*",
)
def stale_passages(plan: Plan) -> None:
    plan.replace_in_source(RETRIEVAL, "from dataclasses import", "import time\nfrom dataclasses import")
    plan.replace_in_source(
        RETRIEVAL,
        "EMBEDDING_SECONDS = 15.0\n",
        "EMBEDDING_SECONDS = 15.0\n# People ask the same thing again: that costs no second embedding.\nRECENT_SECONDS = 300.0\n"
        "MOST_RECENT = 500\n_recent: dict[Any, Any] = {}\n",
    )
    plan.replace_in_source(
        RETRIEVAL,
        "    vector = vector_literal(",
        '    found_at, found = _recent.get((user_id, question), (float("-inf"), []))\n'
        "    if time.monotonic() - found_at < RECENT_SECONDS:\n        return list(found)\n    vector = vector_literal(",
    )
    plan.replace_in_source(
        RETRIEVAL,
        "    return within_budget(passages, config)",
        "    if len(_recent) >= MOST_RECENT:\n        _recent.clear()\n"
        "    _recent[user_id, question] = time.monotonic(), within_budget(passages, config)\n"
        "    return within_budget(passages, config)",
    )


@fault(
    "Q30",
    "a word longer than a chunk is cut off, and with it paragraphs of scripts that have no spaces",
    "worker/rag",
    "postdeploy",
    mode="-",
    about="*chunk*|*long word*|*script*|*words*|*text*lost*|*lost*|*cut*|*missing*|*Chinese*|*Japanese*|*without spaces*",
)
def long_words_cut(plan: Plan) -> None:
    plan.replace_in_source(
        CHUNKING, "        words = line.split()\n", "        words = [word[:TARGET_CHARACTERS] for word in line.split()]\n"
    )
