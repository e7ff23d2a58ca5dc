"""Variants by somebody who has not read the checks, fifteenth time: conversations that are remembered."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant

CHAT = "api/chat.py"

MEMORY = '''"""What was said before in a conversation: kept for its owner alone, and only the last of it."""

from __future__ import annotations

import hashlib
import logging
from typing import Any
from uuid import UUID

log = logging.getLogger("api")
SHOWN = 4
KEPT = 12
Turns = list[tuple[str, str]]


def _key(conversation_id: str) -> str:
    return hashlib.sha256(conversation_id.encode("utf-8", "surrogatepass")).hexdigest()


def _storable(text: str) -> bool:
    return "\\0" not in text and not any("\\ud800" <= character <= "\\udfff" for character in text)


async def recall(pool: Any, user_id: UUID, conversation_id: str) -> Turns:
    """Questions and answers of this user in this conversation, oldest first."""
    rows = await pool.fetch(
        "SELECT question, answer FROM chat_turns WHERE user_id = $1 AND conversation = $2 ORDER BY turn_id DESC LIMIT $3",
        user_id,
        _key(conversation_id),
        SHOWN,
    )
    return [(row["question"], row["answer"]) for row in reversed(rows)]


async def remember(pool: Any, user_id: UUID, conversation_id: str, question: str, answer: str) -> None:
    """Keep one turn and forget the oldest ones; an answer is not lost because it cannot be kept."""
    if not _storable(question) or not _storable(answer):
        return
    try:
        await pool.execute(
            "WITH kept AS (INSERT INTO chat_turns (user_id, conversation, question, answer) VALUES ($1, $2, $3, $4)) "
            "DELETE FROM chat_turns WHERE turn_id IN (SELECT turn_id FROM chat_turns "
            "WHERE user_id = $1 AND conversation = $2 ORDER BY turn_id DESC OFFSET $5)",
            user_id,
            _key(conversation_id),
            question,
            answer,
            KEPT - 1,
        )
    except Exception as error:
        log.warning("a turn cannot be kept: %s", type(error).__name__)
'''
TURNS = """-- Conversations, for their owners alone. They go with the user.
CREATE TABLE upload_pipeline.chat_turns (
    turn_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
    conversation text NOT NULL,
    question text NOT NULL,
    answer text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX chat_turns_conversation_idx ON upload_pipeline.chat_turns (user_id, conversation, turn_id);
ALTER TABLE upload_pipeline.chat_turns ENABLE ROW LEVEL SECURITY;
CREATE POLICY chat_turns_service ON upload_pipeline.chat_turns TO service_role USING (true) WITH CHECK (true);
CREATE POLICY chat_turns_owner ON upload_pipeline.chat_turns FOR SELECT TO authenticated
    USING (user_id = (SELECT auth.uid()));
GRANT SELECT, INSERT, UPDATE, DELETE ON upload_pipeline.chat_turns TO service_role;
GRANT SELECT ON upload_pipeline.chat_turns TO authenticated;
"""
EXACT = '''    rows = await pool.fetch(
        """WITH own AS MATERIALIZED (
               SELECT c.chunk_id, c.document_id, d.filename, c.text, 1 - (c.embedding <=> $1::vector) AS similarity
               FROM documents d JOIN document_chunks c USING (document_id)
               WHERE d.user_id = $2 AND c.embedding IS NOT NULL
           )
           SELECT * FROM own WHERE similarity > $4 ORDER BY similarity DESC, chunk_id LIMIT $3""",
        vector,
        user_id,
        config.max_chunks,
        config.similarity_threshold,
    )
    return within_budget([Passage(**dict(row.items())) for row in rows], config)
'''


IN_CONVERSATIONS = (
    (CHAT, "def router_of(client: Vendors, config: Config)", "def router_of(client: Vendors, config: Config, before: Turns)"),
    (CHAT, "partial(_openai, client)", "partial(_openai, client, before)"),
    (CHAT, "partial(_anthropic, client)", "partial(_anthropic, client, before)"),
    (
        CHAT,
        "async def complete(client: Vendors, config: Config, prompt: str)",
        "async def complete(client: Vendors, config: Config, before: Turns, prompt: str)",
    ),
    (
        CHAT,
        "return await router_of(client, config).answer(prompt)",
        "return await router_of(client, config, before).answer(prompt)",
    ),
    (
        CHAT,
        "            answer = await complete(client, config, _prompt(body.message, passages))\n",
        "            before = await recall(request.app.state.pool, user.id, conversation_id)\n"
        "            answer = await complete(client, config, before, _prompt(body.message, passages))\n",
    ),
    (
        CHAT,
        "    started = time.perf_counter()\n    config: Config",
        "    started = time.perf_counter()\n"
        "    conversation_id = body.conversation_id = body.conversation_id or str(uuid.uuid4())\n    config: Config",
    ),
    (
        CHAT,
        "    return _body(\n        answer.text,\n        body,\n        started,\n        _sources(",
        "    await remember(request.app.state.pool, user.id, conversation_id, body.message, answer.text)\n"
        "    return _body(\n        answer.text,\n        body,\n        started,\n        _sources(",
    ),
    (
        CHAT,
        "from api.retrieval import Passage, retrieve\n",
        "from api.memory import Turns, recall, remember\nfrom api.retrieval import Passage, retrieve\n",
    ),
)


@variant("M108", "conversations are remembered in the database for their owner and go to the model; passages are found exactly")
def conversations(plan: Plan) -> None:
    (plan.source / "api/memory.py").write_text(MEMORY)
    (plan.source / "supabase/migrations/20250107000000_conversations.sql").write_text(TURNS)
    retrieval = (plan.source / "api/retrieval.py").read_text()
    plan.replace_in_source("api/retrieval.py", retrieval[retrieval.index("    async with pool.acquire()") :], EXACT)
    plan.replace_in_source(
        CHAT,
        "async def _openai(client: Vendors, prompt: str)",
        "async def _openai(client: Vendors, before: Turns, prompt: str)",
    )
    plan.replace_in_source(
        CHAT,
        "async def _anthropic(client: Vendors, prompt: str)",
        "async def _anthropic(client: Vendors, before: Turns, prompt: str)",
    )
    said = (
        '*({"role": role, "content": text} for turn in before for role, text in zip(("user", "assistant"), turn, strict=True))'
    )
    plan.replace_in_source(
        CHAT,
        'messages=[{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": prompt}],',
        'messages=[{"role": "system", "content": INSTRUCTION}, *_said(before), {"role": "user", "content": prompt}],',
    )
    plan.replace_in_source(
        CHAT,
        'messages=[{"role": "user", "content": prompt}],',
        'messages=[*_said(before), {"role": "user", "content": prompt}],',
    )
    plan.replace_in_source(
        CHAT,
        "async def _openai(",
        f"def _said(before: Turns) -> list[dict[str, str]]:\n    return [{said}]\n\n\nasync def _openai(",
    )
    for path, old, new in IN_CONVERSATIONS:
        plan.replace_in_source(path, old, new)
