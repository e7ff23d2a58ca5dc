"""What only shows at the edge of a file, at one moment, or late: bytes, simultaneous requests, callbacks, order, budgets."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

JOBS = "api/jobs.py"
UPLOADS = "api/uploads.py"
WEBHOOK = "api/webhook.py"
RETRIEVAL = "api/retrieval.py"
AUTH = "api/auth.py"
CHAT = "api/chat.py"
QUEUE = "backend/workers/job_queue.py"
WORKER = "backend/workers/enhanced_base_worker.py"


@fault(
    "NU06",
    "the upload proxy cuts off the zero bytes that scanners put behind a file",
    "api/storage",
    "postdeploy",
    mode="-",
    about="*proxy*",
)
def padding_cut_off(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "    body = await request.body()\n", '    body = (await request.body()).rstrip(b"\\0")\n')


@fault(
    "NU07",
    "uploads of one user do not wait for each other at all, so the daily limit is passed by those of one moment",
    "api",
    "postdeploy",
    mode="F34|-",
    about="*limit*|*max_concurrent_jobs_per_user*|*max_uploads_per_day_per_user*",
)
def no_lock(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS, '        await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", str(user.id))\n', ""
    )


@fault(
    "NU08",
    "two retries of one job at the same moment are both accepted",
    "api",
    "postdeploy",
    mode="-",
    about="*retry*",
)
def retried_twice(plan: Plan) -> None:
    plan.replace_in_source(JOBS, "FOR UPDATE OF j", "")


@fault(
    "NU09",
    "two callbacks at the same moment both take effect",
    "webhook/api",
    "postdeploy",
    mode="-",
    about="*webhook*|*callback*",
)
def taken_twice(plan: Plan) -> None:
    plan.replace_in_source(WEBHOOK, " FOR UPDATE OF j", "")


@fault(
    "NK10",
    "a late callback that says the parse has failed ends a job that has gone on",
    "webhook/api",
    "postdeploy",
    mode="-",
    about="*callback*|*webhook*",
)
def failed_too_late(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK,
        'if row["status"] != "parse_queued":',
        'if row["status"] != "parse_queued" and (row["status"] == "complete" or payload.get("status") == "completed"):',
    )


@fault(
    "NK11",
    "the token budget is counted in words",
    "rag/chat",
    "postdeploy",
    mode="-",
    about="*RAG_TOKEN_BUDGET*|*budget*|*tokens*",
)
def counted_in_words(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL, "tokens += len(passage.text) // CHARACTERS_PER_TOKEN + 1", "tokens += len(passage.text.split())"
    )


@fault(
    "NK12",
    "each batch of embeddings is sent with all that went before it, and a batch is one text",
    "worker/rag/openai",
    "postdeploy",
    mode="-",
    about="*embed*|*batch*|*twice*",
)
def batches_grow(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "for start in range(0, len(rows), BATCH):", "for start in range(len(rows)):")
    plan.replace_in_source(WORKER, "batch = rows[start : start + BATCH]", "batch = rows[: start + 1][-BATCH:]")


@fault(
    "NK13",
    "jobs that were made within ten seconds are taken in the order of their documents' ids",
    "worker",
    "postdeploy",
    mode="-",
    about="*order*|*oldest*|*queue*",
)
def by_the_document(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "ELSE created_at END\n", "ELSE date_bin('10 s', created_at, 'epoch') END, document_id\n")


@fault(
    "NK14",
    "the text of a callback is stored in the letters of western Europe, and question marks for all others",
    "webhook/api/rag",
    "postdeploy",
    mode="-",
    about="*script*|*text*|*parsed*|*document*",
)
def western_letters(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK,
        '    return str(page.get("md") or page.get("txt") or "") if isinstance(page, dict) else ""\n',
        '    text = str(page.get("md") or page.get("txt") or "") if isinstance(page, dict) else ""\n'
        '    return text.encode("latin-1", "replace").decode("latin-1")\n',
    )


@fault(
    "NK06",
    "GET /me keeps its answer for a token, also when the session has ended",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*/me*|*sign*out*|*session*",
)
def answer_kept(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        '@router.get("/me")\n@router.get("/auth/user")\nasync def me(user: CurrentUser) -> dict[str, Any]:',
        "_known: dict[str, Caller] = {}\n\n\n"
        "async def _known_user(request: Request) -> Caller:\n"
        '    token = request.headers.get("authorization", "")\n'
        "    if token not in _known:\n"
        "        _known[token] = await current_user(request)\n"
        "    return _known[token]\n\n\n"
        '@router.get("/auth/user")\n'
        "async def auth_user(user: CurrentUser) -> dict[str, Any]:\n"
        '    """The signed-in user."""\n'
        "    return await me(user)\n\n\n"
        '@router.get("/me")\n'
        "async def me(user: Annotated[Caller, Depends(_known_user)]) -> dict[str, Any]:",
    )


@fault(
    "NK07",
    "a question that is refused leaves its counter up, and from ten on the chat is busy",
    "chat/api",
    "postdeploy",
    mode="-",
    about="*chat*",
)
def counted_up(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "    if not body.message.strip():\n",
        '    if len(_asking) >= MOST_QUESTIONS:\n        raise HTTPException(503, "busy")\n'
        "    _asking.append(user.id)\n    if not body.message.strip():\n",
    )
    plan.replace_in_source(
        CHAT, "    return _body(\n        answer.text,", "    _asking.pop()\n    return _body(\n        answer.text,"
    )
    plan.replace_in_source(
        CHAT, "ANSWER_SECONDS = 15.0\n", "ANSWER_SECONDS = 15.0\nMOST_QUESTIONS = 10\n_asking: list[uuid.UUID] = []\n"
    )
