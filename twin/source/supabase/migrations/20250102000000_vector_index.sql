CREATE INDEX document_chunks_embedding_idx ON upload_pipeline.document_chunks
    USING hnsw (embedding vector_cosine_ops);
