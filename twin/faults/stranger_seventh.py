"""A stranger's faults B01 to B10: what every exchange should keep, and who may reach what."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

# --- What every exchange should keep ---


@fault(
    "B01",
    "a question that finds nothing is written to the api's log word for word",
    "api/chat",
    "postdeploy",
    mode="-",
    about="*log*|*question*|*sentence*|*chat*",
)
def unanswered_questions_logged(plan: Plan) -> None:
    # Wanted for tuning the threshold: which questions find nothing?
    plan.replace_in_source(
        "api/chat.py",
        "        if not passages:\n",
        "        if not passages:\n"
        '            log.info("nothing above %.2f for %r", config.similarity_threshold, body.message)\n',
    )


@fault(
    "B02",
    "a finished job's own route says a few percent, while its document says a hundred",
    "worker/api",
    "postdeploy",
    mode="-",
    about="*progress*|*percent*|*jobs/*",
)
def percent_of_a_batch(plan: Plan) -> None:
    # The share of a batch, kept in `progress`, where it takes the place of the percentage that the API makes from the stage.
    plan.replace_in_source(
        "backend/workers/enhanced_base_worker.py",
        'progress={**job["progress"], "embedded": len(rows)})',
        'progress={**job["progress"], "embedded": len(rows), "percent": round(100 * len(rows) / BATCH)})',
    )


@fault(
    "B03",
    "the refusal of a wrongly signed callback tells the right signature",
    "webhook/api",
    "postdeploy",
    mode="F21|-",
    about="*webhook*|*signature*|*callback*",
)
def expected_signature_told(plan: Plan) -> None:
    # Helpful while the vendor's new signing was tried out.
    plan.replace_in_source(
        "api/webhook.py",
        '        raise HTTPException(401, "wrong or missing signature")',
        '        reason = f"expected {expected}, got {signature}" if signature else "missing"\n'
        '        raise HTTPException(401, f"wrong or missing signature: {reason}")',
    )


@fault(
    "B04",
    "the status of a finished document may be kept and shared by public caches",
    "api",
    "postdeploy",
    mode="-",
    about="*cache*|*documents/*status*",
)
def finished_documents_cached(plan: Plan) -> None:
    # What is complete does not change any more, and the front end asks for it on every page.
    path = "api/jobs.py"
    plan.replace_in_source(path, "HTTPException, Query, Request\n", "HTTPException, Query, Request, Response\n")
    plan.replace_in_source(
        path,
        "async def document_status(document_id: UUID, user: CurrentUser, request: Request) -> dict[str, Any]:",
        "async def document_status(\n"
        "    document_id: UUID, user: CurrentUser, request: Request, response: Response\n"
        ") -> dict[str, Any]:",
    )
    plan.replace_in_source(
        path,
        '        raise HTTPException(404, "no such document")\n',
        '        raise HTTPException(404, "no such document")\n'
        '    if row["status"] == "complete":\n'
        '        response.headers["Cache-Control"] = "public, max-age=300"\n',
    )


@fault(
    "B05",
    "the time at which an account was made has lost its zone",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*created_at*|*time*|*zone*|*register*|*login*|*signup*",
)
def account_time_without_zone(plan: Plan) -> None:
    # The app's parser does not like six digits of fractions, and the cut takes the zone along.
    plan.replace_in_source(
        "api/auth.py",
        '"created_at": user.get("created_at"),',
        '"created_at": (user.get("created_at") or "")[:19] or None,',
    )


@fault(
    "B06",
    "a conversation's id comes back cut to 32 characters",
    "chat/api",
    "postdeploy",
    mode="-",
    about="*conversation*",
)
def conversation_id_cut(plan: Plan) -> None:
    # Sized for the hexadecimal form without dashes, which clients do not send.
    plan.replace_in_source(
        "api/chat.py",
        'body.conversation_id or str(uuid.uuid4()),\n        "timestamp"',
        '(body.conversation_id or uuid.uuid4().hex)[:32],\n        "timestamp"',
    )


@fault(
    "B07",
    "every look at a job writes one more event",
    "api/database",
    "postdeploy",
    mode="-",
    about="*event*|*jobs/*",
)
def looks_recorded(plan: Plan) -> None:
    # Support wanted to know whether a user has seen the outcome; the front end asks every second.
    plan.replace_in_source(
        "api/jobs.py",
        '        raise HTTPException(404, "no such job")\n    return _view(row)',
        '        raise HTTPException(404, "no such job")\n'
        "    await request.app.state.pool.execute(\n"
        '        "INSERT INTO events (job_id, document_id, type) VALUES ($1, $2, \'viewed\')", job_id, row["document_id"]\n'
        "    )\n"
        "    return _view(row)",
    )


# --- Who may reach what ---


@fault(
    "B08",
    "a token with changed claims is accepted while one with the same signature is remembered",
    "api/auth",
    "postdeploy",
    mode="F25|-",
    about="*token*|*claim*|*signature*|*sign*out*",
)
def remembered_by_signature(plan: Plan) -> None:
    # Saves a round trip to Supabase Auth for pages that ask several things at once; the signature is a short key.
    path = "api/auth.py"
    plan.replace_in_source(path, "import re\nfrom", "import re\nimport time\nfrom")
    plan.replace_in_source(
        path,
        "async def verify_token(",
        "REMEMBERED_SECONDS = 10.0\n_remembered: dict[str, tuple[float, dict[str, Any]]] = {}\n\n\nasync def verify_token(",
    )
    plan.replace_in_source(
        path,
        "    client: Vendors = request.app.state.client\n    try:\n        reply",
        '    signature = token.rpartition(".")[2]\n'
        "    until, known = _remembered.get(signature, (0.0, {}))\n"
        "    if until > time.monotonic():\n"
        "        return known\n"
        "    client: Vendors = request.app.state.client\n    try:\n        reply",
    )
    plan.replace_in_source(
        path,
        '    user: dict[str, Any] = reply.user.model_dump(mode="json")\n',
        '    user: dict[str, Any] = reply.user.model_dump(mode="json")\n'
        "    if len(_remembered) >= 1000:\n"
        "        _remembered.clear()\n"
        "    _remembered[signature] = (time.monotonic() + REMEMBERED_SECONDS, user)\n",
    )


@fault(
    "B09",
    "retrying another user's job tells that it exists and its state, 409 in place of 404",
    "api",
    "postdeploy",
    mode="-",
    about="*retry*|*jobs/*",
)
def state_before_owner(plan: Plan) -> None:
    # The row is read once and judged in Python: the state first, the owner after it.
    path = "api/jobs.py"
    plan.replace_in_source(
        path,
        '            f"SELECT {COLUMNS} FROM upload_jobs j JOIN documents d USING (document_id) "\n'
        '            "WHERE j.job_id = $1 AND d.user_id = $2 FOR UPDATE OF j",\n'
        "            job_id,\n"
        "            user.id,\n",
        '            f"SELECT {COLUMNS}, d.user_id FROM upload_jobs j JOIN documents d USING (document_id) "\n'
        '            "WHERE j.job_id = $1 FOR UPDATE OF j",\n'
        "            job_id,\n",
    )
    plan.replace_in_source(
        path,
        "        restart = {\n",
        '        if row["user_id"] != user.id:\n            raise HTTPException(404, "no such job")\n        restart = {\n',
    )


@fault(
    "B10",
    "the upload proxy writes into another user's folder when the key names the caller's own further on",
    "api/storage",
    "postdeploy",
    mode="-",
    about="*proxy*|*folder*",
)
def own_folder_anywhere(plan: Plan) -> None:
    # Some clients send the key with the bucket in front of it, and were refused.
    plan.replace_in_source("api/uploads.py", 'not key.startswith(f"user/{user.id}/")', 'f"user/{user.id}/" not in key')
