"""Faults of a ninth stranger: rest, and what is promised of data, storage, realtime, callbacks and configuration."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

WORKER = "backend/workers/enhanced_base_worker.py"
UPLOADS = "api/uploads.py"
CHAT = "api/chat.py"
BREAKER = "backend/shared/breaker.py"


@fault(
    "I31",
    "each question opens clients of its own, which stay open until the service ends",
    "api/chat",
    "performance",
    mode="-|F18",
    about="*memory*|*connection*|*grow*|*chat*",
)
def clients_for_each_question(plan: Plan) -> None:
    # "Questions must not share a connection": two pools of connections with their certificates are kept for each.
    plan.replace_in_source(CHAT, "ANSWER_SECONDS = 15.0\n", "ANSWER_SECONDS = 15.0\n_opened: list[Vendors] = []\n")
    plan.replace_in_source(
        CHAT,
        "    client: Vendors = request.app.state.client\n    try:\n",
        "    client = Vendors(config, 2 * ANSWER_SECONDS)\n"
        "    client.calls = request.app.state.client.calls\n"
        "    _opened.append(client)\n"
        "    try:\n",
    )


@fault(
    "I32",
    "each document that is registered holds a connection to the database until its job has ended",
    "api/database",
    "performance",
    mode="F18|-",
    about="*connection*|*pool*|*upload*",
)
def watched_documents(plan: Plan) -> None:
    # How long documents take is logged; one whose bytes never come, or that is deleted, is watched for ever.
    plan.replace_in_source(UPLOADS, "import logging\n", "import asyncio\nimport logging\n")
    plan.replace_in_source(
        UPLOADS,
        '@router.post("/api/upload-pipeline/upload")\n',
        "_watches: set[asyncio.Task[None]] = set()\n\n\n"
        "async def _watch(config: Any, job_id: UUID) -> None:\n"
        '    """Log how long a document takes; a connection of its own keeps the pool free."""\n'
        "    started = datetime.now(UTC)\n"
        "    connection = await asyncpg.connect(config.database_url, statement_cache_size=0)\n"
        '    state = f"SELECT state FROM {config.schema}.upload_jobs WHERE job_id = $1"\n'
        '    while await connection.fetchval(state, job_id) not in ("done", "deadletter"):\n'
        "        await asyncio.sleep(2)\n"
        "    await connection.close()\n"
        '    log.info("a document took %.1f s job_id=%s", (datetime.now(UTC) - started).total_seconds(), job_id)\n\n\n'
        '@router.post("/api/upload-pipeline/upload")\n',
    )
    plan.replace_in_source(
        UPLOADS,
        "    expires = datetime.now(UTC)",
        "    watch = asyncio.create_task(_watch(request.app.state.config, job_id))\n"
        "    _watches.add(watch)\n"
        "    watch.add_done_callback(_watches.discard)\n"
        "    expires = datetime.now(UTC)",
    )


@fault(
    "I33",
    "a worker that found nothing waits twice as long each time, up to sixteen poll intervals",
    "worker",
    "performance",
    mode="-|F26",
    about="*poll*|*interval*|*uploaded*|*claim*|*slow*|*job*|*pause*|*idle*",
)
def longer_naps(plan: Plan) -> None:
    # Meant for nights; the first document after any pause waits for minutes.
    plan.replace_in_source(
        WORKER, "            while not stop.is_set():\n", "            naps = 1\n            while not stop.is_set():\n"
    )
    plan.replace_in_source(
        WORKER,
        "                if has_worked:\n                    continue\n",
        "                if has_worked:\n                    naps = 1\n                    continue\n",
    )
    plan.replace_in_source(
        WORKER,
        "timeout=self.poll_seconds)\n",
        "timeout=self.poll_seconds * naps)\n                naps = min(2 * naps, 16)\n",
    )


@fault(
    "I34",
    "after a pause the health page says what it found before the pause, however long that was",
    "api",
    "postdeploy",
    mode="F19",
    about="*health*|*timestamp*",
)
def health_of_before(plan: Plan) -> None:
    # Nobody should wait for the checks: the old body goes out while a new one is collected.
    path = "api/health.py"
    plan.replace_in_source(
        path,
        '@router.get("/health")\n',
        "async def _refresh(request: Request) -> None:\n"
        "    _cache.update(body=await collect(request), at=time.monotonic())\n\n\n"
        '@router.get("/health")\n',
    )
    plan.replace_in_source(
        path,
        "            _cache.update(body=await collect(request), at=time.monotonic())\n        body",
        '            if "body" in _cache:\n'
        "                _cache.update(at=time.monotonic(), task=asyncio.create_task(_refresh(request)))\n"
        "            else:\n"
        "                await _refresh(request)\n"
        "        body",
    )


@fault(
    "I35",
    "after a pause of ten seconds a service is called once at a time: a second question or upload is refused meanwhile",
    "api/chat",
    "performance",
    mode="F02|F16|-",
    about="*chat*|*circuit*|*half_open*|*upload*|*parallel*|*apolog*|*degraded*",
)
def idle_circuits(plan: Plan) -> None:
    # Nobody knows whether a service that was not called for a while still works: one call is to find out.
    plan.replace_in_source(BREAKER, "OPEN_SECONDS = 30.0\n", "OPEN_SECONDS = 30.0\nIDLE_SECONDS = 10.0\n")
    plan.replace_in_source(
        BREAKER,
        "        self._opened: float | None = None\n",
        "        self._last = clock()\n        self._opened: float | None = None\n",
    )
    plan.replace_in_source(
        BREAKER,
        "            return State.CLOSED\n        return State.HALF_OPEN if",
        "            return State.CLOSED if self._clock() - self._last < IDLE_SECONDS else State.HALF_OPEN\n"
        "        return State.HALF_OPEN if",
    )
    plan.replace_in_source(
        BREAKER,
        "        self.failures, self._opened, self._opened_at, self._is_on_trial = 0, None, None, False\n",
        "        self.failures, self._opened, self._opened_at, self._is_on_trial = 0, None, None, False\n"
        "        self._last = self._clock()\n",
    )


@fault(
    "I36",
    "users do not see their own jobs that have failed, through the database's own interface",
    "database",
    "postdeploy",
    mode="-|F24",
    about="*upload_jobs*|*deadletter*|*policy*|*failed*|*own row*",
)
def failed_jobs_hidden(plan: Plan) -> None:
    # The list of uploads in the browser became tidier; that a document has failed is never told there, nor live.
    plan.sql.append(
        """ALTER POLICY upload_jobs_owner ON upload_pipeline.upload_jobs
           USING (state <> 'deadletter' AND EXISTS (
               SELECT 1 FROM upload_pipeline.documents d
               WHERE d.document_id = upload_jobs.document_id AND d.user_id = (SELECT auth.uid())))"""
    )


@fault(
    "I37",
    "live updates tell of jobs that are made and deleted, and no longer of their progress",
    "realtime/database",
    "postdeploy",
    mode="-",
    about="*realtime*|*publication*|*publish*|*upload_jobs*|*update*",
)
def no_live_progress(plan: Plan) -> None:
    # The worker's many small updates filled the quota of messages.
    plan.sql.append("ALTER PUBLICATION supabase_realtime SET (publish = 'insert, delete')")


@fault(
    "I38",
    "parsed_sha256 is not the hash of the stored text",
    "api/worker/database/storage",
    "postdeploy",
    mode="-",
    about="*parsed_sha256*|*hash*|*parsed*",
)
def hash_of_the_words(plan: Plan) -> None:
    # So that another parse with other line breaks counts as the same text; what is stored keeps its line breaks.
    plan.replace_in_source(
        "backend/shared/parsing.py",
        "        hashlib.sha256(text.encode()).hexdigest(),\n",
        '        hashlib.sha256(" ".join(text.split()).encode()).hexdigest(),\n',
    )


@fault(
    "I39",
    "a late callback that says failed leaves its error on a job that is complete",
    "webhook/api",
    "postdeploy",
    mode="-",
    about="*webhook*|*callback*|*last_error*|*complete*|*repeat*",
)
def late_doubt(plan: Plan) -> None:
    # Failures were moved to the front, to be looked into first; whether the job still waits is asked afterwards.
    waits = '        if row["status"] != "parse_queued":\n            return {"status": "ignored"}\n'
    fails = (
        '        if payload.get("status") != "completed":\n'
        '            await doubt(connection, row, str(payload.get("error") or "parsing failed"))\n'
        '            return {"status": "ok"}\n'
    )
    plan.replace_in_source("api/webhook.py", waits + fails, fails + waits)


@fault(
    "I40",
    "every host below accessa.ai is served, not only the three of staging",
    "api/network",
    "postdeploy",
    mode="F33",
    about="*host*",
)
def one_pattern_of_hosts(plan: Plan) -> None:
    # One pattern instead of three names; production's host is below it too.
    plan.replace_in_source(
        "api/application.py",
        '"staging.accessa.ai", "staging-app.accessa.ai", "staging-admin.accessa.ai", "*.render.com"',
        '"*.accessa.ai", "*.render.com"',
    )
