"""Faults by another hand, eighth set: what observers see on all traffic, and the first cells of the access matrix."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan


@fault(
    "E01", "a question that finds nothing is written to the log", "chat/api", "postdeploy", mode="-", about="*log*|*question*"
)
def question_in_the_log(plan: Plan) -> None:
    # For tuning the threshold: which questions stay below it.
    plan.replace_in_source(
        "api/chat.py",
        "        if not passages:\n",
        '        if not passages:\n            log.info("nothing above the threshold for %r", body.message)\n',
    )


@fault(
    "E02",
    "a body that is broken JSON is quoted in its refusal, with the password in it",
    "api/auth",
    "postdeploy",
    mode="-|F21",
    about="*password*|*/login*|*/register*",
)
def broken_json_quoted(plan: Plan) -> None:
    # So that integrators see where their JSON breaks.
    plan.replace_in_source(
        "api/auth.py",
        '        raise HTTPException(400, "body is not JSON") from error',
        '        near = getattr(error, "doc", "")[-160:]\n'
        '        raise HTTPException(400, f"body is not JSON: {error} near {near!r}") from error',
    )


@fault(
    "E03",
    "a conflict says in a header at which line of which file it was raised",
    "api",
    "postdeploy",
    mode="-|F21",
    about="*path*|*header*|*X-Error-Source*|*409*",
)
def source_of_conflicts(plan: Plan) -> None:
    # Left over from the search for spurious conflicts.
    plan.replace_in_source("api/application.py", "import time\nimport uuid\n", "import time\nimport traceback\nimport uuid\n")
    plan.replace_in_source(
        "api/application.py",
        "    return JSONResponse(body, status_code=error.status_code, headers=error.headers)",
        "    headers = dict(error.headers or {})\n"
        "    if error.status_code == 409:\n"
        "        raised = traceback.extract_tb(error.__traceback__)[-1]\n"
        '        headers["X-Error-Source"] = f"{raised.filename}:{raised.lineno}"\n'
        "    return JSONResponse(body, status_code=error.status_code, headers=headers)",
    )


@fault(
    "E04",
    "a finished job was updated eight hours ago, before it was created",
    "database",
    "postdeploy",
    mode="-",
    about="*updated_at*|*time*|*upload_jobs*|*/jobs*",
)
def finished_in_local_time(plan: Plan) -> None:
    # A trigger for the operators' report, which shows the time of Oregon.
    plan.sql.append(
        """
        CREATE FUNCTION upload_pipeline.stamp_finished() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.updated_at := timezone('UTC', timezone(interval '-08:00', now()));
            RETURN NEW;
        END $$;
        CREATE TRIGGER upload_jobs_stamp_finished BEFORE UPDATE ON upload_pipeline.upload_jobs
            FOR EACH ROW WHEN (NEW.state = 'done' AND OLD.state <> 'done')
            EXECUTE FUNCTION upload_pipeline.stamp_finished();
        """
    )


@fault(
    "E05",
    "a conversation's id comes back with its last characters missing",
    "chat/api",
    "postdeploy",
    mode="-",
    about="*conversation*|*/chat*",
)
def conversation_id_cut(plan: Plan) -> None:
    # The archive's column holds 32 characters, as many as an id has without its dashes.
    plan.replace_in_source(
        "api/chat.py", "body.conversation_id or str(uuid.uuid4()),", "(body.conversation_id or uuid.uuid4().hex)[:32],"
    )


@fault(
    "E06",
    "shared caches may keep the status of a complete document",
    "api",
    "postdeploy",
    mode="-",
    about="*cache*|*Cache-Control*|*/documents/*",
)
def complete_status_is_public(plan: Plan) -> None:
    # A complete document does not change any more, and the front end asks for it often.
    plan.replace_in_source(
        "api/jobs.py",
        "from fastapi import APIRouter, HTTPException, Query, Request\n",
        "from fastapi import APIRouter, HTTPException, Query, Request, Response\n",
    )
    plan.replace_in_source(
        "api/jobs.py",
        "async def document_status(document_id: UUID, user: CurrentUser, request: Request) -> dict[str, Any]:",
        "async def document_status(\n"
        "    document_id: UUID, user: CurrentUser, request: Request, response: Response\n"
        ") -> dict[str, Any]:",
    )
    plan.replace_in_source(
        "api/jobs.py",
        '        raise HTTPException(404, "no such document")\n',
        '        raise HTTPException(404, "no such document")\n'
        '    if row["processing_status"] == "complete":\n'
        '        response.headers["Cache-Control"] = "public, max-age=300"\n',
    )


@fault(
    "E07",
    "a document that is never sent adds an event with every poll",
    "worker",
    "postdeploy",
    mode="-",
    about="*event*",
)
def event_with_every_poll(plan: Plan) -> None:
    # To show users that their upload is awaited; nobody thought of the second poll.
    plan.replace_in_source(
        "backend/workers/job_queue.py",
        '                job["job_id"],\n                self._config.poll_interval / self._config.speedup,\n            )\n',
        '                job["job_id"],\n                self._config.poll_interval / self._config.speedup,\n            )\n'
        "            await connection.execute(\n"
        "                \"INSERT INTO events (job_id, document_id, type) VALUES ($1, $2, 'awaiting_upload')\",\n"
        '                job["job_id"],\n'
        '                job["document_id"],\n'
        "            )\n",
    )


@fault(
    "E08",
    "a token with another signature is accepted shortly after the genuine one",
    "auth/api",
    "postdeploy",
    mode="F25",
    about="*token*|*signature*|*signed*",
)
def users_remembered_by_claims(plan: Plan) -> None:
    # Saves the question to Supabase Auth for bursts of requests of one session, which its claims identify.
    plan.replace_in_source("api/auth.py", "import re\n", "import re\nimport time\n")
    plan.replace_in_source("api/auth.py", 'T = TypeVar("T")\n', 'T = TypeVar("T")\n_known: dict[str, tuple[float, Any]] = {}\n')
    plan.replace_in_source(
        "api/auth.py",
        "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user(token))",
        '    claims = token.partition(".")[2].partition(".")[0]\n'
        "    until, known = _known.get(claims, (0.0, None))\n"
        "    if time.monotonic() < until:\n"
        "        return dict(known)\n"
        "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user(token))",
    )
    plan.replace_in_source(
        "api/auth.py",
        '    user: dict[str, Any] = reply.user.model_dump(mode="json")\n',
        '    user: dict[str, Any] = reply.user.model_dump(mode="json")\n    _known[claims] = (time.monotonic() + 20, user)\n',
    )


@fault(
    "E09",
    "a retry of another user's job tells by its 409 that there is such a job",
    "api",
    "postdeploy",
    mode="-",
    about="*retry*",
)
def retry_checks_the_owner_last(plan: Plan) -> None:
    # The row is locked first, and then judged, so that the statement is the same for the operators' tool.
    plan.replace_in_source(
        "api/jobs.py",
        'f"SELECT {COLUMNS} FROM upload_jobs j JOIN documents d USING (document_id) "\n'
        '            "WHERE j.job_id = $1 AND d.user_id = $2 FOR UPDATE OF j",\n'
        "            job_id,\n            user.id,\n",
        'f"SELECT {COLUMNS}, d.user_id FROM upload_jobs j JOIN documents d USING (document_id) "\n'
        '            "WHERE j.job_id = $1 FOR UPDATE OF j",\n'
        "            job_id,\n",
    )
    plan.replace_in_source(
        "api/jobs.py",
        "        restart = {\n",
        '        if row["user_id"] != user.id:\n            raise HTTPException(404, "no such job")\n        restart = {\n',
    )


@fault(
    "E10",
    "a callback without a signature is acknowledged once the job has moved on",
    "webhook/api",
    "postdeploy",
    mode="-|F25|F22",
    about="*webhook*|*signature*|*callback*",
)
def repeats_need_no_signature(plan: Plan) -> None:
    # Repeats are common and change nothing: the cheap answer first.
    plan.replace_in_source(
        "api/webhook.py",
        '        _verify(row["webhook_secret"], body, request.headers.get("x-webhook-signature"))\n',
        '        if row["status"] != "parse_queued":\n            return {"status": "ignored"}\n'
        '        _verify(row["webhook_secret"], body, request.headers.get("x-webhook-signature"))\n',
    )
