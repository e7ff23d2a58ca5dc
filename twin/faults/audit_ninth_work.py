"""Slips of the worker that one document, the second job of a user, or the end of a job alone shows."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

PARSING = "backend/shared/parsing.py"
CHUNKING = "backend/workers/chunking.py"
QUEUE = "backend/workers/job_queue.py"
WORKER = "backend/workers/enhanced_base_worker.py"


@fault(
    "M21",
    "a file whose name has more than Latin letters cannot be handed in",
    "worker",
    "postdeploy",
    mode="-",
    about="*second*|*stage*",
)
def latin_names(plan: Plan) -> None:
    # Names stand in a header of the upload.
    plan.replace_in_source(
        WORKER,
        'job, document["filename"], body, secret)',
        'job, document["filename"].encode("latin-1").decode(), body, secret)',
    )


@fault(
    "M22",
    "a last passage of less than thirty letters is left out",
    "worker",
    "postdeploy",
    mode="-",
    about="*chunks*|*unbroken*|*lost*",
)
def no_widow(plan: Plan) -> None:
    plan.replace_in_source(
        CHUNKING, '    if current:\n        chunks.append("\\n"', '    if size > 30:\n        chunks.append("\\n"'
    )


@fault("M23", "a line of figures alone is left out", "worker", "postdeploy", mode="-", about="*chunks*|*unbroken*|*lost*")
def no_page_numbers(plan: Plan) -> None:
    # Numbers of pages come back on every page.
    plan.replace_in_source(
        CHUNKING, "        words = line.split()\n", "        words = [] if line.strip().isdigit() else line.split()\n"
    )


@fault(
    "M24",
    "the document of a job whose retries are used up keeps the word that it had",
    "worker",
    "postdeploy",
    mode="-",
    about="*processing_status*",
)
def word_of_permanent_ends(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "            if final:\n                await self._record",
        "            if isinstance(error, PermanentError):\n                await self._record",
    )


@fault(
    "M25",
    "a job whose file never came is said to have failed while it was cut",
    "worker",
    "postdeploy",
    mode="-",
    about="*upload_jobs.status*",
)
def cut_without_a_file(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, '"uploaded": "failed_parse"', '"uploaded": "failed_chunking"')


@fault(
    "M26",
    "a document that cannot be parsed is said to have failed while it was embedded",
    "worker/api",
    "postdeploy",
    mode="-",
    about="*upload_jobs.status*",
)
def embedded_without_a_text(plan: Plan) -> None:
    plan.replace_in_source(PARSING, "SET status = 'failed_parse', state", "SET status = 'failed_embedding', state")
    plan.replace_in_source(
        PARSING, '_event(connection, row, "failed_parse", error)', '_event(connection, row, "failed_embedding", error)'
    )


@fault(
    "M27",
    "the reason of a document that was given up is the name of an exception",
    "worker",
    "postdeploy",
    mode="-",
    about="*last_error*",
)
def named_exception(plan: Plan) -> None:
    # A message may quote what nobody should read.
    plan.replace_in_source(
        QUEUE,
        '"reason": str(error)[:500] or type(error).__name__, "attempt": attempt}',
        '"reason": type(error).__name__, "attempt": attempt}',
    )


@fault(
    "M28",
    "a parse that is said to have failed leaves its stage as the reason",
    "api/webhook/worker",
    "postdeploy",
    mode="-",
    about="*last_error*",
)
def stage_alone(plan: Plan) -> None:
    plan.replace_in_source(
        PARSING,
        '        {"stage": "parse", "reason": reason},\n    )\n\n\nasync def conclude',
        '        {"stage": "parse"},\n    )\n\n\nasync def conclude',
    )


@fault(
    "M30",
    "the parsed text of a user is kept in memory, and used for the next document",
    "worker",
    "postdeploy",
    mode="-",
    about="*second*|*retried*|*chunks*",
)
def text_of_the_user(plan: Plan) -> None:
    # Each text is read twice, to validate it and to cut it.
    plan.replace_in_source(
        WORKER,
        "        return (await self.storage.read(key)).decode()",
        "        kept = self.__dict__.setdefault('texts', {})\n"
        "        if document['user_id'] not in kept:\n"
        "            kept[document['user_id']] = (await self.storage.read(key)).decode()\n"
        "        return str(kept[document['user_id']])",
    )


@fault(
    "M31",
    "jobs of long documents name another version of the chunks",
    "worker",
    "postdeploy",
    mode="-",
    about="*chunks_version*",
)
def version_of_long_ones(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        "            await self.queue.advance_in(connection",
        "            if len(rows) > 100:\n"
        "                sql = \"UPDATE upload_jobs SET chunks_version = 'markdown-long@1' WHERE job_id = $1\"\n"
        "                await connection.execute(sql, job['job_id'])\n"
        "            await self.queue.advance_in(connection",
    )
