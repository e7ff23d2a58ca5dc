"""Variants by a stranger, the thirteenth round: how the worker holds its jobs and how its steps leave their traces."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant

MIGRATIONS = "supabase/migrations"
WORKER = "backend/workers/enhanced_base_worker.py"
QUEUE = "backend/workers/job_queue.py"

LEASES_SQL = """
CREATE TABLE upload_pipeline.job_leases (
    job_id uuid PRIMARY KEY REFERENCES upload_pipeline.upload_jobs (job_id) ON DELETE CASCADE,
    holder uuid NOT NULL,
    held_until timestamptz NOT NULL,
    turns int NOT NULL DEFAULT 1
);
ALTER TABLE upload_pipeline.job_leases ENABLE ROW LEVEL SECURITY;
CREATE POLICY job_leases_service ON upload_pipeline.job_leases TO service_role USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON upload_pipeline.job_leases TO service_role;
ALTER TABLE upload_pipeline.upload_jobs DROP COLUMN claim_id, DROP COLUMN lease_until, DROP COLUMN claims,
    ADD COLUMN is_held boolean NOT NULL DEFAULT false;
CREATE FUNCTION upload_pipeline.end_lease() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM upload_pipeline.job_leases WHERE job_id = NEW.job_id;
    RETURN NULL;
END $$;
CREATE TRIGGER upload_jobs_released AFTER UPDATE OF is_held ON upload_pipeline.upload_jobs
    FOR EACH ROW WHEN (NOT NEW.is_held) EXECUTE FUNCTION upload_pipeline.end_lease();
"""
LEASES_CLAIM = '''CLAIM = """
WITH next AS (
    SELECT j.job_id FROM upload_jobs j LEFT JOIN job_leases l USING (job_id)
    WHERE (j.state = 'queued' OR (j.state = 'retryable' AND coalesce(j.not_before, j.updated_at) <= now())
           OR (j.state = 'working' AND l.held_until <= now()))
      AND j.status = ANY($1)
    ORDER BY array_position($2::text[], j.status), CASE WHEN j.status = ANY($3) THEN j.updated_at ELSE j.created_at END
    FOR UPDATE OF j SKIP LOCKED LIMIT 1),
taken AS (
    INSERT INTO job_leases AS l (job_id, holder, held_until)
    SELECT job_id, gen_random_uuid(), now() + make_interval(secs => $5) FROM next
    ON CONFLICT (job_id) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until, turns = l.turns + 1
        WHERE l.held_until <= now()
    RETURNING l.job_id, l.holder, l.turns)
UPDATE upload_jobs j SET is_held = true, state = 'working', updated_at = now() FROM taken WHERE j.job_id = taken.job_id
RETURNING j.job_id, j.document_id, j.status, j.retry_count, j.progress, j.created_at, taken.holder AS claim_id,
    taken.turns AS claims, now() - j.created_at > make_interval(secs => $4) AS upload_expired
"""


class PermanentError'''
HELD = (
    'HELD = """WITH job AS MATERIALIZED (SELECT job_id FROM upload_jobs WHERE job_id = $1 FOR UPDATE)\n'
    '    SELECT true FROM job_leases l JOIN job USING (job_id) WHERE l.holder = $2 FOR UPDATE OF l"""\n'
    'RENEW = "UPDATE job_leases SET held_until = now() + make_interval(secs => $3) WHERE job_id = $1 AND holder = $2"\n\n\n'
    "class LeaseLost"
)
AWAIT = '''        with suppress(LeaseLost):
            async with self.leases.holding(job) as connection:
                await connection.execute(
                    f"""UPDATE upload_jobs SET parse_job_id = $2, {RELEASED},
                            not_before = coalesce(not_before, now() + make_interval(secs => $3)) WHERE job_id = $1""",
                    job["job_id"],
                    parse_job_id,
                    seconds,
                )

    async def wait_for_upload'''


def cut(plan: Plan, path: str, start: str, end: str, new: str) -> None:
    """Replace what stands in a file of the release from one text up to and with another."""
    text = (plan.source / path).read_text()
    first = text.index(start)
    last = text.index(end, first) + len(end)
    plan.replace_in_source(path, text[first:last], new)


@variant("M61", "the claims of jobs are rows of a table of their own, which a trigger clears when a job is let go")
def leases_apart(plan: Plan) -> None:
    (plan.source / MIGRATIONS / "20250107000000_job_leases.sql").write_text(LEASES_SQL)
    released = 'RELEASED = "claim_id = NULL, lease_until = NULL, claims = 0"'
    plan.replace_in_source("backend/shared/parsing.py", released, 'RELEASED = "is_held = false"')
    cut(plan, QUEUE, 'CLAIM = """', "class PermanentError", LEASES_CLAIM)
    cut(plan, QUEUE, "        await self._pool.execute(\n", "async def wait_for_upload", AWAIT)
    plan.replace_in_source(QUEUE, "import logging\nfrom", "import logging\nfrom contextlib import suppress\nfrom")
    plan.replace_in_source(QUEUE, "lease import Leases\n", "lease import LeaseLost, Leases\n")
    cut(plan, "backend/workers/lease.py", "HELD = ", "class LeaseLost", HELD)
    plan.replace_in_source(
        "backend/workers/reconciliation.py",
        "coalesce(lease_until, now()) <= now()",
        "NOT EXISTS (SELECT 1 FROM job_leases l WHERE l.job_id = upload_jobs.job_id AND l.held_until > now())",
    )


LANES = '''        try:
            await asyncio.gather(self._look_after(stop), *(self._lane(stage, stop) for stage in self.stages))
        finally:
            await self.pool.close()
            await self.client.close()

    async def _pause(self, stop: asyncio.Event, bell: asyncio.Event) -> None:
        """Until the lane's bell rings, the worker is stopped or the poll interval is over."""
        waits = [asyncio.create_task(event.wait()) for event in (stop, bell)]
        await asyncio.wait(waits, timeout=self.poll_seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def _look_after(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.reconcile()
            await self._pause(stop, asyncio.Event())

    async def _lane(self, stage: str, stop: asyncio.Event) -> None:
        """Serve one stage; what leaves it may be due in another lane, whose bell is rung."""
        bell = self.bells[stage]
        while not stop.is_set():
            bell.clear()
            if await self.work_once(stage):
                for other in self.bells.values():
                    other.set()
            else:
                await self._pause(stop, bell)

    async def work_once(self, stage: str) -> bool:
        """Claim and process one job of a stage; False when none is due."""
        served, on_trial = self._served_stages()
        if stage not in served:
            return False
        try:
            job = await self.queue.claim([stage], [name for name in on_trial if name == stage])
'''


@variant("M62", "the worker has a lane for each stage, which work beside one another and ring each other's bells")
def lanes(plan: Plan) -> None:
    cut(plan, WORKER, "        try:\n            while not stop.is_set():", "claim(*self._served_stages())\n", LANES)
    plan.replace_in_source(WORKER, "open_pool(self.config, size=4)", "open_pool(self.config, size=9)")
    plan.replace_in_source(
        WORKER,
        '            "uploaded": self.submit,\n        }\n',
        (
            '            "uploaded": self.submit,\n        }\n'
            "        self.bells = {stage: asyncio.Event() for stage in self.stages}\n"
        ),
    )


TRACES_SQL = """
-- A job's step is noted where it happens, whoever makes it: its document follows, and an event tells of it.
CREATE FUNCTION upload_pipeline.note_step() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = upload_pipeline, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.status = OLD.status THEN
        RETURN NULL;
    END IF;
    UPDATE documents SET processing_status = NEW.status, updated_at = now() WHERE document_id = NEW.document_id;
    INSERT INTO events (job_id, document_id, type, payload) VALUES (NEW.job_id, NEW.document_id, NEW.status,
        jsonb_build_object('state', NEW.state)
        || CASE WHEN starts_with(NEW.status, 'failed') THEN coalesce(NEW.last_error, '{}') ELSE '{}' END);
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION upload_pipeline.note_step() FROM PUBLIC;
CREATE TRIGGER upload_jobs_step AFTER INSERT OR UPDATE OF status ON upload_pipeline.upload_jobs
    FOR EACH ROW EXECUTE FUNCTION upload_pipeline.note_step();
"""
FAILED_DOCUMENT = """    await connection.execute(
        "UPDATE documents SET processing_status = 'failed_parse', updated_at = now() WHERE document_id = $1",
        row["document_id"],
    )
    await _event(connection, row, "failed_parse", error)


async def _event"""


@variant("M63", "a trigger on the jobs writes the events and takes the documents along; the code writes neither")
def traces_by_trigger(plan: Plan) -> None:
    (plan.source / MIGRATIONS / "20250107000000_job_steps.sql").write_text(TRACES_SQL)
    parsing = "backend/shared/parsing.py"
    plan.replace_in_source(parsing, FAILED_DOCUMENT, "\n\nasync def _event")
    cut(plan, parsing, "\n\nasync def _event(", "        payload,\n    )\n", "")
    plan.replace_in_source(parsing, '    await _event(connection, row, "parsed", {"characters": len(text)})\n', "")
    plan.replace_in_source(parsing, "parsed_sha256 = $3, processing_status = 'parsed', ", "parsed_sha256 = $3, ")
    end = '        log.info(json.dumps({"job_id": str(job["job_id"]), "status": status}))'
    start = '        await connection.execute(\n            "UPDATE documents SET processing_status'
    cut(plan, QUEUE, start, end, end)
    uploads = "api/uploads.py"
    event = "    await connection.execute(\"INSERT INTO events (job_id, document_id, type) VALUES ($1, $2, 'uploaded')\", "
    plan.replace_in_source(uploads, event + "job_id, document_id)\n", "")


ARRIVED = """      AND status = ANY($1)
      AND (status <> 'uploaded' OR created_at < now() - make_interval(secs => $4) OR EXISTS (
           SELECT 1 FROM documents d JOIN storage.objects o
               ON o.bucket_id = split_part(d.raw_path, '/', 1) AND o.name = substr(d.raw_path, position('/' in d.raw_path) + 1)
           WHERE d.document_id = upload_jobs.document_id))
"""


@variant("M64", "the worker sees in the database whether a document's bytes are there, and leaves the job alone until then")
def arrival_by_table(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "      AND status = ANY($1)\n", ARRIVED)
