"""A stranger's variants of conversations, retrieval and the registration of uploads."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.build import write
from twin.variants.stranger_ninth import own_table

CHAT = "api/chat.py"
RETRIEVAL = "api/retrieval.py"
UPLOADS = "api/uploads.py"
MEMORY = '''"""Conversations: what a user asked before, and was answered, in the same one."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

log = logging.getLogger("api")
TURNS = 3
BEFORE = """SELECT question, answer FROM chat_turns WHERE user_id = $1 AND conversation_id = $2
    ORDER BY turn_id DESC LIMIT $3"""
ADD = "INSERT INTO chat_turns (user_id, conversation_id, question, answer) VALUES ($1, $2, $3, $4)"
FORGET = "DELETE FROM chat_turns WHERE user_id = $1 AND asked_at < now() - interval '30 days'"


async def before(pool: Any, user_id: UUID, conversation_id: str | None) -> str:
    """The last turns of this user's conversation, as a part of a prompt; without them one answers all the same."""
    if not conversation_id:
        return ""
    try:
        rows = await pool.fetch(BEFORE, user_id, conversation_id, TURNS)
    except Exception as error:
        log.warning("a conversation cannot be read: %s", type(error).__name__)
        return ""
    if not rows:
        return ""
    turns = "\\n".join(f"User: {row['question']}\\nYou: {row['answer']}" for row in reversed(rows))
    return f"Earlier in this conversation:\\n{turns}\\n\\n"


async def remember(pool: Any, user_id: UUID, said: dict[str, Any], question: str) -> None:
    """Keep a turn for thirty days."""
    try:
        await pool.execute(ADD, user_id, said["conversation_id"], question, said["text"])
        await pool.execute(FORGET, user_id)
    except Exception as error:
        log.warning("a turn of a conversation is not kept: %s", type(error).__name__)
'''
EXACT = '''OWN = """
WITH own AS MATERIALIZED (
    SELECT c.chunk_id, c.document_id, d.filename, c.text, 1 - (c.embedding <=> $1::vector) AS similarity
    FROM documents d JOIN document_chunks c USING (document_id)
    WHERE d.user_id = $2 AND c.embedding IS NOT NULL),
best AS (SELECT * FROM own WHERE similarity > $3 AND similarity <> 'NaN' ORDER BY similarity DESC, chunk_id LIMIT $4),
counted AS (
    SELECT *, sum(length(text) / $5::int + 1) OVER (ORDER BY similarity DESC, chunk_id) AS tokens FROM best)
SELECT chunk_id, document_id, filename, text, similarity FROM counted WHERE tokens <= $6
ORDER BY similarity DESC, chunk_id
"""


async def retrieve(pool: Any, client: Vendors, config: Config, user_id: UUID, question: str) -> list[Passage]:
    """Passages of this user's documents above the threshold, best first; raises CallError and EmbeddingError.

    A user has few documents: all of their chunks are compared, so that none is missed.
    """
    vector = vector_literal((await embed(client, config, [question], EMBEDDING_SECONDS))[0])
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        rows = await connection.fetch(
            OWN,
            vector,
            user_id,
            config.similarity_threshold,
            config.max_chunks,
            CHARACTERS_PER_TOKEN,
            config.token_budget,
        )
    return [Passage(**dict(row.items())) for row in rows]
'''


@variant("M10", "a conversation is remembered: its last three turns go before the passages, and are kept for thirty days")
def remembered(plan: Plan) -> None:
    """Contract, HTTP API: POST /api/chat takes `conversation_id?`, and returns it; field: extra tables, columns, policies."""
    write(plan, "api/memory.py", MEMORY)
    columns = (
        "turn_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id uuid NOT NULL, conversation_id text NOT NULL, "
        "question text NOT NULL, answer text NOT NULL, asked_at timestamptz NOT NULL DEFAULT now()"
    )
    own_table(plan, "chat_turns", columns, "user_id = (SELECT auth.uid())")
    plan.sql.append("CREATE INDEX chat_turns_idx ON upload_pipeline.chat_turns (user_id, conversation_id, turn_id)")
    plan.replace_in_source(
        CHAT, "from api.retrieval import", "from api.memory import before, remember\nfrom api.retrieval import"
    )
    plan.replace_in_source(
        CHAT,
        "answer = await complete(client, config, _prompt(body.message, passages))",
        "earlier = await before(request.app.state.pool, user.id, body.conversation_id)\n"
        "            answer = await complete(client, config, earlier + _prompt(body.message, passages))",
    )
    plan.replace_in_source(CHAT, "    return _body(\n        answer.text,", "    said = _body(\n        answer.text,")
    plan.replace_in_source(
        CHAT,
        "        input_tokens=sum(len(p.text) for p in passages) // 4,\n    )\n",
        "        input_tokens=sum(len(p.text) for p in passages) // 4,\n    )\n"
        "    await remember(request.app.state.pool, user.id, said, body.message)\n    return said\n",
    )


@variant("M11", "all of a user's chunks are compared, in one statement that also holds the threshold and counts tokens")
def exact_search(plan: Plan) -> None:
    """Contract, RAG: `over the caller's own chunks only`, threshold, best first, limits; not by which statement."""
    text = (plan.source / RETRIEVAL).read_text()
    write(plan, RETRIEVAL, text[: text.index("def within_budget(")] + EXACT)


@variant("M12", "a user's uploads line up at a row of the user, made when it is needed; URLs are signed before, outside of it")
def rows_of_users(plan: Plan) -> None:
    """Contract: `429 above 2 running jobs or 3 documents a day for one user`, 409; not what holds parallel requests apart."""
    columns = (
        "user_id uuid PRIMARY KEY, uploads bigint NOT NULL DEFAULT 0, first_seen timestamptz NOT NULL DEFAULT now(), "
        "last_upload timestamptz"
    )
    own_table(plan, "user_uploads", columns, "user_id = (SELECT auth.uid())")
    plan.replace_in_source(
        UPLOADS,
        "    async with request.app.state.pool.acquire() as connection, connection.transaction():\n"
        '        await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", str(user.id))\n'
        "        await _refuse_duplicate(connection, user, body.sha256)\n"
        "        await _refuse_over_limits(connection, user)\n"
        "        try:\n"
        '            url = await request.app.state.storage.create_signed_upload(object_key(user.id, document_id, "raw"))\n'
        "        except CallError as error:\n"
        '            raise not_served(error, "storage did not sign the upload") from error\n'
        "        job_id = await _insert(connection, user, body, document_id)\n",
        "    pool = request.app.state.pool\n"
        "    # Most refusals need neither the row nor storage; those that do are found out when the row is held.\n"
        "    async with pool.acquire() as connection:\n"
        '        await connection.execute("INSERT INTO user_uploads (user_id) VALUES ($1) ON CONFLICT DO NOTHING", user.id)\n'
        "        await _refuse_duplicate(connection, user, body.sha256)\n"
        "        await _refuse_over_limits(connection, user)\n"
        "    try:\n"
        '        url = await request.app.state.storage.create_signed_upload(object_key(user.id, document_id, "raw"))\n'
        "    except CallError as error:\n"
        '        raise not_served(error, "storage did not sign the upload") from error\n'
        "    async with pool.acquire() as connection, connection.transaction():\n"
        '        await connection.fetchrow("SELECT uploads FROM user_uploads WHERE user_id = $1 FOR UPDATE", user.id)\n'
        "        await _refuse_duplicate(connection, user, body.sha256)\n"
        "        await _refuse_over_limits(connection, user)\n"
        "        job_id = await _insert(connection, user, body, document_id)\n"
        "        await connection.execute(\n"
        '            "UPDATE user_uploads SET uploads = uploads + 1, last_upload = now() WHERE user_id = $1", user.id\n'
        "        )\n",
    )
