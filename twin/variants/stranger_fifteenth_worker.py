"""Variants by somebody who has not read the checks, fifteenth time: several processes, and a database that does the work."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.stranger_fifteenth import PARSING, QUEUE, RUNNER, WORKER
from twin.variants.stranger_twelfth import rewrite

SUPERVISOR = '''"""Entry point of the worker: `python backend/workers/enhanced_runner.py` keeps two processes that work."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from backend.shared.config import load
from backend.shared.logs import set_up

CHILDREN = 2
CHILD = "--child"
PR_SET_PDEATHSIG = 1


def _end_with(parent: int) -> None:
    """Nobody would end a child whose parent was killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit("the parent has ended")


def _stopped_by_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def work() -> None:
    """Run one worker until SIGTERM or SIGINT."""
    from backend.workers.enhanced_base_worker import EnhancedBaseWorker

    await EnhancedBaseWorker(load()).run(_stopped_by_signals())


async def supervise() -> int:
    """Keep the children until a signal comes, or until one of them ends: then all end, and the host starts them again."""
    load()
    stop = _stopped_by_signals()
    command = [sys.executable, str(Path(__file__).resolve()), CHILD, str(os.getpid())]
    children = [await asyncio.create_subprocess_exec(*command) for _ in range(CHILDREN)]
    ends = [asyncio.create_task(child.wait()) for child in children]
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({stopping, *ends}, return_when=asyncio.FIRST_COMPLETED)
    was_asked = stop.is_set()
    stopping.cancel()
    for child in children:
        if child.returncode is None:
            child.send_signal(signal.SIGTERM)
    codes = await asyncio.gather(*ends)
    return 0 if was_asked else max(1, *codes)


if __name__ == "__main__":
    set_up("worker", os.environ.get("WORKER_LOG_LEVEL", "INFO"))
    if sys.argv[1:2] == [CHILD]:
        _end_with(int(sys.argv[2]))
        asyncio.run(work())
    else:
        sys.exit(asyncio.run(supervise()))
'''


@variant("M95", "the worker's entry point keeps two processes that work side by side and end together")
def two_processes(plan: Plan) -> None:
    (plan.source / RUNNER).write_text(SUPERVISOR)
    plan.replace_in_source(WORKER, "open_pool(self.config, size=4)", "open_pool(self.config, size=3)")
    plan.replace_in_source(
        WORKER,
        'log.info("worker started, polling every %s s", self.config.poll_interval)',
        'log.info("worker %d started, polling every %s s", os.getpid(), self.config.poll_interval)',
    )
    plan.replace_in_source(WORKER, "import logging\n", "import logging\nimport os\n")


PROCEDURES = """-- What follows from a job's status is done here, whoever changes it.
CREATE FUNCTION upload_pipeline.follow_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        UPDATE upload_pipeline.documents SET processing_status = NEW.status, updated_at = now()
            WHERE document_id = NEW.document_id;
    END IF;
    INSERT INTO upload_pipeline.events (job_id, document_id, type, payload)
        VALUES (NEW.job_id, NEW.document_id, NEW.status,
                CASE WHEN NEW.status LIKE 'failed%' THEN coalesce(NEW.last_error, '{}') ELSE '{}' END);
    RETURN NULL;
END $$;
CREATE TRIGGER upload_jobs_begun AFTER INSERT ON upload_pipeline.upload_jobs
    FOR EACH ROW EXECUTE FUNCTION upload_pipeline.follow_status();
CREATE TRIGGER upload_jobs_moved AFTER UPDATE OF status ON upload_pipeline.upload_jobs
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION upload_pipeline.follow_status();

-- The oldest job that is due, in the order of the stages. Of stages on trial it is the one that was tried the longest ago.
CREATE FUNCTION upload_pipeline.claim_next(stages text[], on_trial text[], upload_seconds float8, lease_seconds float8)
RETURNS SETOF upload_pipeline.upload_jobs LANGUAGE plpgsql AS $$
DECLARE
    chosen upload_pipeline.upload_jobs;
BEGIN
    SELECT j.* INTO chosen FROM upload_pipeline.upload_jobs j
        WHERE (j.state = 'queued' OR (j.state = 'retryable' AND coalesce(j.not_before, j.updated_at) <= now())
               OR (j.state = 'working' AND j.lease_until <= now()))
          AND j.status = ANY (stages)
        ORDER BY array_position(stages, j.status), CASE WHEN j.status = ANY (on_trial) THEN j.updated_at ELSE j.created_at END
        FOR UPDATE SKIP LOCKED LIMIT 1;
    IF FOUND THEN
        RETURN QUERY UPDATE upload_pipeline.upload_jobs j SET claim_id = gen_random_uuid(), claims = j.claims + 1,
            lease_until = now() + make_interval(secs => lease_seconds), state = 'working', updated_at = now()
            WHERE j.job_id = chosen.job_id RETURNING j.*;
    END IF;
END $$;
REVOKE ALL ON FUNCTION upload_pipeline.follow_status(),
    upload_pipeline.claim_next(text[], text[], float8, float8) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION upload_pipeline.follow_status(),
    upload_pipeline.claim_next(text[], text[], float8, float8) TO service_role;
"""
CLAIM_NEXT = '''CLAIM = """
SELECT job_id, document_id, status, retry_count, progress, created_at, claim_id, claims,
    now() - created_at > make_interval(secs => $3) AS upload_expired
FROM claim_next($1, $2, $3, $4)
"""
'''


@variant("M96", "the database claims jobs by a function, and triggers write events and the documents' status")
def state_in_the_database(plan: Plan) -> None:
    (plan.source / "supabase/migrations/20250107000000_job_states.sql").write_text(PROCEDURES)
    rewrite(plan, QUEUE, 'CLAIM = """', "\n\nclass PermanentError", CLAIM_NEXT)
    plan.replace_in_source(
        QUEUE, "            CLAIM,\n            stages,\n            stages,\n", "            CLAIM,\n            stages,\n"
    )
    rewrite(
        plan,
        QUEUE,
        "    async def _record(",
        "        log.info(json.dumps",
        "    def _record(self, job: Any, status: str) -> None:\n",
    )
    plan.replace_in_source(QUEUE, "await self._record(connection, job, status, {})", "self._record(job, status)")
    plan.replace_in_source(QUEUE, "await self._record(connection, job, status, reason)", "self._record(job, status)")
    rewrite(
        plan,
        PARSING,
        "    await connection.execute(\n        \"UPDATE documents SET processing_status = 'failed_parse'",
        "async def store_parsed",
        "\n\n",
    )
    plan.replace_in_source(PARSING, "processing_status = 'parsed', ", "")
    plan.replace_in_source(PARSING, '    await _event(connection, row, "parsed", {"characters": len(text)})\n', "")
    plan.replace_in_source(
        "api/uploads.py",
        '    await connection.execute("INSERT INTO events (job_id, document_id, type) VALUES'
        " ($1, $2, 'uploaded')\", job_id, document_id)\n",
        "",
    )
