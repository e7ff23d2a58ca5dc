"""What a stranger got past review, second set: what comes back, and what answers promise."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

APPLICATION = "api/application.py"
UPLOADS = "api/uploads.py"
JOBS = "api/jobs.py"
CHAT = "api/chat.py"
WORKER = "backend/workers/enhanced_base_worker.py"
QUEUE = "backend/workers/job_queue.py"


@fault(
    "Q01",
    "a body that is refused with 422 is logged with its input, and so with the password",
    "api/auth",
    "postdeploy",
    mode="F21|-",
    about="*password*|*signup*|*log*|*secret*",
)
def refused_input_is_logged(plan: Plan) -> None:
    found = '    found = [{"loc": list(item["loc"])'
    noted = '    log.info("invalid request to %s: %s", request.url.path, error.errors())\n'
    plan.replace_in_source(APPLICATION, "async def _invalid(_: Request,", "async def _invalid(request: Request,")
    plan.replace_in_source(APPLICATION, found, f"{noted}{found}")


@fault(
    "Q02",
    "a file that is no PDF is quoted in the job's last_error, its event and the worker's log",
    "worker",
    "postdeploy",
    mode="F21|-",
    about="*last_error*|*upload_jobs*|*events*|*log*|*sentence*|*content*|*text*",
)
def file_is_quoted(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        '"the file cannot be read: no %PDF- header"',
        "f\"the file cannot be read: expected %PDF-, it begins with {body[:200].decode(errors='replace')!r}\"",
    )


@fault(
    "Q03",
    "the event `parse_queued` keeps the job's webhook secret",
    "worker",
    "postdeploy",
    mode="F21|-",
    about="*webhook*secret*|*events*|*secret*",
)
def secret_in_an_event(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "        await self._record(connection, job, status, {})\n",
        '        changed = {"state": state, "webhook_secret": webhook_secret, "progress": progress}\n'
        "        await self._record(connection, job, status, {name: new for name, new in changed.items() if new})\n",
    )


@fault(
    "Q04",
    "the refusal of a duplicate gives the time of the first upload without a zone",
    "api",
    "postdeploy",
    mode="-",
    about="*last_uploaded*|*duplicate*|*time*|*zone*|*POST*upload*",
)
def time_without_zone(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, 'row["updated_at"].isoformat()', "f\"{row['updated_at']:%Y-%m-%dT%H:%M:%S}\"")


@fault(
    "Q05",
    "the status of a finished document may be stored by shared caches",
    "api",
    "postdeploy",
    mode="-",
    about="*cache*|*documents*status*|*Cache-Control*",
)
def finished_document_is_cached(plan: Plan) -> None:
    signature = "async def document_status(document_id: UUID, user: CurrentUser, request: Request"
    body = '    return {\n        "document_id": str(row["document_id"]),\n        "filename"'
    cached = (
        '    if row["state"] == "done":\n        # It does not change any more.\n'
        '        response.headers["Cache-Control"] = "public, max-age=3600"\n'
    )
    plan.replace_in_source(JOBS, "HTTPException, Query, Request\n", "HTTPException, Query, Request, Response\n")
    plan.replace_in_source(JOBS, signature, f"{signature}, response: Response")
    plan.replace_in_source(JOBS, body, f"{cached}{body}")


@fault(
    "Q06",
    "a first answer sets a cookie that is not `Secure`",
    "api/chat",
    "postdeploy",
    mode="-",
    about="*cookie*|*chat*",
)
def conversation_in_a_cookie(plan: Plan) -> None:
    signature = "async def chat(body: ChatRequest, user: CurrentUser, request: Request"
    answer = "    return _body(\n        answer.text,\n"
    kept = (
        "    if body.conversation_id is None:\n        body.conversation_id = str(uuid.uuid4())\n"
        '        response.set_cookie("conversation", body.conversation_id, max_age=1800, httponly=True, samesite="lax")\n'
    )
    plan.replace_in_source(CHAT, "HTTPException, Request\n", "HTTPException, Request, Response\n")
    plan.replace_in_source(CHAT, signature, f"{signature}, response: Response")
    plan.replace_in_source(CHAT, answer, f"{kept}{answer}")


@fault(
    "Q07",
    "what storage refuses is answered by the proxy in plain text instead of JSON",
    "api",
    "postdeploy",
    mode="-",
    about="*upload-file-proxy*|*proxy*|*content type*|*JSON*",
)
def refusal_in_plain_text(plan: Plan) -> None:
    caught = '        raise HTTPException(error.status, "storage refused the file") from error\n'
    passed = '        return Response(str(error), error.status, media_type="text/plain")\n'
    plan.replace_in_source(UPLOADS, caught, passed)


@fault(
    "Q08",
    "the document route escapes the file name for HTML: it differs from the row and from the other routes",
    "api",
    "postdeploy",
    mode="-",
    about="*filename*|*file name*|*documents*status*",
)
def escaped_name(plan: Plan) -> None:
    plan.replace_in_source(JOBS, "from typing import Annotated", "from html import escape\nfrom typing import Annotated")
    plan.replace_in_source(JOBS, '"filename": row["filename"]', '"filename": escape(row["filename"])')
