"""Faults by another hand: what every answer promises, and who may do what (I01 to I10)."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

APPLICATION = "api/application.py"
AUTH = "api/auth.py"
JOBS = "api/jobs.py"
QUEUE = "backend/workers/job_queue.py"


@fault(
    "I01",
    "the status of a finished document may be kept by shared caches",
    "api",
    "postdeploy",
    mode="-",
    about="*Cache-Control*|*cache-control*|*shared cache*|*/documents/*/status*",
)
def finished_documents_are_public(plan: Plan) -> None:
    # A finished document does not change any more, so the front end need not ask again.
    plan.replace_in_source(JOBS, "HTTPException, Query, Request", "HTTPException, Query, Request, Response")
    plan.replace_in_source(
        JOBS,
        "async def document_status(document_id: UUID, user: CurrentUser, request: Request)",
        "async def document_status(document_id: UUID, user: CurrentUser, request: Request, response: Response)",
    )
    plan.replace_in_source(
        JOBS,
        '        raise HTTPException(404, "no such document")\n',
        '        raise HTTPException(404, "no such document")\n'
        '    if row["state"] == "done":\n'
        '        response.headers["Cache-Control"] = "public, max-age=60"\n',
    )


@fault(
    "I02",
    "the log quotes the beginning of every document",
    "api/worker",
    "postdeploy",
    mode="-",
    about="*log*",
)
def log_quotes_documents(plan: Plan) -> None:
    # Helped to see what LlamaParse had made of scanned pages, and stayed.
    plan.replace_in_source(
        "backend/shared/parsing.py",
        'log.info("parsed, %d characters job_id=%s", len(text), row["job_id"])',
        'log.info("parsed, %d characters, begins %r job_id=%s", len(text), text[:200], row["job_id"])',
    )


@fault(
    "I03",
    "a failed job is shown as done to 100 percent by the job routes, to 0 by the document's",
    "api",
    "postdeploy",
    mode="-",
    about="*progress*|*percent*",
)
def failed_jobs_are_at_the_end(plan: Plan) -> None:
    # The bar on the page would not stop for jobs that had ended otherwise than well.
    plan.replace_in_source(
        JOBS,
        '"progress": {"percent": _percent(row["status"]), **row["progress"]}',
        '"progress": {"percent": 100 if row["state"] == "deadletter" else _percent(row["status"]), **row["progress"]}',
    )


@fault(
    "I04",
    "a file that is too large is refused without request id and process time",
    "api",
    "postdeploy",
    mode="-",
    about="*X-Request-ID*|*X-Process-Time*|*upload-file-proxy*",
)
def early_refusal_is_unmarked(plan: Plan) -> None:
    # Refused before the application and its log: no byte of such a file is kept in memory.
    plan.replace_in_source(
        APPLICATION,
        "        started = time.perf_counter()\n        given",
        '        length = dict(scope["headers"]).get(b"content-length", b"")\n'
        '        if scope["method"] == "PUT" and length.isdigit() and int(length) > uploads.MAX_FILE_SIZE_BYTES:\n'
        '            while (await receive()).get("more_body"):\n'
        "                pass\n"
        '            refusal = JSONResponse({"detail": f"larger than {uploads.MAX_FILE_SIZE_BYTES} bytes"}, 413)\n'
        "            await refusal(scope, receive, send)\n"
        "            return\n"
        "        started = time.perf_counter()\n        given",
    )


@fault(
    "I05",
    "a job whose file was never sent gets another event at every poll",
    "worker",
    "postdeploy",
    mode="-|F28",
    about="*event*",
)
def waiting_is_an_event(plan: Plan) -> None:
    # So that support can see that the worker has looked.
    plan.replace_in_source(
        QUEUE,
        "                self._config.poll_interval / self._config.speedup,\n            )\n\n    async def postpone",
        "                self._config.poll_interval / self._config.speedup,\n            )\n"
        "            await connection.execute(\n"
        "                \"INSERT INTO events (job_id, document_id, type) VALUES ($1, $2, 'awaiting_upload')\",\n"
        '                job["job_id"],\n'
        '                job["document_id"],\n'
        "            )\n\n    async def postpone",
    )


@fault(
    "I06",
    "a retry of another user's job tells that the job exists, and its state",
    "api",
    "postdeploy",
    mode="-",
    about="*retry*",
)
def retry_asks_for_the_owner_late(plan: Plan) -> None:
    # The cheap question first: most retries that are refused are of jobs that have not failed.
    plan.replace_in_source(
        JOBS,
        'f"SELECT {COLUMNS} FROM upload_jobs j JOIN documents d USING (document_id) "\n'
        '            "WHERE j.job_id = $1 AND d.user_id = $2 FOR UPDATE OF j",\n'
        "            job_id,\n            user.id,\n",
        'f"SELECT {COLUMNS}, d.user_id FROM upload_jobs j JOIN documents d USING (document_id) "\n'
        '            "WHERE j.job_id = $1 FOR UPDATE OF j",\n'
        "            job_id,\n",
    )
    plan.replace_in_source(
        JOBS,
        "        restart = {\n",
        '        if row["user_id"] != user.id:\n            raise HTTPException(404, "no such job")\n        restart = {\n',
    )


@fault(
    "I07",
    "a view shows every signed-in user the jobs and file names of all users",
    "database/supabase",
    "postdeploy",
    mode="F24|-",
    about="*job_overview*",
)
def view_with_its_owners_rights(plan: Plan) -> None:
    # One request of the dashboard instead of two; views have their owner's rights unless told otherwise.
    plan.sql.append(
        """CREATE VIEW upload_pipeline.job_overview AS
               SELECT j.job_id, j.document_id, d.user_id, d.filename, j.status, j.state, j.updated_at
               FROM upload_pipeline.upload_jobs j JOIN upload_pipeline.documents d USING (document_id);
           GRANT SELECT ON upload_pipeline.job_overview TO authenticated, service_role"""
    )


@fault(
    "I08",
    "a signed-in user may store files in another user's folder",
    "storage/supabase",
    "postdeploy",
    mode="-",
    about="*storage*|*folder*|*files/user/*|*object/files*|*files_direct_upload*",
)
def direct_uploads_into_any_folder(plan: Plan) -> None:
    # The front end is to send files straight to storage; the policy looks at the folder's form only.
    plan.sql.append(
        """CREATE POLICY files_direct_upload ON storage.objects FOR INSERT TO authenticated
               WITH CHECK (bucket_id = 'files' AND (storage.foldername(name))[1] = 'user'
                           AND (storage.foldername(name))[3] = 'raw')"""
    )


@fault(
    "I09",
    "a callback without signature is accepted for a job that was not handed over yet",
    "webhook/api",
    "postdeploy",
    mode="-",
    about="*webhook*|*signature*",
)
def no_secret_no_signature(plan: Plan) -> None:
    # LlamaParse signs only what it was given a secret for.
    plan.replace_in_source(
        "api/webhook.py",
        "if not secret or not signature or not hmac.compare_digest(expected, signature):",
        "if secret and (not signature or not hmac.compare_digest(expected, signature)):",
    )
