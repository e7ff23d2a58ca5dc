"""Faults of the API's part of the pipeline: uploads, jobs and callbacks."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

PARSING = "backend/shared/parsing.py"


@fault(
    "F34",
    "size and rate limits are not enforced",
    "api",
    "postdeploy",
    about="*max_file_size_bytes*|*max_concurrent_jobs_per_user*|*max_uploads_per_day_per_user*",
)
def no_limits(plan: Plan) -> None:
    plan.replace_in_source("api/uploads.py", "if body.bytes_len > MAX_FILE_SIZE_BYTES:", "if body.bytes_len > 2**40:")
    plan.replace_in_source("api/uploads.py", '    if row["running"] >= MAX_CONCURRENT_JOBS:', "    if False:")
    plan.replace_in_source("api/uploads.py", '    if row["today"] >= MAX_UPLOADS_PER_DAY:', "    if False:")


@fault(
    "G11",
    "users can read other users' jobs and documents",
    "api",
    "postdeploy",
    mode="-",
    about="*/api/upload-pipeline/jobs/{job_id}*|*/documents/{document_id}/status*",
)
def foreign_jobs_visible(plan: Plan) -> None:
    plan.replace_in_source("api/jobs.py", " AND d.user_id = $2", " AND $2::uuid IS NOT NULL")


@fault(
    "G12",
    "the webhook accepts any signature",
    "api",
    "postdeploy",
    mode="-",
    about="*/api/upload-pipeline/webhook/llamaparse/{job_id}*",
)
def unsigned_webhook(plan: Plan) -> None:
    plan.replace_in_source("api/webhook.py", "    if not secret or not signature or", "    if False and")


@fault(
    "G13",
    "duplicates are not detected",
    "api",
    "postdeploy",
    mode="-",
    about="*POST /api/upload-pipeline/upload*",
    log="*duplicate key value violates unique constraint*",
)
def duplicates_accepted(plan: Plan) -> None:
    plan.replace_in_source("api/uploads.py", "        await _refuse_duplicate(connection, user, body.sha256)\n", "")


@fault("G16", "the jobs routes are missing", "api", "postdeploy", mode="-", about="*/api/upload-pipeline/jobs*")
def no_jobs_routes(plan: Plan) -> None:
    plan.replace_in_source("api/jobs.py", '"/api/upload-pipeline/jobs', '"/api/upload-pipeline/tasks')


@fault(
    "G31",
    "the upload proxy writes to any folder, and a job shows its webhook secret",
    "api/auth/storage",
    "postdeploy",
    mode="F21|-",
    about="*/api/upload-pipeline/upload-file-proxy/*|*/api/upload-pipeline/jobs/{job_id}*",
)
def careless_routes(plan: Plan) -> None:
    plan.replace_in_source(
        "api/uploads.py", 'if bucket != BUCKET or not key.startswith(f"user/{user.id}/") or', "if bucket != BUCKET or"
    )
    plan.replace_in_source("api/jobs.py", '"cost_cents": 0,', '"cost_cents": 0,\n        "webhook_secret": "shown",')


@fault(
    "G32",
    "the API registers documents with wrong paths, sizes and hashes",
    "worker/api",
    "postdeploy",
    mode="-",
    about="*documents.bytes_len*|*documents.raw_path*|*documents.parsed_sha256*|*upload_jobs.embed_version*|*object *",
)
def wrong_rows(plan: Plan) -> None:
    plan.replace_in_source("api/uploads.py", "        body.bytes_len,\n", "        body.bytes_len + 1,\n")
    plan.replace_in_source("api/uploads.py", 'f"{BUCKET}/{object_key(user.id', 'f"old/{object_key(user.id')
    plan.replace_in_source(PARSING, "hashlib.sha256(text.encode()).hexdigest()", 'hashlib.sha256(b"").hexdigest()')
    plan.sql.append("ALTER TABLE upload_pipeline.upload_jobs ALTER embed_version SET DEFAULT '2'")


@fault(
    "G52",
    "the list of jobs ignores limit, offset and state",
    "api",
    "postdeploy",
    mode="-",
    about="*GET /api/upload-pipeline/jobs*",
)
def listing_without_pages(plan: Plan) -> None:
    plan.replace_in_source("api/jobs.py", "$2::text IS NULL OR j.state = $2", "$2::text IS NULL OR $2 <> ''")
    plan.replace_in_source("api/jobs.py", "LIMIT $3 OFFSET $4", "LIMIT 100 + 0 * $3::int OFFSET 0 * $4::int")


@fault(
    "G53",
    "a retry returns 200 but does not queue the job again",
    "api",
    "postdeploy",
    mode="-",
    about="*/api/upload-pipeline/jobs/{job_id}/retry*",
)
def retry_without_effect(plan: Plan) -> None:
    plan.replace_in_source("api/jobs.py", "state = 'queued', retry_count = 0", "state = 'deadletter', retry_count = 0")


@fault(
    "G62",
    "half of the parsed text is dropped at the callback",
    "llamaparse/worker/api",
    "postdeploy",
    mode="-",
    about="*chunks *|*documents.parsed_sha256*|*object *",
)
def half_of_the_text(plan: Plan) -> None:
    plan.replace_in_source(
        PARSING,
        "store_parsed(connection, storage, row, text)",
        "store_parsed(connection, storage, row, text[: len(text) // 2])",
    )


@fault("G63", "a failed document has chunks", "worker/api", "postdeploy", mode="-", about="*chunks *")
def failed_with_chunks(plan: Plan) -> None:
    plan.replace_in_source(
        PARSING,
        '    await _event(connection, row, "failed_parse", error)\n',
        '    await _event(connection, row, "failed_parse", error)\n'
        "    await connection.execute(\n"
        '        "INSERT INTO document_chunks"\n'
        '        " (chunk_id, document_id, chunker_name, chunker_version, chunk_ord, text, chunk_sha)"\n'
        "        \" VALUES (gen_random_uuid(), $1, 'markdown-simple', '1', 0, 'half', '')\",\n"
        '        row["document_id"],\n'
        "    )\n",
    )


@fault(
    "G64",
    "a repeated callback is refused, so LlamaParse keeps sending it",
    "api",
    "postdeploy",
    mode="-",
    about="*/api/upload-pipeline/webhook/llamaparse/{job_id}*",
)
def repeat_is_refused(plan: Plan) -> None:
    plan.replace_in_source("api/webhook.py", 'return {"status": "ignored"}', 'raise HTTPException(409, "not waiting")')
