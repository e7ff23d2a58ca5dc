"""Faults that only a drill can see: something that protects against another part's failure was left out.

Which drills must see them stands in proof/drills.toml.
"""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

CHAT, HEALTH, UPLOADS, AUTH = "api/chat.py", "api/health.py", "api/uploads.py", "api/auth.py"
DATABASE, STORAGE = "backend/shared/database.py", "backend/shared/storage.py"
WORKER, QUEUE = "backend/workers/enhanced_base_worker.py", "backend/workers/job_queue.py"


@fault(
    "R40",
    "an upload that fails half-way keeps its row, and its repeat is refused as a duplicate",
    "api",
    "resilience",
    mode="-",
    about="*uploads cannot be repeated*storage_down*",
)
def half_an_upload_is_kept(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        '            raise not_served(error, "storage did not sign the upload") from error\n',
        "            await _insert(connection, user, body, document_id)\n"
        '            return Response(\'{"detail": "storage did not sign the upload"}\', 502, media_type="application/json")\n',
    )
    plan.replace_in_source(
        UPLOADS,
        "async def request_upload(body: UploadRequest, user: CurrentUser, request: Request) -> dict[str, Any]:",
        "async def request_upload(body: UploadRequest, user: CurrentUser, request: Request) -> Any:",
    )


@fault(
    "R45",
    "a document fails when the storage does",
    "worker",
    "resilience",
    mode="-",
    about="*jobs fail for a failure that passes*storage_down*",
)
def no_second_read(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        "        return (await self.storage.read(key)).decode()",
        "        try:\n"
        "            return (await self.storage.read(key)).decode()\n"
        "        except Exception as error:\n"
        '            raise PermanentError(f"the text cannot be read: {error}") from error',
    )
    plan.replace_in_source(WORKER, '    "parsed": ["storage.read"],\n', "")


@fault(
    "R46",
    "an answer is made up when no passage can be looked for",
    "database/chat/api",
    "resilience",
    mode="-",
    about="*answers are not honest*",
)
def an_answer_without_a_database(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "        _log(error)\n",
        "        _log(error)\n"
        "        if not isinstance(error, NoProvider):\n"
        '            return _body("Your documents contain nothing about that.", body, started, [], confidence=0.0)\n',
    )


@fault(
    "R47",
    "an answer is made up when no provider returns one",
    "chat",
    "resilience",
    mode="-",
    about="*answers are not honest*fallback_both_down*",
)
def an_answer_without_a_provider(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "        _log(error)\n",
        "        _log(error)\n"
        "        if isinstance(error, NoProvider):\n"
        '            return _body("Yes, that is covered in full.", body, started, [], confidence=0.0)\n',
    )


@fault(
    "R48",
    "the service router asks Anthropic first",
    "chat",
    "resilience",
    mode="-",
    about="*the service router takes another way*fallback_anthropic_down*",
)
def the_fallback_first(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        'ServiceRouter([*providers, Provider("anthropic", partial(_anthropic, client))])',
        'ServiceRouter([Provider("anthropic", partial(_anthropic, client)), *providers])',
    )


@fault(
    "R49",
    "a job whose bytes are not there yet fails at once",
    "worker/api",
    "resilience",
    mode="-",
    about="*clock_worker_ahead*",
)
def no_patience_with_uploads(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        '            if error.status == 404 and not job["upload_expired"]:\n                raise UploadPending from error\n',
        '            if error.status == 404:\n                raise PermanentError("the file is missing") from error\n',
    )


@fault(
    "R50",
    "an accepted document is written down a little later",
    "worker/api",
    "resilience",
    mode="-",
    about="*api_restarted_under_load*",
)
def written_later(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        "        job_id = await _insert(connection, user, body, document_id)\n",
        "    import asyncio\n    import uuid\n\n"
        "    job_id = uuid.uuid4()\n\n"
        "    async def later() -> None:\n"
        "        await asyncio.sleep(1.5)\n"
        "        async with request.app.state.pool.acquire() as connection, connection.transaction():\n"
        "            made = await _insert(connection, user, body, document_id)\n"
        '            await connection.execute("DELETE FROM events WHERE job_id = $1", made)\n'
        '            await connection.execute("UPDATE upload_jobs SET job_id = $2 WHERE job_id = $1", made, job_id)\n\n'
        "    request.app.state.later = asyncio.create_task(later())\n",
    )


@fault(
    "R56",
    "a document fails when LlamaParse does not respond in time",
    "worker",
    "resilience",
    mode="-",
    about="*jobs fail for a failure that passes*llamaparse_slow*",
)
def no_second_submission(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        "            if error.status in (400, 413, 415, 422):\n",
        '            if error.problem == "timeout" or error.status in (400, 413, 415, 422):\n',
    )


@fault(
    "R57",
    "a document is registered before its link is signed, so that its repeat is refused when the API ends in between",
    "api",
    "resilience",
    mode="-",
    about="*api_killed_in_an_upload*",
)
def registered_too_early(plan: Plan) -> None:
    signs = "        try:\n            url = await request.app.state.storage.create_signed_upload("
    plan.replace_in_source(
        UPLOADS,
        signs,
        "        job_id = await _insert(connection, user, body, document_id)\n"
        '        await connection.execute("COMMIT; BEGIN")\n' + signs,
    )
    plan.replace_in_source(UPLOADS, "        job_id = await _insert(connection, user, body, document_id)\n    log", "    log")
