"""What a stranger got past review, second set: who may do what, and uploads to the byte."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
JOBS = "api/jobs.py"
UPLOADS = "api/uploads.py"
WEBHOOK = "api/webhook.py"
STORAGE = "backend/shared/storage.py"
WORKER = "backend/workers/enhanced_base_worker.py"
ANNOUNCE = """
CREATE FUNCTION upload_pipeline.announce_job() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE document upload_pipeline.documents;
BEGIN
    SELECT * INTO document FROM upload_pipeline.documents d WHERE d.document_id = NEW.document_id;
    PERFORM realtime.send(
        jsonb_build_object('job_id', NEW.job_id, 'status', NEW.status, 'state', NEW.state, 'filename', document.filename),
        'job_changed', 'user:' || document.user_id, true);
    RETURN NULL;
END $$;
CREATE TRIGGER upload_jobs_announce AFTER INSERT OR UPDATE OF status ON upload_pipeline.upload_jobs
    FOR EACH ROW EXECUTE FUNCTION upload_pipeline.announce_job();
CREATE POLICY job_listeners ON realtime.messages FOR SELECT TO authenticated
    USING (extension = 'broadcast' AND realtime.topic() LIKE 'user:%');
"""
JOBS_POLICY = """
DROP POLICY upload_jobs_owner ON upload_pipeline.upload_jobs;
CREATE POLICY upload_jobs_owner ON upload_pipeline.upload_jobs FOR SELECT TO authenticated
    USING (EXISTS (SELECT 1 FROM upload_pipeline.documents d
                   WHERE d.document_id = document_id AND d.user_id = (SELECT auth.uid())));
"""
OVERVIEW = """
CREATE VIEW public.document_overview AS
    SELECT d.document_id, d.user_id, d.filename, d.processing_status, j.status, j.state, j.last_error, d.created_at
    FROM upload_pipeline.documents d JOIN upload_pipeline.upload_jobs j USING (document_id);
"""
DIRECT_UPLOAD = """
CREATE POLICY files_direct_upload ON storage.objects FOR INSERT TO authenticated
    WITH CHECK (bucket_id = 'files' AND name LIKE 'user/%/raw/%');
"""
REUSE = '''
    async def _is_reused(self, job: Any, document: Any) -> bool:
        """Take the text of the same content where it was parsed before: LlamaParse is paid by the page."""
        known = await self.pool.fetchrow(
            """SELECT o.document_id, o.user_id FROM documents o JOIN documents d USING (file_sha256)
               WHERE d.document_id = $1 AND o.document_id <> $1 AND o.processing_status = 'complete' LIMIT 1""",
            job["document_id"],
        )
        if known is None:
            return False
        try:
            text = (await self.storage.read(object_key(known["user_id"], known["document_id"], "parsed"))).decode()
        except StorageError:
            return False
        await self.queue.advance(job, "parse_queued", state="working", released=False)
        row = {"job_id": job["job_id"], "document_id": job["document_id"], "user_id": document["user_id"]}
        async with self.queue.leases.holding(job) as connection:
            await store_parsed(connection, self.storage, row, text)
        return True
'''


@fault(
    "Q09",
    "a token that was verified is accepted for another minute, however it has ended",
    "api/auth",
    "postdeploy",
    mode="F25|-",
    about="*token*|*expired*|*sign-out*|*signed out*|*deleted user*|*session*|*GET /me*|*auth/user*",
)
def remembered_tokens(plan: Plan) -> None:
    begins, ends = (
        "    client: Vendors = request.app.state.client\n    try:\n        reply",
        "    return user\n\n\nasync def current_user",
    )
    plan.replace_in_source(AUTH, "import re\n", "import re\nimport time\n")
    plan.replace_in_source(
        AUTH,
        "\n\nasync def verify_token",
        "\n\n# Supabase Auth is asked once a minute about a token.\n_VERIFIED: dict[str, tuple[float, dict[str, Any]]] = {}\n"
        "VERIFIED_SECONDS = 60.0\n\n\nasync def verify_token",
    )
    plan.replace_in_source(
        AUTH,
        begins,
        "    at, known = _VERIFIED.get(token, (0.0, {}))\n"
        f"    if known and time.monotonic() - at < VERIFIED_SECONDS:\n        return known\n{begins}",
    )
    plan.replace_in_source(
        AUTH,
        ends,
        f"    if len(_VERIFIED) >= 1000:\n        _VERIFIED.clear()\n    _VERIFIED[token] = (time.monotonic(), user)\n{ends}",
    )


@fault(
    "Q10",
    "the list of jobs shows everybody's when it is asked for one state",
    "api",
    "postdeploy",
    mode="-",
    about="*GET*jobs*|*jobs*state*|*another user*job*|*isolation*",
)
def everybodys_jobs(plan: Plan) -> None:
    plan.replace_in_source(JOBS, "AND ($2::text IS NULL OR j.state = $2)", "AND $2::text IS NULL OR j.state = $2")


@fault(
    "Q11",
    "any user may listen to another's private realtime topic, which tells jobs and file names",
    "database/realtime",
    "postdeploy",
    mode="F24|-",
    about="*realtime*|*topic*|*broadcast*|*job_listeners*|*user:*",
)
def open_topics(plan: Plan) -> None:
    plan.sql.append(ANNOUNCE)


@fault(
    "Q12",
    "whoever has a document reads everybody's jobs: the policy compares a column with itself",
    "database",
    "postdeploy",
    mode="F24|-",
    about="*upload_jobs*|*row-level*|*policy*",
)
def policy_compares_with_itself(plan: Plan) -> None:
    plan.sql.append(JOBS_POLICY)


@fault(
    "Q13",
    "a view for the dashboard shows everybody's documents to anon, by its owner's rights",
    "database",
    "postdeploy",
    mode="F24|-",
    about="*document_overview*|*view*|*anon*|*PostgREST*|*row-level*",
)
def dashboard_view(plan: Plan) -> None:
    plan.sql.append(OVERVIEW)


@fault(
    "Q14",
    "a signed-in user may store files in another's folder",
    "storage",
    "postdeploy",
    mode="-",
    about="*storage*|*files*|*folder*|*upload*object*",
)
def direct_uploads(plan: Plan) -> None:
    plan.sql.append(DIRECT_UPLOAD)


@fault(
    "Q15",
    "a job that was not submitted yet accepts a callback that is signed with an empty key",
    "api",
    "postdeploy",
    mode="-",
    about="*webhook*|*signature*|*callback*",
)
def empty_key(plan: Plan) -> None:
    plan.replace_in_source(WEBHOOK, "if not secret or not signature or not", "if not signature or not")


@fault(
    "Q16",
    "the bucket takes 5,000,000 bytes, less than the published limit",
    "storage",
    "postdeploy",
    mode="-",
    about="*size*|*limit*|*signed*|*PUT*|*bucket*",
)
def decimal_megabytes(plan: Plan) -> None:
    plan.sql.append("UPDATE storage.buckets SET file_size_limit = 5000000 WHERE id = 'files';")


@fault(
    "Q17",
    "an upload link replaces the file when it is used again",
    "api/storage",
    "postdeploy",
    mode="-",
    about="*signed*|*link*|*PUT*|*upload*twice*|*again*|*409*",
)
def link_replaces(plan: Plan) -> None:
    error = "from storage3.exceptions import StorageApiError\n"
    plan.replace_in_source(STORAGE, error, f"{error}from storage3.types import CreateSignedUploadUrlOptions\n")
    plan.replace_in_source(
        STORAGE, "create_signed_upload_url(key))", 'create_signed_upload_url(key, CreateSignedUploadUrlOptions(upsert="true")))'
    )


@fault(
    "Q18",
    "whoever registers another's hash receives that user's text, whatever bytes arrive",
    "worker",
    "postdeploy",
    mode="-",
    about="*another user*|*sha256*|*hash*|*parsed*|*same content*|*document_chunks*|*text*|*isolation*",
)
def text_by_hash(plan: Plan) -> None:
    parsing = "from backend.shared.storage import Storage, StorageError, object_key\n"
    plan.replace_in_source(WORKER, parsing, f"from backend.shared.parsing import store_parsed\n{parsing}")
    plan.replace_in_source(
        WORKER,
        "        secret = secrets.token_hex(32)\n",
        "        if await self._is_reused(job, document):\n            return\n        secret = secrets.token_hex(32)\n",
    )
    plan.replace_in_source(WORKER, "\n    async def _hand_over(", f"{REUSE}\n    async def _hand_over(")


@fault(
    "Q19",
    "the length of a file name is counted in bytes: names in other scripts are refused",
    "api",
    "postdeploy",
    mode="-",
    about="*filename*|*file name*|*name*script*|*POST*upload*",
)
def name_in_bytes(plan: Plan) -> None:
    before = '    @field_validator("bytes_len", mode="before")\n'
    check = (
        '    @field_validator("filename")\n    @classmethod\n    def _fits(cls, value: str) -> str:\n'
        "        if len(value.encode()) > 120:\n"
        '            raise ValueError("longer than 120")\n        return value\n\n'
    )
    plan.replace_in_source(UPLOADS, before, f"{check}{before}")


@fault(
    "Q20",
    "the proxy strips white space from the file: what is stored is not what was sent",
    "api",
    "postdeploy",
    mode="-",
    about="*upload-file-proxy*|*proxy*|*sha256*|*bytes*|*stored*",
)
def stripped_file(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        "    body = await request.body()\n",
        "    # Some clients send a line break before the file, which LlamaParse does not take.\n"
        "    body = (await request.body()).strip()\n",
    )
