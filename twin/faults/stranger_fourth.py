"""A stranger's fourth set: what observers see, and the first half of the access matrix."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

JOBS = "api/jobs.py"
UPLOADS = "api/uploads.py"
WEBHOOK = "api/webhook.py"
QUEUE = "backend/workers/job_queue.py"


@fault(
    "K01",
    "the event of a submitted document holds its job's webhook secret",
    "worker",
    "postdeploy",
    mode="F21",
    about="*event*|*secret*|*webhook*",
)
def secret_in_event(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "await self._record(connection, job, status, {})",
        'changed = {"state": state, "webhook_secret": webhook_secret, "progress": progress}\n'
        "        # The history says what has changed with the status.\n"
        "        await self._record(connection, job, status, {name: value for name, value in changed.items() if value})",
    )


@fault(
    "K02",
    "the refusal of a duplicate says a time without its zone",
    "api",
    "postdeploy",
    mode="-",
    about="*last_uploaded*|*duplicate*|*time zone*|*zone*|*POST */upload*",
)
def time_without_zone(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        '"last_uploaded": row["updated_at"].isoformat(),',
        '"last_uploaded": f"{row[\'updated_at\']:%Y-%m-%dT%H:%M:%S}",',
    )


@fault(
    "K03",
    "the document route calls a failed job done",
    "api",
    "postdeploy",
    mode="-",
    about="*documents/*status*|*document route*|*state*|*two ways*|*agree*",
)
def failed_is_done(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        '"state": row["state"],\n        "processing_status"',
        '# The front end stops asking at `done`.\n        "state": "done" if row["state"] == "deadletter" else row["state"],\n'
        '        "processing_status"',
    )


@fault(
    "K04",
    "the status of a complete document may be stored by shared caches",
    "api",
    "postdeploy",
    mode="-",
    about="*documents/*status*|*cache*|*Cache-Control*",
)
def finished_is_cached(plan: Plan) -> None:
    plan.replace_in_source(JOBS, "HTTPException, Query, Request\n", "HTTPException, Query, Request, Response\n")
    plan.replace_in_source(
        JOBS,
        "async def document_status(document_id: UUID, user: CurrentUser, request: Request)",
        "async def document_status(document_id: UUID, user: CurrentUser, request: Request, response: Response)",
    )
    plan.replace_in_source(
        JOBS,
        'raise HTTPException(404, "no such document")\n',
        'raise HTTPException(404, "no such document")\n'
        '    if row["status"] == "complete":\n'
        "        # Nothing changes any more: the front end need not ask again.\n"
        '        response.headers["Cache-Control"] = "public, max-age=300"\n',
    )


@fault(
    "K05",
    "`last_error` of a failed job shows a path inside the service",
    "worker/api",
    "postdeploy",
    mode="F21",
    about="*last_error*|*path*|*traceback*|*inside*|*jobs*",
)
def path_in_last_error(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "import logging\n", "import logging\nimport traceback\n")
    plan.replace_in_source(QUEUE, '"attempt": attempt}', '"attempt": attempt, "at": where(error)}')
    plan.replace_in_source(
        QUEUE,
        "class PermanentError",
        "def where(error: Exception) -> str:\n"
        '    """The line that failed."""\n'
        "    frames = traceback.extract_tb(error.__traceback__)\n"
        '    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""\n\n\n'
        "class PermanentError",
    )


@fault(
    "K06",
    "a failed job's percentage is below zero",
    "api",
    "postdeploy",
    mode="-",
    about="*percent*|*progress*|*range*|*jobs*|*documents/*status*",
)
def negative_percent(plan: Plan) -> None:
    plan.replace_in_source(JOBS, "if status in STAGES else 0", "if status in STAGES else -1")


@fault(
    "K07",
    "a document that waits for its bytes gets an event with every poll",
    "worker",
    "postdeploy",
    mode="-",
    about="*event*|*grow*|*waits*|*never sent*",
)
def event_for_every_poll(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "                self._config.poll_interval / self._config.speedup,\n            )\n",
        "                self._config.poll_interval / self._config.speedup,\n            )\n"
        '            await self._record(connection, job, job["status"], {"awaiting_upload": True})\n',
    )


@fault(
    "K08",
    "every signed-in user may listen to every private topic, where each user's jobs are announced",
    "database/supabase",
    "postdeploy",
    mode="F24",
    about="*realtime*|*topic*|*channel*|*broadcast*",
)
def open_topics(plan: Plan) -> None:
    plan.sql.append("""
        CREATE FUNCTION upload_pipeline.announce_job() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
            SET search_path = '' AS $$
        BEGIN
            PERFORM realtime.send(
                jsonb_build_object('job_id', NEW.job_id, 'filename', d.filename, 'status', NEW.status, 'state', NEW.state),
                'job', 'user:' || d.user_id, true)
            FROM upload_pipeline.documents d WHERE d.document_id = NEW.document_id;
            RETURN NULL;
        END $$;
        CREATE TRIGGER upload_jobs_announced AFTER INSERT OR UPDATE OF status ON upload_pipeline.upload_jobs
            FOR EACH ROW EXECUTE FUNCTION upload_pipeline.announce_job();
        CREATE POLICY "authenticated can receive broadcasts" ON realtime.messages FOR SELECT TO authenticated USING (true);
    """)


@fault(
    "K09",
    "a view for the front end shows every user's documents to each of them",
    "database/supabase",
    "postdeploy",
    mode="F24",
    about="*document_overview*|*view*|*row-level*|*another user*",
)
def view_of_its_owner(plan: Plan) -> None:
    plan.sql.append("""
        CREATE VIEW upload_pipeline.document_overview AS
            SELECT d.document_id, d.user_id, d.filename, d.bytes_len, j.job_id, j.status, j.state, j.last_error, d.updated_at
            FROM upload_pipeline.documents d LEFT JOIN upload_pipeline.upload_jobs j USING (document_id);
        GRANT SELECT ON upload_pipeline.document_overview TO authenticated, service_role;
    """)


@fault(
    "K10",
    "every signed-in user may read everybody's parsed text in storage",
    "storage/supabase/database",
    "postdeploy",
    mode="F24|F23",
    about="*storage*|*parsed*|*bucket*|*files*|*object*",
)
def parsed_for_all(plan: Plan) -> None:
    plan.sql.append("""
        CREATE POLICY files_preview ON storage.objects FOR SELECT TO authenticated
            USING (bucket_id = 'files' AND (storage.foldername(name))[3] = 'parsed');
    """)


@fault(
    "K11",
    "a callback for a job that has moved on needs no signature",
    "api",
    "postdeploy",
    mode="-",
    about="*webhook*|*signature*|*callback*",
)
def unsigned_repeat(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK,
        '        _verify(row["webhook_secret"]',
        '        if row["status"] != "parse_queued":\n'
        '            return {"status": "ignored"}\n'
        '        _verify(row["webhook_secret"]',
    )


@fault(
    "K12",
    "a retry of another user's unfinished job answers 409 with its state",
    "api",
    "postdeploy",
    mode="-",
    about="*retry*|*another user*job*",
)
def retry_tells_state(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        'f"SELECT {COLUMNS} FROM upload_jobs j JOIN documents d USING (document_id) "\n'
        '            "WHERE j.job_id = $1 AND d.user_id = $2 FOR UPDATE OF j",\n            job_id,\n            user.id,\n',
        'f"SELECT {COLUMNS}, d.user_id FROM upload_jobs j JOIN documents d USING (document_id) "\n'
        '            "WHERE j.job_id = $1 FOR UPDATE OF j",\n            job_id,\n',
    )
    plan.replace_in_source(
        JOBS,
        'is not retryable")\n',
        'is not retryable")\n        if row["user_id"] != user.id:\n            raise HTTPException(404, "no such job")\n',
    )
