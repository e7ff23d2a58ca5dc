"""Slips of a stranger, read from the contract alone: the queue over time, and retrieval."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

WORKER = "backend/workers/enhanced_base_worker.py"
QUEUE = "backend/workers/job_queue.py"
JOBS = "api/jobs.py"
WEBHOOK = "api/webhook.py"
RETRIEVAL = "api/retrieval.py"
CHAT = "api/chat.py"

SPREAD = '''def _spread(rows: list[Any]) -> list[Any]:
    """Without the neighbours of better ones, which overlap with them."""
    kept: list[Any] = []
    for row in rows:
        if not any(
            row["document_id"] == other["document_id"] and abs(row["chunk_ord"] - other["chunk_ord"]) == 1 for other in kept
        ):
            kept.append(row)
    return kept


async def retrieve('''
LATIN = """def _page(page: Any) -> str:
    text = str(page.get("md") or page.get("txt") or "") if isinstance(page, dict) else ""
    # What fonts without an encoding leave behind.
    return re.sub(r"[^\\t\\n\\r -\\u024f]+", " ", text)
"""
KEPT = """# Answers of the last minutes: the front end asks twice when a tab is restored.
KEPT_SECONDS = 300.0
MOST_KEPT = 500
_kept: dict[tuple[uuid.UUID, str], tuple[float, dict[str, Any]]] = {}


def _keep(user_id: uuid.UUID, text: str, body: ChatRequest, *arguments: Any, **metadata: Any) -> dict[str, Any]:
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    reply = _body(text, body, *arguments, **metadata)
    _kept[user_id, body.message.strip().lower()] = (time.monotonic(), reply)
    return reply


def _sources("""


@fault(
    "Z21",
    "a retry is accepted for jobs that have not failed: those that are queued or postponed",
    "api",
    "postdeploy",
    mode="-",
    about="*retry*|*retryable*",
)
def retry_of_waiting_jobs(plan: Plan) -> None:
    plan.replace_in_source(JOBS, 'if row["state"] != "deadletter":', 'if row["state"] in ("working", "done"):')
    plan.replace_in_source(JOBS, '}[row["status"]]', '}.get(row["status"], "uploaded")')


@fault(
    "Z22",
    "embeddings go out once for each chunk, each time with all the chunks that follow it",
    "worker/rag/openai",
    "postdeploy",
    mode="-",
    about="*embed*|*batch*|*twice*",
)
def step_forgotten(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "for start in range(0, len(rows), BATCH):", "for start in range(len(rows)):")


@fault(
    "Z23",
    "a late callback brings a job back that was given up",
    "webhook/api",
    "postdeploy",
    mode="-",
    about="*callback*|*webhook*",
)
def callback_for_the_dead(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK, 'if row["status"] != "parse_queued":', 'if row["status"] not in ("parse_queued", "failed_parse"):'
    )


@fault(
    "Z24",
    "jobs of the same minute are taken in the order of their ids, not of their age",
    "worker",
    "postdeploy",
    mode="-",
    about="*order*|*oldest*|*queue*|*overtak*",
)
def by_the_minute(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "ELSE created_at END\n", "ELSE date_trunc('minute', created_at) END, job_id\n")


@fault(
    "Z25",
    "a job whose bytes have not arrived is claimed again without a pause, and those behind it wait",
    "worker",
    "postdeploy",
    mode="F28",
    about="*spin*|*queue*|*worker*|*starv*|*awaiting_upload*",
)
def no_pause_for_the_bytes(plan: Plan) -> None:
    waiting = """progress = progress || '{{"awaiting_upload": true}}'"""
    plan.replace_in_source(QUEUE, f"SET state = 'retryable', {waiting}", f"SET state = 'queued', {waiting}")


@fault(
    "Z26",
    "the best passage is kept even where it alone is beyond the token budget",
    "rag/chat",
    "postdeploy",
    mode="-",
    about="*RAG_TOKEN_BUDGET*|*budget*|*tokens*",
)
def the_first_is_free(plan: Plan) -> None:
    plan.replace_in_source(RETRIEVAL, "if tokens > config.token_budget:", "if kept and tokens > config.token_budget:")


@fault(
    "Z27",
    "similarities are rounded before they are held against the threshold, and those just above it are lost",
    "rag/chat",
    "postdeploy",
    mode="-",
    about="*RAG_SIMILARITY_THRESHOLD*|*threshold*|*nearest*",
)
def rounded_to_the_threshold(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL, 'if row["similarity"] > config.similarity', 'if round(row["similarity"], 1) > config.similarity'
    )


@fault(
    "Z28",
    "of neighbouring chunks only the better one is retrieved",
    "rag/chat",
    "postdeploy",
    mode="-",
    about="*nearest*|*chunk*|*retriev*|*passage*",
)
def no_neighbours(plan: Plan) -> None:
    plan.replace_in_source(RETRIEVAL, "async def retrieve(", SPREAD)
    plan.replace_in_source(RETRIEVAL, "SELECT c.chunk_id,", "SELECT c.chunk_ord, c.chunk_id,")
    plan.replace_in_source(
        RETRIEVAL,
        "Passage(**dict(row.items())) for row in rows if",
        'Passage(**{name: value for name, value in row.items() if name != "chunk_ord"}) for row in _spread(rows) if',
    )


@fault(
    "Z29",
    "the callback strikes out every letter that is not Latin",
    "webhook/api/rag",
    "postdeploy",
    mode="-",
    about="*script*|*text*|*chunk*|*parsed*|*document*",
)
def latin_only(plan: Plan) -> None:
    plan.replace_in_source(WEBHOOK, "import logging\n", "import logging\nimport re\n")
    old = """def _page(page: Any) -> str:
    return str(page.get("md") or page.get("txt") or "") if isinstance(page, dict) else ""
"""
    plan.replace_in_source(WEBHOOK, old, LATIN)


@fault(
    "Z30",
    "a question that was asked before is answered from memory, with the other conversation's id, time and sources",
    "chat/api",
    "postdeploy",
    mode="-",
    about="*conversation*|*timestamp*|*chat*",
)
def answered_from_memory(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "def _sources(", KEPT)
    plan.replace_in_source(CHAT, "return _body(\n        answer.text,", "return _keep(\n        user.id,\n        answer.text,")
    started = "    started = time.perf_counter()\n    config: Config"
    plan.replace_in_source(
        CHAT,
        started,
        "    kept_at, kept = _kept.get((user.id, body.message.strip().lower()), (0.0, None))\n"
        f"    if kept and time.monotonic() - kept_at < KEPT_SECONDS:\n        return kept\n{started}",
    )


@fault(
    "Z31",
    "a question with many passages goes to Anthropic although OpenAI works",
    "chat/anthropic",
    "postdeploy",
    mode="-",
    about="*provider*|*anthropic*|*route*",
)
def long_prompts_elsewhere(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "def router_of(client: Vendors, config: Config)",
        'def router_of(client: Vendors, config: Config, prompt: str = "")',
    )
    plan.replace_in_source(
        CHAT,
        '    return ServiceRouter([*providers, Provider("anthropic", partial(_anthropic, client))])',
        '    other = Provider("anthropic", partial(_anthropic, client))\n'
        "    # Its window is the larger one.\n"
        "    return ServiceRouter([other, *providers] if len(prompt) > LONG_PROMPT else [*providers, other])",
    )
    plan.replace_in_source(CHAT, "MAX_TOKENS = 1024\n", "MAX_TOKENS = 1024\nLONG_PROMPT = 2400\n")
    plan.replace_in_source(CHAT, "router_of(client, config).answer", "router_of(client, config, prompt).answer")
