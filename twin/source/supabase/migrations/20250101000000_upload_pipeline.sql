CREATE SCHEMA IF NOT EXISTS upload_pipeline;

CREATE TABLE upload_pipeline.documents (
    document_id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    filename text NOT NULL,
    mime text NOT NULL,
    bytes_len bigint NOT NULL CHECK (bytes_len > 0),
    file_sha256 text NOT NULL,
    parsed_sha256 text,
    raw_path text NOT NULL,
    parsed_path text,
    processing_status text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT documents_user_file_unique UNIQUE (user_id, file_sha256)
);

CREATE TABLE upload_pipeline.upload_jobs (
    job_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    document_id uuid NOT NULL,
    status text NOT NULL,
    state text NOT NULL DEFAULT 'queued',
    progress jsonb NOT NULL DEFAULT '{}',
    retry_count int NOT NULL DEFAULT 0,
    last_error jsonb,
    webhook_secret text,
    chunks_version text NOT NULL DEFAULT 'markdown-simple@1',
    embed_model text NOT NULL DEFAULT 'text-embedding-3-small',
    embed_version text NOT NULL DEFAULT '1',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT upload_jobs_document_id_fkey FOREIGN KEY (document_id)
        REFERENCES upload_pipeline.documents (document_id) ON DELETE CASCADE,
    CONSTRAINT upload_jobs_status_check CHECK (status IN (
        'uploaded', 'parse_queued', 'parsed', 'parse_validated', 'chunking', 'chunks_stored',
        'embedding_queued', 'embedding_in_progress', 'embeddings_stored', 'complete',
        'failed_parse', 'failed_chunking', 'failed_embedding', 'duplicate')),
    CONSTRAINT upload_jobs_state_check CHECK (state IN
        ('queued', 'working', 'retryable', 'done', 'deadletter'))
);
CREATE INDEX upload_jobs_unfinished_idx ON upload_pipeline.upload_jobs (status, created_at)
    WHERE state IN ('queued', 'working', 'retryable');
CREATE INDEX upload_jobs_document_idx ON upload_pipeline.upload_jobs (document_id);

CREATE TABLE upload_pipeline.document_chunks (
    chunk_id uuid PRIMARY KEY,
    document_id uuid NOT NULL,
    chunker_name text NOT NULL,
    chunker_version text NOT NULL,
    chunk_ord int NOT NULL,
    text text NOT NULL,
    chunk_sha text NOT NULL,
    embed_model text,
    embed_version text,
    vector_dim int CONSTRAINT document_chunks_vector_dim_check CHECK (vector_dim = 1536),
    embedding vector(1536),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT document_chunks_document_id_fkey FOREIGN KEY (document_id)
        REFERENCES upload_pipeline.documents (document_id) ON DELETE CASCADE,
    CONSTRAINT document_chunks_order_unique
        UNIQUE (document_id, chunker_name, chunker_version, chunk_ord)
);

CREATE TABLE upload_pipeline.events (
    event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id uuid REFERENCES upload_pipeline.upload_jobs (job_id) ON DELETE CASCADE,
    document_id uuid,
    type text NOT NULL,
    payload jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX events_job_idx ON upload_pipeline.events (job_id);

CREATE TABLE upload_pipeline.webhook_log (
    log_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id uuid REFERENCES upload_pipeline.upload_jobs (job_id) ON DELETE CASCADE,
    provider text NOT NULL,
    accepted boolean NOT NULL,
    payload_sha256 text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX webhook_log_job_idx ON upload_pipeline.webhook_log (job_id);
