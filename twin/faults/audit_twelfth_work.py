"""Drafts."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

QUEUE = "backend/workers/job_queue.py"
WORKER = "backend/workers/enhanced_base_worker.py"
CHUNKING = "backend/workers/chunking.py"
RECONCILE = "backend/workers/reconciliation.py"
PARSING = "backend/shared/parsing.py"
WEBHOOK = "api/webhook.py"
JOBS = "api/jobs.py"
CHAT = "api/chat.py"
HEALTH = "api/health.py"
UPLOADS = "api/uploads.py"


def f(id: str, title: str):
    return fault(id, title, "worker", "postdeploy", mode="-", about="*nothing*")


@f("DA01", "owner-retried jobs are served by the time of their retry")
def _a01(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "CASE WHEN status = ANY($3) THEN updated_at ELSE created_at END",
        "CASE WHEN status = ANY($3) OR EXISTS (SELECT FROM events e WHERE e.job_id = upload_jobs.job_id AND e.type LIKE 'failed%') THEN updated_at ELSE created_at END")


@f("DA02", "of jobs tried again the newest first")
def _a02(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "CASE WHEN status = ANY($3) THEN updated_at ELSE created_at END",
        "retry_count > 0, CASE WHEN status = ANY($3) THEN updated_at ELSE created_at END")


@f("DA03", "of several overdue the first is looked up, all are stamped")
def _a03(plan: Plan) -> None:
    plan.replace_in_source(RECONCILE, "j.job_id = (", "j.job_id IN (")
    plan.replace_in_source(RECONCILE, "FOR UPDATE SKIP LOCKED LIMIT 1", "FOR UPDATE SKIP LOCKED")


@f("DA04", "a job that waits for upload keeps its lease, state working")
def _a04(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "            await self.queue.wait_for_upload(job)", "            pass")


@f("DA05", "only one lookup a time of callbacks; others for ever (state queued only)")
def _a05(plan: Plan) -> None:
    plan.replace_in_source(RECONCILE, "        while await self._run_once():\n            pass", "        await self._run_once()\n        self._next += self.callback_seconds")


@f("DA06", "retryable jobs may be retried")
def _a06(plan: Plan) -> None:
    plan.replace_in_source(JOBS, 'if row["state"] != "deadletter":', 'if row["state"] not in ("deadletter", "retryable"):')
    plan.replace_in_source(JOBS, '}[row["status"]]', '}.get(row["status"], row["status"])')


@f("DA07", "the document route shows last_error only when it failed")
def _a07(plan: Plan) -> None:
    plan.replace_in_source(JOBS, '"job_id": str(row["job_id"]) if row["job_id"] else None,\n        "last_error": row["last_error"],',
        '"job_id": str(row["job_id"]) if row["job_id"] else None,\n        "last_error": row["last_error"] if row["state"] == "deadletter" else None,')


@f("DA08", "callbacks above 1 MiB are refused")
def _a08(plan: Plan) -> None:
    plan.replace_in_source(WEBHOOK, "    body = await request.body()\n", "    body = await request.body()\n    if len(body) > 1024 * 1024:\n        raise HTTPException(413, 'too large')\n")


@f("DA09", "second batch has another embed_version")
def _a09(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "embed_version = '1',", "embed_version = (chunk_ord / 256 + 1)::text,")


@f("DA10", "numbers leave one out in long documents")
def _a10(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "                number,\n", "                number + (number >= BATCH),\n")


@f("DA11", "chunks of long documents are numbered in the order of their numbers as text")
def _a11(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "for number, text in enumerate(chunks)", "for number, text in enumerate(sorted(chunks, key=lambda one: str(chunks.index(one))) if len(chunks) > BATCH else chunks)")


@f("DA12", "lines of one or two letters are left out")
def _a12(plan: Plan) -> None:
    plan.replace_in_source(CHUNKING, "        words = line.split()\n", "        words = line.split() if len(line.strip()) > 2 else []\n")


@f("DA13", "curly quotes and dashes are made plain")
def _a13(plan: Plan) -> None:
    plan.replace_in_source(CHUNKING, "    pieces: list[str] = []\n", "    pieces: list[str] = []\n    text = text.translate(str.maketrans('‘’“”–—', '\\'\\'\"\"--'))\n")


@f("DA14", "names of sources are that of the first one")
def _a14(plan: Plan) -> None:
    plan.replace_in_source(CHAT, '"filename": p.filename', '"filename": passages[0].filename')


@f("DA15", "similarities shown are relative to the best")
def _a15(plan: Plan) -> None:
    plan.replace_in_source(CHAT, 'round(p.similarity, 4)', 'round(p.similarity / passages[0].similarity, 4)')
