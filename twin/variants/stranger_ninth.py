"""A stranger's variants of what goes on behind the API: the worker's rhythm, and its bookkeeping."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.build import write

BASE = "backend/workers/enhanced_base_worker.py"
LEASE = "backend/workers/lease.py"
IMPORTS = "from backend.workers.job_queue import JobQueue, PermanentError\n"
LOOP = """            while not stop.is_set():
                has_worked = await self.work_once()
                await self.reconcile()
                if has_worked:
                    continue
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), timeout=self.poll_seconds)
"""
LANES = """            async with asyncio.TaskGroup() as lanes:
                for number, stages in enumerate(LANES):
                    lanes.create_task(self._lane(number, stages, stop))
"""
LANE = '''    async def _lane(self, number: int, stages: tuple[str, ...], stop: asyncio.Event) -> None:
        """Poll for the jobs of some stages; the lanes begin one after the other, so that they do not ask at once."""
        pause = self.poll_seconds * number / len(LANES)
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), timeout=pause)
            while not stop.is_set() and await self.work_once(stages):
                if number == 0:
                    await self.reconcile()
            if number == 0:
                await self.reconcile()
            pause = self.poll_seconds

    async def work_once(self, stages: tuple[str, ...]) -> bool:
'''
HOUSEKEEPING = '''"""Housekeeping: events of jobs that are done move to the archive; those of callbacks stay 30 days."""

from __future__ import annotations

import logging
import time
from typing import Any

log = logging.getLogger("worker")
PAUSE_SECONDS = 300.0
REST_SECONDS = 600.0
ROWS = 500
MOVE = """
WITH moved AS (
    DELETE FROM events WHERE event_id IN (
        SELECT e.event_id FROM events e JOIN upload_jobs j USING (job_id)
        WHERE j.state = 'done' AND j.updated_at < now() - make_interval(secs => $1)
        ORDER BY e.event_id LIMIT $2 FOR UPDATE OF e SKIP LOCKED)
    RETURNING event_id, job_id, document_id, type, payload, created_at),
kept AS (
    INSERT INTO events_archive (event_id, job_id, document_id, type, payload, created_at) SELECT * FROM moved
    RETURNING event_id)
SELECT count(*) FROM kept
"""
FORGET = """DELETE FROM webhook_log WHERE log_id IN (
    SELECT log_id FROM webhook_log WHERE received_at < now() - interval '30 days' ORDER BY log_id LIMIT $1)"""


class Housekeeper:
    """Tidies up now and then, a few rows at a time."""

    def __init__(self, pool: Any, speedup: float) -> None:
        self._pool = pool
        self._speedup = speedup
        self._next = 0.0

    async def run(self) -> None:
        """Tidy up where it is time."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + PAUSE_SECONDS / self._speedup
        try:
            moved = await self._pool.fetchval(MOVE, REST_SECONDS / self._speedup, ROWS)
            await self._pool.execute(FORGET, ROWS)
        except Exception as error:
            log.warning("housekeeping is put off: %s", type(error).__name__)
            return
        if moved:
            log.info("housekeeping: %d events archived", moved)
'''
HEARTBEAT = '''"""The worker's sign of life: one row for each worker, renewed while it runs."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from typing import Any

log = logging.getLogger("worker")
BEAT_SECONDS = 15.0
BEAT = """INSERT INTO worker_heartbeats (worker, version, beats) VALUES ($1, $2, 1)
    ON CONFLICT (worker) DO UPDATE SET beats = worker_heartbeats.beats + 1, version = $2, last_seen = now()"""
FORGET = "DELETE FROM worker_heartbeats WHERE last_seen < now() - interval '1 hour'"


async def beat(pool: Any, version: str) -> None:
    """Renew this worker's row until cancelled; a beat that fails is left out."""
    worker = f"{socket.gethostname()}:{os.getpid()}"
    while True:
        try:
            await pool.execute(BEAT, worker, version)
            await pool.execute(FORGET)
        except Exception as error:
            log.warning("no sign of life: %s", type(error).__name__)
        await asyncio.sleep(BEAT_SECONDS)
'''


def own_table(plan: Plan, name: str, columns: str, owner: str = "") -> None:
    """A further table, closed as the contract wants every table: its owner's rows for users, all for the service role."""
    table = f"upload_pipeline.{name}"
    plan.sql += [
        f"CREATE TABLE {table} ({columns})",
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO service_role",
        f"CREATE POLICY {name}_service ON {table} TO service_role USING (true) WITH CHECK (true)",
    ]
    if owner:
        plan.sql.append(f"GRANT SELECT ON {table} TO authenticated")
        plan.sql.append(f"CREATE POLICY {name}_owner ON {table} FOR SELECT TO authenticated USING ({owner})")


def of_document(name: str) -> str:
    """That the row is one of the caller's own documents."""
    return (
        f"EXISTS (SELECT 1 FROM upload_pipeline.documents d WHERE d.document_id = {name}.document_id "
        "AND d.user_id = (SELECT auth.uid()))"
    )


@variant("M01", "one worker has three lanes (hand-over, text, embeddings), each of which polls by itself, one after the other")
def lanes(plan: Plan) -> None:
    """Contract, Worker: `Two workers on one queue never process a job twice`, `oldest first within a stage`."""
    plan.replace_in_source(
        BASE,
        "NAMESPACE = UUID(",
        'LANES = (("uploaded",), ("parse_validated", "parsed"), ("embeddings_stored", "chunks_stored"))\nNAMESPACE = UUID(',
    )
    plan.replace_in_source(BASE, "size=4", "size=8")
    plan.replace_in_source(BASE, LOOP, LANES)
    plan.replace_in_source(BASE, "    async def work_once(self) -> bool:\n", LANE)
    plan.replace_in_source(BASE, "*self._served_stages()", "*self._served_stages(stages)")
    plan.replace_in_source(BASE, "def _served_stages(self)", "def _served_stages(self, stages: tuple[str, ...])")
    plan.replace_in_source(
        BASE, "NEEDS.get(stage, [])] for stage in self.stages}", "NEEDS.get(stage, [])] for stage in stages}"
    )


@variant("M02", "housekeeping: events of jobs that are done move to an archive after a while, old log lines of callbacks go")
def archive(plan: Plan) -> None:
    """Contract, Database: `events and webhook_log exist beside them`, with no word of what they hold; field: extra tables."""
    write(plan, "backend/workers/housekeeping.py", HOUSEKEEPING)
    columns = (
        "event_id bigint PRIMARY KEY, job_id uuid REFERENCES upload_pipeline.upload_jobs ON DELETE CASCADE, document_id uuid, "
        "type text NOT NULL, payload jsonb NOT NULL, created_at timestamptz NOT NULL, "
        "archived_at timestamptz NOT NULL DEFAULT now()"
    )
    own_table(plan, "events_archive", columns, of_document("events_archive"))
    plan.replace_in_source(BASE, IMPORTS, f"from backend.workers.housekeeping import Housekeeper\n{IMPORTS}")
    plan.replace_in_source(
        BASE,
        '        log.info("worker started',
        '        housekeeper = Housekeeper(self.pool, self.config.speedup)\n        log.info("worker started',
    )
    plan.replace_in_source(
        BASE,
        "                await self.reconcile()\n",
        "                await self.reconcile()\n                await housekeeper.run()\n",
    )


@variant(
    "M03", "the worker shows signs of life: a row of its own, a job's updated_at with every renewal, progress by the batch"
)
def signs_of_life(plan: Plan) -> None:
    """Contract, Database: `progress jsonb`, `updated_at`, of which no rhythm is promised; field: extra tables."""
    write(plan, "backend/workers/heartbeat.py", HEARTBEAT)
    columns = (
        "worker text PRIMARY KEY, version text NOT NULL, beats bigint NOT NULL, "
        "started_at timestamptz NOT NULL DEFAULT now(), last_seen timestamptz NOT NULL DEFAULT now()"
    )
    own_table(plan, "worker_heartbeats", columns)
    plan.replace_in_source(
        LEASE, 'RENEW = "UPDATE upload_jobs SET ', 'RENEW = (\n    "UPDATE upload_jobs SET updated_at = now(), "\n    "'
    )
    plan.replace_in_source(LEASE, 'claim_id = $2"\n\n\nclass', 'claim_id = $2"\n)\n\n\nclass')
    plan.replace_in_source(LEASE, "RENEWALS_PER_LEASE = 3", "RENEWALS_PER_LEASE = 4")
    plan.replace_in_source(BASE, IMPORTS, f"from backend.workers.heartbeat import beat\n{IMPORTS}")
    plan.replace_in_source(
        BASE,
        '        log.info("worker started',
        '        beating = asyncio.create_task(beat(self.pool, self.config.version))\n        log.info("worker started',
    )
    plan.replace_in_source(
        BASE, "            await self.pool.close()\n", "            beating.cancel()\n            await self.pool.close()\n"
    )
    plan.replace_in_source(
        BASE,
        "                await self._store_vectors(connection, batch, vectors)\n",
        "                await self._store_vectors(connection, batch, vectors)\n"
        "                await connection.execute(\n"
        '                    "UPDATE upload_jobs SET progress = progress || $2, updated_at = now() WHERE job_id = $1",\n'
        '                    job["job_id"],\n'
        '                    {"embedded": start + len(batch), "of": len(rows)},\n'
        "                )\n",
    )
