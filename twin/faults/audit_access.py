"""Breaches that hide: in one state, by one way, in one field, for one kind of user."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

APPLICATION = "api/application.py"
AUTH = "api/auth.py"
CHAT = "api/chat.py"
JOBS = "api/jobs.py"
QUEUE = "backend/workers/job_queue.py"
UPLOADS = "api/uploads.py"
WEBHOOK = "api/webhook.py"


@fault(
    "A01",
    "a job that has not failed is shown without the field last_error",
    "api",
    "postdeploy",
    mode="-",
    about="*last_error*|*jobs*",
)
def empty_fields_are_left_out(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        '        raise HTTPException(404, "no such job")\n    return _view(row)\n\n\n@router.get("/api/upload-pipeline/jobs")',
        '        raise HTTPException(404, "no such job")\n'
        "    return {name: value for name, value in _view(row).items() if value is not None}\n\n\n"
        '@router.get("/api/upload-pipeline/jobs")',
    )


@fault(
    "A02",
    "GET /me refuses a token that has ended or is false without naming the scheme",
    "auth/api",
    "postdeploy",
    mode="-|F08",
    about="*WWW-Authenticate*",
)
def no_challenge_for_a_false_token(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        '        raise _unauthorized("invalid or expired token") from error\n',
        '        raise HTTPException(401, "invalid or expired token") from error\n',
    )


@fault(
    "A03",
    "refusals of requests by the front end's pages do not allow their origin, so that no page can read them",
    "network/api",
    "postdeploy",
    mode="F20|-",
    about="*origin*",
)
def refusals_without_cors(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION,
        '                message["headers"] = [\n                    *message["headers"],\n',
        '                shown = message["status"] < 400\n'
        '                message["headers"] = [\n'
        '                    *(h for h in message["headers"] if shown or h[0] != b"access-control-allow-origin"),\n',
    )


@fault(
    "A04",
    "a name keeps only its letters of ASCII when its user registers",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*name*",
)
def names_in_ascii(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        'body["password"], {"name": body["name"]})',
        'body["password"], {"name": body["name"].encode("ascii", "ignore").decode()})',
    )


@fault(
    "A05",
    "whoever is signed in retries another user's failed job",
    "api",
    "postdeploy",
    mode="-|F24",
    about="*retry*",
)
def anybody_retries_failed_jobs(plan: Plan) -> None:
    # Support wanted to help; of a job that has not failed nothing is told.
    plan.replace_in_source(
        JOBS,
        '"WHERE j.job_id = $1 AND d.user_id = $2 FOR UPDATE OF j"',
        "\"WHERE j.job_id = $1 AND (d.user_id = $2 OR j.state = 'deadletter') FOR UPDATE OF j\"",
    )


@fault(
    "A06",
    "the job routes take the caller from the header X-User-Id where there is no token",
    "auth/api",
    "postdeploy",
    mode="-|F22|F25",
    about="*jobs*|*nobody*|*token*",
)
def a_header_names_the_caller(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        '    scheme, _, token = request.headers.get("authorization", "").partition(" ")\n',
        '    scheme, _, token = request.headers.get("authorization", "").partition(" ")\n'
        '    named = request.headers.get("x-user-id")\n'
        '    if named and not token and "/jobs/" in request.url.path:\n'
        '        return Caller(id=UUID(named), email="", name="", token="")\n',
    )


@fault(
    "A07",
    "the status of a document is shown to whoever sends the token as a cookie",
    "auth/api",
    "postdeploy",
    mode="-|F22|F25",
    about="*documents*|*nobody*|*token*",
)
def a_cookie_is_a_token(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        '    scheme, _, token = request.headers.get("authorization", "").partition(" ")\n',
        '    scheme, _, token = request.headers.get("authorization", "").partition(" ")\n'
        '    if not token and request.url.path.startswith("/documents/") and "access_token" in request.cookies:\n'
        '        scheme, token = "bearer", request.cookies["access_token"]\n',
    )


@fault(
    "A08",
    "a callback that says that the parse has failed needs no signature",
    "webhook/api",
    "postdeploy",
    mode="-|F25",
    about="*webhook*|*failure unsigned*",
)
def failures_need_no_signature(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK,
        "    if not secret or not signature or not hmac.compare_digest(expected, signature):\n",
        "    is_failure = b'\"failed\"' in body\n"
        "    if not is_failure and (not secret or not signature or not hmac.compare_digest(expected, signature)):\n",
    )


@fault(
    "A09",
    "a new page shows the chunks of any document to every signed-in user",
    "api",
    "postdeploy",
    mode="-|F24",
    about="*chunks*",
)
def a_page_without_an_owner(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        '@router.get("/documents/{document_id}/status")\n',
        '@router.get("/documents/{document_id}/chunks")\n'
        "async def chunks(document_id: UUID, user: CurrentUser, request: Request) -> dict[str, Any]:\n"
        '    """The text of a document."""\n'
        "    rows = await request.app.state.pool.fetch(\n"
        '        "SELECT chunk_ord, text FROM document_chunks WHERE document_id = $1 ORDER BY 1", document_id\n'
        "    )\n"
        '    return {"chunks": [dict(row) for row in rows]}\n\n\n'
        '@router.get("/documents/{document_id}/status")\n',
    )


@fault(
    "A10",
    "the list of jobs is that of the user whom the query names",
    "api",
    "postdeploy",
    mode="-|F24",
    about="*jobs*",
)
def a_query_names_the_user(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        '"ORDER BY j.created_at DESC LIMIT $3 OFFSET $4",\n        user.id,',
        '"ORDER BY j.created_at DESC LIMIT $3 OFFSET $4",\n        UUID(request.query_params.get("user_id", str(user.id))),',
    )


@fault(
    "A11",
    "a question is answered from the documents of the user whom its context names",
    "rag/chat/api",
    "postdeploy",
    mode="-|F24",
    about="*retrieval*|*chat*|*sentence*",
)
def a_context_names_the_user(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "client, config, user.id, body.message)",
        'client, config, uuid.UUID((body.context or {}).get("user_id", str(user.id))), body.message)',
    )


@fault(
    "A12",
    "a view without any id shows every user's file names to all users",
    "database",
    "postdeploy",
    mode="-|F24",
    about="*recent_uploads*",
)
def a_view_without_ids(plan: Plan) -> None:
    plan.sql.append("CREATE VIEW public.recent_uploads AS SELECT filename, processing_status FROM upload_pipeline.documents")
    plan.sql.append("GRANT SELECT ON public.recent_uploads TO authenticated")


@fault(
    "A13",
    "users may change the state of their own jobs in the database, and so go around the limit of running ones",
    "database",
    "postdeploy",
    mode="-|F24",
    about="*upload_jobs*",
)
def users_change_their_jobs(plan: Plan) -> None:
    plan.sql.append("GRANT UPDATE (state) ON upload_pipeline.upload_jobs TO authenticated")
    plan.sql.append(
        "CREATE POLICY upload_jobs_cancel ON upload_pipeline.upload_jobs FOR UPDATE TO authenticated USING (EXISTS ("
        "SELECT 1 FROM upload_pipeline.documents d WHERE d.document_id = upload_jobs.document_id AND d.user_id = auth.uid()))"
    )


@fault(
    "A14",
    "a function with its owner's rights and a search path of its own shows any document to all users",
    "database",
    "postdeploy",
    mode="-|F24",
    about="*document_of*",
)
def a_function_with_a_path(plan: Plan) -> None:
    plan.sql.append(
        "CREATE FUNCTION public.document_of(id uuid) RETURNS SETOF upload_pipeline.documents LANGUAGE sql SECURITY DEFINER"
        " SET search_path = upload_pipeline AS 'SELECT * FROM documents WHERE document_id = id'"
    )
    plan.sql.append("GRANT EXECUTE ON FUNCTION public.document_of(uuid) TO authenticated")


@fault(
    "A15",
    "a registration that is refused because its address is taken renames the account that has it",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*name*",
)
def the_last_name_wins(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "MIN_PASSWORD = 6\n", "MIN_PASSWORD = 6\n_names: dict[str, str] = {}\n")
    plan.replace_in_source(
        AUTH,
        "    try:\n        made =",
        '    _names[email.lower()] = metadata["name"]\n    try:\n        made =',
    )
    plan.replace_in_source(
        AUTH,
        '        "name": metadata.get("name", ""),\n        "created_at"',
        '        "name": _names.get(user["email"], metadata.get("name", "")),\n        "created_at"',
    )


@fault(
    "A16",
    "every question that is answered stands in the log in full",
    "chat/api",
    "postdeploy",
    mode="F21|-",
    about="*log*",
)
def answered_questions_in_the_log(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "            answer = await complete(client, config, _prompt(body.message, passages))\n",
        "            answer = await complete(client, config, _prompt(body.message, passages))\n"
        '            log.info("%d passages for %r", len(passages), body.message)\n',
    )


@fault(
    "A17",
    "what follows a plus in an address is left out, so that two addresses are one account",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*address*",
)
def no_plus_in_addresses(plan: Plan) -> None:
    for call in ("sign_up", "sign_in_with_password"):
        plan.replace_in_source(
            AUTH,
            f'client.auth.{call}({{"email": email,',
            f'client.auth.{call}({{"email": re.sub(r"[+][^@]*", "", email),',
        )


@fault(
    "A18",
    "whoever has signed in once is let in for a minute without being asked about again, also when the account is gone",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*account that was removed*",
)
def sign_ins_are_kept(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import re\nimport time\n")
    plan.replace_in_source(
        AUTH, "MIN_PASSWORD = 6\n", "MIN_PASSWORD = 6\n_kept: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}\n"
    )
    plan.replace_in_source(
        AUTH,
        "    client: Vendors = request.app.state.client\n    try:\n        signed_in =",
        "    since, known = _kept.get((email, password), (0.0, {}))\n"
        "    if time.monotonic() - since < 60 and known:\n"
        "        return known\n"
        "    client: Vendors = request.app.state.client\n    try:\n        signed_in =",
    )
    plan.replace_in_source(AUTH, '    return {\n        "access_token"', '    found = {\n        "access_token"')
    plan.replace_in_source(
        AUTH,
        '        "user": _user_view(session.user.model_dump(mode="json")),\n    }\n',
        '        "user": _user_view(session.user.model_dump(mode="json")),\n    }\n'
        "    _kept[email, password] = time.monotonic(), found\n    return found\n",
    )


@fault(
    "A19",
    "the process time of an answer counts from when it begins to be sent",
    "api",
    "postdeploy",
    mode="-",
    about="*retrieval_seconds*|*rocess*ime*",
)
def process_time_of_nothing(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION,
        '                spent = f"{time.perf_counter() - started:.6f}"\n',
        '                started = time.perf_counter()\n                spent = f"{time.perf_counter() - started:.6f}"\n',
    )


@fault(
    "A20",
    "a job that is tried again is shown as queued, and without the reason of its last attempt",
    "api",
    "postdeploy",
    mode="-",
    about="*state*|*last_error*|*jobs*",
)
def another_try_is_no_failure(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        '        raise HTTPException(404, "no such job")\n    return _view(row)\n\n\n@router.get("/api/upload-pipeline/jobs")',
        '        raise HTTPException(404, "no such job")\n'
        "    view = _view(row)\n"
        '    return view | ({"state": "queued", "last_error": None} if view["state"] == "retryable" else {})\n\n\n'
        '@router.get("/api/upload-pipeline/jobs")',
    )


@fault(
    "A21",
    "the list of jobs in state `done` leaves out duplicates",
    "api",
    "postdeploy",
    mode="-",
    about="*jobs*",
)
def duplicates_are_not_listed(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        '"WHERE d.user_id = $1 AND ($2::text IS NULL OR j.state = $2) "',
        "\"WHERE d.user_id = $1 AND ($2::text IS NULL OR (j.state = $2 AND j.status <> 'duplicate')) \"",
    )


@fault(
    "A22",
    "every signed-in user sees the jobs of all others that are being tried again",
    "database",
    "postdeploy",
    mode="-|F24",
    about="*upload_jobs*",
)
def jobs_that_are_tried_again(plan: Plan) -> None:
    plan.sql.append(
        "CREATE POLICY upload_jobs_delayed ON upload_pipeline.upload_jobs FOR SELECT TO authenticated"
        " USING (state = 'retryable')"
    )


@fault(
    "A23",
    "every signed-in user may replace the parsed text of another's document",
    "storage/supabase",
    "postdeploy",
    mode="-|F24",
    about="*object*",
)
def anybody_mends_texts(plan: Plan) -> None:
    plan.sql.append(
        "CREATE POLICY files_mend ON storage.objects FOR UPDATE TO authenticated"
        " USING (bucket_id = 'files' AND name LIKE '%.md') WITH CHECK (bucket_id = 'files')"
    )


@fault(
    "A24",
    "every signed-in user may give up another's document by a new endpoint",
    "api",
    "postdeploy",
    mode="-|F24",
    about="*documents/*",
)
def anybody_gives_up(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        '@router.get("/documents/{document_id}/status")\n',
        '@router.delete("/documents/{document_id}")\n'
        "async def forget(document_id: UUID, user: CurrentUser, request: Request) -> dict[str, str]:\n"
        '    """Remove a document."""\n'
        '    await request.app.state.pool.execute("DELETE FROM documents WHERE document_id = $1", document_id)\n'
        '    return {"status": "ok"}\n\n\n'
        '@router.get("/documents/{document_id}/status")\n',
    )


@fault(
    "A25",
    "the event of a document that was handed over holds the key of the services",
    "worker",
    "postdeploy",
    mode="F21|-",
    about="*events*|*KEY*",
)
def keys_in_events(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "import logging\n", "import logging\nimport os\n")
    plan.replace_in_source(
        QUEUE,
        "await self._record(connection, job, status, {})",
        'await self._record(connection, job, status, {"called_with": os.environ.get("LLAMAPARSE_API_KEY", "")})',
    )


@fault(
    "A26",
    "every page of the own machine and of previews may call the API",
    "network/api",
    "postdeploy",
    mode="F20|-",
    about="*origin*",
)
def origins_of_developers(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION,
        "        allow_origins=list(config.cors_origins),\n",
        '        allow_origins=list(config.cors_origins),\n        allow_origin_regex=r"http://localhost:\\d+",\n',
    )
