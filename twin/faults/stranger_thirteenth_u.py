"""A stranger's faults, the thirteenth time: what all traffic promises, and ways in beside the one that is meant."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan


@fault(
    "LU01",
    "the worker's log shows the secret that signs each job's callback to everybody who may read logs",
    "worker",
    "postdeploy",
    mode="F21|-",
    about="*webhook*secret*|*secret*log*|*log*secret*|*worker*log*|*log*worker*",
)
def secret_in_log(plan: Plan) -> None:
    plan.replace_in_source(
        "backend/workers/enhanced_base_worker.py",
        '        base = self.config.api_base_url.rstrip("/")\n',
        '        base = self.config.api_base_url.rstrip("/")\n'
        "        # A lost callback can be replayed by hand from this line.\n"
        '        log.info("handing over, callback=%s:%s job_id=%s", base, secret, job["job_id"])\n',
    )


@fault(
    "LU02",
    "a sign-in or registration whose body is not JSON is answered with a traceback and the paths of the source",
    "api/auth",
    "postdeploy",
    mode="F21|-",
    about="*/login*|*/register*|*traceback*|*inside path*",
)
def traceback_in_refusal(plan: Plan) -> None:
    plan.replace_in_source("api/auth.py", "import re\n", "import re\nimport traceback\n")
    plan.replace_in_source(
        "api/auth.py",
        '        raise HTTPException(400, "body is not JSON") from error\n',
        "        # The front end's people asked where exactly their JSON breaks.\n"
        '        raise HTTPException(400, f"body is not JSON: {traceback.format_exc()}") from error\n',
    )


@fault(
    "LU03",
    "pre-flights and refusals of foreign hosts have no request id and no process time, and are in no log",
    "api",
    "postdeploy",
    mode="-",
    about="*x-request-id*|*x-process-time*|*request id*|*process time*",
)
def untraceable_refusals(plan: Plan) -> None:
    added = "    app.add_middleware(RequestLog)\n    app.add_middleware(RequestHeaders)\n"
    plan.replace_in_source("api/application.py", added, "")
    plan.replace_in_source(
        "api/application.py",
        "    own_host = urlsplit(",
        f"    # What is refused at the door need not be measured.\n{added}    own_host = urlsplit(",
    )


@fault(
    "LU04",
    "the list of jobs is up to a minute old: new jobs are missing, finished ones run on, and the job's own route disagrees",
    "api",
    "postdeploy",
    mode="-",
    about="*/api/upload-pipeline/jobs*|*job list*|*list of jobs*",
)
def old_list(plan: Plan) -> None:
    plan.replace_in_source("api/jobs.py", "from typing import", "import time\nfrom typing import")
    plan.replace_in_source("api/jobs.py", "MAX_OFFSET = 2**31 - 1\n", "MAX_OFFSET = 2**31 - 1\n_pages: dict[Any, Any] = {}\n")
    plan.replace_in_source(
        "api/jobs.py",
        '    """The caller\'s jobs, newest first."""\n',
        '    """The caller\'s jobs, newest first."""\n'
        "    # The dashboard asks every second; a minute is fresh enough for an overview.\n"
        "    page, now = (user.id, limit, offset, state), time.monotonic()\n"
        "    if page in _pages and now - _pages[page][0] < 60:\n"
        "        return _pages[page][1]\n",
    )
    plan.replace_in_source(
        "api/jobs.py",
        '    return {"jobs": [_view(row) for row in rows], "limit": limit, "offset": offset}\n',
        '    _pages[page] = now, {"jobs": [_view(row) for row in rows], "limit": limit, "offset": offset}\n'
        "    return _pages[page][1]\n",
    )


@fault(
    "LU05",
    "a shared cache may store and hand out the status of a user's document",
    "api",
    "postdeploy",
    mode="-",
    about="*/documents/{document_id}/status*|*cache-control*|*shared cache*",
)
def cacheable_status(plan: Plan) -> None:
    plan.replace_in_source("api/jobs.py", "HTTPException, Query, Request\n", "HTTPException, Query, Request, Response\n")
    old = "async def document_status(document_id: UUID, user: CurrentUser, request: Request) -> dict[str, Any]:\n"
    old += '    """Progress of one document of the caller."""\n'
    new = old.replace("request: Request)", "request: Request, response: Response)")
    new += "    # Polled all the time; the CDN can take that off us.\n"
    new += '    response.headers["Cache-Control"] = "public, max-age=30"\n'
    plan.replace_in_source("api/jobs.py", old, new)


@fault(
    "LU06",
    "sign-in through /auth/login leaves the access token in a cookie that scripts can read and plain HTTP carries",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*cookie*|*/auth/login*",
)
def open_cookie(plan: Plan) -> None:
    plan.replace_in_source("api/auth.py", "HTTPException, Request\n", "HTTPException, Request, Response\n")
    old = "async def auth_login(body: SignIn, request: Request) -> dict[str, Any]:\n"
    old += '    """Sign in; the body is validated by its schema."""\n'
    plan.replace_in_source(
        "api/auth.py",
        old + "    return await _sign_in(request, body.email, body.password)\n",
        old.replace("request: Request)", "request: Request, response: Response)")
        + "    session = await _sign_in(request, body.email, body.password)\n"
        + "    # The new front end reads it after a reload.\n"
        + '    response.set_cookie("sb-access-token", session["access_token"], max_age=session["expires_in"])\n'
        + "    return session\n",
    )


@fault(
    "LU07",
    "a document that is registered and not sent gets one more row in `events` with every poll of the worker, without end",
    "worker/database",
    "postdeploy",
    mode="F28|-",
    about="*events*|*awaiting*|*never sent*|*not sent*",
)
def endless_events(plan: Plan) -> None:
    plan.replace_in_source(
        "backend/workers/job_queue.py",
        "                self._config.poll_interval / self._config.speedup,\n            )\n",
        "                self._config.poll_interval / self._config.speedup,\n            )\n"
        "            # Support wants to see that somebody still waits.\n"
        "            await connection.execute(\n"
        "                \"INSERT INTO events (job_id, document_id, type) VALUES ($1, $2, 'awaiting_upload')\",\n"
        '                job["job_id"],\n'
        '                job["document_id"],\n'
        "            )\n",
    )


@fault(
    "LU08",
    "the upload proxy writes into another user's folder when the key has the caller's own id anywhere in it",
    "api/uploads",
    "postdeploy",
    mode="-",
    about="*upload-file-proxy*|*proxy*|*folder*",
)
def own_id_anywhere(plan: Plan) -> None:
    plan.replace_in_source(
        "api/uploads.py",
        'not key.startswith(f"user/{user.id}/")',
        # The old app has its folders below users/, the new one below user/.
        "str(user.id) not in key",
    )


@fault(
    "LU09",
    "an access token is accepted for five minutes after it has expired",
    "api/auth",
    "postdeploy",
    mode="F25",
    about="*expired*|*token*",
)
def five_minutes_more(plan: Plan) -> None:
    plan.replace_in_source("api/auth.py", "import re\n", "import base64\nimport json\nimport re\nimport time\n")
    plan.replace_in_source(
        "api/auth.py",
        '        raise _unauthorized("invalid or expired token") from error\n',
        "        # Long uploads lost their session half way; the signature has been checked before the time.\n"
        '        if "expired" in error.message:\n'
        '            claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))\n'
        '            if claims["exp"] > time.time() - 300:\n'
        '                return {**claims, "id": claims["sub"], "email": claims.get("email", "")}\n'
        '        raise _unauthorized("invalid or expired token") from error\n',
    )


@fault(
    "LU10",
    "a callback is accepted with the secret of any job: whoever knows their own forges the text of another user's document",
    "api/webhook",
    "postdeploy",
    mode="-",
    about="*webhook*|*signature*|*callback*",
)
def secret_of_any_job(plan: Plan) -> None:
    plan.replace_in_source(
        "api/webhook.py",
        '        _verify(row["webhook_secret"], body, request.headers.get("x-webhook-signature"))\n',
        '        signature = request.headers.get("x-webhook-signature")\n'
        "        # After a retry LlamaParse may still sign with the secret of an earlier job.\n"
        '        known = await connection.fetch("SELECT webhook_secret FROM upload_jobs WHERE webhook_secret IS NOT NULL")\n'
        "        made = {hmac.new(k[0].encode(), body, hashlib.sha256).hexdigest(): k[0] for k in known}\n"
        '        _verify(made.get(signature or "", row["webhook_secret"]), body, signature)\n',
    )
