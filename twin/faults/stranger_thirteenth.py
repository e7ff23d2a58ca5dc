"""Faults by a stranger who has not read the checks: what observers see, and access."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

NO_JOB = '        raise HTTPException(404, "no such job")\n'


@fault(
    "LI01",
    "a sign-in or registration whose body is broken JSON gets that body back in the refusal, with the password in it",
    "api/auth",
    "postdeploy",
    mode="F21|-",
    about="*password*|*/login*|*/register*|*secret*",
)
def broken_json_comes_back(plan: Plan) -> None:
    plan.replace_in_source(
        "api/auth.py",
        '        raise HTTPException(400, "body is not JSON") from error\n',
        "        # The app team cannot see what their client has sent; show them the start of it.\n"
        '        sent = (await request.body())[:200].decode(errors="replace")\n'
        '        raise HTTPException(400, f"body is not JSON: {sent}") from error\n',
    )


@fault(
    "LI02",
    "the status of a finished document may be stored by shared caches for a day, although it is its owner's alone",
    "api",
    "postdeploy",
    mode="-",
    about="*cache*|*/documents/{document_id}/status*",
)
def finished_is_public(plan: Plan) -> None:
    file = "api/jobs.py"
    plan.replace_in_source(file, "HTTPException, Query, Request\n", "HTTPException, Query, Request, Response\n")
    plan.replace_in_source(
        file,
        "async def document_status(document_id: UUID, user: CurrentUser, request: Request)",
        "async def document_status(document_id: UUID, user: CurrentUser, request: Request, response: Response)",
    )
    plan.replace_in_source(
        file,
        '        raise HTTPException(404, "no such document")\n',
        '        raise HTTPException(404, "no such document")\n'
        '    if row["status"] == "complete":\n'
        "        # Nothing changes any more, so the CDN can answer the dashboards that keep polling.\n"
        '        response.headers["Cache-Control"] = "public, max-age=86400"\n',
    )


@fault(
    "LI03",
    "the jobs routes say queued of a job that is retryable in the database and in the document route",
    "api",
    "postdeploy",
    mode="-",
    about="*/jobs*|*state*|*retryable*",
)
def two_answers_about_one_job(plan: Plan) -> None:
    plan.replace_in_source(
        "api/jobs.py",
        '        "state": row["state"],\n        "retry_count"',
        "        # The front end has no word for retryable, and it is waiting in the queue after all.\n"
        '        "state": "queued" if row["state"] == "retryable" else row["state"],\n        "retry_count"',
    )


@fault(
    "LI04",
    "preflights and refusals of a foreign host carry neither a request id nor a process time",
    "api",
    "postdeploy",
    mode="-",
    about="*X-Request-ID*|*X-Process-Time*|*request id*",
)
def unmarked_at_the_edge(plan: Plan) -> None:
    file = "api/application.py"
    own = "    app.add_middleware(RequestLog)\n    app.add_middleware(RequestHeaders)\n"
    plan.replace_in_source(file, own, "")
    before = "    app.add_middleware(TrustedHostMiddleware"
    note = "    # Strangers' requests need no line of the log, so that they are turned away first.\n"
    plan.replace_in_source(file, before, note + own + before)


@fault(
    "LI05",
    "the log that the platform shows holds the beginning of the text of every parsed document",
    "api",
    "postdeploy",
    mode="F21|-",
    about="*log*",
)
def documents_in_the_log(plan: Plan) -> None:
    plan.replace_in_source(
        "backend/shared/parsing.py",
        '    log.info("parsed, %d characters job_id=%s", len(text), row["job_id"])',
        "    # Whether the parser returns something readable was only to be seen by opening the file.\n"
        '    log.info("parsed, %d characters: %.300r job_id=%s", len(text), text, row["job_id"])',
    )


@fault(
    "LI06",
    "every look at a job's progress writes a row into the table of events, which only grows",
    "database/api",
    "postdeploy",
    mode="-",
    about="*events*|*/jobs/{job_id}*",
)
def looks_are_written_down(plan: Plan) -> None:
    plan.replace_in_source(
        "api/jobs.py",
        NO_JOB + "    return _view(row)",
        NO_JOB + "    # The product team asks how often people look at their progress.\n"
        "    await request.app.state.pool.execute(\n"
        '        "INSERT INTO events (job_id, document_id, type) VALUES ($1, $2, \'viewed\')", job_id, row["document_id"]\n'
        "    )\n"
        "    return _view(row)",
    )


@fault(
    "LI07",
    "the webhook's refusal tells the signature that would have been right, so that anybody can send results of parsing",
    "webhook/api",
    "postdeploy",
    mode="F21|F22|-",
    about="*webhook*|*signature*",
)
def told_the_signature(plan: Plan) -> None:
    plan.replace_in_source(
        "api/webhook.py",
        '        raise HTTPException(401, "wrong or missing signature")',
        "        # LlamaParse's support wants to compare both sides where a callback is refused.\n"
        '        raise HTTPException(401, f"wrong or missing signature: expected {expected}")',
    )


@fault(
    "LI08",
    "a token whose signature was altered is accepted for ten seconds after the right one was used",
    "auth",
    "postdeploy",
    mode="F25",
    about="*token*|*signature*|*signed*|*/me*",
)
def signature_does_not_matter(plan: Plan) -> None:
    file = "api/auth.py"
    plan.replace_in_source(file, "import re\n", "import re\nimport time\n")
    plan.replace_in_source(
        file, "MIN_PASSWORD = 6\n", "MIN_PASSWORD = 6\n_known: dict[str, tuple[float, dict[str, Any]]] = {}\n"
    )
    plan.replace_in_source(
        file,
        "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user",
        "    client: Vendors = request.app.state.client\n"
        "    # A page asks five times at once; header and claims tell the session, and are shorter than the whole token.\n"
        '    session = token.rpartition(".")[0]\n'
        "    since, known = _known.get(session, (0.0, {}))\n"
        "    if known and time.monotonic() - since < 10:\n"
        "        return known\n"
        "    try:\n        reply = await _asked(client.auth.get_user",
    )
    plan.replace_in_source(
        file,
        "    return user\n\n\nasync def current_user",
        "    _known[session] = (time.monotonic(), user)\n    return user\n\n\nasync def current_user",
    )


@fault(
    "LI09",
    "a retry of another user's job is refused with its state and not as if it did not exist",
    "api",
    "postdeploy",
    mode="-",
    about="*/retry*|*another user*|*other user*",
)
def retry_tells_of_others(plan: Plan) -> None:
    file = "api/jobs.py"
    plan.replace_in_source(
        file,
        '            f"SELECT {COLUMNS} FROM upload_jobs j JOIN documents d USING (document_id) "\n'
        '            "WHERE j.job_id = $1 AND d.user_id = $2 FOR UPDATE OF j",\n            job_id,\n            user.id,\n',
        '            f"SELECT {COLUMNS}, d.user_id FROM upload_jobs j JOIN documents d USING (document_id) "\n'
        '            "WHERE j.job_id = $1 FOR UPDATE OF j",\n            job_id,\n',
    )
    plan.replace_in_source(
        file,
        'is not retryable")\n',
        'is not retryable")\n'
        "        # The cheap question first; only who may really retry needs to be its owner.\n"
        '        if row["user_id"] != user.id:\n            raise HTTPException(404, "no such job")\n',
    )


@fault(
    "LI10",
    "every signed-in user can read the parsed text of everybody's documents in storage; the raw files stay closed",
    "storage",
    "postdeploy",
    mode="F24|-",
    about="*storage*|*files*|*parsed*|*object*",
)
def parsed_text_for_all(plan: Plan) -> None:
    # The reader in the browser shows the Markdown itself; the PDFs stay their owners'.
    plan.sql.append(
        "CREATE POLICY files_parsed ON storage.objects FOR SELECT TO authenticated"
        " USING (bucket_id = 'files' AND (storage.foldername(name))[3] = 'parsed')"
    )
