"""Slips of a tenth batch: the queue over time, what a question finds and who answers it, a session after a pause."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

QUEUE = "backend/workers/job_queue.py"
WORKER = "backend/workers/enhanced_base_worker.py"
RETRIEVAL = "api/retrieval.py"
CHAT = "api/chat.py"
AUTH = "api/auth.py"


@fault(
    "O21",
    "small documents overtake older, larger ones in the queue",
    "worker",
    "postdeploy",
    mode="-",
    about="*order*|*oldest*|*overtak*|*first come*|*starv*|*fair*|*queue*|*younger*|*larger*",
)
def small_ones_first(plan: Plan) -> None:
    # "Nobody should wait for a brochure": the shortest job first, and a large one only when there is nothing else.
    plan.replace_in_source(
        QUEUE,
        "ORDER BY array_position($2::text[], status), CASE",
        "ORDER BY array_position($2::text[], status),\n"
        "        (SELECT bytes_len FROM documents d WHERE d.document_id = upload_jobs.document_id), CASE",
    )


@fault(
    "O22",
    "a job that waits for its callback holds up its user's other document",
    "worker",
    "postdeploy",
    mode="-|F28",
    about="*parked*|*waits for*|*callback*|*webhook*|*serves others*|*other document*|*second document*|*queue*|*uploaded*",
)
def one_of_a_user_at_a_time(plan: Plan) -> None:
    # For fairness among users; forgotten was that a job is also `working` while LlamaParse has it.
    plan.replace_in_source(
        QUEUE,
        "      AND status = ANY($1)\n",
        """      AND status = ANY($1)
      AND NOT EXISTS (SELECT 1 FROM upload_jobs o JOIN documents theirs ON theirs.document_id = o.document_id
                      JOIN documents own ON own.user_id = theirs.user_id
                      WHERE own.document_id = upload_jobs.document_id AND o.job_id <> upload_jobs.job_id
                        AND o.state = 'working')
""",
    )


@fault(
    "O23",
    "a document whose bytes come after the worker's first look lies until the signed link has expired",
    "worker",
    "postdeploy",
    mode="-",
    about="*upload*|*late*|*awaiting*|*not_before*|*uploaded*|*bytes*|*wait*",
)
def looked_for_once_in_a_window(plan: Plan) -> None:
    # Storage was asked every poll for files that never came; one question at the end of the window seemed enough.
    plan.replace_in_source(
        QUEUE, "self._config.poll_interval / self._config.speedup", "UPLOAD_WINDOW_SECONDS / self._config.speedup"
    )


@fault(
    "O24",
    "a retry makes a new job; the old one stays failed and can be retried again while the new one runs",
    "api",
    "postdeploy",
    mode="-",
    about="*retry*|*retried*|*retries*|*deadletter*|*two jobs*|*jobs/{job_id}*|*job_id*",
)
def retry_as_a_new_job(plan: Plan) -> None:
    # "Keep the history of attempts": each attempt has a row of its own.
    plan.replace_in_source(
        "api/jobs.py",
        """f\"\"\"UPDATE upload_jobs j SET status = $2, state = 'queued', retry_count = 0, last_error = NULL,
                    not_before = NULL, {RELEASED}, updated_at = now() WHERE job_id = $1 RETURNING {COLUMNS}\"\"\",""",
        """f\"\"\"INSERT INTO upload_jobs AS j (document_id, status, progress, webhook_secret)
                SELECT o.document_id, $2::text, o.progress, o.webhook_secret FROM upload_jobs o WHERE o.job_id = $1
                RETURNING {COLUMNS}\"\"\",""",
    )
    plan.replace_in_source("api/jobs.py", "from backend.shared.parsing import RELEASED\n", "")


@fault(
    "O25",
    "a job whose worker ended after the last vectors were stored is failed for good",
    "worker",
    "postdeploy",
    mode="-",
    about="*embed*|*chunks_stored*|*worker die*|*worker end*|*taken over*|*take*over*|*lease*|*resum*|*step*|*claim*",
)
def only_what_has_no_vector(plan: Plan) -> None:
    # Saves calls when a job is taken over; when nothing was left to do, "no chunks to embed" is a permanent error.
    plan.replace_in_source(
        WORKER,
        '"SELECT chunk_id, text FROM document_chunks WHERE document_id = $1 ORDER BY chunk_ord", job["document_id"]',
        '"SELECT chunk_id, text FROM document_chunks WHERE document_id = $1 AND embedding IS NULL ORDER BY chunk_ord",\n'
        '            job["document_id"],',
    )


@fault(
    "O26",
    "only the first 256 characters of a question are looked up",
    "rag/api/chat",
    "postdeploy",
    mode="-",
    about="*retriev*|*nearest*|*long question*|*question*|*sources*|*similarity*|*passage*",
)
def beginning_of_the_question(plan: Plan) -> None:
    # Users pasted whole letters into the chat, and each was embedded.
    plan.replace_in_source(RETRIEVAL, "embed(client, config, [question],", "embed(client, config, [question[:256]],")


@fault(
    "O27",
    "a passage beside a better one is left out of the answer",
    "rag/api/chat",
    "postdeploy",
    mode="-",
    about="*retriev*|*nearest*|*sources*|*chunks*|*RAG_MAX_CHUNKS*|*passage*|*similarity*|*neighbour*",
)
def no_neighbours(plan: Plan) -> None:
    # Neighbours overlap by up to 120 characters, which looked like a repetition in the prompt.
    plan.replace_in_source(RETRIEVAL, "SELECT c.chunk_id, c.document_id,", "SELECT c.chunk_id, c.chunk_ord, c.document_id,")
    plan.replace_in_source(
        RETRIEVAL,
        '    passages = [Passage(**dict(row.items())) for row in rows if row["similarity"] > config.similarity_threshold]\n',
        """    passages: list[Passage] = []
    taken: set[tuple[UUID, int]] = set()
    for row in rows:
        fields = dict(row.items())
        document, place = fields["document_id"], fields.pop("chunk_ord")
        if fields["similarity"] <= config.similarity_threshold or taken & {(document, place - 1), (document, place + 1)}:
            continue
        taken.add((document, place))
        passages.append(Passage(**fields))
""",
    )


@fault(
    "O28",
    "the token budget counts words, and lets text without spaces through whatever its length",
    "rag/api/chat",
    "postdeploy",
    mode="-|F34",
    about="*budget*|*RAG_TOKEN_BUDGET*|*token*",
)
def words_for_tokens(plan: Plan) -> None:
    # A quarter of the characters was "too rough" for English.
    plan.replace_in_source(
        RETRIEVAL, "tokens += len(passage.text) // CHARACTERS_PER_TOKEN + 1", "tokens += len(passage.text.split())"
    )


@fault(
    "O29",
    "questions with another language than English go to the fallback provider first",
    "chat/api",
    "postdeploy",
    mode="-",
    about="*provider*|*anthropic*|*fallback*|*route*|*openai*|*language*|*primary*",
)
def by_language(plan: Plan) -> None:
    # A trial of the other model for the Spanish front end, which was never taken out.
    plan.replace_in_source(
        CHAT,
        "def router_of(client: Vendors, config: Config) -> ServiceRouter:",
        "def router_of(client: Vendors, config: Config, language: str | None = None) -> ServiceRouter:",
    )
    plan.replace_in_source(
        CHAT,
        '    return ServiceRouter([*providers, Provider("anthropic", partial(_anthropic, client))])',
        '    providers.append(Provider("anthropic", partial(_anthropic, client)))\n'
        '    is_english = (language or "en").lower().startswith("en")\n'
        "    return ServiceRouter(providers if is_english else providers[::-1])",
    )
    plan.replace_in_source(
        CHAT,
        "async def complete(client: Vendors, config: Config, prompt: str) -> Routed:",
        "async def complete(client: Vendors, config: Config, prompt: str, language: str | None = None) -> Routed:",
    )
    plan.replace_in_source(
        CHAT, "return await router_of(client, config).answer", "return await router_of(client, config, language).answer"
    )
    plan.replace_in_source(CHAT, "_prompt(body.message, passages))", "_prompt(body.message, passages), body.user_language)")


@fault(
    "O30",
    "a short question is looked up together with the user's last one, of whichever conversation",
    "chat/rag/api",
    "postdeploy",
    mode="-",
    about="*conversation*|*retriev*|*nearest*|*sources*|*question*|*similarity*|*kept apart*|*threshold*|*passage*",
)
def follow_ups_by_user(plan: Plan) -> None:
    # "And for my children?" found nothing; the question before it helps, but it is kept by user and not by conversation.
    plan.replace_in_source(
        CHAT,
        'log = logging.getLogger("api")\n',
        'log = logging.getLogger("api")\nFOLLOW_UP = 80\n_last: dict[uuid.UUID, str] = {}\n',
    )
    plan.replace_in_source(
        CHAT,
        "        passages = await retrieve(request.app.state.pool, client, config, user.id, body.message)\n",
        """        asked = body.message
        if len(asked) < FOLLOW_UP and user.id in _last:
            asked = f"{_last[user.id]}\\n{asked}"
        _last[user.id] = body.message
        passages = await retrieve(request.app.state.pool, client, config, user.id, asked)
""",
    )


@fault(
    "O32",
    "a user who was silent for ten seconds is refused once, with a valid token",
    "auth/api",
    "postdeploy",
    mode="F08|-",
    about="*401*|*token*|*pause*|*idle*|*refused*|*session*",
)
def idle_sessions(plan: Plan) -> None:
    # Sessions were to end after ten minutes without a request; the clock counts seconds.
    plan.replace_in_source(AUTH, "MIN_PASSWORD = 6\n", "MIN_PASSWORD = 6\nIDLE = 10\n_last_seen: dict[str, float] = {}\n")
    plan.replace_in_source(AUTH, "import re\nfrom collections", "import re\nimport time\nfrom collections")
    plan.replace_in_source(
        AUTH,
        "    user = await verify_token(request, token.strip())\n",
        """    user = await verify_token(request, token.strip())
    now = time.monotonic()
    before, _last_seen[token] = _last_seen.get(token, now), now
    if now - before > IDLE:
        raise _unauthorized("the session has timed out")
""",
    )
