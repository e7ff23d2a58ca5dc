"""A stranger's variants of what lasts: the worker's rhythm, its bookkeeping, and the database; each says what allows it."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.build import write

JOBS = "api/jobs.py"
UPLOADS = "api/uploads.py"
LEASE = "backend/workers/lease.py"
QUEUE = "backend/workers/job_queue.py"
WORKER = "backend/workers/enhanced_base_worker.py"
RUN_ENDS = "        finally:\n            await self.pool.close()\n"
RECONCILED = "                await self.reconcile()\n"
IMPORTED = "from backend.workers.housekeeping import Housekeeper"
STARTED = "        self.reconciler = Reconciler(self.config, self.pool, self.client, self.storage)\n"
# A table of the pipeline that only the services see.
CLOSED = """ALTER TABLE upload_pipeline.{0} ENABLE ROW LEVEL SECURITY;
CREATE POLICY {0}_service ON upload_pipeline.{0} TO service_role USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON upload_pipeline.{0} TO service_role"""
BEATS = """    def _until_beat(self) -> float:
        # A timer may ring a little early, and must not have the same beat twice.
        now = time.monotonic()
        return (math.floor(now / self.poll_seconds + 0.05) + 1) * self.poll_seconds - now

    async def work_once("""
LANES = """
    async def _lane(self, stop: asyncio.Event, lane: tuple[str, ...]) -> None:
        while not stop.is_set():
            has_worked = await self.work_once(lane)
            if "uploaded" in lane:
                await self.reconcile()
            if has_worked:
                continue
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), timeout=self.poll_seconds)

    async def work_once("""
HOUSEKEEPING = '''"""Housekeeping: counts of each day's events, and the end of old ones; one worker at a time does it."""

from __future__ import annotations

import logging
import time
from typing import Any

from backend.shared.config import Config

log = logging.getLogger("worker")
COUNT = """
INSERT INTO daily_counts (day, type, number)
SELECT (created_at AT TIME ZONE 'UTC')::date, type, count(*) FROM events
WHERE created_at >= (date_trunc('day', now() AT TIME ZONE 'UTC') - interval '1 day') AT TIME ZONE 'UTC' GROUP BY 1, 2
ON CONFLICT (day, type) DO UPDATE SET number = excluded.number
"""
PRUNE = """DELETE FROM events WHERE event_id IN (
    SELECT event_id FROM events WHERE created_at < now() - interval '180 days' ORDER BY event_id LIMIT 500)"""


class Housekeeper:
    """Tidies up between polls."""

    def __init__(self, config: Config, pool: Any) -> None:
        self._pool = pool
        self._pause = 10 * config.poll_interval / config.speedup
        self._next = 0.0

    async def run(self) -> None:
        """Do what is due; an error is logged, and the work done next time."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._pause
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                if await connection.fetchval("SELECT pg_try_advisory_xact_lock(hashtext('housekeeping'))"):
                    await connection.execute(COUNT)
                    await connection.execute(PRUNE)
        except Exception as error:
            log.warning("housekeeping was put off: %s", type(error).__name__)
'''
HEARTBEAT = '''    async def beat(self) -> None:
        """Say that this worker lives, at most twice in a poll interval."""
        now = time.monotonic()
        if now < self._next_beat:
            return
        self._next_beat = now + self.poll_seconds / 2
        try:
            await self.pool.execute(BEAT, self.name, self.config.commit)
        except Exception as error:
            log.warning("no sign of life could be given: %s", type(error).__name__)

    async def reconcile(self)'''
BEAT = '''
BEAT = """INSERT INTO worker_heartbeats (worker, release) VALUES ($1, $2)
    ON CONFLICT (worker) DO UPDATE SET seen_at = now(), beats = worker_heartbeats.beats + 1"""


class UploadPending('''
PROGRESS = """                await self._store_vectors(connection, batch, vectors)
                await connection.execute(
                    "UPDATE upload_jobs SET progress = progress || $2::jsonb, updated_at = now() WHERE job_id = $1",
                    job["job_id"],
                    {"embedded": start + len(batch), "of": len(rows)},
                )
"""
ENQUEUE = """CREATE FUNCTION upload_pipeline.keep_queue() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$ BEGIN
    IF NEW.state IN ('done', 'deadletter') THEN
        DELETE FROM upload_pipeline.job_queue WHERE job_id = NEW.job_id;
    ELSE
        INSERT INTO upload_pipeline.job_queue (job_id, stage, due_at, created_at)
        VALUES (NEW.job_id, NEW.status, CASE NEW.state WHEN 'queued' THEN '-infinity'
            WHEN 'retryable' THEN coalesce(NEW.not_before, NEW.updated_at) ELSE coalesce(NEW.lease_until, 'infinity') END,
            NEW.created_at)
        ON CONFLICT (job_id) DO UPDATE SET stage = excluded.stage, due_at = excluded.due_at, created_at = excluded.created_at;
    END IF;
    RETURN NULL;
END $$"""
AS_USER = """

class _AsUser:
    \"\"\"Reads with the rights of the caller, to whom the database shows the caller's own rows only.\"\"\"

    def __init__(self, request: Request, user: Caller) -> None:
        self._pool = request.app.state.pool
        self._claims = json.dumps({"sub": str(user.id), "role": "authenticated", "email": user.email})

    async def fetch(self, statement: str, *values: Any) -> list[Any]:
        async with self._pool.acquire() as connection, connection.transaction(readonly=True):
            await connection.execute("SET LOCAL ROLE authenticated")
            await connection.execute("SELECT set_config('request.jwt.claims', $1, true)", self._claims)
            return list(await connection.fetch(statement, *values))

    async def fetchrow(self, statement: str, *values: Any) -> Any:
        return next(iter(await self.fetch(statement, *values)), None)


def _percent("""


@variant("M13", "the worker polls on the beats of a clock: the time that its work took is part of the interval")
def polls_on_beats(plan: Plan) -> None:
    """Contract, Worker: `Polls every WORKER_POLL_INTERVAL seconds`; whether from the start of a poll or its end is not said."""
    plan.replace_in_source(WORKER, "import secrets\n", "import math\nimport secrets\nimport time\n")
    plan.replace_in_source(WORKER, "stop.wait(), timeout=self.poll_seconds", "stop.wait(), timeout=self._until_beat()")
    plan.replace_in_source(WORKER, "    async def work_once(", BEATS)


@variant("M14", "the worker's process has two lanes: one hands documents to LlamaParse, the other goes on with parsed ones")
def two_lanes(plan: Plan) -> None:
    """Contract, Worker: `Two workers on one queue never process a job twice`, and a worker `sleeps and serves others`."""
    text = (plan.source / WORKER).read_text()
    start, end = text.index("            while not stop.is_set():"), text.index(RUN_ENDS)
    text = text[:start] + "            await asyncio.gather(*(self._lane(stop, lane) for lane in LANES))\n" + text[end:]
    text = text.replace("\n    async def work_once(self)", LANES + "self, lane: tuple[str, ...])")
    text = text.replace("_served_stages()", "_served_stages(lane)")
    text = text.replace("_stages(self)", "_stages(self, lane: tuple[str, ...])")
    text = text.replace("for stage in self.stages}\n", "for stage in lane}\n")
    known = 'LANES = (("uploaded",), ("embeddings_stored", "chunks_stored", "parse_validated", "parsed"))\nNAMESPACE = '
    (plan.source / WORKER).write_text(text.replace("NAMESPACE = ", known))


@variant("M15", "between polls the worker counts each day's events in a table, and ends those that are half a year old")
def housekeeping(plan: Plan) -> None:
    """Contract, Database: `events and webhook_log exist beside them`, for how long is not said; field: extra tables."""
    plan.sql += [
        "CREATE TABLE upload_pipeline.daily_counts (day date, type text, number bigint NOT NULL, PRIMARY KEY (day, type))",
        CLOSED.format("daily_counts"),
    ]
    write(plan, "backend/workers/housekeeping.py", HOUSEKEEPING)
    plan.replace_in_source(WORKER, "from backend.workers.job_queue", f"{IMPORTED}\nfrom backend.workers.job_queue")
    plan.replace_in_source(WORKER, STARTED, f"{STARTED}        housekeeper = Housekeeper(self.config, self.pool)\n")
    plan.replace_in_source(WORKER, RECONCILED, f"{RECONCILED}                await housekeeper.run()\n")


@variant("M16", "the worker writes signs of life; a job's time of change moves with its lease, its progress with each batch")
def signs_of_life(plan: Plan) -> None:
    """Contract, Database: `progress jsonb`, `updated_at`; neither how often they change nor progress's keys are named."""
    plan.sql += [
        "CREATE TABLE upload_pipeline.worker_heartbeats (worker text PRIMARY KEY, release text NOT NULL, "
        "seen_at timestamptz NOT NULL DEFAULT now(), beats bigint NOT NULL DEFAULT 1)",
        CLOSED.format("worker_heartbeats"),
    ]
    renewed = "UPDATE upload_jobs SET lease_until = now() + make_interval(secs => $3)"
    plan.replace_in_source(LEASE, f'RENEW = "{renewed} WHERE', f'RENEW = "{renewed}, updated_at = now() WHERE')
    plan.replace_in_source(WORKER, "import secrets\n", "import os\nimport secrets\nimport time\n")
    plan.replace_in_source(WORKER, "\n\nclass UploadPending(", BEAT)
    named = '        self.name = f"{os.uname().nodename}:{os.getpid()}"\n        self._next_beat = 0.0\n'
    plan.replace_in_source(WORKER, "        self.pool: Any = None\n", f"{named}        self.pool: Any = None\n")
    plan.replace_in_source(WORKER, RECONCILED, f"{RECONCILED}                await self.beat()\n")
    plan.replace_in_source(WORKER, "    async def reconcile(self)", HEARTBEAT)
    plan.replace_in_source(WORKER, "                await self._store_vectors(connection, batch, vectors)\n", PROGRESS)
    plan.replace_in_source(WORKER, '"embedded": len(rows)}', '"embedded": len(rows), "of": len(rows)}')


@variant("M17", "what may be claimed stands in a table of its own, which a trigger keeps and claims are joined with")
def queue_table(plan: Plan) -> None:
    """Contract, Worker: `claims one job with FOR UPDATE SKIP LOCKED, oldest first within a stage`; field: extra tables."""
    plan.sql += [
        "CREATE TABLE upload_pipeline.job_queue (job_id uuid PRIMARY KEY REFERENCES upload_pipeline.upload_jobs "
        "ON DELETE CASCADE, stage text NOT NULL, due_at timestamptz NOT NULL, created_at timestamptz NOT NULL)",
        CLOSED.format("job_queue"),
        ENQUEUE,
        "CREATE TRIGGER upload_jobs_queue AFTER INSERT OR UPDATE ON upload_pipeline.upload_jobs "
        "FOR EACH ROW EXECUTE FUNCTION upload_pipeline.keep_queue()",
        # Whatever was there before the trigger.
        "UPDATE upload_pipeline.upload_jobs SET state = state",
    ]
    # The job's own columns are asked as well: a row that was waited for is tested again, but with the queue as it was.
    joined = "upload_jobs JOIN (SELECT job_id, due_at FROM job_queue) q USING (job_id)\n    WHERE due_at <= now() AND (state"
    plan.replace_in_source(QUEUE, "upload_jobs\n    WHERE (state", joined)
    plan.replace_in_source(QUEUE, "    FOR UPDATE SKIP LOCKED LIMIT 1)", "    FOR UPDATE OF upload_jobs SKIP LOCKED LIMIT 1)")


@variant("M18", "triggers write the times of change, whatever a statement says; realtime tells of documents, too")
def times_by_triggers(plan: Plan) -> None:
    """Contract, Database: `updated_at` of each table; who writes it is not said. Specification 3: `realtime`."""
    # A renewed lease or another time of waiting is no change of a job, as in the twin.
    plan.sql += [
        "CREATE FUNCTION upload_pipeline.touch() RETURNS trigger LANGUAGE plpgsql "
        "AS $$ BEGIN NEW.updated_at := clock_timestamp(); RETURN NEW; END $$",
        "ALTER PUBLICATION supabase_realtime ADD TABLE upload_pipeline.documents",
    ]
    of_jobs = ", ".join(f"{{0}}.{name}" for name in ("status", "state", "progress", "last_error", "updated_at"))
    for table, columns in {"upload_jobs": f"ROW({of_jobs})", "documents": "{0}.*", "document_chunks": "{0}.*"}.items():
        plan.sql.append(
            f"CREATE TRIGGER {table}_touch BEFORE UPDATE ON upload_pipeline.{table} FOR EACH ROW "
            f"WHEN ({columns.format('OLD')} IS DISTINCT FROM {columns.format('NEW')}) "
            "EXECUTE FUNCTION upload_pipeline.touch()"
        )


@variant("M19", "each user who uploads has a row, made by the first upload, whose lock lets in one upload at a time")
def row_of_the_uploader(plan: Plan) -> None:
    """Contract, HTTP API: `429 above 2 running jobs or 3 documents a day for one user`; how that is kept up is not said."""
    plan.sql += [
        "CREATE TABLE upload_pipeline.uploaders (user_id uuid PRIMARY KEY, "
        "first_seen timestamptz NOT NULL DEFAULT now(), uploads bigint NOT NULL DEFAULT 0)",
        CLOSED.format("uploaders"),
    ]
    plan.replace_in_source(
        UPLOADS,
        '        await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", str(user.id))\n',
        '        await connection.execute("INSERT INTO uploaders (user_id) VALUES ($1) ON CONFLICT DO NOTHING", user.id)\n'
        '        await connection.fetchrow("SELECT uploads FROM uploaders WHERE user_id = $1 FOR UPDATE", user.id)\n',
    )
    counted = '"UPDATE uploaders SET uploads = uploads + 1 WHERE user_id = $1"'
    inserted = "        job_id = await _insert(connection, user, body, document_id)\n"
    plan.replace_in_source(UPLOADS, inserted, f"{inserted}        await connection.execute({counted}, user.id)\n")


@variant("M20", "jobs and documents are read with the rights of the caller, in a short transaction of the role authenticated")
def read_as_the_user(plan: Plan) -> None:
    """Contract, Database: `a user sees only rows of their own documents (user_id = auth.uid())`; the API may rely on it."""
    plan.replace_in_source(JOBS, "from typing import", "import json\nfrom typing import")
    plan.replace_in_source(JOBS, "from api.auth import CurrentUser\n", "from api.auth import Caller, CurrentUser\n")
    for call in ("fetchrow(", "fetch("):
        plan.replace_in_source(JOBS, f"request.app.state.pool.{call}", f"_AsUser(request, user).{call}")
    plan.replace_in_source(JOBS, "\n\ndef _percent(", AS_USER)
