"""Variants by a stranger, the thirteenth round: registrations, tokens, parsing and the processes of the worker."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.stranger_thirteenth import MIGRATIONS, WORKER, cut

UPLOADS = "api/uploads.py"

REGISTER_SQL = """
-- Version 7: its first 48 bits are the time.
CREATE FUNCTION upload_pipeline.uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE SET search_path = pg_catalog AS $$
    SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
        FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$$;
ALTER TABLE upload_pipeline.upload_jobs ALTER COLUMN job_id SET DEFAULT upload_pipeline.uuid_v7();
CREATE FUNCTION upload_pipeline.register_upload(whose uuid, new_id uuid, title text, kind text, size bigint, sha text,
    path text, most_running int, most_today int)
RETURNS TABLE (outcome text, job uuid, known_as text, known_since timestamptz, wait float8)
LANGUAGE plpgsql SET search_path = upload_pipeline, public, pg_temp AS $$
DECLARE
    running int; today int; oldest timestamptz; made uuid;
BEGIN
    PERFORM pg_advisory_xact_lock(20250107, hashtext(whose::text));
    RETURN QUERY SELECT 'duplicate'::text, NULL::uuid, d.filename, d.updated_at, 0::float8
        FROM documents d WHERE d.user_id = whose AND d.file_sha256 = sha;
    IF FOUND THEN
        RETURN;
    END IF;
    SELECT count(*) INTO running FROM upload_jobs j JOIN documents d USING (document_id)
        WHERE d.user_id = whose AND j.state IN ('queued', 'working', 'retryable');
    SELECT count(*), min(d.created_at) INTO today, oldest FROM documents d
        WHERE d.user_id = whose AND d.created_at > now() - interval '1 day';
    IF running >= most_running OR today >= most_today THEN
        RETURN QUERY SELECT CASE WHEN running >= most_running THEN 'running' ELSE 'today' END, NULL::uuid, NULL::text,
            NULL::timestamptz, CASE WHEN running >= most_running THEN 30
                ELSE greatest(1, extract(epoch FROM oldest + interval '1 day' - now())) END::float8;
        RETURN;
    END IF;
    INSERT INTO documents (document_id, user_id, filename, mime, bytes_len, file_sha256, raw_path, processing_status)
        VALUES (new_id, whose, title, kind, size, sha, path, 'uploaded');
    INSERT INTO upload_jobs (document_id, status) VALUES (new_id, 'uploaded') RETURNING job_id INTO made;
    INSERT INTO events (job_id, document_id, type) VALUES (made, new_id, 'uploaded');
    RETURN QUERY SELECT 'accepted'::text, made, NULL::text, NULL::timestamptz, 0::float8;
END $$;
REVOKE ALL ON FUNCTION upload_pipeline.register_upload(uuid, uuid, text, text, bigint, text, text, int, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION upload_pipeline.register_upload(uuid, uuid, text, text, bigint, text, text, int, int) TO service_role;
"""
REGISTERED = '''async def _register(connection: Any, user: Caller, body: UploadRequest, document_id: UUID) -> UUID:
    """The new job; raises 409 for what the user has, 429 above a limit. The database decides, in one statement."""
    row = await connection.fetchrow(
        "SELECT * FROM register_upload($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        user.id,
        document_id,
        body.filename,
        body.mime,
        body.bytes_len,
        body.sha256,
        f"{BUCKET}/{object_key(user.id, document_id, 'raw')}",
        MAX_CONCURRENT_JOBS,
        MAX_UPLOADS_PER_DAY,
    )
    if row["outcome"] == "duplicate":
        detail = {
            "error_type": "duplicate_document",
            "message": "you have this document already",
            "document_title": row["known_as"],
            "last_uploaded": row["known_since"].isoformat(),
        }
        raise HTTPException(409, detail)
    if row["outcome"] != "accepted":
        detail = {"detail": "above a limit", "error_type": f"too_many_{row['outcome']}"}
        raise HTTPException(429, detail, headers={"Retry-After": str(math.ceil(row["wait"]))})
    return row["job"]


@router.post("/api/upload-pipeline/upload")'''
IN_ONE = """        job_id = await _register(connection, user, body, document_id)
        try:
            url = await request.app.state.storage.create_signed_upload(object_key(user.id, document_id, "raw"))
        except CallError as error:
            raise not_served(error, "storage did not sign the upload") from error
"""


@variant("M72", "a function in the database registers documents; ids of jobs are of version 7, 429 says when to come back")
def registered_in_database(plan: Plan) -> None:
    (plan.source / MIGRATIONS / "20250107000000_register_upload.sql").write_text(REGISTER_SQL)
    cut(plan, UPLOADS, "async def _refuse_duplicate(", '@router.post("/api/upload-pipeline/upload")', REGISTERED)
    start = '        await connection.execute("SELECT pg_advisory_xact_lock'
    cut(plan, UPLOADS, start, "job_id = await _insert(connection, user, body, document_id)\n", IN_ONE)
    plan.replace_in_source(UPLOADS, 'uuid5(NAMESPACE, f"{user_id}:{sha256}")', "uuid5(user_id, sha256)")
    plan.replace_in_source(UPLOADS, 'NAMESPACE = UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")\n', "")


PARSE_URL = 'f"{self.config.llamaparse_url}/api/parsing/upload"'
HANDED = f"""        async with self.client.calls.to("llamaparse"):
            reply = await self.client.http.post(
                {PARSE_URL},
                headers={{"Authorization": f"Bearer {{self.config.llamaparse_key}}"}},
                files={{"file": (f"{{job['document_id']}}.pdf", body, "application/pdf")}},
                data={{
                    "result_type": "markdown",
                    "webhook_url": f"{{base}}/api/upload-pipeline/webhook/llamaparse/{{job['job_id']}}",
                    "webhook_secret": secret,
                }},
            )
            return str(reply.raise_for_status().json()["id"])
"""
LOOKED_UP = """                job = f"{self._url}/api/parsing/job/{row['parse_job_id']}"
                found = (await self._client.http.get(job, headers=self._headers)).raise_for_status().json()
                status, text = found["status"], ""
                error = ENDED.get(status, "") and (found.get("error_message") or ENDED[status])
                if status == "SUCCESS":
                    reply = await self._client.http.get(f"{job}/result/markdown", headers=self._headers)
                    text = reply.raise_for_status().json()["markdown"]
"""
RECONCILED = "backend/workers/reconciliation.py"


@variant("M73", "LlamaParse is called without its package, in the first version of its API; secrets of webhooks are in base64")
def first_parsing_api(plan: Plan) -> None:
    cut(plan, WORKER, '        async with self.client.calls.to("llamaparse"):', "return str(accepted.id)\n", HANDED)
    plan.replace_in_source(WORKER, "job: Any, filename: str, body", "job: Any, body")
    handed = 'self._hand_over(job, document["filename"], body, secret)'
    plan.replace_in_source(WORKER, handed, "self._hand_over(job, body, secret)")
    plan.replace_in_source(WORKER, "secret = secrets.token_hex(32)", 'secret = "whsec_" + secrets.token_urlsafe(48)')
    start = "                found = await self._client.llamaparse.parsing.get("
    cut(plan, RECONCILED, start, "or ENDED[status])\n", LOOKED_UP)
    for old, new in (
        ('{"FAILED": "parsing failed", "CANCELLED": "parsing was cancelled"}', '{"ERROR": "not parsed", "CANCELED": "ended"}'),
        ('if status == "COMPLETED" or error:', 'if status == "SUCCESS" or error:'),
        (
            "        self._client = client\n",
            "        self._client = client\n        self._url = config.llamaparse_url\n"
            '        self._headers = {"Authorization": f"Bearer {config.llamaparse_key}"}\n',
        ),
    ):
        plan.replace_in_source(RECONCILED, old, new)
    plan.replace_in_source("requirements.txt", "llama-cloud>=2,<3\n", "")
    vendors = "backend/shared/vendors.py"
    plan.replace_in_source(vendors, "    from llama_cloud import AsyncLlamaCloud\n\n# The", "\n# The")
    cut(plan, vendors, "    @cached_property\n    def llamaparse(", "timeout=self._seconds,\n        )\n\n", "")
