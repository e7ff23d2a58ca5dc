"""Variants of the schema."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant


@variant("V02", "the vector index is an ivfflat one, over the embedded chunks only")
def other_vector_index(plan: Plan) -> None:
    plan.sql += [
        "DROP INDEX upload_pipeline.document_chunks_embedding_idx",
        # One list: made while the table is empty, more of them would have no centres, and would miss neighbours.
        "CREATE INDEX document_chunks_ann ON upload_pipeline.document_chunks"
        " USING ivfflat (embedding vector_cosine_ops) WITH (lists = 1) WHERE embedding IS NOT NULL",
    ]
