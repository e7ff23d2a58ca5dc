"""Faults of the fourteenth round by a stranger to the checks: the queue again, retrieval, and connections."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

QUEUE = "backend/workers/job_queue.py"
RETRIEVAL = "api/retrieval.py"
CHAT = "api/chat.py"


@fault(
    "LP11",
    "each retry adds a job and leaves the failed one retryable: pressed twice, the same document is worked on twice",
    "api",
    "postdeploy",
    mode="-",
    about="*retry*|*twice*|*jobs of*|*second job*|*two jobs*",
)
def retry_adds_a_job(plan: Plan) -> None:
    plan.replace_in_source(
        "api/jobs.py",
        '            f"""UPDATE upload_jobs j SET status = $2, state = \'queued\', retry_count = 0, last_error = NULL,\n'
        '                    not_before = NULL, {RELEASED}, updated_at = now() WHERE job_id = $1 RETURNING {COLUMNS}""",\n'
        "            job_id,\n",
        "            # The failed job is kept as it is, for support.\n"
        '            f"INSERT INTO upload_jobs AS j (document_id, status) VALUES ($1, $2) RETURNING {COLUMNS}",\n'
        '            row["document_id"],\n',
    )


@fault(
    "LP12",
    "the worker spins on a document that is registered and not sent yet, and newer uploads of everybody wait behind it",
    "worker",
    "postdeploy",
    mode="F28",
    about="*spin*|*without pause*|*starve*|*again and again*|*not sent*|*never sent*|*behind*",
)
def spins_for_bytes(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        '                job["job_id"],\n                self._config.poll_interval / self._config.speedup,\n',
        "                # Browsers send the file at once: look again with the next round.\n"
        '                job["job_id"],\n                0.0,\n',
    )


@fault(
    "LP13",
    "when a job has failed, its document still says that it is on its way: no failed status, no event",
    "worker",
    "postdeploy",
    mode="-",
    about="*processing_status*|*document*status*|*event*|*failed_*",
)
def document_does_not_fail(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "            if final:\n                await self._record(connection, job, status, reason)\n",
        "            # Documents follow what succeeded; what failed stands in the job.\n",
    )


@fault(
    "LP14",
    "of two documents with the same file name only the newer one is searched: the older one is not found any more",
    "rag",
    "postdeploy",
    mode="-",
    about="*older*|*document*not found*|*retriev*|*nearest*|*sources*|*same name*",
)
def newer_name_hides_older(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL,
        "               WHERE d.user_id = $2 AND c.embedding IS NOT NULL\n",
        "               -- A file of the same name is the new version of it.\n"
        "               WHERE d.user_id = $2 AND c.embedding IS NOT NULL AND NOT EXISTS (SELECT 1 FROM documents n\n"
        "                   WHERE n.user_id = d.user_id AND n.filename = d.filename AND n.created_at > d.created_at)\n",
    )


@fault(
    "LP15",
    "passages above the threshold are dropped when the best one is much better: answers lack what they should rest on",
    "rag",
    "postdeploy",
    mode="-",
    about="*threshold*|*rag_similarity_threshold*|*nearest*|*sources*|*passages*|*chunks*",
)
def relative_threshold(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL,
        "    return within_budget(passages, config)\n",
        "    # The long tail only distracts the model.\n"
        "    best = passages[0].similarity if passages else 0.0\n"
        "    return within_budget([passage for passage in passages if passage.similarity >= 0.8 * best], config)\n",
    )


@fault(
    "LP16",
    "the token budget counts words: texts without spaces, as in Chinese, and long words go far beyond RAG_TOKEN_BUDGET",
    "rag",
    "postdeploy",
    mode="-",
    about="*token*budget*|*rag_token_budget*|*tokens*",
)
def budget_of_words(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL,
        "        tokens += len(passage.text) // CHARACTERS_PER_TOKEN + 1\n",
        "        # A word is about a token and a third.\n        tokens += len(passage.text.split()) * 4 // 3 + 1\n",
    )


@fault(
    "LP17",
    "lines without Latin letters are left out of the chunks: rows of figures and texts in other scripts cannot be found",
    "worker",
    "postdeploy",
    mode="-",
    about="*script*|*table*|*chunk*|*text*|*words*|*row*",
)
def latin_lines_only(plan: Plan) -> None:
    plan.replace_in_source(
        "backend/workers/chunking.py",
        "        words = line.split()\n",
        "        # Rules and page numbers say nothing.\n"
        '        if not re.search("[A-Za-z]", line):\n            continue\n'
        "        words = line.split()\n",
    )


@fault(
    "LP18",
    "two questions that begin alike are taken for the same one: the second is answered from the first one's passages",
    "rag",
    "postdeploy",
    mode="-",
    about="*question*|*nearest*|*sources*|*retriev*|*embedding*|*chat*",
)
def questions_by_their_beginning(plan: Plan) -> None:
    plan.replace_in_source(RETRIEVAL, "EMBEDDING_SECONDS = 15.0\n", "EMBEDDING_SECONDS = 15.0\nASKED: dict[str, str] = {}\n")
    plan.replace_in_source(
        RETRIEVAL,
        "    vector = vector_literal((await embed(client, config, [question], EMBEDDING_SECONDS))[0])\n",
        "    # People ask the same again and again; short keys keep the memory small.\n"
        "    key = question.lower().strip()[:40]\n"
        "    if key not in ASKED:\n"
        "        ASKED[key] = vector_literal((await embed(client, config, [question], EMBEDDING_SECONDS))[0])\n"
        "    vector = ASKED[key]\n",
    )


@fault(
    "LP19",
    "who names a language other than English is answered by Anthropic, though OpenAI serves",
    "api/chat",
    "postdeploy",
    mode="-",
    about="*anthropic*|*provider*|*user_language*|*language*|*fallback*",
)
def languages_to_the_fallback(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "    return ServiceRouter([*providers, Provider(",
        "    providers.append(Provider(",
    )
    plan.replace_in_source(
        CHAT,
        "partial(_anthropic, client))])\n",
        "partial(_anthropic, client)))\n"
        "    # Claude writes better in other languages.\n"
        '    return ServiceRouter(providers if language in (None, "en") else providers[::-1])\n',
    )
    plan.replace_in_source(
        CHAT,
        "def router_of(client: Vendors, config: Config) ->",
        "def router_of(client: Vendors, config: Config, language: str | None = None) ->",
    )
    plan.replace_in_source(
        CHAT,
        "async def complete(client: Vendors, config: Config, prompt: str) ->",
        "async def complete(client: Vendors, config: Config, prompt: str, language: str | None = None) ->",
    )
    plan.replace_in_source(
        CHAT, "await router_of(client, config).answer(prompt)", "await router_of(client, config, language).answer(prompt)"
    )
    plan.replace_in_source(
        CHAT,
        "await complete(client, config, _prompt(body.message, passages))",
        "await complete(client, config, _prompt(body.message, passages), body.user_language)",
    )


@fault(
    "LP20",
    "each user who registers an upload keeps a connection to the database open: they only grow, until none is left",
    "api/database",
    "postdeploy",
    mode="-|F18",
    about="*connection*|*pg_stat_activity*|*pool*",
)
def connection_for_each_user(plan: Plan) -> None:
    plan.replace_in_source(
        "api/uploads.py",
        "MIME_TYPES = (",
        "LINES: dict[UUID, asyncpg.Connection] = {}\nMIME_TYPES = (",
    )
    plan.replace_in_source(
        "api/uploads.py",
        '    log.info("accepted a document of %d bytes job_id=%s", body.bytes_len, job_id)\n',
        '    log.info("accepted a document of %d bytes job_id=%s", body.bytes_len, job_id)\n'
        "    if user.id not in LINES:\n"
        "        # Each user's own line hears of the jobs, so that the page can be told at once.\n"
        "        line = await asyncpg.connect(request.app.state.config.database_url, statement_cache_size=0)\n"
        "        await line.execute('LISTEN job_progress')\n"
        "        LINES[user.id] = line\n",
    )
