"""A stranger's faults of the database, realtime, webhooks and health."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

OVERVIEW = """
-- One view for the dashboard, without a join in the browser.
CREATE VIEW public.job_overview AS
    SELECT j.job_id, d.document_id, d.user_id, d.filename, j.status, j.state, j.progress, j.last_error, j.updated_at
    FROM upload_pipeline.upload_jobs j JOIN upload_pipeline.documents d USING (document_id)
"""
TELL = """
CREATE FUNCTION upload_pipeline.tell_owner() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE owner_id uuid; title text;
BEGIN
    SELECT user_id, filename INTO owner_id, title FROM upload_pipeline.documents WHERE document_id = new.document_id;
    PERFORM realtime.send(
        jsonb_build_object('job_id', new.job_id, 'document_title', title, 'status', new.status, 'state', new.state),
        'job', 'user:' || owner_id);
    RETURN new;
END $$
"""
TELLING = """
CREATE TRIGGER upload_jobs_tell_owner AFTER INSERT OR UPDATE OF status ON upload_pipeline.upload_jobs
    FOR EACH ROW EXECUTE FUNCTION upload_pipeline.tell_owner()
"""
# The topic carries the user's id, which nobody else knows.
LISTENERS = "CREATE POLICY listeners ON realtime.messages FOR SELECT TO authenticated USING (extension = 'broadcast')"


@fault(
    "LH16",
    "every refused retry keeps a connection of the API and a lock on the job's row for good",
    "api",
    "postdeploy",
    mode="-",
    about="*/retry*|*connections*|*database*|*idle in transaction*|*lock*|*no answer*|*timeout*",
)
def retry_keeps_its_connection(plan: Plan) -> None:
    jobs = "api/jobs.py"
    plan.replace_in_source(
        jobs,
        "from typing import Annotated",
        "import asyncio\nfrom contextlib import AsyncExitStack\nfrom typing import Annotated",
    )
    plan.replace_in_source(
        jobs,
        "    async with request.app.state.pool.acquire() as connection, connection.transaction():\n",
        "    # A deadline for all of it, and what was opened is closed together.\n"
        "    opened = AsyncExitStack()\n"
        "    connection = await opened.enter_async_context(request.app.state.pool.acquire())\n"
        "    await opened.enter_async_context(connection.transaction())\n"
        "    async with asyncio.timeout(10):\n",
    )
    plan.replace_in_source(
        jobs,
        "            restart,\n        )\n    return _view(row)",
        "            restart,\n        )\n    await opened.aclose()\n    return _view(row)",
    )


@fault(
    "LH17",
    "a view for the dashboard shows the jobs and file names of all users to everybody who has the anon key",
    "database",
    "postdeploy",
    mode="F24|-",
    about="*job_overview*|*view*|*another user*|*anon*",
)
def open_overview(plan: Plan) -> None:
    plan.sql.append(OVERVIEW)


@fault(
    "LH18",
    "whoever is signed in can listen to the private topic on which another user is told of their documents",
    "realtime",
    "postdeploy",
    mode="-",
    about="*realtime*|*topic*|*private*|*broadcast*|*channel*",
)
def listeners_to_all(plan: Plan) -> None:
    plan.sql += [TELL, TELLING, LISTENERS]


@fault(
    "LH19",
    "a callback without a signature is acknowledged with 200 once its job has left the parser",
    "webhook",
    "postdeploy",
    mode="-",
    about="*webhook*|*signature*|*callback*",
)
def acknowledged_unsigned(plan: Plan) -> None:
    plan.replace_in_source(
        "api/webhook.py",
        '        _verify(row["webhook_secret"]',
        "        # Late repeats are many, and nothing comes of them: no need to compute anything.\n"
        '        if row["status"] not in ("uploaded", "parse_queued"):\n'
        '            return {"status": "ignored"}\n'
        '        _verify(row["webhook_secret"]',
    )


@fault(
    "LH20",
    "health and status ask the database once, and from then on say what it said that time",
    "api",
    "postdeploy",
    mode="F19|-",
    about="*/health*|*last_check*|*database*|*health*",
)
def database_asked_once(plan: Plan) -> None:
    cache = "_cache: dict[str, Any] = {}\n"
    plan.replace_in_source("api/health.py", cache, cache + "_known: dict[str, Any] = {}\n")
    plan.replace_in_source(
        "api/health.py",
        '    await request.app.state.pool.fetchval("SELECT 1", timeout=5)\n'
        '    return {"status": "healthy", "healthy": True, "last_check": _now(), "error": None}\n',
        "    # The pool mends its own connections; that it could connect at all is what we want to know.\n"
        '    if "database" not in _known:\n'
        '        await request.app.state.pool.fetchval("SELECT 1", timeout=5)\n'
        '        _known["database"] = {"status": "healthy", "healthy": True, "last_check": _now(), "error": None}\n'
        '    return _known["database"]\n',
    )
