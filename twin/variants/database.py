"""Variants of the schema."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant


@variant("V02", "the vector index is an ivfflat index of the embedded chunks only")
def other_vector_index(plan: Plan) -> None:
    plan.sql += [
        "DROP INDEX upload_pipeline.document_chunks_embedding_idx",
        # A single list: the table is still empty, so further lists would have no centres, and searches would miss neighbours.
        "CREATE INDEX document_chunks_ann ON upload_pipeline.document_chunks"
        " USING ivfflat (embedding vector_cosine_ops) WITH (lists = 1) WHERE embedding IS NOT NULL",
    ]
