"""Faults that only a drill can see, of what the services have in common: the database, clocks, tokens.

Which drills must see them stands in proof/drills.toml.
"""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

CHAT, HEALTH, UPLOADS, AUTH = "api/chat.py", "api/health.py", "api/uploads.py", "api/auth.py"
DATABASE, STORAGE = "backend/shared/database.py", "backend/shared/storage.py"
WORKER, QUEUE = "backend/workers/enhanced_base_worker.py", "backend/workers/job_queue.py"


@fault(
    "R41",
    "the worker ends when its database is lost",
    "worker/database/network",
    "resilience",
    mode="-",
    about="*services end with what they depend on*network_worker_postgres*",
)
def the_worker_ends_with_its_database(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        '            log.error("the queue cannot be read: %s", type(error).__name__)\n            return False\n',
        '            log.error("the queue cannot be read: %s", type(error).__name__)\n            raise\n',
    )


@fault(
    "R42",
    "the API does not connect to its database again",
    "database/network/api",
    "resilience",
    mode="-",
    about="*network_api_postgres*",
)
def the_pool_stays_closed(plan: Plan) -> None:
    plan.replace_in_source(
        HEALTH,
        '    await request.app.state.pool.fetchval("SELECT 1", timeout=5)\n',
        "    try:\n"
        '        await request.app.state.pool.fetchval("SELECT 1", timeout=5)\n'
        "    except Exception:\n"
        "        request.app.state.pool.terminate()\n"
        "        raise\n",
    )


@fault(
    "R43",
    "the worker takes jobs by its own clock, and none that seem to be of the future",
    "worker",
    "resilience",
    mode="-",
    about="*clock_worker_behind*",
)
def the_workers_own_clock(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE, "        return await self._pool.fetchrow(\n            CLAIM,", "        import datetime\n\n"
        "        now = datetime.datetime.now(datetime.UTC).isoformat()\n"
        "        return await self._pool.fetchrow(\n"
        "            CLAIM.replace(\"AND status = ANY($1)\", f\"AND status = ANY($1) AND created_at <= '{now}'\"),",
    )  # fmt: skip


@fault(
    "R44",
    "the API holds the times of tokens against its own clock",
    "api",
    "resilience",
    mode="-",
    about="*requests get other responses*clock_api_*",
)
def tokens_by_the_own_clock(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        "    user = await verify_token(request, token.strip())\n",
        "    import base64\n    import json\n    import time\n\n"
        '    part = token.strip().split(".")[1]\n'
        '    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))\n'
        '    if not claims["iat"] <= time.time() < claims["exp"]:\n'
        '        raise _unauthorized("token is not valid now")\n'
        "    user = await verify_token(request, token.strip())\n",
    )


@fault(
    "R51",
    "statements are given up after a moment",
    "database/chat",
    "resilience",
    mode="-",
    about="*questions are not answered*database_slow*",
)
def impatient_statements(plan: Plan) -> None:
    plan.replace_in_source(DATABASE, "        command_timeout=20,\n", "        command_timeout=0.04,\n")


@fault(
    "R52",
    "each question is written down before it is answered",
    "database/chat",
    "resilience",
    mode="-",
    about="*questions are not answered*database_read_only*",
)
def questions_are_written(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "        passages = await retrieve(",
        "        await request.app.state.pool.execute(\n"
        "            \"INSERT INTO events (document_id, type) VALUES ($1, 'question')\", user.id\n"
        "        )\n"
        "        passages = await retrieve(",
    )


@fault(
    "R53",
    "a token is refused when Supabase cannot be asked about it",
    "api",
    "resilience",
    mode="-",
    about="*requests get other responses*network_api_supabase*",
)
def refused_where_nobody_knows(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        '        raise HTTPException(503, "authentication service unreachable") from error\n',
        '        raise _unauthorized("invalid or expired token") from error\n',
    )


@fault(
    "R54",
    "the database acknowledges what it has not written yet",
    "worker/database",
    "resilience",
    mode="-",
    about="*database_failed_over*",
)
def acknowledged_too_early(plan: Plan) -> None:
    plan.postgres_settings |= {"synchronous_commit": "off", "wal_writer_delay": "10s"}


@fault(
    "R55",
    "the worker holds the end of an upload against its own clock",
    "worker",
    "resilience",
    mode="-",
    about="*attempts are counted*clock_worker_ahead*",
)
def uploads_by_the_own_clock(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        'if error.status == 404 and not job["upload_expired"]:',
        'if error.status == 404 and __import__("time").time() - job["created_at"].timestamp() < 300:',
    )
