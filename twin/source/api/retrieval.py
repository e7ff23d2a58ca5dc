"""From a question to the caller's own passages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from backend.shared.config import Config
from backend.shared.database import vector_literal
from backend.shared.embeddings import embed
from backend.shared.vendors import Vendors

CHARACTERS_PER_TOKEN = 4
EMBEDDING_SECONDS = 15.0


@dataclass(frozen=True)
class Passage:
    """A chunk with its similarity to the question (0 to 1)."""

    chunk_id: UUID
    document_id: UUID
    filename: str
    text: str
    similarity: float


def within_budget(passages: list[Passage], config: Config) -> list[Passage]:
    """The best passages that together fit into the token budget."""
    kept: list[Passage] = []
    tokens = 0
    for passage in passages[: config.max_chunks]:
        tokens += len(passage.text) // CHARACTERS_PER_TOKEN + 1
        if tokens > config.token_budget:
            break
        kept.append(passage)
    return kept


async def retrieve(pool: Any, client: Vendors, config: Config, user_id: UUID, question: str) -> list[Passage]:
    """Passages of this user's documents above the threshold, best first; raises CallError and EmbeddingError."""
    vector = vector_literal((await embed(client, config, [question], EMBEDDING_SECONDS))[0])
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL hnsw.iterative_scan = strict_order; SET LOCAL hnsw.ef_search = 100")
        rows = await connection.fetch(
            """SELECT c.chunk_id, c.document_id, d.filename, c.text, 1 - (c.embedding <=> $1::vector) AS similarity
               FROM document_chunks c JOIN documents d USING (document_id)
               WHERE d.user_id = $2 AND c.embedding IS NOT NULL
               ORDER BY c.embedding <=> $1::vector LIMIT $3""",
            vector,
            user_id,
            config.max_chunks,
        )
    passages = [Passage(**dict(row.items())) for row in rows if row["similarity"] > config.similarity_threshold]
    return within_budget(passages, config)
