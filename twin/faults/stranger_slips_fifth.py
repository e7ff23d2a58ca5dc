"""Slips of a release that nobody noticed: the queue over time, and what a question is answered from."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

QUEUE = "backend/workers/job_queue.py"
WORKER = "backend/workers/enhanced_base_worker.py"
JOBS = "api/jobs.py"
RETRIEVAL = "api/retrieval.py"
CHAT = "api/chat.py"


@fault(
    "J21",
    "a user's next document is not begun while an earlier one of theirs waits for its callback",
    "worker",
    "postdeploy",
    mode="-|F28",
    about="*upload_jobs*|*queue*|*parked*|*callback*|*second document*|*same user*|*uploaded*",
)
def one_document_at_a_time(plan: Plan) -> None:
    # Meant as fairness among users; a callback that never comes now holds up everything else of its user.
    plan.replace_in_source(
        QUEUE,
        "      AND status = ANY($1)\n",
        """      AND status = ANY($1)
      AND (status <> 'uploaded' OR NOT EXISTS (
           SELECT 1 FROM documents own JOIN documents theirs ON theirs.user_id = own.user_id
           JOIN upload_jobs o ON o.document_id = theirs.document_id
           WHERE own.document_id = upload_jobs.document_id AND o.status = 'parse_queued'))
""",
    )


@fault(
    "J22",
    "a job whose worker ended after the embeddings were stored fails for good instead of going on",
    "worker",
    "postdeploy",
    mode="-",
    about="*chunks_stored*|*embeddings_stored*|*failed_embedding*|*embed*|*between*",
)
def only_what_is_not_embedded(plan: Plan) -> None:
    # What is paid for need not be embedded again; that nothing may be left was forgotten.
    plan.replace_in_source(
        WORKER,
        "FROM document_chunks WHERE document_id = $1 ORDER BY chunk_ord",
        "FROM document_chunks WHERE document_id = $1 AND embedding IS NULL ORDER BY chunk_ord",
    )


@fault(
    "J23",
    "the job of a document that LlamaParse cannot read stays `retryable`: it runs for ever and cannot be retried",
    "database/worker/api",
    "postdeploy",
    mode="-",
    about="*state*|*failed_parse*|*deadletter*|*retry*|*upload_jobs*",
)
def second_chance(plan: Plan) -> None:
    # For a nightly job that was to come, and would have taken them up again.
    plan.sql.append(
        """CREATE FUNCTION upload_pipeline.second_chance() RETURNS trigger LANGUAGE plpgsql AS $$
           BEGIN
               NEW.state := 'retryable';
               RETURN NEW;
           END $$"""
    )
    plan.sql.append(
        """CREATE TRIGGER upload_jobs_second_chance BEFORE UPDATE OF state ON upload_pipeline.upload_jobs FOR EACH ROW
           WHEN (NEW.state = 'deadletter' AND NEW.last_error ->> 'stage' = 'parse')
           EXECUTE FUNCTION upload_pipeline.second_chance()"""
    )


@fault(
    "J24",
    "retrying a failed job leaves it failed and queues another one beside it, as often as it is asked",
    "api",
    "postdeploy",
    mode="-",
    about="*retry*|*upload_jobs*|*twice*|*two jobs*",
)
def retry_adds_a_job(plan: Plan) -> None:
    # The failed attempt is kept as history.
    plan.replace_in_source(
        JOBS,
        """f\"\"\"UPDATE upload_jobs j SET status = $2, state = 'queued', retry_count = 0, last_error = NULL,
                    not_before = NULL, {RELEASED}, updated_at = now() WHERE job_id = $1 RETURNING {COLUMNS}\"\"\",""",
        """f\"\"\"INSERT INTO upload_jobs AS j (document_id, status)
                    SELECT o.document_id, $2::text FROM upload_jobs o WHERE o.job_id = $1 RETURNING {COLUMNS}\"\"\",""",
    )


@fault(
    "J25",
    "the worker ends whenever a document fails for good, and the host starts it again",
    "worker",
    "postdeploy",
    mode="-|F14",
    about="*worker*|*restart*|*server_failed*|*ended*|*exit*",
)
def a_fresh_worker_after_a_failure(plan: Plan) -> None:
    plan.may_die = True
    plan.replace_in_source(
        WORKER,
        "            await (self.queue.postpone if self._is_no_fault_of_the_job(error) else self.queue.fail)(job, error)\n",
        """            await (self.queue.postpone if self._is_no_fault_of_the_job(error) else self.queue.fail)(job, error)
            if isinstance(error, PermanentError):
                # Nobody knows in what state the libraries are after a file that they could not read.
                raise SystemExit(1) from error
""",
    )


@fault(
    "J26",
    "a job older than the life of its upload link fails although its bytes are there",
    "worker",
    "postdeploy",
    mode="-",
    about="*uploaded*|*failed_parse*|*old job*|*older*|*upload window*|*expired*|*retry*",
)
def window_before_bytes(plan: Plan) -> None:
    # Saves a look-up in the storage for uploads that were given up; a backlog or a later retry is no such upload.
    plan.replace_in_source(
        WORKER,
        """        try:
            return await self.storage.read(object_key(document["user_id"], job["document_id"], "raw"))
""",
        """        if job["upload_expired"]:
            raise PermanentError("the upload window has passed")
        try:
            return await self.storage.read(object_key(document["user_id"], job["document_id"], "raw"))
""",
    )


@fault(
    "J27",
    "the worker takes small documents first: a large one waits behind all that came after it",
    "worker",
    "postdeploy",
    mode="-|F28",
    about="*order*|*oldest*|*upload_jobs*|*queue*|*claim*|*overtak*",
)
def small_ones_first(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "ORDER BY array_position($2::text[], status), CASE",
        "ORDER BY array_position($2::text[], status),\n"
        "        (SELECT d.bytes_len FROM documents d WHERE d.document_id = upload_jobs.document_id), CASE",
    )


@fault(
    "J28",
    "the token budget counts words: text that is written without spaces costs nothing",
    "rag/chat",
    "postdeploy",
    mode="-",
    about="*RAG_TOKEN_BUDGET*|*token budget*|*tokens*|*budget*",
)
def a_word_is_a_token(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL,
        "tokens += len(passage.text) // CHARACTERS_PER_TOKEN + 1",
        "tokens += len(passage.text.split())",
    )


@fault(
    "J29",
    "everything but ASCII is taken out of a question before it is embedded",
    "rag/chat",
    "postdeploy",
    mode="-|F11",
    about="*/api/chat*|*question*|*script*|*accent*|*sources*|*non-ASCII*|*retrieval*",
)
def only_printable_questions(plan: Plan) -> None:
    # Against control characters and invisible ones, with too wide a net.
    plan.replace_in_source(RETRIEVAL, "from dataclasses import dataclass\n", "import re\nfrom dataclasses import dataclass\n")
    plan.replace_in_source(
        RETRIEVAL,
        "    vector = vector_literal((await embed(client, config, [question], EMBEDDING_SECONDS))[0])",
        r"""    asked = re.sub(r"[^\x20-\x7e]+", " ", question).strip()
    vector = vector_literal((await embed(client, config, [asked], EMBEDDING_SECONDS))[0])""",
    )


@fault(
    "J30",
    "further questions of a conversation are answered from the passages of its first one",
    "chat/rag",
    "postdeploy",
    mode="-",
    about="*/api/chat*|*conversation*|*sources*|*passages*|*retrieval*",
)
def a_conversation_keeps_its_passages(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        'APOLOGY = "',
        "# A further question is mostly about the same passages, which need not be searched again.\n"
        '_passages: dict[tuple[uuid.UUID, str], list[Passage]] = {}\nAPOLOGY = "',
    )
    plan.replace_in_source(
        CHAT,
        "        passages = await retrieve(request.app.state.pool, client, config, user.id, body.message)\n",
        """        body.conversation_id = body.conversation_id or str(uuid.uuid4())
        passages = _passages.get((user.id, body.conversation_id), [])
        if not passages:
            passages = await retrieve(request.app.state.pool, client, config, user.id, body.message)
            _passages[user.id, body.conversation_id] = passages
""",
    )


@fault(
    "J31",
    "a document is not searched any more when its user has uploaded another one of the same file name",
    "rag/chat",
    "postdeploy",
    mode="-|F09|F11",
    about="*/api/chat*|*older*|*file name*|*filename*|*same name*|*sources*|*retrieval*|*document*",
)
def only_the_newest_version(plan: Plan) -> None:
    # The same name was taken for a newer version of the same policy.
    plan.replace_in_source(
        RETRIEVAL,
        "WHERE d.user_id = $2 AND c.embedding IS NOT NULL\n",
        """WHERE d.user_id = $2 AND c.embedding IS NOT NULL AND NOT EXISTS (
                   SELECT 1 FROM documents n
                   WHERE n.user_id = d.user_id AND n.filename = d.filename AND n.created_at > d.created_at)
""",
    )


@fault(
    "J32",
    "a question that nothing answers is answered from the nearest passage, below the threshold",
    "rag/chat",
    "postdeploy",
    mode="-",
    about="*RAG_SIMILARITY_THRESHOLD*|*threshold*|*similarity*|*nothing answers*|*unanswer*|*sources*",
)
def a_hint_is_better_than_nothing(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL,
        "    return within_budget(passages, config)\n",
        """    if rows and not passages:
        # The model can tell by itself whether it helps.
        passages = [Passage(**dict(rows[0].items()))]
    return within_budget(passages, config)
""",
    )
