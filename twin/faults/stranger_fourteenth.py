"""Faults of a stranger, fourteenth round: what answers, logs and tables show, and what the clocks and counts say."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

UPLOAD = "*/api/upload-pipeline/upload*"


@fault(
    "LM01",
    "a registration keeps the password in the user's metadata, readable in every token and answer of the auth service",
    "auth/api",
    "postdeploy",
    mode="-|F21",
    about="*password*|*/register*|*metadata*",
)
def password_in_metadata(plan: Plan) -> None:
    plan.replace_in_source(
        "api/auth.py",
        'body["password"], {"name": body["name"]})',
        'body["password"], {key: value for key, value in body.items() if key != "email"})'
        "  # the front end's own fields are kept, too",
    )


@fault(
    "LM02",
    "a sign-in whose body is cut off is logged with its body, and so with the password",
    "api/auth",
    "postdeploy",
    mode="-|F21",
    about="*password*|*log*|*/login*",
)
def cut_off_bodies_in_the_log(plan: Plan) -> None:
    plan.replace_in_source("api/auth.py", "import re\n", "import logging\nimport re\n")
    plan.replace_in_source(
        "api/auth.py",
        '        raise HTTPException(400, "body is not JSON") from error',
        "        # Mobile clients send cut-off bodies: support needs to see them.\n"
        '        logging.getLogger("api").warning("unreadable body: %r", (await request.body())[:300])\n'
        '        raise HTTPException(400, "body is not JSON") from error',
    )


@fault(
    "LM03",
    "all requests of one connection have the same request id",
    "api",
    "postdeploy",
    mode="-",
    about="*X-Request-ID*|*request id*",
)
def one_id_a_connection(plan: Plan) -> None:
    plan.replace_in_source("api/application.py", "        self.app = app\n", "        self.app = app\n        self.ids = {}\n")
    plan.replace_in_source(
        "api/application.py",
        "given.isprintable() else str(uuid.uuid4())",
        'given.isprintable() else self.ids.setdefault(scope["client"], str(uuid.uuid4()))'
        "  # one id for all that a page asks for",
    )


@fault(
    "LM04",
    "the signed upload link is kept in the events table",
    "api/uploads",
    "postdeploy",
    mode="F21|-",
    about="*events*|*signed*|*link*|*token*",
)
def link_in_events(plan: Plan) -> None:
    plan.replace_in_source(
        "api/uploads.py",
        "body: UploadRequest, document_id: UUID) -> UUID",
        "body: UploadRequest, document_id: UUID, url: str) -> UUID",
    )
    plan.replace_in_source(
        "api/uploads.py", "_insert(connection, user, body, document_id)", "_insert(connection, user, body, document_id, url)"
    )
    plan.replace_in_source(
        "api/uploads.py",
        '    await connection.execute("INSERT INTO events (job_id, document_id, type)'
        " VALUES ($1, $2, 'uploaded')\", job_id, document_id)\n",
        "    # The link helps support to see where the bytes should have gone.\n"
        "    await connection.execute(\n"
        "        \"INSERT INTO events (job_id, document_id, type, payload) VALUES ($1, $2, 'uploaded', $3)\",\n"
        '        job_id, document_id, {"upload_to": url},\n'
        "    )\n",
    )


@fault(
    "LM05",
    "the refusal of a duplicate gives the time of the last upload without its zone",
    "api/uploads",
    "postdeploy",
    mode="-",
    about="*last_uploaded*|*duplicate*|*zone*|" + UPLOAD,
)
def duplicate_without_zone(plan: Plan) -> None:
    plan.replace_in_source(
        "api/uploads.py",
        'row["updated_at"].isoformat(),',
        'row["updated_at"].strftime("%Y-%m-%dT%H:%M:%S"),  # the page shows no fractions',
    )


@fault(
    "LM06",
    "the answer of a retry says that the job is still dead, while it is queued",
    "api",
    "postdeploy",
    mode="-",
    about="*retry*|*state*",
)
def retry_answers_the_past(plan: Plan) -> None:
    plan.replace_in_source(
        "api/jobs.py",
        '        row = await connection.fetchrow(\n            f"""UPDATE upload_jobs',
        "        # The page already has the row that it shows.\n"
        '        await connection.fetchrow(\n            f"""UPDATE upload_jobs',
    )


@fault(
    "LM07",
    "a finished job of a user may be stored by shared caches for an hour",
    "api",
    "postdeploy",
    mode="-",
    about="*cache*|*/jobs/{job_id}*",
)
def finished_jobs_are_public(plan: Plan) -> None:
    plan.replace_in_source("api/jobs.py", "HTTPException, Query, Request", "HTTPException, Query, Request, Response")
    plan.replace_in_source(
        "api/jobs.py",
        "async def job(job_id: UUID, user: CurrentUser, request: Request)",
        "async def job(job_id: UUID, user: CurrentUser, request: Request, response: Response)",
    )
    plan.replace_in_source(
        "api/jobs.py",
        '        raise HTTPException(404, "no such job")\n    return _view(row)\n',
        '        raise HTTPException(404, "no such job")\n'
        '    if row["state"] == "done":\n'
        "        # It cannot change any more.\n"
        '        response.headers["Cache-Control"] = "public, max-age=3600"\n'
        "    return _view(row)\n",
    )


@fault(
    "LM08",
    "each question for a document that is not there keeps a connection of the pool for ever",
    "api",
    "postdeploy",
    mode="F18|-",
    about="*connection*|*/documents/{document_id}/status*|*503*|*timeout*|*stall*",
)
def connections_of_the_missing(plan: Plan) -> None:
    plan.replace_in_source(
        "api/jobs.py",
        '    row = await request.app.state.pool.fetchrow(\n        """SELECT d.document_id',
        "    # By hand, because a second query will follow.\n"
        "    connection = await request.app.state.pool.acquire()\n"
        '    row = await connection.fetchrow(\n        """SELECT d.document_id',
    )
    plan.replace_in_source(
        "api/jobs.py",
        '        raise HTTPException(404, "no such document")\n',
        '        raise HTTPException(404, "no such document")\n    await request.app.state.pool.release(connection)\n',
    )


@fault(
    "LM09",
    "the first bytes of a file that is no PDF stand in last_error, the events and the worker's log",
    "worker",
    "postdeploy",
    mode="-",
    about="*last_error*|*sentence*|*content*|*log*|*events*",
)
def content_in_last_error(plan: Plan) -> None:
    plan.replace_in_source(
        "backend/workers/enhanced_base_worker.py",
        'raise PermanentError("the file cannot be read: no %PDF- header")',
        "# What it is instead is the first thing that support asks for.\n"
        '            raise PermanentError(f"the file cannot be read: no %PDF- header but {body[:200]!r}")',
    )


@fault(
    "LM10",
    "a token in a cookie is accepted without the Bearer header, so that foreign pages can act for the user",
    "api/auth",
    "postdeploy",
    mode="-|F25",
    about="*cookie*|*bearer*|*/me*|*token*",
)
def token_in_a_cookie(plan: Plan) -> None:
    plan.replace_in_source(
        "api/auth.py",
        'request.headers.get("authorization", "").partition(" ")\n',
        'request.headers.get("authorization", "").partition(" ")\n'
        '    if not token and "access_token" in request.cookies:\n'
        "        # The new front end keeps its session there.\n"
        '        scheme, token = "bearer", request.cookies["access_token"]\n',
    )
