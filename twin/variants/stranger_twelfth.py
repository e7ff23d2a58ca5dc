"""Variants by somebody who knows the contract only: workers of another make."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant

WORKER = "backend/workers/enhanced_base_worker.py"
QUEUE = "backend/workers/job_queue.py"
RUNNER = "backend/workers/enhanced_runner.py"
RECONCILIATION = "backend/workers/reconciliation.py"
PARSING = "backend/shared/parsing.py"
UPLOADS = "api/uploads.py"


def rewrite(plan: Plan, path: str, begin: str, end: str, new: str) -> None:
    """Put a text in the place of what stands from `begin` up to `end`; an empty `end` is the end of the file."""
    text = (plan.source / path).read_text()
    rest = text[text.index(begin) :]
    plan.replace_in_source(path, rest[: rest.index(end)] if end else rest, new)


FOLLOWING = """
BATCH = 256
FOLLOWING = ("parsed", "parse_validated", "chunks_stored")
"""
GO_THROUGH = '''
    async def _go_through(self, job: Any) -> None:
        """This stage and, after the parsed text is there, all that follow, under the same claim."""
        await self.stages[job["status"]](job)
        while job["status"] in FOLLOWING:
            job.update(await self.queue.seen(job))
            if job["status"] not in self._served_stages()[0]:
                await self.queue.let_go(job)
                return
            await self.stages[job["status"]](job)
            if job["status"] == "embeddings_stored":
                return

    def _is_no_fault_of_the_job('''
SEEN = '''
    async def seen(self, job: Any) -> Any:
        """What has become of a job that is held; raises LeaseLost."""
        async with self.leases.holding(job) as connection:
            return await connection.fetchrow(
                "SELECT status, retry_count, progress FROM upload_jobs WHERE job_id = $1", job["job_id"]
            )

    async def let_go(self, job: Any) -> None:
        """Leave the rest of a job to a later claim."""
        async with self.leases.holding(job) as connection:
            await connection.execute(
                f"UPDATE upload_jobs SET state = 'queued', {RELEASED}, updated_at = now() WHERE job_id = $1", job["job_id"]
            )

    async def await_callback('''


@variant("M45", "one claim takes a job from its parsed text to its completion, without a pause between the stages")
def one_claim(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "\nBATCH = 256\n", FOLLOWING)
    plan.replace_in_source(WORKER, "await self._process(job)", "await self._process(dict(job))")
    plan.replace_in_source(WORKER, 'await self.stages[job["status"]](job)\n', "await self._go_through(job)\n")
    plan.replace_in_source(WORKER, "\n    def _is_no_fault_of_the_job(", GO_THROUGH)
    goes_on = 'state="working", released=False'
    plan.replace_in_source(WORKER, 'advance(job, "parse_validated")', f'advance(job, "parse_validated", {goes_on})')
    plan.replace_in_source(WORKER, 'job, "chunks_stored", progress', f'job, "chunks_stored", {goes_on}, progress')
    plan.replace_in_source(WORKER, 'job, "embeddings_stored", progress', f'job, "embeddings_stored", {goes_on}, progress')
    # Ended workers are counted for each stage, as they are where each stage is a claim.
    plan.replace_in_source(QUEUE, '{f"{RELEASED}," if released else ""}', "{RELEASED if released else 'claims = 1'},")
    plan.replace_in_source(QUEUE, "\n    async def await_callback(", SEEN)


FOLLOWS = """
CREATE FUNCTION upload_pipeline.follow_job() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    UPDATE upload_pipeline.documents SET processing_status = NEW.status, updated_at = now()
        WHERE document_id = NEW.document_id AND processing_status IS DISTINCT FROM NEW.status;
    INSERT INTO upload_pipeline.events (job_id, document_id, type, payload) VALUES (NEW.job_id, NEW.document_id, NEW.status,
        CASE WHEN starts_with(NEW.status, 'failed_') THEN coalesce(NEW.last_error, '{}') ELSE NEW.progress END);
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION upload_pipeline.follow_job() FROM PUBLIC;
CREATE TRIGGER a_new_job AFTER INSERT ON upload_pipeline.upload_jobs
    FOR EACH ROW EXECUTE FUNCTION upload_pipeline.follow_job();
CREATE TRIGGER a_job_that_moves AFTER UPDATE ON upload_pipeline.upload_jobs
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION upload_pipeline.follow_job();
"""
ONLY_LOGGED = """    async def _record(self, connection: Any, job: Any, status: str, payload: dict[str, Any]) -> None:
        log.info(json.dumps({"job_id": str(job["job_id"]), "status": status}))

"""


@variant("M46", "triggers of the database, and not the services, write a document's status and the events of its job")
def triggers(plan: Plan) -> None:
    (plan.source / "supabase/migrations/20250107000000_follow_jobs.sql").write_text(FOLLOWS)
    rewrite(plan, QUEUE, "    async def _record(", "    async def await_callback(", ONLY_LOGGED)
    rewrite(plan, UPLOADS, '    await connection.execute("INSERT INTO events', "    return job_id\n", "")
    failed = """    await connection.execute(\n        "UPDATE documents SET processing_status = 'failed_parse'"""
    rewrite(plan, PARSING, failed, "async", "\n\n")
    rewrite(plan, PARSING, "async def _event(", "async def store_parsed(", "")
    plan.replace_in_source(PARSING, "parsed_sha256 = $3, processing_status = 'parsed',", "parsed_sha256 = $3,")
    plan.replace_in_source(PARSING, '    await _event(connection, row, "parsed", {"characters": len(text)})\n', "")


SUPERVISED = '''"""Entry point of the worker: `python backend/workers/enhanced_runner.py`.

This process supervises: it starts the workers, passes its signals on, and starts a worker again that has ended.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

WORKERS = 2
CHILD = "--one"
MOST_STARTS = 5
STOPPING = (signal.SIGTERM, signal.SIGINT)


async def _orphaned(parent: int, stop: asyncio.Event) -> None:
    while os.getppid() == parent:
        await asyncio.sleep(0.5)
    stop.set()


async def work() -> None:
    """Run one worker until a signal, or until the supervisor has ended."""
    from backend.shared.config import load
    from backend.shared.logs import set_up
    from backend.workers.enhanced_base_worker import EnhancedBaseWorker

    set_up("worker", os.environ.get("WORKER_LOG_LEVEL", "INFO"))
    stop = asyncio.Event()
    for number in STOPPING:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    watching = asyncio.create_task(_orphaned(os.getppid(), stop))
    await EnhancedBaseWorker(load()).run(stop)
    watching.cancel()


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(Path(__file__).resolve()), CHILD])


def supervise() -> int:
    """Keep the workers running until a signal; gives up, with a worker's own code, where they keep ending."""
    stopped: list[int] = []
    for number in STOPPING:
        signal.signal(number, lambda number, _: stopped.append(number))
    children, starts, code = [_start() for _ in range(WORKERS)], WORKERS, 0
    while not stopped and not code:
        for place, child in enumerate(children):
            if child.poll() is None:
                continue
            if starts >= WORKERS + MOST_STARTS:
                code = abs(child.returncode) or 1
                break
            children[place], starts = _start(), starts + 1
        time.sleep(0.2)
    for child in children:
        child.terminate()
    for child in children:
        child.wait()
    return code


if __name__ == "__main__":
    if CHILD in sys.argv[1:]:
        asyncio.run(work())
    else:
        sys.exit(supervise())
'''


@variant("M47", "the worker is a supervisor with two workers in processes of their own, which share the queue")
def supervised(plan: Plan) -> None:
    (plan.source / RUNNER).write_text(SUPERVISED)


HAND_OVER = '''    async def _hand_over(self, job: Any, filename: str, body: bytes, secret: str) -> str:
        """Send a document to LlamaParse; returns the id that it has there."""
        base = self.config.api_base_url.rstrip("/")
        form = {
            "result_type": "markdown",
            "webhook_url": f"{base}/api/upload-pipeline/webhook/llamaparse/{job['job_id']}",
            "webhook_secret": secret,
        }
        async with self.client.calls.to("llamaparse"):
            reply = await self.client.http.post(
                f"{self.config.llamaparse_url.rstrip('/')}/api/parsing/upload",
                headers={"Authorization": f"Bearer {self.config.llamaparse_key}"},
                files={"file": (filename, body, "application/pdf")},
                data=form,
            )
            reply.raise_for_status()
            return str(reply.json()["id"])

'''
ASK = """                status, error, text = await self._ask(row["parse_job_id"])
"""
ASKED = """
    async def _ask(self, parse_job_id: str) -> tuple[str, str, str]:
        base = f"{self._config.llamaparse_url.rstrip('/')}/api/parsing/job/{parse_job_id}"
        key = {"Authorization": f"Bearer {self._config.llamaparse_key}"}
        reply = await self._client.http.get(base, headers=key)
        reply.raise_for_status()
        found = reply.json()
        if found["status"] not in ("SUCCESS", "PARTIAL_SUCCESS"):
            ended = ENDED.get(found["status"], "")
            return found["status"], ended and (found.get("error_message") or ended), ""
        reply = await self._client.http.get(f"{base}/result/markdown", headers=key)
        reply.raise_for_status()
        return "COMPLETED", "", reply.json()["markdown"]

    async def _conclude("""


@variant("M53", "LlamaParse's first interface, as a form without the vendor's package; its secrets are shorter words")
def first_interface(plan: Plan) -> None:
    rewrite(plan, WORKER, "    async def _hand_over(", "    async def validate(", HAND_OVER)
    plan.replace_in_source(WORKER, "secret = secrets.token_hex(32)", 'secret = f"whsec_{secrets.token_urlsafe(24)}"')
    plan.replace_in_source(RECONCILIATION, '"FAILED": "parsing', '"ERROR": "parsing')
    plan.replace_in_source(RECONCILIATION, '"CANCELLED": "parsing', '"CANCELED": "parsing')
    rewrite(plan, RECONCILIATION, "                found = await self._client", "        except CallError as failed:", ASK)
    plan.replace_in_source(RECONCILIATION, "\n    async def _conclude(", ASKED)
    plan.replace_in_source(RECONCILIATION, "        self._pool = pool\n", "        self._pool, self._config = pool, config\n")
