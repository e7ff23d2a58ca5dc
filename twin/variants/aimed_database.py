"""Variants aimed at the checks of the database and of storage; each says what allows it."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.access import drop_policies
from twin.variants.database import CHUNKS, DOCUMENTS, JOBS, STATUSES

UPLOADS = "api/uploads.py"
PARSING = "backend/shared/parsing.py"
WORKER = "backend/workers/enhanced_base_worker.py"
TABLES = ("documents", "upload_jobs", "document_chunks", "events", "webhook_log")


@variant("W17", "mime and processing_status of a document have enumerated types")
def enumerated_types(plan: Plan) -> None:
    """Contract, Database: documents names mime and processing_status without a type."""
    plan.sql += [
        "CREATE TYPE upload_pipeline.mime_type AS ENUM ('application/pdf')",
        f"CREATE TYPE upload_pipeline.stage AS ENUM ({STATUSES})",
        f"ALTER TABLE {DOCUMENTS} ALTER COLUMN mime TYPE upload_pipeline.mime_type USING mime::upload_pipeline.mime_type,"
        " ALTER COLUMN processing_status TYPE upload_pipeline.stage USING processing_status::upload_pipeline.stage",
    ]


@variant("W18", "hashes of files and texts are stored as 32 bytes")
def hashes_as_bytes(plan: Plan) -> None:
    """Contract, Database: file_sha256 and parsed_sha256 have no type; the API takes and gives 64 hexadecimal digits."""
    plan.sql += [
        f"ALTER TABLE {DOCUMENTS} ALTER COLUMN file_sha256 TYPE bytea USING decode(file_sha256, 'hex'),"
        " ALTER COLUMN parsed_sha256 TYPE bytea USING decode(parsed_sha256, 'hex')",
    ]
    plan.replace_in_source(UPLOADS, "file_sha256 = $2", "file_sha256 = decode($2, 'hex')")
    plan.replace_in_source(UPLOADS, "$4, $5, $6, $7, 'uploaded')", "$4, $5, decode($6, 'hex'), $7, 'uploaded')")
    plan.replace_in_source(PARSING, "parsed_sha256 = $3", "parsed_sha256 = decode($3, 'hex')")


@variant("W19", "each chunk must say how many tokens it has: a further column without a default")
def further_required_column(plan: Plan) -> None:
    """Field: extra columns are nobody's business; the worker, which alone writes chunks, fills it in."""
    plan.sql.append(f"ALTER TABLE {CHUNKS} ADD COLUMN tokens int NOT NULL CHECK (tokens > 0)")
    plan.replace_in_source(
        WORKER,
        "                hashlib.sha256(text.encode()).hexdigest(),\n",
        "                hashlib.sha256(text.encode()).hexdigest(),\n                len(text) // 4 + 1,\n",
    )
    plan.replace_in_source(WORKER, "text, chunk_sha) VALUES", "text, chunk_sha, tokens) VALUES")
    plan.replace_in_source(WORKER, "$5, $6, $7)", "$5, $6, $7, $8)")


@variant("W20", "a trigger lets a job be complete only when its document has embedded chunks")
def guarded_completion(plan: Plan) -> None:
    """Contract, Worker: complete follows embeddings_stored; the CHECK lets the word through, and triggers are left open."""
    plan.sql += [
        f"""CREATE FUNCTION upload_pipeline.is_embedded() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.status = 'complete' AND NOT EXISTS (
                SELECT 1 FROM {CHUNKS} c WHERE c.document_id = NEW.document_id AND c.embedding IS NOT NULL)
            THEN RAISE EXCEPTION 'job % has no embedded chunks', NEW.job_id; END IF;
            RETURN NEW; END $$""",
        f"CREATE TRIGGER embedded BEFORE UPDATE OF status ON {JOBS} FOR EACH ROW"
        " EXECUTE FUNCTION upload_pipeline.is_embedded()",
    ]


@variant("W21", "a restrictive policy keeps guests out, who have signed in without an account")
def no_guests(plan: Plan) -> None:
    """Contract, Database: a user sees only their own rows; tokens of users say `is_anonymous`, as Supabase's guide has it."""
    plan.sql += [
        f"CREATE POLICY no_guests ON {DOCUMENTS} AS RESTRICTIVE FOR SELECT TO authenticated"
        # The services' own role is a member of this one.
        " USING ((SELECT (auth.jwt() ->> 'is_anonymous')::boolean) IS FALSE OR current_user <> 'authenticated')",
    ]


@variant("W22", "service_role reads the pipeline's tables, and only the services' own role writes them")
def service_role_reads(plan: Plan) -> None:
    """Contract, Database: service_role sees all; the services reach the database as the role of DATABASE_URL."""
    plan.sql += [
        "REVOKE INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA upload_pipeline FROM service_role",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA upload_pipeline TO staging_user",
        *drop_policies("service"),
    ]
    for table in TABLES:
        plan.sql += [
            f"CREATE POLICY seen ON upload_pipeline.{table} FOR SELECT TO service_role USING (true)",
            f"CREATE POLICY services ON upload_pipeline.{table} TO staging_user USING (true) WITH CHECK (true)",
        ]


@variant("W23", "the index of documents' jobs is a hash index; that of the queue leaves out statuses instead of states")
def other_kinds_of_indexes(plan: Plan) -> None:
    """Contract, Database: an index on document_id, and one on (status, created_at) over unfinished jobs, of no named kind."""
    done = "'complete', 'duplicate', 'failed_parse', 'failed_chunking', 'failed_embedding'"
    plan.sql += [
        "DROP INDEX upload_pipeline.upload_jobs_unfinished_idx, upload_pipeline.upload_jobs_document_idx",
        f"CREATE INDEX jobs_by_document ON {JOBS} USING hash (document_id)",
        f"CREATE INDEX jobs_in_work ON {JOBS} (status, created_at DESC) WHERE status NOT IN ({done})",
    ]


@variant("W24", "storage has no policy for the service role, which passes row-level security by")
def storage_without_policies(plan: Plan) -> None:
    """Contract, Storage: the service-role key opens the bucket; that the services' database role sees it is not said."""
    plan.sql += [
        "ALTER ROLE service_role BYPASSRLS",
        "DROP POLICY buckets_service ON storage.buckets",
        *(f"DROP POLICY files_service_{name} ON storage.objects" for name in ("read", "insert", "update", "delete")),
    ]
