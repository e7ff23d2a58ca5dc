"""Variants by a stranger, the thirteenth round: retrieval, answers, conversations and registrations."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.stranger_thirteenth import MIGRATIONS, cut

CHAT = "api/chat.py"
RETRIEVAL = "api/retrieval.py"

MATCH_SQL = """
-- The passages of one user for a question: exactly, because a user has few, and within both limits.
CREATE FUNCTION upload_pipeline.match_chunks(whose uuid, question vector, above float8, most int, budget int)
RETURNS TABLE (chunk_id uuid, document_id uuid, filename text, text text, similarity float8)
LANGUAGE sql STABLE SET search_path = upload_pipeline, public, pg_temp AS $$
    WITH own AS MATERIALIZED (
        SELECT c.chunk_id, c.document_id, d.filename, c.text, 1 - (c.embedding <=> question) AS similarity
        FROM documents d JOIN document_chunks c USING (document_id)
        WHERE d.user_id = whose AND c.embedding IS NOT NULL),
    best AS (SELECT * FROM own WHERE own.similarity > above ORDER BY own.similarity DESC, own.chunk_id LIMIT most),
    summed AS (
        SELECT best.*, sum(char_length(best.text) / 4 + 1) OVER (ORDER BY best.similarity DESC, best.chunk_id) AS tokens
        FROM best)
    SELECT s.chunk_id, s.document_id, s.filename, s.text, s.similarity FROM summed s WHERE s.tokens <= budget
    ORDER BY s.similarity DESC, s.chunk_id
$$;
REVOKE ALL ON FUNCTION upload_pipeline.match_chunks(uuid, vector, float8, int, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION upload_pipeline.match_chunks(uuid, vector, float8, int, int) TO service_role;
"""
MATCHED = """    rows = await pool.fetch(
        "SELECT * FROM match_chunks($1, $2::vector, $3, $4, $5)",
        user_id,
        vector,
        config.similarity_threshold,
        config.max_chunks,
        config.token_budget,
    )
    return [Passage(**dict(row.items())) for row in rows]
"""
IVFFLAT = "USING ivfflat (embedding vector_cosine_ops) WITH (lists = 25) WHERE embedding IS NOT NULL;"


@variant("M69", "a function in the database finds the passages, exactly and within both limits; its index is ivfflat")
def matched_in_database(plan: Plan) -> None:
    (plan.source / MIGRATIONS / "20250107000000_match_chunks.sql").write_text(MATCH_SQL)
    index = f"{MIGRATIONS}/20250102000000_vector_index.sql"
    plan.replace_in_source(index, "USING hnsw (embedding vector_cosine_ops);", IVFFLAT)
    end = "    return within_budget(passages, config)\n"
    cut(plan, RETRIEVAL, "    async with pool.acquire() as connection, connection.transaction():", end, MATCHED)
    cut(plan, RETRIEVAL, "def within_budget(", "    return kept\n\n\n", "")
    plan.replace_in_source(RETRIEVAL, "CHARACTERS_PER_TOKEN = 4\n", "")


STREAMED_OPENAI = """    async with client.calls.to("openai.chat", ANSWER_SECONDS):
        stream = await client.openai.responses.create(
            model=CHAT_MODEL, instructions=INSTRUCTION, input=prompt, stream=True, store=False
        )
        pieces: list[str] = []
        last = ""
        async for event in stream:
            last = event.type
            if event.type == "response.output_text.delta":
                pieces.append(event.delta)
        if last not in ("response.completed", "response.incomplete") or not pieces:
            raise ValueError("the stream ended before the answer did")
        return "".join(pieces)
"""
STREAMED_ANTHROPIC = """            messages=[{"role": "user", "content": prompt}],
            stream=True,
        )
        pieces: list[str] = []
        last = ""
        async for event in reply:
            last = event.type
            if event.type == "content_block_delta" and event.delta.type == "text_delta":
                pieces.append(event.delta.text)
        if last != "message_stop" or not pieces:
            raise ValueError("the stream ended before the answer did")
        return "".join(pieces)
"""


@variant("M70", "answers are streamed from both providers, and OpenAI is asked through its Responses API")
def streamed(plan: Plan) -> None:
    start = '    async with client.calls.to("openai.chat", ANSWER_SECONDS):'
    cut(plan, CHAT, start, "        return str(reply.choices[0].message.content)\n", STREAMED_OPENAI)
    start = '            messages=[{"role": "user", "content": prompt}],\n        )\n'
    cut(plan, CHAT, start, 'if block.type == "text")\n', STREAMED_ANTHROPIC)


MEMORY_SQL = """
CREATE TABLE upload_pipeline.conversation_turns (
    turn_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
    conversation_sha256 text NOT NULL,
    question text NOT NULL,
    answer text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX conversation_turns_idx ON upload_pipeline.conversation_turns (user_id, conversation_sha256, turn_id DESC);
ALTER TABLE upload_pipeline.conversation_turns ENABLE ROW LEVEL SECURITY;
CREATE POLICY conversation_turns_service ON upload_pipeline.conversation_turns TO service_role
    USING (true) WITH CHECK (true);
CREATE POLICY conversation_turns_owner ON upload_pipeline.conversation_turns FOR SELECT TO authenticated
    USING (user_id = (SELECT auth.uid()));
GRANT SELECT ON upload_pipeline.conversation_turns TO authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON upload_pipeline.conversation_turns TO service_role;
"""
MEMORY = '''"""What was said before in a conversation of the caller; of each one only the last turns are kept."""

from __future__ import annotations

import hashlib
import logging
from typing import Any
from uuid import UUID

import asyncpg
from backend.shared.database import OUTAGES

log = logging.getLogger("api")
RECALLED, KEPT, LONGEST = 2, 8, 1000
Turns = list[tuple[str, str]]


def _key(conversation_id: str) -> str:
    return hashlib.sha256(conversation_id.encode(errors="replace")).hexdigest()


def _text(value: str) -> str:
    return value.replace("\\0", "").encode(errors="replace").decode()[:LONGEST]


async def recall(pool: Any, user_id: UUID, conversation_id: str | None) -> Turns:
    """The last turns, oldest first."""
    if not conversation_id:
        return []
    rows = await pool.fetch(
        """SELECT question, answer FROM conversation_turns WHERE user_id = $1 AND conversation_sha256 = $2
           ORDER BY turn_id DESC LIMIT $3""",
        user_id,
        _key(conversation_id),
        RECALLED,
    )
    return [(row["question"], row["answer"]) for row in reversed(rows)]


async def remember(pool: Any, user_id: UUID, conversation_id: str | None, question: str, answer: str) -> None:
    """Keep a turn; the answer does not depend on it."""
    if not conversation_id:
        return
    key = _key(conversation_id)
    try:
        await pool.execute(
            "INSERT INTO conversation_turns (user_id, conversation_sha256, question, answer) VALUES ($1, $2, $3, $4)",
            user_id,
            key,
            _text(question),
            _text(answer),
        )
        await pool.execute(
            """DELETE FROM conversation_turns WHERE turn_id IN (
                   SELECT turn_id FROM conversation_turns WHERE user_id = $1 AND conversation_sha256 = $2
                   ORDER BY turn_id DESC OFFSET $3)""",
            user_id,
            key,
            KEPT,
        )
    except (*OUTAGES, asyncpg.IntegrityConstraintViolationError) as error:
        log.warning("a turn is not kept: %s", type(error).__name__)
'''
SAID = '''def _said(turns: Turns, prompt: str) -> list[Any]:
    """The conversation in the providers' form, which both have in common."""
    before = [m for q, a in turns for m in ({"role": "user", "content": q}, {"role": "assistant", "content": a})]
    return [*before, {"role": "user", "content": prompt}]


async def _openai('''


@variant("M71", "conversations are kept in a table with row-level security; the model is told their last turns")
def conversations(plan: Plan) -> None:
    (plan.source / MIGRATIONS / "20250107000000_conversations.sql").write_text(MEMORY_SQL)
    (plan.source / "api/memory.py").write_text(MEMORY)
    for old, new in (
        ("async def _openai(", SAID),
        ("_openai(client: Vendors, prompt", "_openai(client: Vendors, turns: Turns, prompt"),
        ("_anthropic(client: Vendors, prompt", "_anthropic(client: Vendors, turns: Turns, prompt"),
        ('INSTRUCTION}, {"role": "user", "content": prompt}],', "INSTRUCTION}, *_said(turns, prompt)],"),
        ('messages=[{"role": "user", "content": prompt}],', "messages=_said(turns, prompt),"),
        ("def router_of(client: Vendors, config: Config)", "def router_of(client: Vendors, config: Config, turns: Turns)"),
        ("partial(_openai, client)", "partial(_openai, client, turns)"),
        ("partial(_anthropic, client)", "partial(_anthropic, client, turns)"),
        ("config: Config, prompt: str)", "config: Config, prompt: str, turns: Turns)"),
        ("router_of(client, config)", "router_of(client, config, turns)"),
        (
            "            answer = await complete(client, config, _prompt(body.message, passages))\n",
            "            turns = await recall(request.app.state.pool, user.id, body.conversation_id)\n"
            "            answer = await complete(client, config, _prompt(body.message, passages), turns)\n"
            "            await remember(request.app.state.pool, user.id, body.conversation_id, body.message, answer.text)\n",
        ),
        ("from api.retrieval", "from api.memory import Turns, recall, remember\nfrom api.retrieval"),
    ):
        plan.replace_in_source(CHAT, old, new)
