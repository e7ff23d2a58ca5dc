"""Faults of releases that break a promise beyond the checklist, written without a look at the checks: access and uploads."""

from __future__ import annotations

from twin.faults import fault
from twin.faults.stranger_nothing import JOBS, POLICIES, STORAGE_POLICIES, UPLOADS, WEBHOOK
from twin.plan import Plan


@fault(
    "Z09",
    "GET jobs/{job_id} shows a failed job to every signed-in user",
    "api",
    "postdeploy",
    mode="-",
    about="*jobs/{job_id}*|*another*job*|*other*job*",
)
def failed_jobs_for_all(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        'USING (document_id) WHERE j.job_id = $1 AND d.user_id = $2",',
        "USING (document_id) WHERE j.job_id = $1 AND d.user_id = $2 OR j.job_id = $1 AND j.state = 'deadletter'\",",
    )


@fault(
    "Z10",
    "a retry looks at a job's state before its owner, and tells strangers the state of another user's job",
    "api",
    "postdeploy",
    mode="-",
    about="*retry*",
)
def state_before_owner(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        'f"SELECT {COLUMNS} FROM upload_jobs j JOIN documents d USING (document_id) "\n'
        '            "WHERE j.job_id = $1 AND d.user_id = $2 FOR UPDATE OF j",\n'
        "            job_id,\n"
        "            user.id,\n",
        'f"SELECT {COLUMNS}, d.user_id FROM upload_jobs j JOIN documents d USING (document_id) "\n'
        '            "WHERE j.job_id = $1 FOR UPDATE OF j",\n'
        "            job_id,\n",
    )
    plan.replace_in_source(
        JOBS,
        'is not retryable")\n',
        'is not retryable")\n        if row["user_id"] != user.id:\n            raise HTTPException(404, "no such job")\n',
    )


@fault(
    "Z11",
    "a callback for a job that has gone on is acknowledged before its signature is checked",
    "webhook/api",
    "postdeploy",
    mode="-",
    about="*signature*|*callback*|*webhook*",
)
def late_callback_unchecked(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK,
        '        _verify(row["webhook_secret"], body,',
        '        if row["status"] not in ("uploaded", "parse_queued"):\n'
        '            return {"status": "ignored"}\n'
        '        _verify(row["webhook_secret"], body,',
    )


@fault(
    "Z12",
    "a view of jobs and documents runs with its owner's rights, so every user reads all users' file names",
    "database/supabase",
    "postdeploy",
    mode="F24|-",
    about="*job_overview*|*view*|*row-level security*|*RLS*",
)
def view_without_policies(plan: Plan) -> None:
    plan.replace_in_source(
        POLICIES,
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES",
        "CREATE VIEW upload_pipeline.job_overview AS\n"
        "    SELECT j.job_id, d.document_id, d.user_id, d.filename, j.status, j.state, j.updated_at\n"
        "    FROM upload_pipeline.upload_jobs j JOIN upload_pipeline.documents d USING (document_id);\n"
        "GRANT SELECT ON upload_pipeline.job_overview TO authenticated;\n"
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES",
    )


@fault(
    "Z13",
    "anon may read the ids and the processing status of completed documents",
    "database/supabase",
    "postdeploy",
    mode="F24|-",
    about="*anon*",
)
def status_page_for_anon(plan: Plan) -> None:
    plan.replace_in_source(
        POLICIES,
        "CREATE POLICY documents_owner ON",
        "-- For the status page.\n"
        "GRANT USAGE ON SCHEMA upload_pipeline TO anon;\n"
        "GRANT SELECT (document_id, processing_status, updated_at) ON upload_pipeline.documents TO anon;\n"
        "CREATE POLICY documents_status_page ON upload_pipeline.documents FOR SELECT TO anon\n"
        "    USING (processing_status = 'complete');\n"
        "CREATE POLICY documents_owner ON",
    )


@fault(
    "Z14",
    "a storage policy lets every signed-in user store files in other users' folders",
    "storage/supabase",
    "postdeploy",
    mode="-",
    about="*folder*|*storage*|*files/*",
)
def wrong_part_of_the_name(plan: Plan) -> None:
    plan.replace_in_source(
        STORAGE_POLICIES,
        "CREATE POLICY files_owner ON",
        "-- Browsers send files without the detour through the API.\n"
        "CREATE POLICY files_owner_insert ON storage.objects FOR INSERT TO authenticated\n"
        "    WITH CHECK (bucket_id = 'files' AND (string_to_array(name, '/'))[1] = 'user');\n"
        "CREATE POLICY files_owner ON",
    )


@fault(
    "Z15",
    "a hash in capital letters is another hash, so the same file is not a duplicate",
    "api",
    "postdeploy",
    mode="-",
    about="*duplicate*|*sha256*|*hash*",
)
def capital_hash(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, 'pattern=r"^[0-9a-f]{64}$"', 'pattern=r"^[0-9a-fA-F]{64}$"')


@fault(
    "Z16",
    "the upload proxy cuts a file off at 5 MiB and reports success",
    "api/storage",
    "postdeploy",
    mode="F34|-",
    about="*proxy*",
)
def cut_off(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        "    body = await request.body()\n"
        "    if len(body) > MAX_FILE_SIZE_BYTES:\n"
        '        raise HTTPException(413, f"larger than {MAX_FILE_SIZE_BYTES} bytes")\n',
        "    # At most the limit is held in memory.\n"
        '    body = b""\n'
        "    async for part in request.stream():\n"
        "        body += part[: MAX_FILE_SIZE_BYTES - len(body)]\n",
    )


@fault(
    "Z17",
    "documents that failed do not count towards the three a day",
    "api",
    "postdeploy",
    mode="F34|-",
    about="*a day*|*limit*|*429*|*max_uploads_per_day_per_user*",
)
def failed_uploads_are_free(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        "FILTER (WHERE d.created_at > now() - interval '1 day') AS today",
        "FILTER (WHERE d.created_at > now() - interval '1 day'\n                      AND j.state <> 'deadletter') AS today",
    )


@fault(
    "Z18",
    "the longest file name is counted in bytes, so names in other scripts are refused",
    "api",
    "postdeploy",
    mode="-",
    about="*filename*|*file name*|*120*",
)
def name_in_bytes(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        '    @field_validator("bytes_len", mode="before")\n',
        '    @field_validator("filename")\n'
        "    @classmethod\n"
        "    def _fits(cls, value: str) -> str:\n"
        '        if len(value.encode(errors="surrogatepass")) > 120:\n'
        '            raise ValueError("longer than 120")\n'
        "        return value\n\n"
        '    @field_validator("bytes_len", mode="before")\n',
    )


@fault(
    "Z19",
    "the upload proxy drops the line break at the end of a file",
    "api/storage",
    "postdeploy",
    mode="-",
    about="*proxy*",
)
def stripped_file(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "    body = await request.body()\n", "    body = (await request.body()).strip()\n")


@fault(
    "Z20",
    "uploads of one user that arrive together do not wait for each other, and pass the limit of running jobs",
    "api",
    "postdeploy",
    mode="F34|-",
    about="*running*|*concurrent*|*at once*|*limit*|*429*|*max_concurrent_jobs_per_user*",
)
def lock_of_the_document(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, 'hashtext($1))", str(user.id))', 'hashtext($1))", str(document_id))')
