"""Faults of a stranger, thirteenth round: the callback's pages, the queue over time, ways round it, and retrieval."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

QUEUE = "backend/workers/job_queue.py"
CHAT = "api/chat.py"


@fault(
    "LU31",
    "pages of a result whose Markdown is empty are dropped, although their plain text is there",
    "webhook/api",
    "postdeploy",
    mode="-",
    about="*webhook*|*callback*|*txt*|*pages*|*parsed*|*text*",
)
def pages_of_plain_text(plan: Plan) -> None:
    # The plain text is a default for results without Markdown, and `get` has defaults.
    plan.replace_in_source("api/webhook.py", 'page.get("md") or page.get("txt") or ""', 'page.get("md", page.get("txt")) or ""')


@fault(
    "LU32",
    "the worker takes the smallest document first: a large one waits for everything that was sent after it",
    "worker/database",
    "postdeploy",
    mode="-",
    about="*order*|*oldest*|*queue*|*claim*|*earlier*|*first*",
)
def smallest_first(plan: Plan) -> None:
    # Letters of one page are through in no time: their senders should not wait behind a policy book.
    plan.replace_in_source(
        QUEUE,
        "CASE WHEN status = ANY($3) THEN updated_at ELSE created_at END",
        "CASE WHEN status = ANY($3) THEN updated_at END,\n"
        "        (SELECT d.bytes_len FROM documents d WHERE d.document_id = upload_jobs.document_id), created_at",
    )


@fault(
    "LU33",
    "a job at which the worker has died three times stays `working` for ever, and never fails",
    "worker/database",
    "postdeploy",
    mode="F28|-",
    about="*lease*|*claim*|*died*|*dies*|*working*|*taken up*|*poison*|*stuck*",
)
def left_alone_for_ever(plan: Plan) -> None:
    # What has ended three workers is not given to a fourth one.
    plan.replace_in_source(
        QUEUE,
        "OR (state = 'working' AND lease_until <= now()))",
        "OR (state = 'working' AND lease_until <= now() AND claims < 3))",
    )


@fault(
    "LU34",
    "a retry makes a new job: the one that the client asks about stays failed, and each further retry does the work again",
    "api/worker/database",
    "postdeploy",
    mode="-",
    about="*retry*|*/api/upload-pipeline/jobs*|*twice*|*second job*|*job_id*",
)
def retry_is_a_new_job(plan: Plan) -> None:
    # The history of a failed job is kept as it is, for support.
    plan.replace_in_source(
        "api/jobs.py",
        """            f\"\"\"UPDATE upload_jobs j SET status = $2, state = 'queued', retry_count = 0, last_error = NULL,
                    not_before = NULL, {RELEASED}, updated_at = now() WHERE job_id = $1 RETURNING {COLUMNS}\"\"\",
            job_id,
""",
        """            f"INSERT INTO upload_jobs AS j (document_id, status) VALUES ($1, $2) RETURNING {COLUMNS}",
            row["document_id"],
""",
    )


@fault(
    "LU35",
    "the progress of every user's document is broadcast with its file name on one public topic, which anybody may join",
    "realtime/database",
    "postdeploy",
    mode="F24|-",
    about="*realtime*|*broadcast*|*topic*|*messages*|*file name*|*filename*|*trigger*",
)
def public_progress(plan: Plan) -> None:
    # The wall screen in the office shows what goes through, and has no account.
    plan.sql.append(
        """CREATE FUNCTION upload_pipeline.tell_progress() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
            PERFORM realtime.send(
                jsonb_build_object('job_id', NEW.job_id, 'status', NEW.status, 'filename',
                    (SELECT filename FROM upload_pipeline.documents WHERE document_id = NEW.document_id)),
                'progress', 'progress', false);
            RETURN NULL;
        END $$;
        CREATE TRIGGER upload_jobs_progress AFTER INSERT OR UPDATE OF status ON upload_pipeline.upload_jobs
            FOR EACH ROW EXECUTE FUNCTION upload_pipeline.tell_progress();"""
    )


@fault(
    "LU36",
    "a database function searches the chunks of any user that its caller names, and even anon may call it",
    "database",
    "postdeploy",
    mode="F24|-",
    about="*match_chunks*|*function*|*rpc*|*document_chunks*|*security definer*",
)
def search_for_anybody(plan: Plan) -> None:
    # The vectors are compared where they are; as the definer, because row-level security made the search slow.
    plan.sql.append(
        """CREATE FUNCTION public.match_chunks(query_embedding text, owner uuid, match_count int DEFAULT 10)
        RETURNS TABLE (chunk_id uuid, document_id uuid, text text, similarity float8)
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = upload_pipeline, public AS $$
            SELECT c.chunk_id, c.document_id, c.text, 1 - (c.embedding <=> query_embedding::vector)
            FROM document_chunks c JOIN documents d USING (document_id)
            WHERE d.user_id = owner AND c.embedding IS NOT NULL
            ORDER BY c.embedding <=> query_embedding::vector LIMIT match_count
        $$;"""
    )


@fault(
    "LU37",
    "a short question is searched together with the same user's last one, of whatever conversation that was",
    "rag/api/chat",
    "postdeploy",
    mode="-",
    about="*conversation*|*sources*|*/api/chat*|*retrieval*|*nearest*|*chunks*",
)
def last_question(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT, "class ChatRequest(BaseModel):", "LAST: dict[Any, str] = {}\n\n\nclass ChatRequest(BaseModel):"
    )
    plan.replace_in_source(
        CHAT,
        "        passages = await retrieve(request.app.state.pool, client, config, user.id, body.message)\n",
        "        # `And for children?` means nothing without what was asked before.\n"
        "        question = body.message\n"
        "        if len(question) < 80 and user.id in LAST:\n"
        '            question = f"{LAST[user.id]} {question}"\n'
        "        LAST[user.id] = body.message\n"
        "        passages = await retrieve(request.app.state.pool, client, config, user.id, question)\n",
    )


@fault(
    "LU38",
    "a question asked again within ten minutes gets the passages of the first time, although documents have come or gone",
    "rag/api/chat",
    "postdeploy",
    mode="-",
    about="*again*|*second time*|*stale*|*cache*|*sources*|*/api/chat*|*retrieval*|*chunks*|*document*",
)
def remembered_passages(plan: Plan) -> None:
    path = "api/retrieval.py"
    plan.replace_in_source(path, "from dataclasses import dataclass\n", "import time\nfrom dataclasses import dataclass\n")
    remembered = (
        "RECENT: dict[tuple[UUID, str], tuple[float, list[Passage]]] = {}\n\n\n"
        "async def retrieve(pool: Any, client: Vendors, config: Config, user_id: UUID, question: str) -> list[Passage]:\n"
        '    """The passages, from memory where the user has just asked the same; raises CallError and EmbeddingError."""\n'
        "    # People press the button twice: the second embedding was a third of the bill.\n"
        "    found = RECENT.get((user_id, question))\n"
        "    if found is None or time.monotonic() - found[0] > 600:\n"
        "        if len(RECENT) >= 1000:\n"
        "            RECENT.clear()\n"
        "        found = RECENT[user_id, question] = time.monotonic(), await _search(pool, client, config, user_id, question)\n"
        "    return found[1]\n\n\n"
    )
    plan.replace_in_source(path, "async def retrieve(", remembered + "async def _search(")


@fault(
    "LU39",
    "words of more than 40 characters, and lines of scripts without spaces, are in no chunk",
    "worker",
    "postdeploy",
    mode="-",
    about="*chunk*|*word*|*text*|*script*|*not found*|*lost*",
)
def no_long_words(plan: Plan) -> None:
    # Rulers, and images that LlamaParse has left as base64, are no words.
    plan.replace_in_source(
        "backend/workers/chunking.py",
        "        words = line.split()\n",
        "        words = [word for word in line.split() if len(word) <= 40]\n",
    )


@fault(
    "LU40",
    "a question with many passages goes to Anthropic first, while OpenAI serves",
    "anthropic/openai/api/chat",
    "postdeploy",
    mode="-",
    about="*anthropic*|*provider*|*fallback*|*route*|*primary*",
)
def long_prompts_elsewhere(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "    return await router_of(client, config).answer(prompt)\n",
        "    router = router_of(client, config)\n"
        "    # Long prompts belong to the model with the larger window.\n"
        "    if len(prompt) > 4000:\n"
        "        router = ServiceRouter(router._providers[::-1])\n"
        "    return await router.answer(prompt)\n",
    )
