"""Faults that real deployments of this system had, in the order in which they were observed; then what hosts do to them."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

APPLICATION = "api/application.py"
CHAT = "api/chat.py"
HEALTH = "api/health.py"
UPLOADS = "api/uploads.py"
WORKER = "backend/workers/enhanced_base_worker.py"

FAILURES_OF_ONE_ROUTER = """router = APIRouter()


async def _caller(request: Request) -> Caller:
    try:
        return await current_user(request)
    except HTTPException as error:
        raise HTTPException(500, "authentication failed") from error


CurrentUser = Annotated[Caller, Depends(_caller)]
"""
PAGES_OF_DEVELOPERS = '''"""Pages for development."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request

router = APIRouter()


@router.get("/debug/config")
async def settings(request: Request) -> dict[str, Any]:
    config = request.app.state.config
    return {"environment": config.environment, "schema": config.schema, "embedding_model": config.embedding_model}


@router.post("/test/chat")
async def test_chat(request: Request) -> dict[str, Any]:
    return {"text": "The chat is ready.", "characters": len(await request.body())}


@router.post("/api/upload-pipeline/test/upload")
async def test_upload(request: Request) -> dict[str, Any]:
    return {"status": "accepted", "bytes": len(await request.body())}


@router.post("/api/workflow/run")
async def run_workflow(request: Request) -> dict[str, Any]:
    return {"status": "started", "jobs": await request.app.state.pool.fetchval("SELECT count(*) FROM upload_jobs")}


@router.get("/debug/documents/{user_id}")
async def documents_of(user_id: UUID, request: Request) -> dict[str, Any]:
    rows = await request.app.state.pool.fetch(
        "SELECT d.filename, c.text FROM documents d LEFT JOIN document_chunks c USING (document_id)"
        " WHERE d.user_id = $1 ORDER BY d.created_at, c.chunk_ord LIMIT 20",
        user_id,
    )
    return {"user_id": str(user_id), "documents": [dict(row) for row in rows]}
'''


def _set_in_process(plan: Plan, name: str, value: str) -> None:
    """Set a variable of the API's process only; the declared environments and the operator's stay right."""
    plan.extra_env.setdefault("api", {})[name] = value


@fault(
    "G66",
    "the jobs router is not mounted",
    "api",
    "postdeploy",
    mode="-",
    about="routes missing|endpoint GET /api/upload-pipeline/jobs",
)
def router_not_mounted(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION, "(health, auth, uploads, jobs, webhook, chat)", "(health, auth, uploads, webhook, chat)"
    )


@fault("G67", "`/health` reports a version that is fixed in the code", "api", "postdeploy", mode="-", about="release version")
def fixed_version(plan: Plan) -> None:
    plan.replace_in_source(
        HEALTH,
        '"version": config.version,\n        "services": services,',
        '"version": "3.0.0",\n        "services": services,',
    )


@fault(
    "G69",
    "token failures return 500 on the jobs routes and 401 elsewhere",
    "auth/api",
    "postdeploy",
    mode="F08",
    about="/api/upload-pipeline/jobs",
    log="*authentication failed*",
)
def one_router_fails(plan: Plan) -> None:
    plan.replace_in_source("api/jobs.py", "from fastapi import APIRouter,", "from fastapi import APIRouter, Depends,")
    plan.replace_in_source("api/jobs.py", "from api.auth import CurrentUser\n", "from api.auth import Caller, current_user\n")
    plan.replace_in_source("api/jobs.py", "router = APIRouter()\n", FAILURES_OF_ONE_ROUTER)


@fault(
    "G70",
    "test, debug and workflow endpoints are open; one returns any user's documents",
    "api",
    "postdeploy",
    mode="F22|F21|-",
    about="/debug|/test|/workflow",
)
def open_pages(plan: Plan) -> None:
    (plan.source / "api" / "debug.py").write_text(PAGES_OF_DEVELOPERS)
    plan.replace_in_source(
        APPLICATION, "from api import auth, chat, health, jobs,", "from api import auth, chat, debug, health, jobs,"
    )
    plan.replace_in_source(APPLICATION, "jobs, webhook, chat)", "jobs, webhook, chat, debug)")


@fault(
    "G71",
    "the upload proxy writes into other users' folders",
    "api/auth/storage",
    "postdeploy",
    mode="-",
    about="upload-file-proxy",
)
def foreign_folders(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, 'key.startswith(f"user/{user.id}/")', 'key.startswith("user/")')


@fault(
    "G72",
    "chat returns 200 with a text that quotes a 502 from upstream",
    "chat",
    "postdeploy",
    mode="F16|F02|-",
    about="chat|answer",
)
def quoted_502(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "answer = await complete(client, config, _prompt(body.message, passages))",
        'answer = Routed("The request failed: upstream returned 502 Bad Gateway. Please try again.", "openai")',
    )


@fault(
    "G73",
    "Anthropic refuses the chat's key; chat returns 200 with an apology",
    "anthropic",
    "postdeploy",
    mode="F02|-",
    about="Anthropic|anthropic|answer",
    log="*anthropic answered 401*",
)
def refused_model(plan: Plan) -> None:
    _set_in_process(plan, "ANTHROPIC_API_KEY", "revoked-anthropic-key-of-staging")
    plan.replace_in_source(
        CHAT, 'Provider("openai", partial(_openai, client))', 'Provider("anthropic", partial(_anthropic, client))'
    )
    kind = '"anthropic.AuthenticationError" if isinstance(error, NoProvider) else type(error).__name__'
    plan.replace_in_source(CHAT, "error_type=type(error).__name__", f"error_type={kind}")


@fault(
    "G74",
    "the status page returns 200 and `ok` although its database check fails",
    "api",
    "postdeploy",
    mode="-",
    about="status",
)
def hidden_error(plan: Plan) -> None:
    plan.replace_in_source(
        HEALTH,
        "    database = await _guarded(_database(request))\n",
        "    try:\n"
        '        await request.app.state.pool.fetchval("SELECT version FROM alembic_version")\n'
        '        database = "connected"\n'
        "    except Exception as error:\n"
        '        database = f"error: {error}"\n',
    )
    plan.replace_in_source(HEALTH, '"status": "ok" if _is_healthy(database) else "degraded",', '"status": "ok",')
    plan.replace_in_source(HEALTH, '"connected" if _is_healthy(database) else "disconnected"', "database")


@fault(
    "G75",
    "a completed job stays `queued` and its document `parsed`",
    "worker/api",
    "postdeploy",
    mode="-",
    about="state|processing_status|upload_jobs",
)
def rows_left_behind(plan: Plan) -> None:
    plan.replace_in_source(WORKER, 'queue.advance(job, "complete", state="done")', 'queue.advance(job, "complete")')
    later = "('parse_validated', 'chunks_stored', 'embeddings_stored', 'complete')"
    plan.replace_in_source(
        "backend/workers/job_queue.py",
        "updated_at = now() WHERE document_id = $1",
        f"updated_at = now() WHERE document_id = $1 AND $2 NOT IN {later}",
    )


@fault(
    "G76",
    "while a job waits for its callback, the worker polls without pause and logs each time",
    "worker",
    "postdeploy",
    mode="F28",
    about="queue|spin",
    log="*is not ready*",
)
def spinning_worker(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        "        if job is None:\n            return False\n",
        "        if job is None:\n"
        "            parked = await self.pool.fetch(\"SELECT job_id FROM upload_jobs WHERE status = 'parse_queued'\")\n"
        "            for row in parked:\n"
        '                log.info("job %s is not ready", row["job_id"])\n'
        "            return bool(parked)\n",
    )
