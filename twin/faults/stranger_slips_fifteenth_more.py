"""Faults by someone who has not read the checks: the queue over time, and retrieval by measurement."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan


@fault(
    "LL11",
    "a job that waits for its upload writes an event with every poll",
    "worker",
    "postdeploy",
    mode="-",
    about="*events*",
)
def events_of_waiting(plan: Plan) -> None:
    plan.replace_in_source(
        "backend/workers/job_queue.py",
        "                self._config.poll_interval / self._config.speedup,\n            )\n",
        "                self._config.poll_interval / self._config.speedup,\n            )\n"
        "            # So that support can see that the worker has looked.\n"
        '            await self._record(connection, job, job["status"], {"awaiting_upload": True})\n',
    )


@fault(
    "LL12",
    "small documents are taken first, however long a large one has waited",
    "worker",
    "postdeploy",
    mode="-",
    about="*order*|*oldest*|*queue*",
)
def small_ones_first(plan: Plan) -> None:
    # Most users wait less when short documents go first.
    plan.replace_in_source(
        "backend/workers/job_queue.py",
        "    ORDER BY array_position($2::text[], status), CASE",
        "    ORDER BY array_position($2::text[], status),\n"
        "        (SELECT bytes_len FROM documents d WHERE d.document_id = upload_jobs.document_id), CASE",
    )


@fault(
    "LL13",
    "a failed job is tried again long before the delay that is configured",
    "worker",
    "postdeploy",
    mode="-",
    about="*delay*|*retry*|*retries*|*WORKER_RETRY_BASE_DELAY*",
)
def jittered_delay(plan: Plan) -> None:
    path = "backend/workers/job_queue.py"
    plan.replace_in_source(path, "import logging\n", "import logging\nimport random\n")
    plan.replace_in_source(
        path,
        "        return max(own, min(asked, LONGEST_DELAY_SECONDS))",
        "        # Jitter, lest all jobs of an outage come back at once.\n"
        "        return max(random.uniform(0, own / 2), min(asked, LONGEST_DELAY_SECONDS))",
    )


@fault(
    "LL14",
    "a callback that is repeated takes a job back that has moved on, or revives one that failed",
    "webhook/api",
    "postdeploy",
    mode="-",
    about="*webhook*|*callback*",
)
def late_callbacks_count(plan: Plan) -> None:
    # A later result of LlamaParse is the better one, until the document is complete.
    plan.replace_in_source(
        "api/webhook.py", 'if row["status"] != "parse_queued":', 'if row["status"] in ("complete", "uploaded"):'
    )


@fault(
    "LL15",
    "every text goes to OpenAI a second time before a job is complete",
    "worker",
    "postdeploy",
    mode="-",
    about="*embedding*|*twice*|*openai*|*calls*",
)
def checked_by_asking_again(plan: Plan) -> None:
    plan.replace_in_source(
        "backend/workers/enhanced_base_worker.py",
        '        await self.queue.advance(job, "complete", state="done")',
        "        # After the incident with mixed-up vectors: ask again and compare.\n"
        "        rows = await self.pool.fetch(\n"
        '            "SELECT text FROM document_chunks WHERE document_id = $1 ORDER BY chunk_ord LIMIT $2",\n'
        '            job["document_id"],\n'
        "            BATCH,\n"
        "        )\n"
        '        if len(await embed(self.client, self.config, [row["text"] for row in rows])) != len(rows):\n'
        '            raise EmbeddingError("another number of embeddings than before")\n'
        '        await self.queue.advance(job, "complete", state="done")',
    )


@fault(
    "LL16",
    "passages a little above the threshold are not found, because the similarity is rounded before",
    "rag",
    "postdeploy",
    mode="-",
    about="*threshold*|*RAG_SIMILARITY_THRESHOLD*|*similarity*",
)
def rounded_threshold(plan: Plan) -> None:
    # The threshold has one decimal, more of them are noise.
    plan.replace_in_source(
        "api/retrieval.py",
        'if row["similarity"] > config.similarity_threshold',
        'if round(row["similarity"], 1) > config.similarity_threshold',
    )


@fault(
    "LL17",
    "at most four passages of one document are used, however many are near",
    "rag",
    "postdeploy",
    mode="-",
    about="*nearest*|*sources*|*chunks*|*RAG_MAX_CHUNKS*",
)
def four_of_each(plan: Plan) -> None:
    plan.replace_in_source(
        "api/retrieval.py",
        "    return within_budget(passages, config)",
        "    # One long document should not crowd out the others.\n"
        "    seen: dict[UUID, int] = {}\n"
        "    mixed = []\n"
        "    for passage in passages:\n"
        "        seen[passage.document_id] = seen.get(passage.document_id, 0) + 1\n"
        "        if seen[passage.document_id] <= 4:\n"
        "            mixed.append(passage)\n"
        "    return within_budget(mixed, config)",
    )


@fault(
    "LL18",
    "tokens are counted as words, so that long words and scripts without spaces exceed the budget",
    "rag",
    "postdeploy",
    mode="-",
    about="*budget*|*RAG_TOKEN_BUDGET*|*token*",
)
def words_for_tokens(plan: Plan) -> None:
    # A word is a token and a third in English.
    plan.replace_in_source(
        "api/retrieval.py", "len(passage.text) // CHARACTERS_PER_TOKEN + 1", "len(passage.text.split()) * 4 // 3 + 1"
    )


@fault(
    "LL19",
    "what a user asked in one conversation changes what is found in the next",
    "chat/rag",
    "postdeploy",
    mode="-",
    about="*conversation*|*sources*|*nearest*",
)
def remembers_the_user(plan: Plan) -> None:
    path = "api/chat.py"
    plan.replace_in_source(path, "ANSWER_SECONDS = 15.0\n", "ANSWER_SECONDS = 15.0\n_last: dict[uuid.UUID, str] = {}\n")
    plan.replace_in_source(
        path,
        "        passages = await retrieve(request.app.state.pool, client, config, user.id, body.message)\n",
        "        # A follow-up such as 'and for children?' means nothing without what was asked before.\n"
        '        question = f"{_last.get(user.id, str())} {body.message}" if len(body.message) < 80 else body.message\n'
        "        _last[user.id] = body.message\n"
        "        passages = await retrieve(request.app.state.pool, client, config, user.id, question)\n",
    )


@fault(
    "LL20",
    "lines without a Latin letter are dropped: rows of figures, and texts in other scripts",
    "worker/rag",
    "postdeploy",
    mode="-",
    about="*script*|*table*|*chunk*|*text*",
)
def only_latin_lines(plan: Plan) -> None:
    plan.replace_in_source(
        "backend/workers/chunking.py",
        "        words = line.split()\n",
        "        # Page numbers and rulers only cost embeddings.\n"
        '        if not re.search("[A-Za-z]", line):\n'
        "            continue\n"
        "        words = line.split()\n",
    )
