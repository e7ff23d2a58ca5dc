"""Faults by another hand, third set: what an observer of all traffic sees, and who may do what."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
JOBS = "api/jobs.py"
UPLOADS = "api/uploads.py"
WEBHOOK = "api/webhook.py"
WORKER = "backend/workers/enhanced_base_worker.py"
QUEUE = "backend/workers/job_queue.py"


@fault(
    "P01",
    "the reason of a file that is no PDF quotes the beginning of the file",
    "worker",
    "postdeploy",
    mode="F21|-",
    about="*last_error*|*sentence*|*content*|*user's text*|*log*|*shown*|*events*",
)
def file_quoted(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        'raise PermanentError("the file cannot be read: no %PDF- header")',
        'raise PermanentError(f"the file cannot be read: expected %PDF-, found {body[:160]!r}")',
    )


@fault(
    "P02",
    "the list of finished jobs may be stored by shared caches",
    "api",
    "postdeploy",
    mode="-",
    about="*cache*|*cach*|*jobs*",
)
def finished_jobs_cached(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS, "import APIRouter, HTTPException, Query, Request", "import APIRouter, HTTPException, Query, Request, Response"
    )
    plan.replace_in_source(
        JOBS, "    request: Request,\n    limit:", "    request: Request,\n    response: Response,\n    limit:"
    )
    plan.replace_in_source(
        JOBS,
        '    """The caller\'s jobs, newest first."""\n',
        '    """The caller\'s jobs, newest first."""\n'
        '    if state == "done":\n'
        "        # They do not change any more.\n"
        '        response.headers["Cache-Control"] = "public, max-age=600"\n',
    )


@fault(
    "P03",
    "the document's route gives the time of its registration as that of its last change",
    "api",
    "postdeploy",
    mode="-",
    about="*updated_at*|*documents/*status*|*time*|*ways*|*agree*|*disagree*",
)
def time_of_registration(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        '"last_error": row["last_error"],\n        "updated_at": row["updated_at"]',
        '"last_error": row["last_error"],\n        "updated_at": row["created_at"]',
    )


@fault(
    "P04",
    "a job that waits for its bytes writes an event at every poll",
    "worker/database",
    "postdeploy",
    mode="-",
    about="*event*|*grow*|*never sent*|*awaiting*|*waits for*|*registered*",
)
def event_at_every_poll(plan: Plan) -> None:
    end = "                self._config.poll_interval / self._config.speedup,\n            )\n"
    plan.replace_in_source(
        QUEUE, end, f'{end}            await self._record(connection, job, job["status"], {{"awaiting_upload": True}})\n'
    )


@fault(
    "P05",
    "the refusal of a job that is not there is plain text",
    "api",
    "postdeploy",
    mode="-",
    about="*jobs/*|*content*type*|*JSON*|*body*|*plain text*|*refusal*|*form*",
)
def refusal_in_plain_text(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        "from api.auth import CurrentUser\n",
        "from fastapi.responses import PlainTextResponse\n\nfrom api.auth import CurrentUser\n",
    )
    plan.replace_in_source(
        JOBS,
        '    if row is None:\n        raise HTTPException(404, "no such job")\n    return _view(row)',
        '    if row is None:\n        return PlainTextResponse("no such job", status_code=404)\n    return _view(row)',
    )
    plan.replace_in_source(
        JOBS,
        "async def job(job_id: UUID, user: CurrentUser, request: Request) -> dict[str, Any]:",
        "async def job(job_id: UUID, user: CurrentUser, request: Request) -> Any:",
    )


@fault(
    "P06",
    "the log names the file of a duplicate that was refused",
    "api",
    "postdeploy",
    mode="F21|-",
    about="*log*|*file name*|*filename*|*duplicate*",
)
def duplicate_named_in_the_log(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        "    if row:\n        detail = {",
        '    if row:\n        log.info("refused a duplicate of %r of %s", row["filename"], user.id)\n        detail = {',
    )


@fault(
    "P07",
    "POST /auth/signup stores the password among the user's metadata, which every token of the user carries",
    "auth/api/database",
    "postdeploy",
    mode="F21|-",
    about="*password*|*metadata*|*auth.users*|*secret*",
)
def password_among_the_metadata(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        """    metadata = {
        "name": body.name,
        "consent_version": body.consent_version,
        "consent_timestamp": body.consent_timestamp,
    }
""",
        '    metadata = body.model_dump(exclude={"email"})\n',
    )


@fault(
    "P08",
    "a token that was accepted is known by its claims for 20 s: altered signature, signed out or deleted",
    "auth/api",
    "postdeploy",
    mode="F25",
    about="*token*|*signature*|*sign*out*|*signed out*|*deleted*|*session*",
)
def known_by_its_claims(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import re\nimport time\n")
    plan.replace_in_source(AUTH, "MIN_PASSWORD = 6\n", "MIN_PASSWORD = 6\nKNOWN_SECONDS = 20.0\n_known: dict[str, Any] = {}\n")
    plan.replace_in_source(
        AUTH,
        "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user(token))",
        "    client: Vendors = request.app.state.client\n"
        "    # Pages ask several times in a row; signatures of the same claims may differ (ES256).\n"
        '    claims = token.rpartition(".")[0]\n'
        "    since, known = _known.get(claims, (0.0, None))\n"
        "    if known and time.monotonic() - since < KNOWN_SECONDS:\n"
        "        return known\n"
        "    try:\n"
        "        reply = await _asked(client.auth.get_user(token))",
    )
    plan.replace_in_source(
        AUTH,
        '    user: dict[str, Any] = reply.user.model_dump(mode="json")\n    return user',
        '    user: dict[str, Any] = reply.user.model_dump(mode="json")\n'
        "    if len(_known) > 1000:\n"
        "        _known.clear()\n"
        "    _known[claims] = (time.monotonic(), user)\n"
        "    return user",
    )


@fault(
    "P09",
    "a retry of another user's job tells that it is there, and its state",
    "api",
    "postdeploy",
    mode="-",
    about="*retry*|*another user*job*|*other user*|*jobs/*",
)
def state_before_owner(plan: Plan) -> None:
    select = 'f"SELECT {COLUMNS}%s FROM upload_jobs j JOIN documents d USING (document_id) "\n'
    where = '            "WHERE j.job_id = $1%s FOR UPDATE OF j",\n            job_id,\n%s        )'
    own = "            raise HTTPException(409, f\"a job in state {row['state']} is not retryable\")\n"
    plan.replace_in_source(
        JOBS,
        select % "" + where % (" AND d.user_id = $2", "            user.id,\n"),
        select % ", d.user_id" + where % ("", ""),
    )
    plan.replace_in_source(
        JOBS,
        own,
        f'{own}        if row["user_id"] != user.id:\n            raise HTTPException(404, "no such job")\n',
    )


@fault(
    "P10",
    "a callback for a job without a secret is accepted when it is signed with the empty key",
    "api",
    "postdeploy",
    mode="-",
    about="*webhook*|*callback*|*signature*|*signed*",
)
def empty_key(plan: Plan) -> None:
    plan.replace_in_source(WEBHOOK, "if not secret or not signature or not", "if not signature or not")
