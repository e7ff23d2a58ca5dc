"""Another stranger's variants: what rows, events, publications, logs and headers tell, and what a day and a job's cost are."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.build import write
from twin.variants.release import APPLICATION
from twin.variants.stranger_eleventh import QUEUE, WORKER, exchange

JOBS = "api/jobs.py"
PARSING = "backend/shared/parsing.py"
UPLOADS = "api/uploads.py"
STEPS = """
ALTER TABLE upload_pipeline.upload_jobs ADD COLUMN started_at timestamptz, ADD COLUMN finished_at timestamptz;
CREATE FUNCTION upload_pipeline.note_step() RETURNS trigger LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
    steps jsonb := '{}';
    moment text := to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
BEGIN
    IF TG_OP = 'UPDATE' AND jsonb_typeof(OLD.progress -> 'steps') = 'object' THEN
        steps := OLD.progress -> 'steps';
    END IF;
    IF NEW.status IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.status IS DISTINCT FROM OLD.status) THEN
        steps := steps || jsonb_build_object(NEW.status, moment);
    END IF;
    IF jsonb_typeof(NEW.progress) = 'object' THEN
        NEW.progress := NEW.progress || jsonb_build_object('steps', steps);
    END IF;
    IF NEW.state = 'working' AND NEW.started_at IS NULL THEN
        NEW.started_at := clock_timestamp();
    END IF;
    NEW.finished_at := CASE WHEN NEW.state IN ('done', 'deadletter') THEN coalesce(NEW.finished_at, clock_timestamp()) END;
    RETURN NEW;
END $$;
CREATE TRIGGER upload_jobs_steps BEFORE INSERT OR UPDATE ON upload_pipeline.upload_jobs
    FOR EACH ROW EXECUTE FUNCTION upload_pipeline.note_step();
"""
DESCRIBED = '''def _described(job: Any, error: Exception, **more: Any) -> dict[str, Any]:
    """What went wrong: a code for programs, a message for people."""
    name = type(error).__name__
    code = f"{error.service}.{error.problem}" if isinstance(error, CallError) else f"pipeline.{name}"
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    return {"code": code, "message": str(error)[:500] or name, "stage": job["status"], "at": moment, **more}


class JobQueue:'''
EVENT = """    async def _event(self, connection: Any, job: Any, kind: str, payload: dict[str, Any]) -> None:
        await connection.execute(
            "INSERT INTO events (job_id, document_id, type, payload) VALUES ($1, $2, $3, $4)",
            job["job_id"],
            job["document_id"],
            kind,
            payload,
        )

    async def _record("""
RETRIED = """"INSERT INTO events (job_id, document_id, type) VALUES ($1, $2, 'job.retried')\""""
PUBLISHED = """
ALTER TABLE upload_pipeline.upload_jobs REPLICA IDENTITY FULL;
ALTER PUBLICATION supabase_realtime ADD TABLE upload_pipeline.events;
CREATE PUBLICATION warehouse_documents
    FOR TABLE upload_pipeline.documents (document_id, mime, bytes_len, processing_status, created_at, updated_at);
CREATE PUBLICATION warehouse_events
    FOR TABLE upload_pipeline.events WHERE (type = 'complete' OR type LIKE 'failed%') WITH (publish = 'insert');
"""
JSON_LOG = '''"""The services' log: one JSON object a line, with the names of the Elastic Common Schema."""

from __future__ import annotations

import json
import logging
import os
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

# The id of the request that this task serves; empty outside of requests.
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")


class _Line(logging.Formatter):
    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "@timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "log.level": record.levelname.lower(),
            "message": record.getMessage(),
            "ecs.version": "8.11",
            "log.logger": record.name,
            "process.pid": os.getpid(),
            "service.name": self._service,
        }
        if request_id := REQUEST_ID.get():
            line["http.request.id"] = request_id
        if record.exc_info and record.exc_info[0]:
            line["error.type"] = record.exc_info[0].__name__
            line["error.stack_trace"] = self.formatException(record.exc_info)
        return json.dumps(line)


def set_up(name: str, level: str) -> None:
    """Write the service's own log to the standard error, from this level on; of libraries only warnings."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Line(name))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    own = level.upper()
    # What both services share logs below `backend`.
    for logger in (name, "backend"):
        logging.getLogger(logger).setLevel(own if own in logging.getLevelNamesMapping() else logging.INFO)
'''
TRACED = """        trace, span = _trace_of(dict(scope["headers"]).get(b"traceparent", b"")), secrets.token_hex(8)
        request_id = given if 0 < len(given) <= 64 and given.isprintable() else trace
"""
TRACE_OF = '''def _trace_of(header: bytes) -> str:
    """The trace that the caller is in (W3C Trace Context), or a new one."""
    found = re.fullmatch(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?", header)
    return found[1].decode() if found and found[1].strip(b"0") else secrets.token_hex(16)


class RequestHeaders:'''
CHARGE = '''    async def charge(self, connection: Any, job: Any, characters: int) -> None:
        """Book what the embeddings of a batch cost, on a job that is held."""
        await connection.execute(
            "UPDATE upload_jobs SET cost_cents = cost_cents + $2::float8::numeric WHERE job_id = $1",
            job["job_id"],
            characters / 4 * EMBEDDING_CENTS_PER_TOKEN,
        )

    async def await_callback('''

SHOWN = """             j.cost_cents, (SELECT count(*) FROM upload_jobs o WHERE j.state IN ('queued', 'working', 'retryable')
                 AND o.state IN ('queued', 'working', 'retryable') AND o.created_at < j.created_at) AS ahead"""


@variant(
    "M33", "a job's progress says when each step was reached, and columns when work on it began and ended; a trigger keeps them"
)
def steps_with_times(plan: Plan) -> None:
    """Contract, Database: `progress jsonb`, of no named form; field: extra columns are nobody's business."""
    plan.sql.append(STEPS)


@variant("M34", "last_error has a code, a message, its time and the first error of the job; `reason` is not in it")
def coded_errors(plan: Plan) -> None:
    """Contract, Worker: `with the reason in last_error`; Database: `last_error jsonb`, of no named form."""
    plan.replace_in_source(QUEUE, "import logging\n", "import logging\nfrom datetime import UTC, datetime\n")
    plan.replace_in_source(QUEUE, "class JobQueue:", DESCRIBED)
    for more in ('"postponed": times', '"attempt": attempt'):
        old = f'{{"stage": job["status"], "reason": str(error)[:500] or type(error).__name__, {more}}}'
        name = more.split('"')[1]
        plan.replace_in_source(QUEUE, old, f"_described(job, error, {name}={more.split()[1]})")
    for number in (4, 6):
        written = (
            f"${number}::jsonb || jsonb_strip_nulls(jsonb_build_object('first', coalesce(last_error -> 'first', last_error)))"
        )
        plan.replace_in_source(QUEUE, f"last_error = ${number},", f"last_error = {written},")
    plan.replace_in_source(PARSING, "import logging\n", "import logging\nfrom datetime import UTC, datetime\n")
    moment = 'datetime.now(UTC).isoformat(timespec="seconds")'
    failed = f'{{"code": "llamaparse.failed", "message": reason, "stage": "parse_queued", "at": {moment}}}'
    plan.replace_in_source(PARSING, '{"stage": "parse", "reason": reason}', failed)


@variant(
    "M35",
    "events are named like messages (job.advanced, document.parsed), tell from where to where, and there are more of them",
)
def events_as_messages(plan: Plan) -> None:
    """Contract, Database: `events and webhook_log exist beside them; the three above are the ones the specification names`."""
    plan.replace_in_source(UPLOADS, "VALUES ($1, $2, 'uploaded')", "VALUES ($1, $2, 'document.received')")
    plan.replace_in_source(PARSING, "        kind,\n        payload,\n", '        f"document.{kind}",\n        payload,\n')
    begin = '        await connection.execute(\n            "INSERT INTO events'
    exchange(
        plan,
        QUEUE,
        begin,
        '        log.info(json.dumps({"job_id": str(job["job_id"]), "status": status}))',
        '        kind = "completed" if status == "complete" else "failed" if payload else "advanced"\n'
        '        change = {"from": job["status"], "to": status}\n'
        '        await self._event(connection, job, f"job.{kind}", change | payload)\n',
    )
    plan.replace_in_source(QUEUE, "    async def _record(", EVENT)
    plan.replace_in_source(
        QUEUE,
        "                await self._record(connection, job, status, reason)\n",
        "                await self._record(connection, job, status, reason)\n"
        "            else:\n"
        '                await self._event(connection, job, "job.delayed", reason)\n',
    )
    plan.replace_in_source(
        JOBS,
        "            restart,\n        )\n",
        f"            restart,\n        )\n        await connection.execute({RETRIED}, job_id, row['document_id'])\n",
    )


@variant("M36", "realtime brings a job's former row too, and events; a data warehouse has publications of its own")
def further_publications(plan: Plan) -> None:
    """Specification, 3: `Staging project for database, auth, storage, realtime`; what it tells of, and who else, is open."""
    plan.sql.append(PUBLISHED)


@variant(
    "M37",
    "requests are traced (W3C Trace Context): new request ids are trace ids; process times are whole milliseconds, 1 at least",
)
def traced_requests(plan: Plan) -> None:
    """Contract, HTTP API: `Every response carries X-Request-ID and X-Process-Time (seconds)`; field: extra headers."""
    plan.replace_in_source(
        APPLICATION, "import logging\nimport time\n", "import logging\nimport re\nimport secrets\nimport time\n"
    )
    plan.replace_in_source(APPLICATION, "import uuid\n", "")
    exchange(plan, APPLICATION, "        request_id = given", "        REQUEST_ID.set(", TRACED)
    plan.replace_in_source(APPLICATION, "class RequestHeaders:", TRACE_OF)
    plan.replace_in_source(
        APPLICATION, '{time.perf_counter() - started:.6f}"', '{max(0.001, time.perf_counter() - started):.3f}"'
    )
    header = '(b"x-request-id", request_id.encode()),\n'
    traceparent = 'f"00-{trace}-{span}-01".encode()'
    plan.replace_in_source(APPLICATION, header, f'{header}                    (b"traceparent", {traceparent}),\n')


@variant(
    "M38", "both services log one JSON object a line, with the names of the Elastic Common Schema; a traceback is one line too"
)
def logs_as_json(plan: Plan) -> None:
    """Specification, 5 and 6: `Error Monitoring`, `Log Security: Staging-specific log aggregation`; the lines' form is open."""
    write(plan, "backend/shared/logs.py", JSON_LOG)


@variant(
    "M39", "a job's cost is booked as it arises, in fractions of a cent, and shown; so is how many are in the queue before it"
)
def costs_are_booked(plan: Plan) -> None:
    """Contract, HTTP API: a job has `cost_cents`; how it is counted is open. Field: extra columns and keys are common."""
    plan.sql.append("ALTER TABLE upload_pipeline.upload_jobs ADD COLUMN cost_cents numeric(12, 6) NOT NULL DEFAULT 0")
    plan.replace_in_source(
        QUEUE, "\n\nclass PermanentError(", "EMBEDDING_CENTS_PER_TOKEN = 0.000002\n\n\nclass PermanentError("
    )
    plan.replace_in_source(QUEUE, "    async def await_callback(", CHARGE)
    plan.replace_in_source(
        QUEUE, "SET parse_job_id = $3, {RELEASED},", "SET parse_job_id = $3, cost_cents = cost_cents + 0.3, {RELEASED},"
    )
    stored = "                await self._store_vectors(connection, batch, vectors)\n"
    charged = '                await self.queue.charge(connection, job, sum(len(row["text"]) for row in batch))\n'
    plan.replace_in_source(WORKER, stored, stored + charged)
    plan.replace_in_source(JOBS, 'j.created_at, j.updated_at"""', f'j.created_at, j.updated_at,\n{SHOWN}"""')
    plan.replace_in_source(
        JOBS, '"cost_cents": 0,\n', '"cost_cents": float(row["cost_cents"]),\n        "ahead": row["ahead"],\n'
    )
