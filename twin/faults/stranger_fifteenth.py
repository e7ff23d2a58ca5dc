"""Faults of a stranger: what is shown where it does not belong, and who may do what."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan


@fault(
    "LO01",
    "the event of a submitted document holds the job's webhook secret, which its owner can read and sign callbacks with",
    "worker/database",
    "postdeploy",
    mode="F21|-",
    about="*webhook_secret*|*webhook secret*|*events*",
)
def secret_in_event(plan: Plan) -> None:
    plan.replace_in_source(
        "backend/workers/job_queue.py",
        "        await self._record(connection, job, status, {})\n",
        "        # The on-call engineer has to replay lost callbacks by hand.\n"
        '        await self._record(connection, job, status, {"webhook_secret": webhook_secret} if webhook_secret else {})\n',
    )


@fault(
    "LO02",
    "pre-flights and refused hosts are answered without a request id and a process time",
    "api",
    "postdeploy",
    mode="-",
    about="*x-request-id*|*x-process-time*|*request id*|*process time*",
)
def unmarked_refusals(plan: Plan) -> None:
    file, hosts = "api/application.py", "    app.add_middleware(TrustedHostMiddleware"
    line = "    app.add_middleware(RequestHeaders)\n"
    plan.replace_in_source(file, line, "")
    # The colleague wants the time of the routes alone, without that of the other layers.
    plan.replace_in_source(file, hosts, f"{line}{hosts}")


@fault(
    "LO03",
    "upload_expires_at is Oregon's wall clock called UTC, so that every link seems to have expired eight hours ago",
    "api/uploads",
    "postdeploy",
    mode="-",
    about="*upload_expires_at*|*/api/upload-pipeline/upload*",
)
def expiry_of_oregon(plan: Plan) -> None:
    plan.replace_in_source(
        "api/uploads.py",
        "    expires = datetime.now(UTC) + timedelta(seconds=SIGNED_URL_TTL_SECONDS)\n",
        "    # The region's own time, as in the operators' dashboards.\n"
        "    expires = datetime.now(UTC) + timedelta(hours=-8, seconds=SIGNED_URL_TTL_SECONDS)\n",
    )


@fault(
    "LO04",
    "the answer about a finished job may be stored by shared caches for a day",
    "api",
    "postdeploy",
    mode="-",
    about="*cache-control*|*cache*|*/api/upload-pipeline/jobs/{job_id}*",
)
def cached_job(plan: Plan) -> None:
    file = "api/jobs.py"
    plan.replace_in_source(file, "HTTPException, Query, Request\n", "HTTPException, Query, Request, Response\n")
    plan.replace_in_source(
        file,
        "async def job(job_id: UUID, user: CurrentUser, request: Request) ->",
        "async def job(job_id: UUID, user: CurrentUser, request: Request, response: Response) ->",
    )
    plan.replace_in_source(
        file,
        '        raise HTTPException(404, "no such job")\n    return _view(row)\n\n\n@router.get("/api/upload-pipeline/jobs")',
        '        raise HTTPException(404, "no such job")\n'
        "    # A finished job does not change any more; the edge can answer.\n"
        '    if row["state"] == "done":\n'
        '        response.headers["Cache-Control"] = "public, max-age=86400, immutable"\n'
        '    return _view(row)\n\n\n@router.get("/api/upload-pipeline/jobs")',
    )


@fault(
    "LO05",
    "signing in at /auth/login sets the token as a cookie that also goes over plain http and that scripts can read",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*cookie*|*/auth/login*",
)
def careless_cookie(plan: Plan) -> None:
    file = "api/auth.py"
    plan.replace_in_source(file, "HTTPException, Request\n", "HTTPException, Request, Response\n")
    plan.replace_in_source(
        file,
        "async def auth_login(body: SignIn, request: Request) ->",
        "async def auth_login(body: SignIn, request: Request, response: Response) ->",
    )
    plan.replace_in_source(
        file,
        '    """Sign in; the body is validated by its schema."""\n'
        "    return await _sign_in(request, body.email, body.password)",
        '    """Sign in; the body is validated by its schema."""\n'
        "    signed_in = await _sign_in(request, body.email, body.password)\n"
        "    # The front end survives a reload with it.\n"
        '    response.set_cookie("access_token", signed_in["access_token"])\n'
        "    return signed_in",
    )


@fault(
    "LO06",
    "a sign-in or registration whose body is not quite JSON gets the body back, with the password",
    "api/auth",
    "postdeploy",
    mode="F21|-",
    about="*password*|*/login*|*/register*",
)
def body_in_refusal(plan: Plan) -> None:
    plan.replace_in_source(
        "api/auth.py",
        'raise HTTPException(400, "body is not JSON") from error',
        "# Integrators asked where their body is broken.\n"
        "        raise HTTPException(400, f\"body is not JSON: {error}: {getattr(error, 'doc', '')}\") from error",
    )


@fault(
    "LO07",
    "a question that no document answers is written to the log in full, with the user's address",
    "api/chat",
    "postdeploy",
    mode="-",
    about="*log*|*/api/chat*|*question*",
)
def logged_question(plan: Plan) -> None:
    plan.replace_in_source(
        "api/chat.py",
        "        if not passages:\n",
        "        if not passages:\n"
        "            # What our users miss in their documents.\n"
        '            log.info("nothing found for %s: %s", user.email, body.message)\n',
    )


@fault(
    "LO08",
    "known tokens are remembered by their claims alone: the same claims with a forged signature are accepted",
    "api/auth",
    "postdeploy",
    mode="F25|-",
    about="*token*|*signature*|*signed*|*/me*",
)
def remembered_claims(plan: Plan) -> None:
    file = "api/auth.py"
    plan.replace_in_source(file, "import re\n", "import re\nimport time\n")
    plan.replace_in_source(file, "WITHOUT_NUL = ", "KNOWN: dict[str, tuple[float, dict[str, Any]]] = {}\nWITHOUT_NUL = ")
    plan.replace_in_source(
        file,
        "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user(token))",
        "    client: Vendors = request.app.state.client\n"
        "    # The header and the signature only make the key longer.\n"
        '    claims = token.split(".")[1] if token.count(".") == 2 else token\n'
        "    if claims in KNOWN and KNOWN[claims][0] > time.monotonic():\n"
        "        return KNOWN[claims][1]\n"
        "    try:\n        reply = await _asked(client.auth.get_user(token))",
    )
    plan.replace_in_source(
        file,
        '    user: dict[str, Any] = reply.user.model_dump(mode="json")\n',
        '    user: dict[str, Any] = reply.user.model_dump(mode="json")\n    KNOWN[claims] = (time.monotonic() + 30, user)\n',
    )


@fault(
    "LO09",
    "a job can be retried by any user who knows its id",
    "api",
    "postdeploy",
    mode="-",
    about="*/api/upload-pipeline/jobs/{job_id}/retry*",
)
def anybodys_retry(plan: Plan) -> None:
    plan.replace_in_source(
        "api/jobs.py",
        '            "WHERE j.job_id = $1 AND d.user_id = $2 FOR UPDATE OF j",\n',
        "            # Support retries jobs for the users.\n"
        '            "WHERE j.job_id = $1 AND $2::uuid IS NOT NULL FOR UPDATE OF j",\n',
    )


@fault(
    "LO10",
    "a view of the jobs for the front end runs with its owner's rights: every user reads everybody's file names",
    "database",
    "postdeploy",
    mode="F24|-",
    about="*document_overview*|*documents*|*view*",
)
def view_of_everybody(plan: Plan) -> None:
    plan.sql.append(
        # One request for the front end's start page in place of three.
        "CREATE VIEW upload_pipeline.document_overview AS SELECT d.document_id, d.user_id, d.filename, j.job_id, j.status,"
        " j.state, j.last_error FROM upload_pipeline.documents d JOIN upload_pipeline.upload_jobs j USING (document_id);"
        " GRANT SELECT ON upload_pipeline.document_overview TO authenticated, service_role"
    )
