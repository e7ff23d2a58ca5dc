"""Faults that break one thing and are loud elsewhere: documents, callbacks and jobs."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

QUEUE = "backend/workers/job_queue.py"
WORKER = "backend/workers/enhanced_base_worker.py"
WEBHOOK = "api/webhook.py"


@fault(
    "LK01",
    "the worker looks for the parsed text beside the file and not where the callback has stored it",
    "worker",
    "postdeploy",
    mode="-",
    about="*fail at parsed*|*parsed*path*|*.md*",
)
def text_beside_the_file(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        'key = object_key(document["user_id"], job["document_id"], "parsed")',
        'key = object_key(document["user_id"], job["document_id"], "raw").replace(".pdf", ".md")',
    )


@fault(
    "LK02",
    "files go to a bucket that does not exist",
    "storage",
    "postdeploy",
    mode="-",
    about="*bucket*|*raw_path*|*storage*|*sign*",
)
def another_bucket(plan: Plan) -> None:
    plan.replace_in_source("backend/shared/storage.py", 'BUCKET = "files"', 'BUCKET = "documents"')


@fault(
    "LK03",
    "the signature of a callback is compared in capital letters: genuine ones are refused",
    "api",
    "postdeploy",
    mode="-",
    about="*signed callback*|*signature*|*webhook*",
)
def signature_in_capitals(plan: Plan) -> None:
    plan.replace_in_source(WEBHOOK, "body, hashlib.sha256).hexdigest()", "body, hashlib.sha256).hexdigest().upper()")


@fault(
    "LK04",
    "the secret that is stored is not the one that LlamaParse signs with",
    "worker",
    "postdeploy",
    mode="-",
    about="*secret*|*signature*|*signed*|*callback*refused*",
)
def another_secret(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        "webhook_secret=secret, released=False)",
        "webhook_secret=hashlib.sha256(secret.encode()).hexdigest(), released=False)",
    )


@fault(
    "LK05",
    "new jobs begin in state working, so that no worker claims them",
    "database",
    "postdeploy",
    mode="-",
    about="*upload_jobs.state*|*state of*|*default*",
)
def working_from_the_beginning(plan: Plan) -> None:
    plan.sql.append("ALTER TABLE upload_pipeline.upload_jobs ALTER COLUMN state SET DEFAULT 'working'")


@fault(
    "LK06",
    "a trigger of the chunks waits a fifth of a second for each row",
    "database",
    "postdeploy",
    mode="-",
    about="*slow*|*too long*|*document_chunks*|*trigger*",
)
def slow_trigger(plan: Plan) -> None:
    plan.sql.append(
        "CREATE FUNCTION upload_pipeline.weigh() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN PERFORM pg_sleep(0.2); RETURN NEW; END $$"
    )
    plan.sql.append(
        "CREATE TRIGGER weigh BEFORE INSERT ON upload_pipeline.document_chunks "
        "FOR EACH ROW EXECUTE FUNCTION upload_pipeline.weigh()"
    )


@fault(
    "LK07",
    "the vectors' width has a CHECK for another model, so that none can be stored",
    "database",
    "postdeploy",
    mode="-",
    about="*vector_dim*",
)
def another_width(plan: Plan) -> None:
    plan.sql.append(
        "ALTER TABLE upload_pipeline.document_chunks DROP CONSTRAINT document_chunks_vector_dim_check, "
        "ADD CONSTRAINT document_chunks_vector_dim_check CHECK (vector_dim = 3072)"
    )


@fault(
    "LK08",
    "equal passages may stand only once in the database: a second document with one fails",
    "database",
    "postdeploy",
    mode="-",
    about="*chunk_sha*|*document_chunks*|*fail at parse_validated*",
)
def passages_are_unique(plan: Plan) -> None:
    plan.sql.append("CREATE UNIQUE INDEX document_chunks_sha_idx ON upload_pipeline.document_chunks (chunk_sha)")


@fault(
    "LK09",
    "the upload proxy looks for the caller's address in the folder, and refuses everybody with 403",
    "api",
    "postdeploy",
    mode="-",
    about="*upload-file-proxy*",
)
def folder_of_an_address(plan: Plan) -> None:
    plan.replace_in_source("api/uploads.py", 'key.startswith(f"user/{user.id}/")', 'key.startswith(f"user/{user.email}/")')


@fault(
    "LK10",
    "a callback that is repeated queues its job again from the parsed text",
    "api",
    "postdeploy",
    mode="-",
    about="*callback*|*worked on again*|*webhook*",
)
def repeated_callback(plan: Plan) -> None:
    plan.replace_in_source(WEBHOOK, 'if row["status"] != "parse_queued":', 'if row["status"] == "failed_parse":')
