"""Variants of the schema: other types, constraints and indexes that keep the same promises."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant

DOCUMENTS = "upload_pipeline.documents"
JOBS = "upload_pipeline.upload_jobs"
CHUNKS = "upload_pipeline.document_chunks"
STATUSES = (
    "'uploaded', 'parse_queued', 'parsed', 'parse_validated', 'chunking', 'chunks_stored', 'embedding_queued', "
    "'embedding_in_progress', 'embeddings_stored', 'complete', 'failed_parse', 'failed_chunking', 'failed_embedding', "
    "'duplicate'"
)
STATES = "'queued', 'working', 'retryable', 'done', 'deadletter'"
UNFINISHED = "state IN ('queued', 'working', 'retryable')"


def change_types(table: str, kind: str, *columns: str) -> str:
    """The statement that gives these columns of a table another type."""
    return f"ALTER TABLE {table} " + ", ".join(f"ALTER COLUMN {column} TYPE {kind}" for column in columns)


@variant("V02", "the vector index is an ivfflat index of the embedded chunks only")
def other_vector_index(plan: Plan) -> None:
    plan.sql += [
        "DROP INDEX upload_pipeline.document_chunks_embedding_idx",
        # A single list: the table is still empty, so further lists would have no centres, and searches would miss neighbours.
        "CREATE INDEX document_chunks_ann ON upload_pipeline.document_chunks"
        " USING ivfflat (embedding vector_cosine_ops) WITH (lists = 1) WHERE embedding IS NOT NULL",
    ]


@variant(
    "V24", "texts are varchar or char, times have a precision, numbers that the contract leaves open are bigint or smallint"
)
def other_types(plan: Plan) -> None:
    plan.sql += [
        change_types(DOCUMENTS, "varchar(300)", "filename", "mime", "raw_path", "parsed_path", "processing_status"),
        change_types(DOCUMENTS, "char(64)", "file_sha256", "parsed_sha256"),
        change_types(DOCUMENTS, "timestamptz(3)", "created_at", "updated_at"),
        change_types(JOBS, "varchar(40)", "status", "state", "chunks_version", "embed_model", "embed_version"),
        change_types(JOBS, "varchar", "webhook_secret"),
        change_types(JOBS, "timestamptz(6)", "created_at", "updated_at"),
        change_types(CHUNKS, "varchar(64)", "chunker_name", "chunker_version", "chunk_sha", "embed_model", "embed_version"),
        change_types(CHUNKS, "bigint", "chunk_ord"),
        change_types(CHUNKS, "smallint", "vector_dim"),
    ]


@variant("V25", "status and state have domains, whose CHECKs name the agreed values")
def domains(plan: Plan) -> None:
    plan.sql += [
        f"CREATE DOMAIN upload_pipeline.job_status AS text CONSTRAINT job_status_check CHECK (VALUE = ANY (ARRAY[{STATUSES}]))",
        f"CREATE DOMAIN upload_pipeline.job_state AS varchar(20) DEFAULT 'queued' CHECK (VALUE IN ({STATES}))",
        "CREATE DOMAIN upload_pipeline.dimension AS int CHECK (VALUE = 1536)",
        "DROP INDEX upload_pipeline.upload_jobs_unfinished_idx",
        f"ALTER TABLE {JOBS} DROP CONSTRAINT upload_jobs_status_check, DROP CONSTRAINT upload_jobs_state_check,"
        " ALTER COLUMN status TYPE upload_pipeline.job_status, ALTER COLUMN state TYPE upload_pipeline.job_state",
        f"ALTER TABLE {CHUNKS} DROP CONSTRAINT document_chunks_vector_dim_check,"
        " ALTER COLUMN vector_dim TYPE upload_pipeline.dimension",
        f"CREATE INDEX jobs_to_do ON {JOBS} (status, created_at) WHERE {UNFINISHED}",
    ]


@variant("V26", "CHECKs are written as comparisons, and there are more of them, of one column and of several")
def more_checks(plan: Plan) -> None:
    either = " OR ".join(f"status = {status}" for status in STATUSES.split(", "))
    plan.sql += [
        f"ALTER TABLE {JOBS} DROP CONSTRAINT upload_jobs_status_check, DROP CONSTRAINT upload_jobs_state_check,"
        f" ADD CONSTRAINT known_status CHECK ({either}),"
        f" ADD CONSTRAINT known_state CHECK (state = ANY ('{{queued,working,retryable,done,deadletter}}'::text[])),"
        " ADD CONSTRAINT status_is_lower_case CHECK (status = lower(status) AND status <> ''),"
        " ADD CONSTRAINT complete_is_done CHECK (status <> 'complete' OR state = 'done'),"
        " ADD CONSTRAINT waiting_has_a_secret CHECK (status <> 'parse_queued' OR state = 'queued' OR retry_count >= 0),"
        " ADD CONSTRAINT counted CHECK (retry_count >= 0)",
        f"ALTER TABLE {CHUNKS} DROP CONSTRAINT document_chunks_vector_dim_check,"
        " ADD CONSTRAINT one_dimension CHECK (1536 = vector_dim AND vector_dim > 0),"
        " ADD CONSTRAINT same_dimension CHECK (embedding IS NULL OR vector_dims(embedding) = vector_dim),"
        " ADD CONSTRAINT numbered CHECK (chunk_ord >= 0)",
        f"ALTER TABLE {DOCUMENTS} ADD CONSTRAINT hashes CHECK (length(file_sha256) = 64),"
        " ADD CONSTRAINT words CHECK (processing_status IS NULL OR processing_status <> 'no')",
    ]


@variant("V27", "one CHECK states which status goes with which state")
def one_check_for_both(plan: Plan) -> None:
    plan.sql += [
        f"ALTER TABLE {JOBS} DROP CONSTRAINT upload_jobs_status_check, DROP CONSTRAINT upload_jobs_state_check,"
        f" ADD CONSTRAINT status_with_state CHECK (status IN ({STATUSES}) AND state IN ({STATES})"
        " AND (state <> 'done' OR status IN ('complete', 'duplicate', 'failed_parse', 'failed_chunking', 'failed_embedding')))"
    ]


@variant(
    "V28", "keys and indexes include further columns, are unique indexes instead of constraints, or are longer than needed"
)
def including_columns(plan: Plan) -> None:
    plan.sql += [
        f"ALTER TABLE {DOCUMENTS} DROP CONSTRAINT documents_user_file_unique",
        f"CREATE UNIQUE INDEX one_file_each ON {DOCUMENTS} (file_sha256, user_id) INCLUDE (document_id, filename)",
        f"ALTER TABLE {CHUNKS} DROP CONSTRAINT document_chunks_order_unique, DROP CONSTRAINT document_chunks_pkey,"
        " ADD CONSTRAINT document_chunks_pkey PRIMARY KEY (chunk_id) INCLUDE (document_id)",
        f"CREATE UNIQUE INDEX one_of_each ON {CHUNKS} (document_id, chunker_name, chunker_version, chunk_ord)"
        " INCLUDE (chunk_id)",
        "DROP INDEX upload_pipeline.upload_jobs_unfinished_idx, upload_pipeline.upload_jobs_document_idx",
        f"CREATE INDEX to_do ON {JOBS} (status, created_at) INCLUDE (job_id, state, retry_count) WHERE {UNFINISHED}",
        f"CREATE INDEX jobs_of_document ON {JOBS} (document_id, created_at DESC)",
        f"CREATE INDEX documents_by_user ON {DOCUMENTS} (user_id, created_at DESC) INCLUDE (filename)",
        f"CREATE INDEX documents_by_name ON {DOCUMENTS} (lower(filename))",
    ]


@variant("V29", "the vector index is one of half precision, with options, and searches compare in half precision")
def half_precision(plan: Plan) -> None:
    plan.sql += [
        "DROP INDEX upload_pipeline.document_chunks_embedding_idx",
        f"CREATE INDEX chunks_half ON {CHUNKS} USING hnsw ((embedding::halfvec(1536)) halfvec_cosine_ops)"
        " WITH (m = 24, ef_construction = 96)",
    ]
    plan.replace_in_source(
        "api/retrieval.py", "(c.embedding <=> $1::vector)", "(c.embedding::halfvec(1536) <=> $1::halfvec(1536))"
    )
    plan.replace_in_source(
        "api/retrieval.py",
        "ORDER BY c.embedding <=> $1::vector LIMIT",
        "ORDER BY c.embedding::halfvec(1536) <=> $1::halfvec(1536) LIMIT",
    )


@variant("V30", "pgvector is in the schema `extensions`")
def extension_in_its_schema(plan: Plan) -> None:
    plan.sql += [
        "CREATE SCHEMA extensions",
        "ALTER EXTENSION vector SET SCHEMA extensions",
        "GRANT USAGE ON SCHEMA extensions TO anon, authenticated, service_role, staging_user",
        'ALTER DATABASE staging_db SET search_path = "$user", public, extensions',
    ]
    plan.replace_in_source("backend/shared/database.py", '"{config.schema},public"', '"{config.schema},public,extensions"')


@variant("V31", "foreign keys are deferrable, composite or doubled, and children refer to the users too")
def other_foreign_keys(plan: Plan) -> None:
    plan.sql += [
        f"ALTER TABLE {DOCUMENTS} ADD CONSTRAINT documents_with_owner UNIQUE (user_id, document_id)",
        f"ALTER TABLE {JOBS} DROP CONSTRAINT upload_jobs_document_id_fkey,"
        " ADD CONSTRAINT jobs_to_documents FOREIGN KEY (document_id)"
        f" REFERENCES {DOCUMENTS} ON UPDATE CASCADE ON DELETE CASCADE DEFERRABLE INITIALLY IMMEDIATE",
        f"ALTER TABLE {CHUNKS} ADD COLUMN user_id uuid",
        "CREATE FUNCTION upload_pipeline.owner_of_chunk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" NEW.user_id := (SELECT user_id FROM {DOCUMENTS} WHERE document_id = NEW.document_id); RETURN NEW; END $$",
        f"CREATE TRIGGER owner BEFORE INSERT ON {CHUNKS} FOR EACH ROW EXECUTE FUNCTION upload_pipeline.owner_of_chunk()",
        f"ALTER TABLE {CHUNKS} DROP CONSTRAINT document_chunks_document_id_fkey, ADD CONSTRAINT chunks_to_documents"
        f" FOREIGN KEY (user_id, document_id) REFERENCES {DOCUMENTS} (user_id, document_id) MATCH FULL ON DELETE CASCADE",
        "CREATE TABLE upload_pipeline.retention (document_id uuid PRIMARY KEY)",
        "ALTER TABLE upload_pipeline.retention ENABLE ROW LEVEL SECURITY",
    ]


@variant("V32", "generated columns, identities, comments, statistics, and columns in another order")
def other_columns(plan: Plan) -> None:
    first = "20250101000000_upload_pipeline.sql"
    path = f"supabase/migrations/{first}"
    plan.replace_in_source(path, "    user_id uuid NOT NULL,\n    filename text NOT NULL,\n", "")
    plan.replace_in_source(
        path,
        "    CONSTRAINT documents_user_file_unique",
        "    filename text NOT NULL,\n    user_id uuid NOT NULL,\n    CONSTRAINT documents_user_file_unique",
    )
    plan.replace_in_source(
        path, "    chunk_id uuid PRIMARY KEY,\n    document_id uuid NOT NULL,\n", "    document_id uuid NOT NULL,\n"
    )
    plan.replace_in_source(
        path,
        "    vector_dim int CONSTRAINT",
        "    chunk_id uuid DEFAULT gen_random_uuid() PRIMARY KEY,\n    vector_dim int CONSTRAINT",
    )
    plan.sql += [
        f"ALTER TABLE {DOCUMENTS} ADD COLUMN number bigint GENERATED BY DEFAULT AS IDENTITY,"
        " ADD COLUMN title text GENERATED ALWAYS AS (regexp_replace(filename, '[.]pdf$', '')) STORED",
        f"ALTER TABLE {CHUNKS} ADD COLUMN words tsvector GENERATED ALWAYS AS (to_tsvector('simple', text)) STORED",
        f"CREATE INDEX chunk_words ON {CHUNKS} USING gin (words)",
        f"CREATE INDEX chunk_facts ON {JOBS} USING gin (progress jsonb_path_ops)",
        f"COMMENT ON COLUMN {JOBS}.status IS 'status: ''uploaded'', ''done'' and so on'",
        f"COMMENT ON TABLE {CHUNKS} IS 'CHECK (vector_dim = 3072) was planned'",
        f"CREATE STATISTICS upload_pipeline.of_jobs ON status, state FROM {JOBS}",
    ]
