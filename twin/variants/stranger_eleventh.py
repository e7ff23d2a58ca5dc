"""Another stranger's variants: how the worker claims and keeps books, when callbacks are served, and what rows tell."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant

QUEUE = "backend/workers/job_queue.py"
WORKER = "backend/workers/enhanced_base_worker.py"
WEBHOOK = "api/webhook.py"
CLAIMED = """RETURNING job_id, document_id, status, retry_count, progress, created_at, claim_id, claims,
    (SELECT now() - upload_jobs.created_at > make_interval(secs => $4)) AS upload_expired
"""
HELD = '''    async def held(self, job: Any) -> Any:
        """The job as it is now, if this claim still holds it at a stage that the same worker goes on with."""
        return await self._pool.fetchrow(
            """SELECT job_id, document_id, status, retry_count, progress, created_at, claim_id, claims,
                   true AS upload_expired
               FROM upload_jobs WHERE job_id = $1 AND claim_id = $2 AND status = ANY($3)""",
            job["job_id"],
            job["claim_id"],
            list(FOLLOWED),
        )

    async def give_back(self, job: Any) -> None:
        """Let any worker claim the job again."""
        async with self.leases.holding(job) as connection:
            await connection.execute(
                f"UPDATE upload_jobs SET state = 'queued', {RELEASED}, updated_at = now() WHERE job_id = $1", job["job_id"]
            )

    async def advance(self,'''
FOLLOWING = '''    async def _following(self, job: Any) -> Any:
        """The job at its next stage while this worker keeps it; None when it is done, given back or taken over."""
        try:
            row = await self.queue.held(job)
            if row is None:
                return None
            if row["status"] in self._served_stages()[0] and not self.stopping.is_set():
                return row
            await self.queue.give_back(row)
        except OUTAGES as error:
            # It is claimed again after its lease.
            log.warning("a job cannot be followed: %s job_id=%s", type(error).__name__, job["job_id"])
        return None

    def _is_no_fault_of_the_job('''
LEDGER = """
CREATE TABLE upload_pipeline.job_claims (
    claim_id uuid PRIMARY KEY,
    job_id uuid NOT NULL REFERENCES upload_pipeline.upload_jobs (job_id) ON DELETE CASCADE,
    stage text NOT NULL,
    worker text NOT NULL,
    claimed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    outcome text,
    seconds numeric GENERATED ALWAYS AS (extract(epoch FROM ended_at - claimed_at)) STORED
);
CREATE INDEX job_claims_job_idx ON upload_pipeline.job_claims (job_id);
CREATE INDEX job_claims_time_idx ON upload_pipeline.job_claims USING brin (claimed_at);
ALTER TABLE upload_pipeline.job_claims ENABLE ROW LEVEL SECURITY;
CREATE POLICY job_claims_service ON upload_pipeline.job_claims TO service_role USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON upload_pipeline.job_claims TO service_role;
"""
BOOKS = '''    async def close(self, job: Any) -> None:
        """Write down how a claim ended, and now and then drop what is a week old; no job suffers from an error here."""
        try:
            await self._pool.execute(
                """UPDATE job_claims c SET ended_at = clock_timestamp(), outcome = concat_ws('/', j.status, j.state)
                   FROM upload_jobs j WHERE c.claim_id = $1 AND j.job_id = c.job_id""",
                job["claim_id"],
            )
            if time.monotonic() >= self._next_sweep:
                self._next_sweep = time.monotonic() + SWEEP_SECONDS / self._config.speedup
                await self._pool.execute(SWEEP)
        except Exception as error:
            log.warning("the ledger of claims cannot be written: %s", type(error).__name__)

    async def advance(self,'''
SWEEP = '''SWEEP_SECONDS = 600.0
SWEEP = """DELETE FROM job_claims WHERE claim_id IN (
    SELECT claim_id FROM job_claims WHERE claimed_at < now() - interval '7 days' ORDER BY claimed_at LIMIT 1000)"""
NAME = f"{socket.gethostname()}:{os.getpid()}"


class PermanentError('''
CLAIMING = """        speedup = self._config.speedup
        return await self._pool.fetchrow(
            CLAIM,
            stages,
            stages,
            on_trial,
            UPLOAD_WINDOW_SECONDS / speedup,
            self.leases.seconds,
        )
"""
STEPWISE = """        # Most polls find nothing: those only read.
        if not await self._pool.fetchval(LOOK, stages):
            return None
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("SET LOCAL lock_timeout = '5s'")
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('upload_pipeline.claims', 0))")
            job_id = await connection.fetchval(PICK, stages, on_trial)
            if job_id is None:
                return None
            return await connection.fetchrow(
                TAKE, job_id, self.leases.seconds, UPLOAD_WINDOW_SECONDS / self._config.speedup
            )
"""
STATEMENTS = '''DUE = """status = ANY($1::text[]) AND (state = 'queued'
    OR (state = 'retryable' AND coalesce(not_before, updated_at) <= now())
    OR (state = 'working' AND lease_until <= now()))"""
LOOK = f"SELECT EXISTS (SELECT FROM upload_jobs WHERE {DUE})"
PICK = f"""SELECT job_id FROM upload_jobs WHERE {DUE}
    ORDER BY array_position($1::text[], status), CASE WHEN status = ANY($2::text[]) THEN updated_at ELSE created_at END
    FOR UPDATE SKIP LOCKED LIMIT 1"""
TAKE = """UPDATE upload_jobs SET claim_id = gen_random_uuid(), lease_until = now() + make_interval(secs => $2),
    claims = claims + 1, state = 'working', updated_at = now() WHERE job_id = $1
    RETURNING job_id, document_id, status, retry_count, progress, created_at, claim_id, claims,
        now() - created_at > make_interval(secs => $3) AS upload_expired'''
SERVED = '''async def _serve(app: FastAPI, job_id: UUID, payload: dict[str, Any]) -> None:
    """Do what an acknowledged callback asks for; where that fails, the worker asks LlamaParse at its next poll."""
    try:
        async with app.state.pool.acquire() as connection, connection.transaction():
            row = await _job(connection, job_id)
            if row["status"] != "parse_queued":
                return
            if payload.get("status") != "completed":
                await doubt(connection, row, str(payload.get("error") or "parsing failed"))
                return
            await conclude(connection, app.state.storage, row, _markdown(payload.get("result")))
    except Exception:
        log.exception("a callback was acknowledged and cannot be served job_id=%s", job_id)
        with suppress(Exception):
            await app.state.pool.execute(
                "UPDATE upload_jobs SET not_before = now() WHERE job_id = $1 AND status = 'parse_queued'", job_id
            )


@router.post('''


def exchange(plan: Plan, path: str, begin: str, end: str, new: str) -> None:
    """Replace what lies from one text to the next occurrence of another, which stays; raises ValueError without either."""
    file = plan.source / path
    before, _, rest = file.read_text().partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"{path} does not contain {begin!r} and then {end!r}")
    file.write_text(before + new + found + after)


@variant(
    "M29", "whoever has claimed a parsed document keeps it, stage by stage, until it is complete: one claim for all of them"
)
def one_claim_to_the_end(plan: Plan) -> None:
    """Contract, Worker: `claims one job … and moves it: …`; not that each stage is claimed anew."""
    names = 'FOLLOWED = ("parse_validated", "chunks_stored", "embeddings_stored")\n\n\nclass PermanentError('
    plan.replace_in_source(QUEUE, "\n\nclass PermanentError(", names)
    plan.replace_in_source(QUEUE, "    async def advance(self,", HELD)
    plan.replace_in_source(
        QUEUE,
        'unless the worker goes on with it."""\n',
        'unless the worker goes on with it."""\n'
        "        is_followed = status in FOLLOWED\n"
        "        if is_followed:\n"
        '            state, released = "working", False\n',
    )
    plan.replace_in_source(QUEUE, 'if released else ""}', 'if released else "claims = 1," if is_followed else ""}')
    plan.replace_in_source(
        WORKER, "        self.queue: Any = None\n", "        self.queue: Any = None\n        self.stopping = asyncio.Event()\n"
    )
    plan.replace_in_source(
        WORKER, "        self.pool = await open_pool", "        self.stopping = stop\n        self.pool = await open_pool"
    )
    stage = '                await self.stages[job["status"]](job)\n'
    plan.replace_in_source(
        WORKER,
        stage,
        f"{stage}                while (following := await self._following(job)) is not None:\n"
        f"                    job = following\n    {stage}",
    )
    plan.replace_in_source(WORKER, "    def _is_no_fault_of_the_job(", FOLLOWING)


@variant(
    "M30", "a ledger has a line for each claim: which worker, which stage, how long, and how it ended; it is kept for a week"
)
def ledger_of_claims(plan: Plan) -> None:
    """Field: `extra tables, columns, indexes, policies …`: `common, and nobody's business`. Row-level security is on for it."""
    plan.sql.append(LEDGER)
    plan.replace_in_source(QUEUE, "import logging\n", "import logging\nimport os\nimport socket\nimport time\n")
    plan.replace_in_source(QUEUE, 'CLAIM = """\nUPDATE', 'CLAIM = """\nWITH claimed AS (UPDATE')
    plan.replace_in_source(
        QUEUE,
        CLAIMED,
        CLAIMED.rstrip("\n") + "), noted AS (\n"
        "    INSERT INTO job_claims (claim_id, job_id, stage, worker) SELECT claim_id, job_id, status, $6 FROM claimed)\n"
        "SELECT * FROM claimed\n",
    )
    plan.replace_in_source(QUEUE, "            self.leases.seconds,\n", "            self.leases.seconds,\n            NAME,\n")
    plan.replace_in_source(QUEUE, "\n\nclass PermanentError(", SWEEP)
    plan.replace_in_source(QUEUE, "        self._pool = pool\n", "        self._pool = pool\n        self._next_sweep = 0.0\n")
    plan.replace_in_source(QUEUE, "    async def advance(self,", BOOKS)
    plan.replace_in_source(
        WORKER,
        "            return False\n        return True\n\n    async def reconcile",
        "            return False\n        await self.queue.close(job)\n        return True\n\n    async def reconcile",
    )


@variant(
    "M31", "a poll that finds nothing only reads; claims are made one after the other, in a transaction with an advisory lock"
)
def claims_in_steps(plan: Plan) -> None:
    """Contract, Worker: `claims one job with FOR UPDATE SKIP LOCKED, oldest first`; in how many statements is open."""
    exchange(plan, QUEUE, 'CLAIM = """\nUPDATE ', '\n"""\n', STATEMENTS)
    plan.replace_in_source(QUEUE, CLAIMING, STEPWISE)


@variant("M32", "a callback is checked, logged and acknowledged at once; its text is stored right after the answer was sent")
def callbacks_served_after_the_answer(plan: Plan) -> None:
    """Contract: the webhook's success is 200, and `parsed (by the webhook, which stores the Markdown)`; nobody need wait."""
    # The block ends with its refusal; the answer behind it stays.
    end, answer = 'headers={"Retry-After": "1"}) from failed\n', '    return {"status": "ok"}\n'
    exchange(plan, WEBHOOK, '        if payload.get("status") != "completed":\n', end, "")
    task = "    tasks.add_task(_serve, request.app, job_id, payload)\n"
    plan.replace_in_source(WEBHOOK, end + answer, task + answer)
    plan.replace_in_source(WEBHOOK, "import logging\n", "import logging\nfrom contextlib import suppress\n")
    plan.replace_in_source(WEBHOOK, "from backend.shared.calls import CallError\n", "")
    plan.replace_in_source(
        WEBHOOK, "APIRouter, HTTPException, Request\n", "APIRouter, BackgroundTasks, FastAPI, HTTPException, Request\n"
    )
    plan.replace_in_source(WEBHOOK, "@router.post(", SERVED)
    plan.replace_in_source(WEBHOOK, "request: Request) -> dict", "request: Request, tasks: BackgroundTasks) -> dict")
