"""Variants by somebody who has not read the checks, fifteenth time: other ways of keeping and working the queue."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.stranger_twelfth import rewrite

LEASES = "supabase/migrations/20250106000000_leases.sql"
QUEUE = "backend/workers/job_queue.py"
WORKER = "backend/workers/enhanced_base_worker.py"
RECONCILIATION = "backend/workers/reconciliation.py"
PARSING = "backend/shared/parsing.py"
RUNNER = "backend/workers/enhanced_runner.py"

CLAIMS_TABLE = """-- Who works on which job. A job that nobody works on has no row here.
CREATE TABLE upload_pipeline.job_claims (
    job_id uuid PRIMARY KEY REFERENCES upload_pipeline.upload_jobs (job_id) ON DELETE CASCADE,
    holder uuid NOT NULL,
    held_until timestamptz NOT NULL,
    tries int NOT NULL DEFAULT 1
);
ALTER TABLE upload_pipeline.job_claims ENABLE ROW LEVEL SECURITY;
CREATE POLICY job_claims_service ON upload_pipeline.job_claims TO service_role USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON upload_pipeline.job_claims TO service_role;

CREATE FUNCTION upload_pipeline.end_claim() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM upload_pipeline.job_claims WHERE job_id = NEW.job_id;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION upload_pipeline.end_claim() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION upload_pipeline.end_claim() TO service_role;
CREATE TRIGGER upload_jobs_end_claim AFTER UPDATE ON upload_pipeline.upload_jobs
    FOR EACH ROW WHEN (NEW.state <> 'working') EXECUTE FUNCTION upload_pipeline.end_claim();
"""
CLAIM = '''CLAIM = """
WITH due AS (
    SELECT j.job_id FROM upload_jobs j
    WHERE (j.state = 'queued' OR (j.state = 'retryable' AND coalesce(j.not_before, j.updated_at) <= now())
           OR (j.state = 'working' AND EXISTS (
               SELECT 1 FROM job_claims c WHERE c.job_id = j.job_id AND c.held_until <= now())))
      AND j.status = ANY($1)
    ORDER BY array_position($2::text[], j.status), CASE WHEN j.status = ANY($3) THEN j.updated_at ELSE j.created_at END
    FOR UPDATE OF j SKIP LOCKED LIMIT 1
), held AS (
    INSERT INTO job_claims AS c (job_id, holder, held_until)
    SELECT job_id, gen_random_uuid(), now() + make_interval(secs => $5) FROM due
    -- Somebody else may have taken it over since it was looked up.
    ON CONFLICT (job_id) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until, tries = c.tries + 1
        WHERE c.held_until <= now()
    RETURNING c.job_id, c.holder, c.tries
)
UPDATE upload_jobs j SET state = 'working', updated_at = now() FROM held WHERE j.job_id = held.job_id
RETURNING j.job_id, j.document_id, j.status, j.retry_count, j.progress, j.created_at, held.holder AS claim_id,
    held.tries AS claims, now() - j.created_at > make_interval(secs => $4) AS upload_expired
"""
'''
AWAIT = '''            """WITH mine AS (
                   SELECT j.job_id FROM upload_jobs j JOIN job_claims c USING (job_id)
                   WHERE j.job_id = $1 AND c.holder = $2 FOR UPDATE
               ), ended AS (DELETE FROM job_claims c USING mine WHERE c.job_id = mine.job_id RETURNING c.job_id)
               UPDATE upload_jobs j SET parse_job_id = $3,
                   not_before = coalesce(j.not_before, now() + make_interval(secs => $4))
               FROM ended WHERE j.job_id = ended.job_id""",
'''


@variant("M93", "claims stand in a table of their own; a trigger ends one with the job's state, the jobs have no lease columns")
def claims_in_a_table(plan: Plan) -> None:
    plan.replace_in_source(
        LEASES,
        "    ADD COLUMN claim_id uuid,\n    ADD COLUMN lease_until timestamptz,\n"
        "    ADD COLUMN claims int NOT NULL DEFAULT 0,\n",
        "",
    )
    plan.replace_in_source(
        LEASES, "-- A claim is a lease: who holds it, until when, and how many claims in a row ended without a result.\n", ""
    )
    (plan.source / "supabase/migrations/20250107000000_job_claims.sql").write_text(CLAIMS_TABLE)
    rewrite(plan, QUEUE, 'CLAIM = """', "\n\nclass PermanentError", CLAIM)
    rewrite(plan, QUEUE, '            f"""UPDATE upload_jobs SET parse_job_id = $3', '            job["job_id"],', AWAIT)
    plan.replace_in_source(
        "backend/workers/lease.py",
        'HELD = "SELECT true FROM upload_jobs WHERE job_id = $1 AND claim_id = $2 FOR UPDATE"',
        'HELD = "SELECT true FROM upload_jobs j JOIN job_claims c USING (job_id)'
        ' WHERE j.job_id = $1 AND c.holder = $2 FOR UPDATE"',
    )
    plan.replace_in_source(
        "backend/workers/lease.py",
        'RENEW = "UPDATE upload_jobs SET lease_until = now() + make_interval(secs => $3) WHERE job_id = $1 AND claim_id = $2"',
        'RENEW = "UPDATE job_claims SET held_until = now() + make_interval(secs => $3) WHERE job_id = $1 AND holder = $2"',
    )
    plan.replace_in_source(
        RECONCILIATION,
        "AND coalesce(lease_until, now()) <= now()",
        "AND NOT EXISTS (SELECT 1 FROM job_claims c WHERE c.job_id = upload_jobs.job_id AND c.held_until > now())",
    )
    plan.replace_in_source(
        PARSING,
        '# A job that leaves its stage belongs to no worker.\nRELEASED = "claim_id = NULL, lease_until = NULL, claims = 0"\n',
        "",
    )
    for path in (PARSING, QUEUE, RECONCILIATION, "api/jobs.py"):
        plan.replace_in_source(path, "{RELEASED},", "")
    plan.replace_in_source(QUEUE, "from backend.shared.parsing import RELEASED\n", "")
    plan.replace_in_source("api/jobs.py", "from backend.shared.parsing import RELEASED\n", "")
    plan.replace_in_source(RECONCILIATION, "import RELEASED, conclude", "import conclude")


DISPATCH = '''            await self._dispatch(stop)
        finally:
            await self.pool.close()
            await self.client.close()

    async def _dispatch(self, stop: asyncio.Event) -> None:
        """Begin jobs while lanes are free; what is under way is finished before the worker ends."""
        stopping = asyncio.create_task(stop.wait())
        running: set[asyncio.Task[None]] = set()
        while not stop.is_set():
            await self.reconcile()
            job = await self._claimed() if len(running) < LANES else None
            if job is not None:
                task = asyncio.create_task(self._work_on(job))
                running.add(task)
                task.add_done_callback(running.discard)
                continue
            await asyncio.wait({stopping, *running}, timeout=self.poll_seconds, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        await asyncio.gather(*running)

    async def _claimed(self) -> Any:
        """The next job that is due, or None."""
        try:
            return await self.queue.claim(*self._served_stages())
        except Exception as error:
            log.error("the queue cannot be read: %s", type(error).__name__)
            return None

    async def _work_on(self, job: Any) -> None:
        """Take one job through its stage."""
        try:
            await self._process(job)
        except LeaseLost as error:
            log.warning("%s", error)
        except Exception as error:
            # Nothing is lost: the job is claimed again after its lease.
            log.error("a job's outcome cannot be written: %s job_id=%s", type(error).__name__, job["job_id"])

'''
JSON_LINE = """class _Line(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "severity": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if request_id := REQUEST_ID.get():
            line["request_id"] = request_id
        return json.dumps(line, ensure_ascii=False)


"""


@variant("M94", "one worker with three lanes, a pool of its own size, longer and uneven pauses between tries, logs in JSON")
def three_lanes(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "BATCH = 256\n", "BATCH = 256\n# So many jobs are under way at once.\nLANES = 3\n")
    rewrite(plan, WORKER, "            while not stop.is_set():", "    async def reconcile", DISPATCH)
    plan.replace_in_source(WORKER, "from contextlib import suppress\n", "")
    plan.replace_in_source(WORKER, "open_pool(self.config, size=4)", "open_pool(self.config, size=2 * LANES + 2)")
    plan.replace_in_source(
        QUEUE,
        "        own = min(self._config.retry_base_delay * 2.0 ** (attempt - 1), longest) / self._config.speedup\n",
        "        # Not all at the same moment, when many have failed together.\n"
        "        pause = self._config.retry_base_delay * 2.0**attempt * random.uniform(1.0, 1.1)\n"
        "        own = min(pause, longest) / self._config.speedup\n",
    )
    plan.replace_in_source(QUEUE, "import logging\n", "import logging\nimport random\n")
    logs = "backend/shared/logs.py"
    rewrite(plan, logs, "class _Line", "def set_up", JSON_LINE)
    plan.replace_in_source(
        logs, 'handler.setFormatter(_Line("%(asctime)s %(levelname)s %(name)s %(message)s"))', "handler.setFormatter(_Line())"
    )
    plan.replace_in_source(
        logs,
        "import logging\nimport time\nfrom contextvars import ContextVar\n",
        "import json\nimport logging\nfrom contextvars import ContextVar\nfrom datetime import UTC, datetime\n",
    )
