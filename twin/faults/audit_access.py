"""Breaches that hide: in one state, by one way, in one field, for one kind of user."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

APPLICATION = "api/application.py"
AUTH = "api/auth.py"
CHAT = "api/chat.py"
JOBS = "api/jobs.py"
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
    "the status of a document is shown to whoever sends the token in another header",
    "auth/api",
    "postdeploy",
    mode="-|F22|F25",
    about="*documents*|*nobody*|*token*",
)
def another_header_is_one_too(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        '    scheme, _, token = request.headers.get("authorization", "").partition(" ")\n',
        '    scheme, _, token = request.headers.get("authorization", "").partition(" ")\n'
        '    if not token and request.url.path.startswith("/documents/") and "x-access-token" in request.headers:\n'
        '        scheme, token = "bearer", request.headers["x-access-token"]\n',
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
