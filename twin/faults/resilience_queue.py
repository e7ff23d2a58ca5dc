"""Protections of the queue and its workers removed: leases, fences, locks, back-off, reconciliation, dead letters.

Which drills must see them stands in proof/drills.toml.
"""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

DATABASE, PARSING = "backend/shared/database.py", "backend/shared/parsing.py"
LEASE, QUEUE = "backend/workers/lease.py", "backend/workers/job_queue.py"
RECONCILIATION, WORKER = "backend/workers/reconciliation.py", "backend/workers/enhanced_base_worker.py"
EXPIRED = "\n           OR (state = 'working' AND lease_until <= now()))"
HELD = '"SELECT true FROM upload_jobs WHERE job_id = $1 AND claim_id = $2 FOR UPDATE"'
UNFENCED = '"SELECT true FROM upload_jobs WHERE job_id = $1 AND $2::uuid IS NOT NULL FOR UPDATE"'


@fault(
    "R13",
    "a job whose worker died is never claimed again",
    "worker",
    "resilience",
    mode="-",
    about="*jobs are lost, for nothing takes them up again*worker_killed_*",
)
def no_lease(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, EXPIRED, ")")


@fault(
    "R14",
    "a worker writes the outcome of a job that another one has taken over",
    "worker",
    "resilience",
    mode="-",
    about="*work is done twice*worker_frozen*|*steps of jobs are undone*worker_frozen*",
)
def no_fence(plan: Plan) -> None:
    plan.replace_in_source(LEASE, HELD, UNFENCED)


@fault(
    "R15",
    "a claim locks nothing, so that several workers take the same job",
    "worker",
    "resilience",
    mode="-",
    about="*worker_several*",
)
def no_lock(plan: Plan) -> None:
    # Between looking and taking there is time for another worker.
    plan.replace_in_source(QUEUE, "    FOR UPDATE SKIP LOCKED LIMIT 1)\n", "    LIMIT 1) AND pg_sleep(0.05) IS NOT NULL\n")
    plan.replace_in_source(LEASE, HELD, UNFENCED)


@fault(
    "R16",
    "the lease of slow but healthy work is not renewed",
    "worker",
    "resilience",
    mode="-",
    about="*worker_slow_work*",
)
def no_renewal(plan: Plan) -> None:
    plan.replace_in_source(
        LEASE, "            await asyncio.sleep(self.seconds / RENEWALS_PER_LEASE)\n", "            return\n"
    )


@fault(
    "R17",
    "a lost callback is never asked for",
    "webhook/worker",
    "resilience",
    mode="-",
    about="*jobs are lost, for nothing takes them up again*webhook_lost*",
)
def no_reconciliation(plan: Plan) -> None:
    plan.replace_in_source(RECONCILIATION, "        while await self._run_once():\n            pass\n", "        return\n")


@fault(
    "R18",
    "a job that kills its worker is tried without end",
    "worker",
    "resilience",
    mode="-",
    about="*poisoned jobs do not end as dead letters*worker_poisoned*",
)
def no_dead_letter(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "MOST_CLAIMS = 3\n", "MOST_CLAIMS = 10**9\n")


@fault(
    "R19",
    "an outage of a service uses up the attempts of jobs",
    "worker",
    "resilience",
    mode="-",
    about="*jobs fail for a failure that passes*llamaparse_down*",
)
def outages_count(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        "        return error.is_outage and self.client.calls.circuit(error.circuit).failures > 1\n",
        "        return False\n",
    )


@fault(
    "R20",
    "a rate limit uses up the attempts of jobs",
    "worker",
    "resilience",
    mode="-",
    about="*attempts are counted that are no fault of the job*llamaparse_rate_limited*",
)
def limits_count(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "in (Problem.RATE_LIMITED, Problem.CIRCUIT_OPEN)", "in (Problem.CIRCUIT_OPEN,)")


@fault(
    "R21",
    "a service's Retry-After is ignored",
    "worker",
    "resilience",
    mode="-",
    about="*llamaparse_rate_limited*",
)
def impatient(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE, "        asked = (error.retry_after or 0.0) if isinstance(error, CallError) else 0.0\n", "        asked = 0.0\n"
    )


@fault(
    "R22",
    "a job that waits for a service is tried without pause, and each time is an event",
    "worker",
    "resilience",
    mode="-",
    about="*llamaparse_down*",
)
def flood(plan: Plan) -> None:
    plan.replace_in_source(WORKER, '    "uploaded": ["storage.read", "llamaparse"],\n', "")
    plan.replace_in_source(QUEUE, "self._delay(error, min(times, 10), LONGEST_POSTPONEMENT_SECONDS)", "0.0")
    plan.replace_in_source(
        QUEUE,
        '                {"postponed": times},\n            )\n',
        '                {"postponed": times},\n            )\n'
        '            await self._record(connection, job, job["status"], reason)\n',
    )


@fault(
    "R23",
    "a job goes on before its text is stored",
    "storage/worker/webhook",
    "resilience",
    mode="-",
    about="*storage_down*|*storage_full*",
)
def not_atomic(plan: Plan) -> None:
    store = '    await storage.write(key, text.encode(), "text/markdown")\n'
    plan.replace_in_source(PARSING, store, "")
    plan.replace_in_source(
        PARSING,
        '    log.info("parsed, %d',
        "    import asyncio\n\n"
        '    asyncio.create_task(storage.write(key, text.encode(), "text/markdown"))\n'
        '    log.info("parsed, %d',
    )


@fault(
    "R24",
    "the pool gives out connections that the database has closed",
    "database/worker",
    "resilience",
    mode="-",
    about="*database_restarted*",
)
def no_reconnect(plan: Plan) -> None:
    plan.replace_in_source(DATABASE, "    return await asyncpg.create_pool(\n", "    pool = await asyncpg.create_pool(\n")
    once = (
        "    connections = [await pool.acquire() for _ in range(size)]\n"
        "    for connection in connections:\n"
        "        await pool.release(connection)\n"
        '    pool.set_connect_args("postgresql://localhost:9/nowhere")\n'
        "    return pool\n"
    )
    settings = '"jit": "off"},\n    )\n'
    plan.replace_in_source(DATABASE, settings, settings + once)
