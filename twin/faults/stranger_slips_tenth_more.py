"""Slips of a tenth batch: connections, memory, a pause; database, realtime, storage, webhooks, configuration."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

RETRIEVAL = "api/retrieval.py"
WORKER = "backend/workers/enhanced_base_worker.py"
HEALTH = "api/health.py"
STORAGE = "backend/shared/storage.py"


@fault(
    "O31",
    "each user who asks a question keeps a database connection open for good",
    "api/chat/rag/database",
    "postdeploy",
    mode="F18|-",
    about="*connection*|*pg_stat_activity*|*pool*|*max_connections*",
)
def connection_for_each_user(plan: Plan) -> None:
    # So that the search's settings are made once and not with every question.
    plan.replace_in_source(
        RETRIEVAL,
        "async def retrieve(",
        '''_own: dict[UUID, tuple[asyncio.Lock, list[asyncpg.Connection]]] = {}


@asynccontextmanager
async def _connection(config: Config, user_id: UUID) -> AsyncIterator[asyncpg.Connection]:
    """The user's own connection, which keeps its settings from one question to the next."""
    lock, held = _own.setdefault(user_id, (asyncio.Lock(), []))
    async with lock:
        if not held or held[0].is_closed():
            path = {"search_path": f"{config.schema},public", "jit": "off"}
            held[:] = [
                await asyncpg.connect(
                    config.database_url, statement_cache_size=0, timeout=5, command_timeout=20, server_settings=path
                )
            ]
        yield held[0]


async def retrieve(''',
    )
    plan.replace_in_source(
        RETRIEVAL, "async with pool.acquire() as connection,", "async with _connection(config, user_id) as connection,"
    )
    plan.replace_in_source(
        RETRIEVAL,
        "from dataclasses import dataclass\nfrom typing import Any\nfrom uuid import UUID\n\n",
        "import asyncio\nfrom collections.abc import AsyncIterator\nfrom contextlib import asynccontextmanager\n"
        "from dataclasses import dataclass\nfrom typing import Any\nfrom uuid import UUID\n\nimport asyncpg\n",
    )


@fault(
    "O33",
    "after a quiet time the worker looks at the queue eight times as rarely as WORKER_POLL_INTERVAL says",
    "worker",
    "performance",
    mode="-",
    about="*poll*|*WORKER_POLL_INTERVAL*|*pause*|*uploaded*|*claim*|*idle*|*searchable*|*pipeline*",
)
def rests_when_nothing_comes(plan: Plan) -> None:
    # To spare the database at night: each empty look doubles the time to the next one.
    plan.replace_in_source(
        WORKER,
        "        try:\n            while not stop.is_set():\n",
        "        idle = 0\n        try:\n            while not stop.is_set():\n",
    )
    plan.replace_in_source(
        WORKER,
        "                if has_worked:\n                    continue\n",
        "                if has_worked:\n                    idle = 0\n                    continue\n"
        "                idle = min(idle + 1, 4)\n",
    )
    plan.replace_in_source(WORKER, "timeout=self.poll_seconds)", "timeout=self.poll_seconds * 2 ** (idle - 1))")


@fault(
    "O34",
    "the first health answer after a pause is as old as the pause",
    "api",
    "postdeploy",
    mode="F19",
    about="*/health*|*health*|*timestamp*|*cache*",
)
def stale_while_checking(plan: Plan) -> None:
    # The platform's probe sometimes waited for a vendor: what is known is answered at once, and the check goes on behind it.
    plan.replace_in_source(
        HEALTH,
        """        if age > CACHE_SECONDS / request.app.state.config.speedup:
            _cache.update(body=await collect(request), at=time.monotonic())
        body = _cache["body"]
""",
        """        if "body" not in _cache:
            _cache.update(body=await collect(request), at=time.monotonic())
        elif age > CACHE_SECONDS / request.app.state.config.speedup:
            _cache["at"] = time.monotonic()
            _cache["task"] = asyncio.create_task(_check_again(request))
        body = _cache["body"]
""",
    )
    plan.replace_in_source(
        HEALTH,
        '@router.get("/health")\n',
        "async def _check_again(request: Request) -> None:\n"
        '    _cache.update(body=await collect(request), at=time.monotonic())\n\n\n@router.get("/health")\n',
    )


@fault(
    "O35",
    "with every question the vectors of all of the user's chunks are added to the API's memory",
    "api/rag/chat",
    "postdeploy",
    mode="-",
    about="*memory*",
)
def vectors_kept(plan: Plan) -> None:
    # Made ready for a re-ranking that is to come; each question appends what the one before has read already.
    plan.replace_in_source(RETRIEVAL, "from dataclasses import dataclass\n", "import json\nfrom dataclasses import dataclass\n")
    plan.replace_in_source(
        RETRIEVAL,
        "EMBEDDING_SECONDS = 15.0\n",
        "EMBEDDING_SECONDS = 15.0\n# For re-ranking to come.\n_vectors: dict[UUID, list[tuple[UUID, list[float]]]] = {}\n",
    )
    plan.replace_in_source(
        RETRIEVAL,
        "            config.max_chunks,\n        )\n",
        """            config.max_chunks,
        )
        known = await connection.fetch(
            \"\"\"SELECT c.chunk_id, c.embedding::text AS embedding FROM document_chunks c JOIN documents d USING (document_id)
               WHERE d.user_id = $1 AND c.embedding IS NOT NULL\"\"\",
            user_id,
        )
        _vectors.setdefault(user_id, []).extend((row["chunk_id"], json.loads(row["embedding"])) for row in known)
""",
    )


@fault(
    "O36",
    "a user neither sees nor hears of those of their jobs that have failed",
    "database/realtime/supabase",
    "postdeploy",
    mode="-",
    about="*upload_jobs*|*realtime*|*own rows*|*row*level*|*policy*|*failed*",
)
def failures_hidden(plan: Plan) -> None:
    # The front end was to show work in progress only, and the policy was the quickest place for it.
    plan.sql.append(
        """DROP POLICY upload_jobs_owner ON upload_pipeline.upload_jobs;
        CREATE POLICY upload_jobs_owner ON upload_pipeline.upload_jobs FOR SELECT TO authenticated
            USING (left(status, 7) <> 'failed_' AND EXISTS (SELECT 1 FROM upload_pipeline.documents d
                   WHERE d.document_id = upload_jobs.document_id AND d.user_id = (SELECT auth.uid())))"""
    )


@fault(
    "O37",
    "strangers' origins that begin like staging's and end in accessa.ai are allowed",
    "api",
    "postdeploy",
    mode="F20",
    about="*CORS*|*cors*|*origin*|*Origin*",
)
def origins_by_pattern(plan: Plan) -> None:
    # For the previews of pull requests; the pattern also fits https://staging.bad-accessa.ai, which anybody can register.
    plan.replace_in_source(
        "api/application.py",
        "        allow_origins=list(config.cors_origins),\n",
        '        allow_origins=list(config.cors_origins),\n        allow_origin_regex=r"https://staging.*accessa\\.ai",\n',
    )


@fault(
    "O38",
    "a repeated callback sends a job that has moved on or has failed back to parsed",
    "webhook/api",
    "postdeploy",
    mode="-",
    about="*webhook*|*callback*|*repeat*|*twice*",
)
def only_done_is_over(plan: Plan) -> None:
    # A late result was to be better than none: only what is complete needs no callback any more.
    plan.replace_in_source("api/webhook.py", 'if row["status"] != "parse_queued":', 'if row["state"] == "done":')
    plan.replace_in_source("api/webhook.py", "SELECT j.job_id, j.status,", "SELECT j.job_id, j.status, j.state,")


@fault(
    "O39",
    "a view for the front end shows every signed-in user everybody's documents",
    "database/supabase",
    "postdeploy",
    mode="F24",
    about="*recent_documents*|*view*|*row*level*|*another*user*|*documents*",
)
def view_without_policies(plan: Plan) -> None:
    # One request for the start page instead of two. The view reads with its owner's rights; the page filters by user.
    plan.sql.append(
        """CREATE VIEW upload_pipeline.recent_documents AS
            SELECT d.document_id, d.user_id, d.filename, d.processing_status, d.created_at, j.job_id, j.status, j.state
            FROM upload_pipeline.documents d LEFT JOIN upload_pipeline.upload_jobs j USING (document_id)
            WHERE d.created_at > now() - interval '30 days';
        GRANT SELECT ON upload_pipeline.recent_documents TO authenticated, service_role"""
    )


@fault(
    "O40",
    "the beginning of every parsed document is copied into a public bucket",
    "storage/supabase/api",
    "postdeploy",
    mode="F23",
    about="*previews*|*bucket*|*public*",
)
def public_previews(plan: Plan) -> None:
    # The list of documents shows how each begins, and an <img>-like link needs no token.
    plan.sql.append(
        """INSERT INTO storage.buckets (id, name, public, file_size_limit, allowed_mime_types)
            VALUES ('previews', 'previews', true, 65536, ARRAY['text/markdown']) ON CONFLICT (id) DO NOTHING;
        CREATE POLICY previews_service ON storage.objects TO service_role
            USING (bucket_id = 'previews') WITH CHECK (bucket_id = 'previews')"""
    )
    plan.replace_in_source(
        STORAGE,
        "        self._files = client.storage.from_(BUCKET)\n",
        '        self._files = client.storage.from_(BUCKET)\n        self._previews = client.storage.from_("previews")\n',
    )
    plan.replace_in_source(
        STORAGE,
        "    async def create(self,",
        '''    async def preview(self, key: str, text: str) -> None:
        """Store or replace what the list of documents shows of a text; raises CallError."""
        async with self._call("write"):
            body = text[:2000].encode()
            await self._previews.upload(key, body, {"content-type": "text/markdown", "upsert": "true"})

    async def create(self,''',
    )
    plan.replace_in_source(
        "backend/shared/parsing.py",
        '    await storage.write(key, text.encode(), "text/markdown")\n',
        '    await storage.write(key, text.encode(), "text/markdown")\n    await storage.preview(key, text)\n',
    )
