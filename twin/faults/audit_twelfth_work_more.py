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


@f("DB01", "HEAD / is refused")
def _b01(plan: Plan) -> None:
    plan.replace_in_source(HEALTH, '@router.head("/")\n', "")


@f("DB02", "limits: ttl an hour")
def _b02(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, '"signed_url_ttl_seconds": SIGNED_URL_TTL_SECONDS', '"signed_url_ttl_seconds": 3600')


@f("DB03", "status page's time is that of start")
def _b03(plan: Plan) -> None:
    plan.replace_in_source(HEALTH, '"status": "ok" if _is_healthy(database) else "degraded",\n        "timestamp": _now(),', '"status": "ok" if _is_healthy(database) else "degraded",\n        "timestamp": _cache.setdefault("since", _now()),')


@f("DB04", "the worker logs the names of files")
def _b04(plan: Plan) -> None:
    plan.replace_in_source(WORKER, '        secret = secrets.token_hex(32)\n', '        secret = secrets.token_hex(32)\n        log.info("handing over %s", document["filename"])\n')


@f("DB05", "the log holds answers")
def _b05(plan: Plan) -> None:
    plan.replace_in_source(CHAT, '    return _body(\n        answer.text,', '    log.info("answered: %s", answer.text[:400])\n    return _body(\n        answer.text,')


@f("DB06", "events are dated in another zone")
def _b06(plan: Plan) -> None:
    plan.sql.append("ALTER TABLE upload_pipeline.events ALTER COLUMN created_at SET DEFAULT (now() AT TIME ZONE 'America/Los_Angeles')")


@f("DB07", "webhook_log is dated in another zone")
def _b07(plan: Plan) -> None:
    plan.sql.append("ALTER TABLE upload_pipeline.webhook_log ALTER COLUMN received_at SET DEFAULT (now() AT TIME ZONE 'America/Los_Angeles')")


@f("DB08", "the event of a parse names no document")
def _b08(plan: Plan) -> None:
    plan.replace_in_source(PARSING, '        row["job_id"],\n        row["document_id"],\n        kind,', '        row["job_id"],\n        None,\n        kind,')


@f("DB09", "listing by retryable refused")
def _b09(plan: Plan) -> None:
    plan.replace_in_source(JOBS, 'state: Literal["queued", "working", "retryable", "done", "deadletter"]', 'state: Literal["queued", "working", "done", "deadletter"]')


@f("DB10", "the plain listing leaves out failed jobs")
def _b10(plan: Plan) -> None:
    plan.replace_in_source(JOBS, "($2::text IS NULL OR j.state = $2)", "(j.state <> 'deadletter' AND $2::text IS NULL OR j.state = $2)")


@f("DB11", "a job without its file holds up its user's other documents")
def _b11(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "      AND status = ANY($1)\n", """      AND status = ANY($1)
      AND (status <> 'uploaded' OR NOT EXISTS (SELECT FROM upload_jobs o JOIN documents a ON a.document_id = o.document_id
          JOIN documents b ON b.user_id = a.user_id WHERE b.document_id = upload_jobs.document_id
          AND o.progress ? 'awaiting_upload' AND o.state = 'retryable' AND o.created_at < upload_jobs.created_at))
""")


@f("DB12", "a job that is put off holds up its user's other documents")
def _b12(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "      AND status = ANY($1)\n", """      AND status = ANY($1)
      AND NOT EXISTS (SELECT FROM upload_jobs o JOIN documents a ON a.document_id = o.document_id
          JOIN documents b ON b.user_id = a.user_id WHERE b.document_id = upload_jobs.document_id
          AND o.retry_count > 0 AND o.state = 'retryable' AND o.created_at < upload_jobs.created_at)
""")


@f("DB13", "working in the listing shows retryable as well")
def _b13(plan: Plan) -> None:
    plan.replace_in_source(JOBS, "j.state = $2)", "j.state = $2 OR ($2 = 'working' AND j.state = 'retryable'))")


@f("DB14", "last_checks old: database remembered")
def _b14(plan: Plan) -> None:
    plan.replace_in_source(CHAT, '"conversation_id": body.conversation_id or str(uuid.uuid4())', '"conversation_id": (body.conversation_id or str(uuid.uuid4())).lower()')


@f("DB15", "a job that failed once keeps its last_error out of db when it becomes due")
def _b15(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "    state = 'working', updated_at = now() WHERE", "    state = 'working', last_error = NULL, updated_at = now() WHERE")


@f("DB16", "updated_at of job not moved by a failed attempt")
def _b16(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "progress = progress - 'awaiting_upload', {RELEASED},\n                       updated_at = now() WHERE", "progress = progress - 'awaiting_upload', {RELEASED} WHERE")


@f("DB17", "a callback with user agent other")
def _b17(plan: Plan) -> None:
    plan.replace_in_source(WEBHOOK, 'if row["status"] != "parse_queued":', 'if row["status"] != "parse_queued" or not await connection.fetchval("SELECT parse_job_id IS NOT NULL FROM upload_jobs WHERE job_id = $1", job_id):')


@f("DB18", "a document that was embedded twice: user's passages stored vector of first chunk when chunk texts are equal in lower case")
def _b18(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "    if not body.message.strip():", "    if not body.message.strip() or len(body.message) > 4000:")


@f("DB19", "sources hold text cut at 500")
def _b19(plan: Plan) -> None:
    plan.replace_in_source(CHAT, '"text": p.text,', '"text": p.text[:300],')


@f("DB20", "the event of the end of a failed job says attempt only")
def _b20(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "                await self._record(connection, job, status, reason)", "                await self._record(connection, {**job, 'document_id': None} if False else job, 'failed', reason)")
