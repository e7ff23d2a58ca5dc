"""Faults of a stranger's release that show after a pause, or after much use."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

APPLICATION = "api/application.py"
RETRIEVAL = "api/retrieval.py"
UPLOADS = "api/uploads.py"


REFRESHED = '''class Refreshed:
    """Makes clients and connections anew before the first request after a pause: what lies between drops idle ones."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.used = time.monotonic()
        self.refreshing = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with fresh connections."""
        if scope["type"] == "http" and scope["path"] != "/health":
            async with self.refreshing:
                if time.monotonic() - self.used > IDLE_SECONDS / scope["app"].state.config.speedup:
                    await self._refresh(scope["app"])
                self.used = time.monotonic()
        await self.app(scope, receive, send)

    async def _refresh(self, app: FastAPI) -> None:
        old, app.state.client = app.state.client, Vendors(app.state.config, VENDOR_SECONDS)
        app.state.client.calls = old.calls
        app.state.storage = Storage(app.state.client)
        # Requests under way end first.
        asyncio.get_running_loop().call_later(VENDOR_SECONDS, lambda: asyncio.ensure_future(old.close()))
        with suppress(*OUTAGES):
            for _ in range(app.state.pool.get_max_size()):
                await app.state.pool.expire_connections()
                async with app.state.pool.acquire() as connection:
                    await connection.execute("SELECT 1")


async def _refused('''


@fault(
    "Q38",
    "the first request after a pause of a minute waits until all clients and connections are made anew",
    "api/database",
    "performance",
    mode="-",
    about="*pause*|*first request*|*idle*|*cold*|*wake*|*warm*|*slow*",
)
def slow_after_a_pause(plan: Plan) -> None:
    plan.replace_in_source(APPLICATION, "async def _refused(", REFRESHED)
    plan.replace_in_source(APPLICATION, "VENDOR_SECONDS = 30.0\n", "VENDOR_SECONDS = 30.0\nIDLE_SECONDS = 60.0\n")
    plan.replace_in_source(APPLICATION, "import asynccontextmanager\n", "import asynccontextmanager, suppress\n")
    plan.replace_in_source(
        APPLICATION,
        "    app.add_middleware(RequestLog)\n",
        "    app.add_middleware(Refreshed)\n    app.add_middleware(RequestLog)\n",
    )


@fault(
    "Q39",
    "every question stays in memory with its vector, prompt and passages",
    "api/rag",
    "performance",
    mode="-",
    about="*memory*|*grow*|*leak*|*RSS*|*chats*",
)
def questions_pile_up(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL,
        "EMBEDDING_SECONDS = 15.0\n",
        "EMBEDDING_SECONDS = 15.0\n# For the report on questions.\nASKED: list[dict[str, Any]] = []\n",
    )
    plan.replace_in_source(
        RETRIEVAL,
        "    vector = vector_literal((await embed(client, config, [question], EMBEDDING_SECONDS))[0])\n",
        "    embedding = (await embed(client, config, [question], EMBEDDING_SECONDS))[0]\n"
        "    vector = vector_literal(embedding)\n",
    )
    plan.replace_in_source(
        RETRIEVAL,
        "    passages = [Passage(",
        "    asked = [dict(row.items()) for row in rows]\n"
        '    ASKED.append({"question": question, "embedding": embedding, "vector": vector, "rows": asked})\n'
        "    passages = [Passage(",
    )


LISTENER = '''_listening: dict[UUID, asyncpg.Connection] = {}


async def _watch(request: Request, job_id: UUID) -> None:
    """Log when the job ends; its connection listens until then, which one of the pool cannot."""
    try:
        connection = await asyncpg.connect(request.app.state.config.database_url, statement_cache_size=0, timeout=5)
        await connection.add_listener(f"job_{job_id.hex}", partial(_ended, job_id))
    except (OSError, asyncpg.PostgresError) as error:
        log.warning("a job cannot be watched: %r job_id=%s", error, job_id)
        return
    _listening[job_id] = connection


def _ended(job_id: UUID, *_: object) -> None:
    log.info("ended job_id=%s", job_id)
    _listening.pop(job_id).terminate()


@router.post("/api/upload-pipeline/upload")
'''


@fault(
    "Q40",
    "every upload leaves a connection to the database open",
    "api/database",
    "performance",
    mode="F18|-",
    about="*connection*|*pg_stat_activity*|*leak*|*grow*",
)
def connections_pile_up(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, '@router.post("/api/upload-pipeline/upload")\n', LISTENER)
    plan.replace_in_source(
        UPLOADS, "from typing import Any, Literal\n", "from functools import partial\nfrom typing import Any, Literal\n"
    )
    plan.replace_in_source(
        UPLOADS,
        "    expires = datetime.now(UTC)",
        "    await _watch(request, job_id)\n    expires = datetime.now(UTC)",
    )
