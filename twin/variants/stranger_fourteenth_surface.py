"""Variants by a stranger, the fourteenth set: answers of other forms, orders and origins."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.stranger_fourteenth import migrate

APPLICATION = "api/application.py"
DESCRIPTION = "api/description.py"
SCHEMAS = "api/schemas.py"
JOBS = "api/jobs.py"
AUTH = "api/auth.py"
PROBLEM = '''def _problem(status: int, body: dict[str, Any], headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A refusal as RFC 9457 has it, with the older `detail`."""
    title = HTTPStatus(status).phrase
    whole = {"type": "about:blank", "title": title, "status": status, "request_id": REQUEST_ID.get(), **body}
    return JSONResponse(whole, status_code=status, headers=headers, media_type="application/problem+json")


async def _refused('''


@variant("M89", "refusals are application/problem+json with type, title, status and the request's id beside `detail`")
def problems(plan: Plan) -> None:
    plan.replace_in_source(APPLICATION, "async def _refused(", PROBLEM)
    plan.replace_in_source(
        APPLICATION,
        "    return JSONResponse(body, status_code=error.status_code, headers=error.headers)\n",
        "    return _problem(error.status_code, body, error.headers)\n",
    )
    plan.replace_in_source(
        APPLICATION,
        'JSONResponse({"detail": "temporarily unavailable"}, status_code=503, headers={"Retry-After": "1"})',
        '_problem(503, {"detail": "temporarily unavailable"}, {"Retry-After": "1"})',
    )
    plan.replace_in_source(
        APPLICATION,
        'JSONResponse({"detail": "Method Not Allowed"}, status_code=405, headers={"Allow": allowed})',
        '_problem(405, {"detail": "Method Not Allowed"}, {"Allow": allowed})',
    )
    plan.replace_in_source(APPLICATION, "import AsyncIterator\n", "import AsyncIterator, Mapping\n")
    imported = "from http import HTTPStatus\nfrom typing import Any\nfrom urllib.parse import urlsplit\n"
    plan.replace_in_source(APPLICATION, "from urllib.parse import urlsplit\n", imported)
    plan.replace_in_source(
        DESCRIPTION,
        '    return {"content": {JSON: {"schema"',
        "    kind = PROBLEM if model in (schemas.Refusal, schemas.DuplicateDocument) else JSON\n"
        '    return {"content": {kind: {"schema"',
    )
    kind = 'JSON = "application/json"\n'
    plan.replace_in_source(DESCRIPTION, kind, f'{kind}PROBLEM = "application/problem+json"\n')


BUILT = """CREATE FUNCTION upload_pipeline.in_utc(moment timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;
CREATE FUNCTION upload_pipeline.percent(stage text) RETURNS int LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(round(100.0 * (array_position(ARRAY['uploaded', 'parse_queued', 'parsed', 'parse_validated',
        'chunks_stored', 'embeddings_stored', 'complete'], stage) - 1) / 6), 0)::int
$$;
CREATE FUNCTION upload_pipeline.jobs_of(owner uuid, wanted uuid, in_state text, most int, skipped int) RETURNS SETOF jsonb
LANGUAGE sql STABLE SET search_path = upload_pipeline AS $$
    SELECT jsonb_build_object('job_id', j.job_id, 'document_id', j.document_id, 'status', j.status, 'state', j.state,
        'retry_count', j.retry_count, 'progress', jsonb_build_object('percent', percent(j.status)) || j.progress,
        'cost_cents', 0, 'last_error', j.last_error, 'created_at', in_utc(j.created_at), 'updated_at', in_utc(j.updated_at))
    FROM upload_jobs j JOIN documents d USING (document_id)
    WHERE d.user_id = owner AND (wanted IS NULL OR j.job_id = wanted) AND (in_state IS NULL OR j.state = in_state)
    ORDER BY j.created_at DESC, j.job_id LIMIT most OFFSET skipped
$$;
CREATE FUNCTION upload_pipeline.document_of(owner uuid, wanted uuid) RETURNS SETOF jsonb
LANGUAGE sql STABLE SET search_path = upload_pipeline AS $$
    SELECT jsonb_build_object('document_id', d.document_id, 'filename', d.filename, 'status', j.status, 'state', j.state,
        'processing_status', d.processing_status, 'progress', jsonb_build_object('percent', percent(j.status)),
        'job_id', j.job_id, 'last_error', j.last_error, 'updated_at', in_utc(d.updated_at))
    FROM documents d LEFT JOIN upload_jobs j USING (document_id)
    WHERE d.document_id = wanted AND d.user_id = owner ORDER BY j.created_at DESC LIMIT 1
$$;
REVOKE EXECUTE ON FUNCTION upload_pipeline.in_utc(timestamptz), upload_pipeline.percent(text),
    upload_pipeline.jobs_of(uuid, uuid, text, int, int), upload_pipeline.document_of(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION upload_pipeline.in_utc(timestamptz), upload_pipeline.percent(text),
    upload_pipeline.jobs_of(uuid, uuid, text, int, int), upload_pipeline.document_of(uuid, uuid) TO service_role;
"""
ONE = '''    """One job of the caller."""
    found = await request.app.state.pool.fetchval("SELECT jobs_of($1, $2, NULL, 1, 0)", user.id, job_id)
    if found is None:
        raise HTTPException(404, "no such job")
    return found


'''
SEVERAL = '''    """The caller's jobs, newest first."""
    rows = await request.app.state.pool.fetch("SELECT jobs_of($1, NULL, $2, $3, $4)", user.id, state, limit, offset)
    return {"jobs": [row[0] for row in rows], "limit": limit, "offset": offset}


'''
DOCUMENT = '''    """Progress of one document of the caller."""
    found = await request.app.state.pool.fetchval("SELECT document_of($1, $2)", user.id, document_id)
    if found is None:
        raise HTTPException(404, "no such document")
    return found
'''


@variant("M90", "the database builds the answers about jobs and documents as JSON; the routes pass them on")
def built_by_the_database(plan: Plan) -> None:
    migrate(plan, "20250106000600_answers", BUILT)
    text = (plan.source / JOBS).read_text()
    ends = '@router.get("/api/upload-pipeline/jobs")', '@router.post("/api/upload-pipeline/jobs/{job_id}/retry")', ""
    for body, end in zip((ONE, SEVERAL, DOCUMENT), ends, strict=True):
        begin = text.index(body.splitlines()[0])
        plan.replace_in_source(JOBS, text[begin : text.index(end) if end else len(text)], body)


PAGE_OF_JOBS = """    total = await request.app.state.pool.fetchval(
        "SELECT count(*) FROM upload_jobs j JOIN documents d USING (document_id) "
        "WHERE d.user_id = $1 AND ($2::text IS NULL OR j.state = $2)",
        user.id,
        state,
    )
    response.headers["X-Total-Count"] = str(total)
    further = offset + len(rows) if rows and offset + len(rows) < total else None
    if further is not None:
        query = f"limit={limit}&offset={further}" + (f"&state={state}" if state else "")
        response.headers["Link"] = f'</api/upload-pipeline/jobs?{query}>; rel="next"'
    shown = [_view(row) for row in rows]
    return {"total": total, "next_offset": further, "limit": limit, "offset": offset, "jobs": shown}
"""


@variant("M91", "the list of jobs begins with the oldest, and says how many there are and where it goes on")
def oldest_first(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        '        "ORDER BY j.created_at DESC LIMIT $3 OFFSET $4",\n',
        '        "ORDER BY j.created_at, j.job_id LIMIT $3 OFFSET $4",\n',
    )
    plan.replace_in_source(
        JOBS, '    return {"jobs": [_view(row) for row in rows], "limit": limit, "offset": offset}\n', PAGE_OF_JOBS
    )
    plan.replace_in_source(JOBS, "= 20,\n", "= 50,\n")
    request = "    request: Request,\n"
    plan.replace_in_source(JOBS, f"{request}    limit", f"{request}    response: Response,\n    limit")
    plan.replace_in_source(JOBS, "HTTPException, Query, Request\n", "HTTPException, Query, Request, Response\n")
    plan.replace_in_source(JOBS, "The caller's jobs, newest first", "The caller's jobs, oldest first")
    plan.replace_in_source(SCHEMAS, "A page of the caller's jobs, newest first", "A page of the caller's jobs, oldest first")
    plan.replace_in_source(
        SCHEMAS, "    jobs: list[Job]\n", "    total: int\n    next_offset: int | None\n    jobs: list[Job]\n"
    )


REGISTERED = """    user = await _create(request, body["email"], body["password"], {"name": body["name"]})
    return {"access_token": None, "token_type": "bearer", "user": _user_view(user)}
"""
SIGNED_IN = """    user = await _create(request, body["email"], body["password"], {"name": body["name"]})
    return await _begin(request, body["email"], body["password"], user)
"""
SIGNED_UP = '    return {"user": _user_view(await _create(request, body.email, body.password, metadata))}\n'
WITH_SESSION = """    user = await _create(request, body.email, body.password, metadata)
    return await _begin(request, body.email, body.password, user)
"""
BEGUN = '''async def _begin(request: Request, email: str, password: str, user: dict[str, Any]) -> dict[str, Any]:
    """The first session of a new user, who exists even where there can be none yet."""
    try:
        return await _sign_in(request, email, password)
    except HTTPException:
        return {"access_token": None, "token_type": "bearer", "expires_in": None, "user": _user_view(user)}


@router.post("/register")
'''


@variant("M92", "whoever registers or signs up is signed in at once; a taken address is 400; /me says when the user registered")
def signed_in_at_once(plan: Plan) -> None:
    plan.replace_in_source(AUTH, REGISTERED, SIGNED_IN)
    plan.replace_in_source(AUTH, SIGNED_UP, WITH_SESSION)
    plan.replace_in_source(AUTH, BEGUN.splitlines()[-1] + "\n", BEGUN)
    plan.replace_in_source(AUTH, "the token is null until the user signs in", "the user is signed in")
    refusal = "HTTPException(409 if error.code in TAKEN else 400, error.message)"
    plan.replace_in_source(AUTH, refusal, "HTTPException(400, _reason(error))")
    plan.replace_in_source(
        AUTH,
        "async def _create(",
        "def _reason(error: AuthError) -> str:\n"
        '    return "this address has an account" if error.code in TAKEN else error.message\n\n\n'
        "async def _create(",
    )
    plan.replace_in_source(AUTH, "    name: str\n    token: str\n", "    name: str\n    token: str\n    created_at: str\n")
    token = "        token=token.strip(),\n"
    plan.replace_in_source(AUTH, token, f'{token}        created_at=user["created_at"],\n')
    plan.replace_in_source(AUTH, '"name": user.name}\n', '"name": user.name, "created_at": user.created_at}\n')
    plan.replace_in_source(SCHEMAS, "    access_token: None\n", "    access_token: str | None\n    expires_in: int | None\n")
    signed_up = '    """A new user who has given consent."""\n\n'
    session = '    access_token: str | None\n    token_type: Literal["bearer"]\n    expires_in: int | None\n'
    plan.replace_in_source(SCHEMAS, signed_up, f"{signed_up}{session}")
    plan.replace_in_source(SCHEMAS, "A new user, who signs in afterwards", "A new user, who is signed in")
