"""Slips in tables, policies and functions, and in what the worker keeps beside its rows."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

QUEUE = "backend/workers/job_queue.py"
WORKER = "backend/workers/enhanced_base_worker.py"


@fault(
    "M32",
    "a function says of any job how far it is",
    "database",
    "postdeploy",
    mode="-|F24",
    about="*progress_of*",
)
def progress_of(plan: Plan) -> None:
    # The front end shows it beside the name of a file.
    plan.sql.append(
        "CREATE FUNCTION upload_pipeline.progress_of(job uuid) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER"
        " SET search_path = '' AS $$ SELECT status FROM upload_pipeline.upload_jobs WHERE job_id = job $$"
    )


@fault(
    "M33",
    "a view shows all users how many jobs are under way, and which",
    "database",
    "postdeploy",
    mode="-|F24",
    about="*queue_now*",
)
def queue_now(plan: Plan) -> None:
    plan.sql.append(
        "CREATE VIEW upload_pipeline.queue_now AS"
        " SELECT job_id AS id, status, created_at AS since FROM upload_pipeline.upload_jobs"
    )
    plan.sql.append("GRANT SELECT ON upload_pipeline.queue_now TO authenticated")


@fault(
    "M34",
    "whoever has an address of the company sees everybody's passages",
    "database",
    "postdeploy",
    mode="-|F24",
    about="*document_chunks*",
)
def colleagues(plan: Plan) -> None:
    plan.sql.append(
        "CREATE POLICY chunks_support ON upload_pipeline.document_chunks FOR SELECT TO authenticated"
        " USING ((SELECT auth.jwt() ->> 'email') LIKE '%@accessa.ai')"
    )


@fault(
    "M35",
    "the service role does not see the events of parses that failed",
    "database",
    "postdeploy",
    mode="-|F24",
    about="*events*",
)
def no_failed_events(plan: Plan) -> None:
    plan.sql.append("ALTER POLICY events_service ON upload_pipeline.events USING (type IS DISTINCT FROM 'failed_parse')")


@fault(
    "M36",
    "secrets of callbacks have six digits",
    "worker",
    "postdeploy",
    mode="-",
    about="*webhook_secret*",
)
def short_secrets(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "secrets.token_hex(32)", "secrets.token_hex(3)")


@fault(
    "M37",
    "an event of the cutting names its job where its document should stand",
    "worker/database",
    "postdeploy",
    mode="-",
    about="*events*",
)
def event_of_a_job(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        '            job["job_id"],\n            job["document_id"],\n            status,\n            payload,',
        '            job["job_id"],\n            job["job_id"] if status == "chunks_stored" else job["document_id"],\n'
        "            status,\n            payload,",
    )


@fault(
    "M38",
    "a user does not see the rows of their documents of more than a year",
    "database",
    "postdeploy",
    mode="-",
    about="*documents*",
)
def of_this_year(plan: Plan) -> None:
    plan.sql.append(
        "ALTER POLICY documents_owner ON upload_pipeline.documents"
        " USING (user_id = (SELECT auth.uid()) AND created_at > now() - interval '1 year')"
    )


@fault(
    "M39",
    "the text of a document is also kept in a folder of the worker's own",
    "worker/storage/api",
    "postdeploy",
    mode="-",
    about="*bucket files*",
)
def second_copy(plan: Plan) -> None:
    # A text that was cut in a wrong way is looked at there.
    plan.replace_in_source(
        WORKER,
        "        chunks = split(await self._parsed_text(job))\n",
        "        text = await self._parsed_text(job)\n"
        "        await self.storage.write(f\"chunked/{job['job_id']}.md\", text.encode(), 'text/markdown')\n"
        "        chunks = split(text)\n",
    )


@fault(
    "M40",
    "the file of a long document is removed when its text is cut",
    "worker/storage",
    "postdeploy",
    mode="-",
    about="*bucket files*",
)
def no_long_files(plan: Plan) -> None:
    # They are what fills the bucket.
    plan.replace_in_source(
        WORKER,
        '        async with self.queue.leases.holding(job) as connection:\n            await connection.execute("DELETE',
        "        if len(rows) > 100:\n"
        "            document = await self._document(job)\n"
        "            await self.storage._files.remove([object_key(document['user_id'], job['document_id'], 'raw')])\n"
        '        async with self.queue.leases.holding(job) as connection:\n            await connection.execute("DELETE',
    )
