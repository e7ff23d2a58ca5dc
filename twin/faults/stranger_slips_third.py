"""Faults by another hand, third set: the queue over time, and retrieval by measurement."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

WORKER = "backend/workers/enhanced_base_worker.py"
QUEUE = "backend/workers/job_queue.py"
RETRIEVAL = "api/retrieval.py"
CHAT = "api/chat.py"


@fault(
    "P21",
    "a job whose worker has died three times is never claimed again and stays in state `working`",
    "worker",
    "postdeploy",
    mode="F28|-",
    about="*abandoned*|*lease*|*died*|*dead worker*|*taken over*|*claim*|*stuck*|*working*|*upload_jobs.state*|*poison*"
    "|*worker end*",
)
def abandoned_for_good(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "(state = 'working' AND lease_until <= now())",
        "(state = 'working' AND lease_until <= now() AND claims < 3)",
    )


@fault(
    "P22",
    "delays between attempts are capped at ten seconds, so that the third retry comes too early",
    "worker",
    "postdeploy",
    mode="-",
    about="*retry*|*retries*|*delay*|*backoff*|*back-off*|*attempt*|*not_before*|*WORKER_RETRY_BASE_DELAY*",
)
def capped_delay(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "LONGEST_DELAY_SECONDS = 3600.0", "LONGEST_DELAY_SECONDS = 10.0")


@fault(
    "P23",
    "a job that has used up its retries says `gave up` instead of the reason",
    "worker",
    "postdeploy",
    mode="-",
    about="*last_error*|*reason*|*failing job*|*failed job*|*used up*|*exhausted*|*retries*",
)
def reason_overwritten(plan: Plan) -> None:
    line = 'log.warning(json.dumps({"job_id": str(job["job_id"]), "final": final, **reason}))\n'
    plan.replace_in_source(
        QUEUE,
        line,
        f"""{line}        if final and not isinstance(error, PermanentError):
            reason |= {{"reason": f"gave up after {{attempt}} attempts"}}
""",
    )


@fault(
    "P24",
    "a job that has failed once is served after all younger ones of its stage",
    "worker",
    "postdeploy",
    mode="F28|-",
    about="*order*|*oldest*|*older*|*younger*|*starve*|*overtak*|*queue *|*turn*",
)
def retries_last(plan: Plan) -> None:
    order = "ORDER BY array_position($2::text[], status), "
    plan.replace_in_source(QUEUE, order, f"{order}retry_count, ")


@fault(
    "P25",
    "a repeated callback sends a job that is under way back to its beginning",
    "api",
    "postdeploy",
    mode="-",
    about="*webhook*|*callback*|*repeat*|*twice*|*moved on*|*goes back*|*status history*|*done again*|*processed again*",
)
def repeat_restarts(plan: Plan) -> None:
    path = "api/webhook.py"
    plan.replace_in_source(path, "SELECT j.job_id, j.status,", "SELECT j.job_id, j.status, j.state,")
    plan.replace_in_source(path, 'if row["status"] != "parse_queued":', 'if row["state"] == "done":')


@fault(
    "P26",
    "a job whose worker died after the vectors were stored fails for want of chunks",
    "worker",
    "postdeploy",
    mode="-",
    about="*embed*|*no chunks*|*died*|*resum*|*taken over*|*lease*|*abandoned*|*interrupted*|*chunks_stored*|*twice*|*again*",
)
def nothing_left_to_embed(plan: Plan) -> None:
    query = "SELECT chunk_id, text FROM document_chunks WHERE document_id = $1"
    plan.replace_in_source(WORKER, f"{query} ORDER", f"{query} AND embedding IS NULL ORDER")


@fault(
    "P27",
    "the longer an upload takes, the longer the worker does not look for it",
    "worker",
    "postdeploy",
    mode="-",
    about="*late upload*|*slow upload*|*sent late*|*upload*wait*|*wait*upload*|*bytes*|*upload*late*|*picked up*|*not_before*"
    "|*delay*|*poll*|*awaiting*|*uploaded*|*pipeline*",
)
def patience_grows(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "not_before = now() + make_interval(secs => $2), {RELEASED}",
        "not_before = now() + greatest(make_interval(secs => $2), now() - created_at), {RELEASED}",
    )


@fault(
    "P28",
    "passages that begin alike get the vector of the first of them",
    "worker/rag",
    "postdeploy",
    mode="F11|F29|-",
    about="*embedding*|*vector*|*begin alike*|*header*|*same beginning*|*nearest*|*passage*|*retriev*|*chunks*",
)
def vectors_by_beginning(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        '            vectors = await embed(self.client, self.config, [row["text"] for row in batch])\n',
        """            # What is repeated is embedded once.
            texts = {row["text"][:80]: row["text"] for row in reversed(batch)}
            embedded = await embed(self.client, self.config, list(texts.values()))
            by_beginning = dict(zip(texts, embedded, strict=True))
            vectors = [by_beginning[row["text"][:80]] for row in batch]
""",
    )


@fault(
    "P29",
    "passages above the threshold are dropped where the best one is much nearer",
    "rag/api",
    "postdeploy",
    mode="-",
    about="*threshold*|*RAG_*|*retriev*|*sources*|*passage*|*nearest*|*chunks*",
)
def relative_threshold(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL,
        'if row["similarity"] > config.similarity_threshold]',
        'if row["similarity"] > max(config.similarity_threshold, 0.75 * rows[0]["similarity"])]',
    )


@fault(
    "P30",
    "the token budget counts words, of which text in scripts without spaces has one",
    "rag/api",
    "postdeploy",
    mode="F34|-",
    about="*token*|*budget*|*RAG_TOKEN_BUDGET*|*RAG_*|*too much*|*sources*",
)
def budget_in_words(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL, "tokens += len(passage.text) // CHARACTERS_PER_TOKEN + 1", "tokens += len(passage.text.split()) * 4 // 3 + 1"
    )


@fault(
    "P31",
    "of several documents with the same file name only the newest is searched",
    "rag/api",
    "postdeploy",
    mode="F09|F16|-",
    about="*older*|*same name*|*file name*|*filename*|*two documents*|*retriev*|*own document*|*nearest*|*sources*"
    "|*nothing*|*first document*",
)
def newest_of_a_name(plan: Plan) -> None:
    where = "WHERE d.user_id = $2 AND c.embedding IS NOT NULL"
    plan.replace_in_source(
        RETRIEVAL,
        where,
        f"""{where} AND NOT EXISTS (SELECT 1 FROM documents newer WHERE newer.user_id = d.user_id
                   AND newer.filename = d.filename AND newer.created_at > d.created_at)""",
    )


@fault(
    "P32",
    "of a question in several lines only the first is searched for",
    "rag/api",
    "postdeploy",
    mode="F16|F11|-",
    about="*line*|*question*|*long question*|*retriev*|*nearest*|*sources*|*passage*|*nothing*",
)
def first_line_only(plan: Plan) -> None:
    plan.replace_in_source(RETRIEVAL, "[question], EMBEDDING_SECONDS", "[question.strip().splitlines()[0]], EMBEDDING_SECONDS")


@fault(
    "P33",
    "a question that is asked again is answered from what was found five minutes ago",
    "rag/api",
    "postdeploy",
    mode="F16|F19|-",
    about="*cache*|*stale*|*asked again*|*asked twice*|*same question*|*new document*|*newer*|*second document*|*retriev*"
    "|*nearest*|*sources*|*deleted*",
)
def remembered_passages(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "passages = await retrieve(", "passages = await _found(")
    route = '@router.post("/chat")\n@router.post("/api/chat")\n'
    plan.replace_in_source(
        CHAT,
        route,
        f'''REMEMBERED_SECONDS = 300.0
_remembered: dict[tuple[uuid.UUID, str], tuple[float, list[Passage]]] = {{}}


async def _found(pool: Any, client: Vendors, config: Config, user_id: uuid.UUID, question: str) -> list[Passage]:
    """What was found for the same user's same question, if that was not long ago."""
    now, key = time.monotonic(), (user_id, question)
    for old in [known for known, (at, _) in _remembered.items() if now - at > REMEMBERED_SECONDS]:
        del _remembered[old]
    if key in _remembered:
        return _remembered[key][1]
    passages = await retrieve(pool, client, config, user_id, question)
    if passages:
        _remembered[key] = now, passages
    return passages


{route}''',
    )
