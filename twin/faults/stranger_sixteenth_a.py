"""Faults by another hand: what comes back where it does not belong, and the general promises of every answer."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan


@fault(
    "LB01",
    "questions that no document answers stand word by word in the API's log",
    "api/chat",
    "postdeploy",
    mode="F21|-",
    about="*log*|*question*|*/api/chat*|*sentence*",
)
def unanswered_questions_logged(plan: Plan) -> None:
    # Support wants to see what people ask for in vain.
    plan.replace_in_source(
        "api/chat.py",
        "        if not passages:\n",
        '        if not passages:\n            log.info("no passage for the question: %s", body.message)\n',
    )


@fault(
    "LB02",
    "the event of a document's submission holds the webhook secret, which its owner and every reader of events sees",
    "worker/database",
    "postdeploy",
    mode="F21|-",
    about="*secret*|*events*|*payload*|*webhook*",
)
def secret_in_event(plan: Plan) -> None:
    # An event tells what was changed with the status.
    plan.replace_in_source(
        "backend/workers/job_queue.py",
        "        await self._record(connection, job, status, {})\n",
        '        changed = {"state": state, "signing": webhook_secret} if webhook_secret else {}\n'
        "        await self._record(connection, job, status, changed)\n",
    )


@fault(
    "LB03",
    "requests that are served at the same time are answered with one another's X-Request-ID",
    "api",
    "postdeploy",
    mode="-",
    about="*x-request-id*|*request id*",
)
def mixed_request_ids(plan: Plan) -> None:
    # Kept on the middleware, so that the error handlers can show it as well.
    plan.replace_in_source("api/application.py", "        request_id = given if 0", "        self.request_id = given if 0")
    plan.replace_in_source("api/application.py", "REQUEST_ID.set(request_id)", "REQUEST_ID.set(self.request_id)")
    plan.replace_in_source("api/application.py", '(b"x-request-id", request_id.', '(b"x-request-id", self.request_id.')


@fault(
    "LB04",
    "the jobs routes say 60 percent of a complete job for ever, the document's route says 100",
    "worker/api",
    "postdeploy",
    mode="-",
    about="*percent*|*progress*|*jobs*",
)
def stuck_percent(plan: Plan) -> None:
    # The bar moves while the embeddings are made.
    plan.replace_in_source(
        "backend/workers/enhanced_base_worker.py",
        'progress={"chunks": len(rows)}',
        'progress={"chunks": len(rows), "percent": 60}',
    )


@fault(
    "LB05",
    "the status of a finished document, with its file name, may be kept by every shared cache for a minute",
    "api",
    "postdeploy",
    mode="-",
    about="*cache*|*/documents/{document_id}/status*|*documents/*status*",
)
def finished_status_cached(plan: Plan) -> None:
    path = "api/jobs.py"
    plan.replace_in_source(path, "HTTPException, Query, Request", "HTTPException, Query, Request, Response")
    plan.replace_in_source(
        path,
        "async def document_status(document_id: UUID, user: CurrentUser, request: Request)",
        "async def document_status(document_id: UUID, user: CurrentUser, request: Request, response: Response)",
    )
    # A finished document changes no more: the page need not ask us for it each time.
    plan.replace_in_source(
        path,
        '        raise HTTPException(404, "no such document")\n',
        '        raise HTTPException(404, "no such document")\n'
        '    if row["processing_status"] == "complete":\n'
        '        response.headers["Cache-Control"] = "public, max-age=60"\n',
    )


@fault(
    "LB06",
    "a new conversation sets a cookie that scripts can read and that is sent without TLS",
    "api/chat",
    "postdeploy",
    mode="-",
    about="*cookie*|*/api/chat*|*httponly*|*secure*",
)
def loose_cookie(plan: Plan) -> None:
    path = "api/chat.py"
    plan.replace_in_source(path, "APIRouter, HTTPException, Request\n", "APIRouter, HTTPException, Request, Response\n")
    plan.replace_in_source(
        path,
        "async def chat(body: ChatRequest, user: CurrentUser, request: Request)",
        "async def chat(body: ChatRequest, user: CurrentUser, request: Request, response: Response)",
    )
    # The page finds its conversation again after a reload.
    plan.replace_in_source(
        path,
        "    started = time.perf_counter()\n    config: Config",
        "    if body.conversation_id is None:\n"
        "        body.conversation_id = str(uuid.uuid4())\n"
        '        response.set_cookie("conversation", body.conversation_id, max_age=86400)\n'
        "    started = time.perf_counter()\n    config: Config",
    )


@fault(
    "LB07",
    "a refused token comes back whole in the WWW-Authenticate header",
    "api/auth",
    "postdeploy",
    mode="F21|-",
    about="*www-authenticate*|*token*",
)
def token_in_challenge(plan: Plan) -> None:
    # RFC 6750 has a description, and callers that hold several tokens cannot tell which one was refused.
    plan.replace_in_source(
        "api/auth.py",
        '        raise _unauthorized("invalid or expired token") from error\n',
        '        refused = _unauthorized("invalid or expired token")\n'
        '        told = f\'Bearer error="invalid_token", error_description="not valid: {token}"\'\n'
        '        refused.headers = {"WWW-Authenticate": told}\n'
        "        raise refused from error\n",
    )
