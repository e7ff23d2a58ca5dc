"""Variants by somebody who knows the contract only: conversations, passages, health and vendors in another way."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.stranger_twelfth import WORKER, rewrite

CHAT = "api/chat.py"
HEALTH = "api/health.py"

SPLIT = r'''def _sentences(text: str) -> list[str]:
    found: list[str] = []
    for sentence in re.split(r"(?<=[.!?;:])\s+", text):
        current = ""
        for word in sentence.split():
            if current and len(current) + 1 + len(word) > TARGET_CHARACTERS:
                found.append(current)
                current = ""
            current = f"{current} {word}".strip()
        found += [current] if current else []
    return found


def _filled(paragraph: str) -> list[str]:
    chunks: list[str] = []
    for sentence in _sentences(paragraph):
        if chunks and len(chunks[-1]) + 1 + len(sentence) <= TARGET_CHARACTERS:
            chunks[-1] += f" {sentence}"
        else:
            chunks.append(sentence)
    return chunks


def split(text: str) -> list[str]:
    """Chunks in reading order, each with the heading that it stands under; every word is in at least one of them."""
    chunks: list[str] = []
    heading, is_used = "", True
    for paragraph in re.split(r"\n\s*\n", text):
        lines = paragraph.strip().split("\n")
        if lines[0].startswith("#"):
            chunks += [] if is_used else _filled(heading)
            heading, is_used = " ".join(lines[0].split()), False
            lines = lines[1:]
        for chunk in _filled("\n".join(lines)):
            fits = len(heading) <= LONGEST_HEADING
            chunks += [] if fits or is_used else _filled(heading)
            chunks.append(f"{heading}\n{chunk}" if heading and fits else chunk)
            is_used = True
    return chunks + ([] if is_used else _filled(heading))
'''
EMBEDDED = """        stored: list[tuple[list[Any], list[list[float]]]] = []
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            vectors = await embed(self.client, self.config, [row["text"] for row in batch])
            if len(vectors) != len(batch):
                raise EmbeddingError(f"{len(vectors)} embeddings for {len(batch)} chunks")
            stored.append((batch, vectors))
        async with self.queue.leases.holding(job) as connection:
            for batch, vectors in stored:
                await self._store_vectors(connection, batch, vectors)
            done = {**job["progress"], "embedded": len(rows)}
            await self.queue.advance_in(connection, job, "embeddings_stored", progress=done)

"""


@variant("M51", "passages are sentences under their headings, with ids of no meaning; all vectors are stored at once or none")
def sentences(plan: Plan) -> None:
    path = "backend/workers/chunking.py"
    rewrite(plan, path, "def _pieces(", "", SPLIT)
    plan.replace_in_source(path, "paragraphs joined into passages that overlap slightly", "sentences below their heading")
    plan.replace_in_source(path, "TARGET_CHARACTERS = 600", "TARGET_CHARACTERS = 450")
    plan.replace_in_source(path, "OVERLAP_CHARACTERS = 120", "LONGEST_HEADING = 90")
    own = """uuid5(NAMESPACE, f"{job['document_id']}:{CHUNKER_NAME}:{CHUNKER_VERSION}:{number}"),"""
    plan.replace_in_source(WORKER, own, "uuid4(),")
    plan.replace_in_source(WORKER, "from uuid import UUID, uuid5\n", "from uuid import uuid4\n")
    rewrite(plan, WORKER, "NAMESPACE = UUID(", "\n\nclass UploadPending", "")
    rewrite(plan, WORKER, "        for start in range(0, len(rows), BATCH):", "    async def _store_vectors(", EMBEDDED)


RESPONDED = """        reply = await client.openai.responses.create(
            model=CHAT_MODEL, instructions=INSTRUCTION, input=prompt, store=False, max_output_tokens=MAX_TOKENS
        )
        if not reply.output_text:
            raise ValueError("the response holds no text")
        return str(reply.output_text)


"""


@variant("M55", "OpenAI is asked through its Responses interface, which keeps nothing")
def responses(plan: Plan) -> None:
    rewrite(plan, CHAT, "        reply = await client.openai.chat", "async def _anthropic(", RESPONDED)
    for name in ("requirements.txt", "requirements-prod.txt"):
        plan.replace_in_source(name, "openai>=1.50,<4", "openai>=1.66,<4")


TURNS = """
CREATE TABLE upload_pipeline.chat_turns (
    turn_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
    -- SHA-256 of the conversation's id, which is any text.
    conversation text NOT NULL,
    question text NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX chat_turns_conversation ON upload_pipeline.chat_turns (user_id, conversation, turn_id);
ALTER TABLE upload_pipeline.chat_turns ENABLE ROW LEVEL SECURITY;
CREATE POLICY chat_turns_service ON upload_pipeline.chat_turns TO service_role USING (true) WITH CHECK (true);
CREATE POLICY chat_turns_owner ON upload_pipeline.chat_turns FOR SELECT TO authenticated
    USING (user_id = (SELECT auth.uid()));
GRANT SELECT ON upload_pipeline.chat_turns TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON upload_pipeline.chat_turns TO service_role;
"""
MEMORY = '''"""What a user asked before in a conversation; the same id in another user's hands is another conversation."""

from __future__ import annotations

import hashlib
import logging
from typing import Any
from uuid import UUID

from backend.shared.database import OUTAGES

log = logging.getLogger("api")
MOST_TURNS = 3
MOST_CHARACTERS = 200
EARLIER = "SELECT question FROM chat_turns WHERE user_id = $1 AND conversation = $2 ORDER BY turn_id DESC LIMIT $3"


def _key(conversation_id: str) -> str:
    return hashlib.sha256(conversation_id.encode(errors="surrogatepass")).hexdigest()


def _question(message: str) -> str:
    """The message in one line, as the database can hold it."""
    text = " ".join(message.replace("\\0", " ").split())
    return text.encode(errors="replace").decode()[:MOST_CHARACTERS]


async def recall(pool: Any, user_id: UUID, conversation_id: str) -> list[str]:
    """The last questions, oldest first."""
    rows = await pool.fetch(EARLIER, user_id, _key(conversation_id), MOST_TURNS)
    return [row["question"] for row in reversed(rows)]


async def remember(pool: Any, user_id: UUID, conversation_id: str, message: str) -> None:
    """Keep a question that was answered; the answer is worth more than its record."""
    try:
        await pool.execute(
            "INSERT INTO chat_turns (user_id, conversation, question) VALUES ($1, $2, $3)",
            user_id,
            _key(conversation_id),
            _question(message),
        )
    except OUTAGES as error:
        log.warning("a question is not remembered: %r", error)
'''
PROMPT = """def _prompt(question: str, passages: list[Passage], earlier: list[str]) -> str:
    context = "\\n\\n".join(f"[passage {number}]\\n{p.text}" for number, p in enumerate(passages, 1))
    before = "Asked before:\\n" + "".join(f"- {one}\\n" for one in earlier) + "\\n" if earlier else ""
    return f"{before}Passages:\\n{context}\\n\\nQuestion: {question}"


"""


@variant("M56", "conversations are remembered in a table of their own, for each user alone")
def conversations(plan: Plan) -> None:
    (plan.source / "supabase/migrations/20250110000000_chat_turns.sql").write_text(TURNS)
    (plan.source / "api/memory.py").write_text(MEMORY)
    rewrite(plan, CHAT, "def _prompt(", "async def _openai(", PROMPT)
    caller = "from api.auth import CurrentUser\n"
    plan.replace_in_source(CHAT, caller, f"{caller}from api.memory import recall, remember\n")
    plan.replace_in_source(
        CHAT,
        "    started = time.perf_counter()\n    config:",
        "    started = time.perf_counter()\n"
        "    conversation = body.conversation_id = body.conversation_id or str(uuid.uuid4())\n"
        "    pool = request.app.state.pool\n    config:",
    )
    plan.replace_in_source(
        CHAT,
        "            answer = await complete(client, config, _prompt(body.message, passages))\n",
        "            earlier = await recall(pool, user.id, conversation)\n"
        "            answer = await complete(client, config, _prompt(body.message, passages, earlier))\n"
        "            await remember(pool, user.id, conversation, body.message)\n",
    )


GUARDED = """def _found(status: str, started: float, error: str | None = None) -> dict[str, Any]:
    spent = round((time.perf_counter() - started) * 1000, 1)
    healthy = status == "healthy"
    return {"status": status, "healthy": healthy, "last_check": _now(), "error": error, "latency_ms": spent}


async def _guarded(check: Awaitable[Any]) -> Any:
    started = time.perf_counter()
    try:
        found = await asyncio.wait_for(check, timeout=8)
    except Exception as error:
        log.warning("a health check failed: %r", error)
        return _found("error", started, f"error: {type(error).__name__}")
    if isinstance(found, str) and found.startswith("error"):
        return _found("error", started, found)
    return found if found == "not_configured" else _found("healthy", started)


"""
AHEAD = '''_refreshing: set[asyncio.Task[None]] = set()
_one_check = asyncio.Lock()


async def _refresh(request: Request, older_than: float) -> None:
    async with _one_check:
        if time.monotonic() - _cache.get("at", float("-inf")) > older_than:
            started = time.monotonic()
            _cache.update(body=await collect(request), at=started)


def _refresh_ahead(request: Request, older_than: float) -> None:
    """Check in the background, so that the next caller waits for nobody; a failure shows when the body is too old."""
    if not _refreshing:
        task = asyncio.create_task(_refresh(request, older_than))
        _refreshing.add(task)
        task.add_done_callback(lambda done: (_refreshing.discard(done), done.cancelled() or done.exception()))


@router.get("/health")
@router.head("/health")
async def health(request: Request) -> Response:
    """Health of the service; the body is never older than 30 s, and checked ahead of that while somebody asks."""
    try:
        oldest = CACHE_SECONDS / request.app.state.config.speedup
        age = time.monotonic() - _cache.get("at", float("-inf"))
        if age > oldest:
            await _refresh(request, oldest)
        elif age > oldest / 2:
            _refresh_ahead(request, oldest / 2)
'''


@variant("M59", "the health page is checked ahead of its time, and says of each service when, how long and with what result")
def ahead(plan: Plan) -> None:
    rewrite(plan, HEALTH, "async def _guarded(", "def _is_healthy(", GUARDED)
    rewrite(plan, HEALTH, '@router.get("/health")', '        body = _cache["body"]', AHEAD)
    shown = "    last_check: datetime\n    error: str | None\n"
    plan.replace_in_source("api/schemas.py", shown, f"{shown}    latency_ms: Annotated[float, Field(ge=0)]\n")
