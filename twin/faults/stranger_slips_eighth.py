"""Slips of a further hand, eighth round: the queue over time, and retrieval by measurement."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

QUEUE = "backend/workers/job_queue.py"
CHAT = "api/chat.py"
RETRIEVAL = "api/retrieval.py"


@fault(
    "E21",
    "waiting jobs are claimed by the size of their documents, so that an older, larger one is passed by",
    "worker/database",
    "postdeploy",
    mode="-",
    about="*order*|*oldest*|*passed*|*overt*|*queue*|*claim*",
)
def smallest_first(plan: Plan) -> None:
    # "Short jobs first, so that most users wait less."
    plan.replace_in_source(
        QUEUE,
        "ORDER BY array_position($2::text[], status), CASE",
        """ORDER BY array_position($2::text[], status),
        (SELECT d.bytes_len FROM documents d WHERE d.document_id = upload_jobs.document_id), CASE""",
    )


@fault(
    "E22",
    "a job during which the worker ended three times is neither tried nor failed, and stays working for ever",
    "worker/database",
    "postdeploy",
    mode="-",
    about="*lease*|*claims*|*poison*|*working*|*died*|*dead*|*ended*|*abandon*|*stuck*",
)
def poisoned_job_left(plan: Plan) -> None:
    # "The worker need not even claim what it would refuse": but it was that refusal that ended the job.
    plan.replace_in_source(
        QUEUE,
        "OR (state = 'working' AND lease_until <= now()))",
        "OR (state = 'working' AND lease_until <= now() AND claims < 3))",
    )


@fault(
    "E23",
    "a job whose worker died before LlamaParse had accepted the document waits for its callback for ever",
    "worker/database",
    "postdeploy",
    mode="-",
    about="*parse_queued*|*callback*|*overdue*|*died*|*reconcil*|*parked*|*accepted*|*stuck*",
)
def unaccepted_job_left(plan: Plan) -> None:
    # "Without its id there is nothing to look up."
    plan.replace_in_source(
        "backend/workers/reconciliation.py",
        "WHERE status = 'parse_queued' AND state IN ('working', 'queued')",
        "WHERE status = 'parse_queued' AND parse_job_id IS NOT NULL AND state IN ('working', 'queued')",
    )


@fault(
    "E24",
    "the last_error of a job whose retries are used up says only that, and no longer why",
    "worker/database",
    "postdeploy",
    mode="-",
    about="*last_error*|*reason*",
)
def reason_overwritten(plan: Plan) -> None:
    # "Say plainly that nothing more will be tried."
    plan.replace_in_source(
        QUEUE,
        '"reason": str(error)[:500] or type(error).__name__, "attempt": attempt}',
        '"reason": f"given up after {attempt} attempts", "attempt": attempt}\n'
        "        if attempt <= self._config.max_retries:\n"
        '            reason["reason"] = str(error)[:500] or type(error).__name__',
    )


@fault(
    "E25",
    "the worker ends itself after each job that it gives up, and the platform has to start it again",
    "worker",
    "postdeploy",
    mode="-",
    about="*restart*|*ended*|*started*|*exit*|*crash*|*worker*",
)
def leaves_after_failure(plan: Plan) -> None:
    plan.may_die = True
    plan.replace_in_source(
        "backend/workers/enhanced_base_worker.py",
        "await (self.queue.postpone if self._is_no_fault_of_the_job(error) else self.queue.fail)(job, error)",
        "await (self.queue.postpone if self._is_no_fault_of_the_job(error) else self.queue.fail)(job, error)\n"
        "            if isinstance(error, PermanentError):\n"
        "                # A process that has met a broken file is not trusted any more.\n"
        "                raise SystemExit(1) from error",
    )


@fault(
    "E26",
    "a document that has failed once keeps that status for ever, also when its job is retried and completes",
    "database/worker",
    "postdeploy",
    mode="-",
    about="*processing_status*|*documents*|*retr*",
)
def failure_sticks(plan: Plan) -> None:
    # "A failure that a user was shown must not be lost to a worker that is late."
    plan.sql.append(
        """CREATE FUNCTION upload_pipeline.keep_failure() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF OLD.processing_status LIKE 'failed%' THEN
                NEW.processing_status := OLD.processing_status;
            END IF;
            RETURN NEW;
        END $$"""
    )
    plan.sql.append(
        "CREATE TRIGGER documents_keep_failure BEFORE UPDATE ON upload_pipeline.documents "
        "FOR EACH ROW EXECUTE FUNCTION upload_pipeline.keep_failure()"
    )


@fault(
    "E28",
    "passages above the threshold are left out when they are much less similar than the best one",
    "rag/chat/api",
    "postdeploy",
    mode="-",
    about="*threshold*|*nearest*|*passage*|*source*|*chunk*|*retriev*|*similar*",
)
def relative_threshold(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL,
        '    passages = [Passage(**dict(row.items())) for row in rows if row["similarity"] > config.similarity_threshold]',
        "    # What is far behind the best passage only dilutes the prompt.\n"
        '    least = max([config.similarity_threshold, *(row["similarity"] * 0.75 for row in rows[:1])])\n'
        '    passages = [Passage(**dict(row.items())) for row in rows if row["similarity"] > least]',
    )


@fault(
    "E29",
    "of a long question only the first 160 characters are looked up",
    "rag/chat/api",
    "postdeploy",
    mode="-",
    about="*long*|*question*|*nearest*|*source*|*retriev*|*embed*",
)
def question_cut(plan: Plan) -> None:
    # "What people paste behind their question is noise."
    plan.replace_in_source(RETRIEVAL, "[question], EMBEDDING_SECONDS", "[question[:160]], EMBEDDING_SECONDS")


@fault(
    "E30",
    "words of more than 80 characters, such as a sentence in Chinese or a long link, are in no chunk",
    "worker/rag",
    "postdeploy",
    mode="-",
    about="*chunk*|*word*|*text*|*script*|*document*",
)
def long_words_dropped(plan: Plan) -> None:
    plan.replace_in_source(
        "backend/workers/chunking.py",
        "        for word in words:\n",
        "        for word in words:\n"
        "            if len(word) > 80:\n"
        "                # Pictures that LlamaParse has written out as base64.\n"
        "                continue\n",
    )


@fault(
    "E31",
    "a document is not found any more when its owner has registered a later one with the same file name",
    "rag/chat/api",
    "postdeploy",
    mode="-",
    about="*older*|*name*|*document*|*nearest*|*source*|*retriev*|*chunk*",
)
def namesake_hides(plan: Plan) -> None:
    # "Who uploads policy.pdf again wants answers from the new one."
    plan.replace_in_source(
        RETRIEVAL,
        "WHERE d.user_id = $2 AND c.embedding IS NOT NULL",
        """WHERE d.user_id = $2 AND c.embedding IS NOT NULL AND NOT EXISTS (
                   SELECT 1 FROM documents n WHERE n.user_id = d.user_id AND n.filename = d.filename
                   AND n.created_at > d.created_at)""",
    )


@fault(
    "E32",
    "each further question of a conversation is answered from the passages that were found for its first one",
    "chat/rag/api",
    "postdeploy",
    mode="-",
    about="*conversation*|*nearest*|*source*|*passage*|*retriev*|*question*",
)
def passages_of_the_first(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "        passages = await retrieve(request.app.state.pool, client, config, user.id, body.message)\n",
        "        body.conversation_id = body.conversation_id or str(uuid.uuid4())\n"
        "        thread = (user.id, body.conversation_id)\n"
        "        # A conversation is about one matter: its passages are looked up once.\n"
        "        passages = THREADS.get(thread) or await retrieve(\n"
        "            request.app.state.pool, client, config, user.id, body.message\n"
        "        )\n"
        "        THREADS[thread] = passages\n",
    )
    plan.replace_in_source(CHAT, "ANSWER_SECONDS = 15.0\n", "ANSWER_SECONDS = 15.0\nTHREADS: dict[Any, list[Passage]] = {}\n")


@fault(
    "E33",
    "a question with many passages goes to Anthropic first, although OpenAI works",
    "chat/rag/api",
    "postdeploy",
    mode="-",
    about="*provider*|*anthropic*|*Anthropic*|*openai*|*OpenAI*|*route*|*fallback*",
)
def long_prompts_elsewhere(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT, "config: Config) -> ServiceRouter:", "config: Config, is_long: bool = False) -> ServiceRouter:"
    )
    plan.replace_in_source(
        CHAT,
        '    return ServiceRouter([*providers, Provider("anthropic", partial(_anthropic, client))])',
        '    providers.append(Provider("anthropic", partial(_anthropic, client)))\n'
        "    # Anthropic's window is the larger one.\n"
        "    return ServiceRouter(providers[::-1] if is_long else providers)",
    )
    plan.replace_in_source(CHAT, "router_of(client, config).answer", "router_of(client, config, len(prompt) > 3000).answer")
