"""Faults that only show after a while: pauses, many questions, many uploads."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

APPLICATION = "api/application.py"
CHAT = "api/chat.py"
UPLOADS = "api/uploads.py"
REQUEST_BEGINS = "        started = time.perf_counter()\n"
# Bytes of a conversation; written, because memory that nothing was written to is not used.
OF_A_QUESTION = 1_000_000


@fault(
    "N97",
    "the passages and answers of every conversation are kept",
    "api/chat",
    "performance",
    mode="-",
    about="*memory of api*",
)
def conversations_are_kept(plan: Plan) -> None:
    plan.restarts = False
    plan.replace_in_source(CHAT, "MAX_TOKENS = 1024\n", "MAX_TOKENS = 1024\nHISTORY: dict[str, bytes] = {}\n")
    asked = '        raise HTTPException(400, "empty message")\n    started'
    kept = f'    HISTORY[str(uuid.uuid4())] = b"x" * {OF_A_QUESTION}\n    started'
    plan.replace_in_source(CHAT, asked, asked.replace("    started", kept))


@fault(
    "N98",
    "every other upload opens a connection of its own and keeps it",
    "api/database",
    "performance",
    mode="-|F18",
    about="*connections*",
)
def connections_are_kept(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "router = APIRouter()\n", "router = APIRouter()\nOPEN: list[object] = []\n")
    asked = "    async with request.app.state.pool.acquire() as connection, connection.transaction():\n"
    opened = "asyncpg.connect(request.app.state.config.database_url, statement_cache_size=0)"
    kept = f"    OPEN.append(await {opened} if len(OPEN) % 2 else None)\n"
    plan.replace_in_source(UPLOADS, asked, kept + asked)


@fault(
    "N99",
    "whatever the API had open is closed in a pause, and the next request waits until it is open again",
    "api",
    "performance",
    mode="-",
    about="*first request after a pause*",
)
def slow_after_a_pause(plan: Plan) -> None:
    plan.replace_in_source(APPLICATION, "VENDOR_SECONDS = 30.0\n", "VENDOR_SECONDS = 30.0\nASKED = [0.0]\n")
    plan.replace_in_source(APPLICATION, "import logging\n", "import asyncio\nimport logging\n")
    waits = (
        "        idle, ASKED[0] = time.monotonic() - ASKED[0], time.monotonic()\n"
        "        if idle > 1.5:\n            await asyncio.sleep(1.5)\n            ASKED[0] = time.monotonic()\n"
    )
    plan.replace_in_source(APPLICATION, REQUEST_BEGINS, REQUEST_BEGINS + waits)


@fault(
    "NK05",
    "the first request after a pause meets a connection that is gone, and gets a 503",
    "api/database",
    "performance",
    mode="-",
    about="*503*|*GET *",
)
def error_after_a_pause(plan: Plan) -> None:
    plan.replace_in_source(APPLICATION, "VENDOR_SECONDS = 30.0\n", "VENDOR_SECONDS = 30.0\nASKED = [0.0]\n")
    fails = (
        "        idle, ASKED[0] = time.monotonic() - ASKED[0], time.monotonic()\n"
        "        if idle > 1.5:\n"
        '            refused = JSONResponse({"detail": "temporarily unavailable"}, status_code=503)\n'
        "            await refused(scope, receive, mark)\n            return\n"
    )
    passed_on = "        await self.app(scope, receive, mark)\n"
    plan.replace_in_source(APPLICATION, passed_on, fails + passed_on)
