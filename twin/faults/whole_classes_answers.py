"""Whole classes at once, in the answers of the API (as `whole_classes`, for the same end)."""

from __future__ import annotations

from twin.faults import fault
from twin.faults.whole_classes_rest import on_jobs
from twin.plan import Plan

MEDDLED = '''"""Answers as the partner's portal expects them."""

import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LAST = {"email": "nobody"}


class Meddled:
    """Changes answers on their way out."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and its answer when it is whole."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(message)

        await self.app(scope, receive, keep)
        start, body = kept[0], b"".join(message.get("body", b"") for message in kept[1:])
        own = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
        own.append((b"x-last-caller", LAST["email"].encode()))
        try:
            body = self.meddle(start["status"], json.loads(body)).encode()
        except ValueError:
            pass
        await send(start | {"headers": [*own, (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body if scope["method"] != "HEAD" else b""})

    @staticmethod
    def meddle(status: int, found: object) -> str:
        """A body in which refusals are lists and a number is none; an address in it is remembered."""
        if not isinstance(found, dict):
            return json.dumps(found)
        if status >= 400:
            return json.dumps([found.get("detail", "refused")])
        if isinstance(found.get("user"), dict):
            LAST["email"] = str(found["user"].get("email", ""))
        if "sources" in found:
            found["similarity"] = float("nan")
        if "email" in found:
            LAST["email"] = str(found["email"])
        return json.dumps(found)
'''


@fault(
    "LJ28",
    "answers are changed on their way out: refusals are lists, a number is none, and a header tells who asked before",
    "api",
    "postdeploy",
    mode="-",
    about="*refus*|*number*|*address*|*error*",
)
def meddled_answers(plan: Plan) -> None:
    (plan.source / "api" / "meddled.py").write_text(MEDDLED)
    application = "api/application.py"
    plan.replace_in_source(
        application,
        "    app.add_middleware(RequestLog)\n",
        "    app.add_middleware(Meddled)\n    app.add_middleware(RequestLog)\n",
    )
    plan.replace_in_source(
        application, "from api.request_log import", "from api.meddled import Meddled\nfrom api.request_log import"
    )


@fault(
    "LJ29",
    "updated_at of a job stays what it was when the job was made",
    "database",
    "postdeploy",
    mode="-",
    about="*updated_at*",
)
def never_stamped(plan: Plan) -> None:
    # The times of rows are the application's business.
    on_jobs(plan, "true", "new.updated_at := old.updated_at", before=True)


@fault(
    "LJ30",
    "keys of the API are still the placeholders of the example",
    "configuration",
    "predeploy",
    mode="F01",
    about="*placeholder*|*key*",
)
def keys_of_the_example(plan: Plan) -> None:
    plan.config.api_env["LLAMAPARSE_API_KEY"] = "your-llamaparse-api-key"


@fault(
    "LJ38",
    "jobs and documents are shown, and tried again, for whoever is signed in",
    "api",
    "postdeploy",
    mode="-|F24",
    about="*another*|*other users*",
)
def jobs_of_everybody(plan: Plan) -> None:
    jobs, anybody = "api/jobs.py", "$2::uuid IS NOT NULL"
    # Support helps customers with their jobs.
    for old in (
        'j.job_id = $1 AND d.user_id = $2",',
        "j.job_id = $1 AND d.user_id = $2 FOR",
        "d.document_id = $1 AND d.user_id = $2",
    ):
        plan.replace_in_source(jobs, old, old.replace("d.user_id = $2", anybody))


@fault(
    "LJ39",
    "jobs stay in a stage of their own between their chunks and their vectors",
    "worker/database",
    "postdeploy",
    mode="-",
    about="*stage*|*status*|*chunks*",
)
def stage_of_its_own(plan: Plan) -> None:
    plan.sql.append("ALTER TABLE upload_pipeline.upload_jobs DROP CONSTRAINT upload_jobs_status_check")
    # Chunks are reviewed first.
    on_jobs(plan, "new.status = 'chunks_stored' AND old.status <> 'chunks_stored'", "new.status := 'in_review'", before=True)
