"""Releases of a stranger's hand: what answers say and give away, and who is let in by the API and its webhook."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

CHAT = "api/chat.py"
AUTH = "api/auth.py"
JOBS = "api/jobs.py"
WEBHOOK = "api/webhook.py"
QUEUE = "backend/workers/job_queue.py"


@fault(
    "J01",
    "a callback with a wrong signature is told the right one",
    "webhook/api",
    "postdeploy",
    mode="F21|-",
    about="*webhook*|*signature*|*callback*",
)
def the_right_signature(plan: Plan) -> None:
    # Meant for whoever sets up a callback by hand; the signature covers exactly the body that was sent.
    plan.replace_in_source(
        WEBHOOK,
        """    if not secret or not signature or not hmac.compare_digest(expected, signature):
        raise HTTPException(401, "wrong or missing signature")""",
        """    if not secret or not signature:
        raise HTTPException(401, "missing signature")
    if not hmac.compare_digest(expected, signature):
        raise HTTPException(401, f"wrong signature: {signature[:64]} instead of {expected}")""",
    )


@fault(
    "J02",
    "a question to which nothing is found stands in the log in full",
    "chat/api",
    "postdeploy",
    mode="F21|-",
    about="*log*|*question*|*sentence*",
)
def questions_in_the_log(plan: Plan) -> None:
    # Somebody wanted to know what people ask in vain.
    plan.replace_in_source(
        CHAT,
        "        if not passages:\n",
        '        if not passages:\n            log.info("nothing above the threshold for %r", body.message)\n',
    )


@fault(
    "J03",
    "last_error of a failed job holds the traceback with the worker's paths",
    "worker",
    "postdeploy",
    mode="F21|-",
    about="*last_error*|*traceback*|*path*",
)
def traceback_in_last_error(plan: Plan) -> None:
    # More than the message, for support; the job routes show it to the user.
    plan.replace_in_source(QUEUE, "import logging\n", "import logging\nimport traceback\n")
    plan.replace_in_source(
        QUEUE,
        '"reason": str(error)[:500] or type(error).__name__, "attempt": attempt}',
        '"reason": "".join(traceback.format_exception(error))[-500:], "attempt": attempt}',
    )


@fault(
    "J04",
    "last_uploaded of a duplicate has no time zone",
    "api",
    "postdeploy",
    mode="-",
    about="*last_uploaded*|*zone*|*duplicate*",
)
def no_zone(plan: Plan) -> None:
    # The front end shows it as it comes, and nobody wants to read microseconds.
    plan.replace_in_source(
        "api/uploads.py",
        '"last_uploaded": row["updated_at"].isoformat(),',
        '"last_uploaded": f"{row[\'updated_at\']:%Y-%m-%dT%H:%M:%S}",',
    )


@fault(
    "J05",
    "the job routes show a finished job at 60 percent, the document's status shows 100",
    "worker/api",
    "postdeploy",
    mode="-",
    about="*progress*|*percent*",
)
def progress_stands_still(plan: Plan) -> None:
    # The job routes put what the worker noted above what they compute, and no later stage notes anything.
    plan.replace_in_source(
        "backend/workers/enhanced_base_worker.py",
        'progress={"chunks": len(rows)}',
        'progress={"percent": 60, "chunks": len(rows)}',
    )


@fault(
    "J06",
    "shared caches may keep the status of a finished document",
    "api",
    "postdeploy",
    mode="-",
    about="*documents/*status*|*cache*",
)
def finished_documents_in_caches(plan: Plan) -> None:
    # It does not change any more, and the front end asks for it on every page.
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
        '        response.headers["Cache-Control"] = "public, max-age=300"\n',
    )


@fault(
    "J07",
    "the confidence of an answer from several passages is above 1",
    "chat/rag/api",
    "postdeploy",
    mode="-",
    about="*confidence*",
)
def too_confident(plan: Plan) -> None:
    # Passages that agree should count for more than one alone; nobody divided.
    plan.replace_in_source(
        CHAT,
        "confidence=round(max((p.similarity for p in passages), default=0.0), 4),",
        "confidence=round(sum(p.similarity for p in passages), 4),",
    )


@fault(
    "J08",
    "a token with a false signature is accepted while its owner is active",
    "auth/api",
    "postdeploy",
    mode="F25",
    about="*token*|*signature*|*signed*",
)
def known_by_claims(plan: Plan) -> None:
    # Supabase Auth is asked once for a session, which is recognised by its claims: the signature is not part of the key.
    plan.replace_in_source(AUTH, "import re\n", "import re\nimport time\n")
    plan.replace_in_source(
        AUTH,
        'WITHOUT_NUL = r"^[^\\x00]*$"\n',
        'WITHOUT_NUL = r"^[^\\x00]*$"\n'
        "KNOWN_SECONDS = 20.0\n"
        "KNOWN_SESSIONS = 500\n"
        "_known: dict[str, tuple[float, dict[str, Any]]] = {}\n",
    )
    plan.replace_in_source(
        AUTH,
        "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user(token))",
        '    claims = token.partition(".")[2].rpartition(".")[0]\n'
        "    since, known = _known.get(claims, (float('-inf'), {}))\n"
        "    if time.monotonic() - since < KNOWN_SECONDS:\n"
        "        return known\n"
        "    client: Vendors = request.app.state.client\n"
        "    try:\n"
        "        reply = await _asked(client.auth.get_user(token))",
    )
    plan.replace_in_source(
        AUTH,
        '    user: dict[str, Any] = reply.user.model_dump(mode="json")\n',
        '    user: dict[str, Any] = reply.user.model_dump(mode="json")\n'
        "    if len(_known) >= KNOWN_SESSIONS:\n"
        "        _known.clear()\n"
        "    if claims:\n"
        "        _known[claims] = (time.monotonic(), user)\n",
    )


@fault(
    "J09",
    "a retry of another user's job is answered with that job's state",
    "api",
    "postdeploy",
    mode="-",
    about="*retry*",
)
def state_before_owner(plan: Plan) -> None:
    # The owner is only compared where something would happen.
    plan.replace_in_source(
        JOBS,
        """            f"SELECT {COLUMNS} FROM upload_jobs j JOIN documents d USING (document_id) "
            "WHERE j.job_id = $1 AND d.user_id = $2 FOR UPDATE OF j",
            job_id,
            user.id,
        )""",
        """            f"SELECT {COLUMNS}, d.user_id FROM upload_jobs j JOIN documents d USING (document_id) "
            "WHERE j.job_id = $1 FOR UPDATE OF j",
            job_id,
        )""",
    )
    plan.replace_in_source(
        JOBS,
        "        restart = {\n",
        '        if row["user_id"] != user.id:\n            raise HTTPException(404, "no such job")\n        restart = {\n',
    )


@fault(
    "J10",
    "a callback for a finished job needs no signature",
    "webhook/api",
    "postdeploy",
    mode="-",
    about="*webhook*|*signature*|*callback*",
)
def finished_jobs_unsigned(plan: Plan) -> None:
    # It is ignored anyway, and LlamaParse's late repeats filled the log with refusals.
    plan.replace_in_source(
        WEBHOOK,
        '        _verify(row["webhook_secret"], body, request.headers.get("x-webhook-signature"))\n',
        '        if row["status"] != "complete":\n'
        '            _verify(row["webhook_secret"], body, request.headers.get("x-webhook-signature"))\n',
    )
