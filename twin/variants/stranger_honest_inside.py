"""A stranger's variants of what lies behind the API: retrieval, routing, health, the worker; each says what allows it."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.build import write
from twin.variants.stranger_honest import JOBS, WORKER

CHAT = "api/chat.py"
HEALTH = "api/health.py"
RETRIEVAL = "api/retrieval.py"
ROUTER = "backend/shared/router.py"
CALLS = "backend/shared/calls.py"
DATABASE = "backend/shared/database.py"
QUEUE = "backend/workers/job_queue.py"
SENTENCES = '''"""markdown-simple@1: whole sentences, each chunk below the heading that it belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterator

CHUNKER_NAME = "markdown-simple"
CHUNKER_VERSION = "1"
TARGET_CHARACTERS = 500


def _sentences(line: str) -> Iterator[str]:
    """The sentences of a line, with the blank behind each; what is longer than a chunk is cut between words."""
    for sentence in filter(None, re.split(r"(?<=[.!?]\\s)|(?<=[。！？])", line)):
        while len(sentence) > TARGET_CHARACTERS and (cut := sentence.rfind(" ", 1, TARGET_CHARACTERS) + 1):
            yield sentence[:cut]
            sentence = sentence[cut:]
        yield sentence


def split(text: str) -> list[str]:
    """Chunks in reading order; every word of the text is in at least one of them."""
    chunks: list[str] = []
    heading, current = "", ""
    for line in filter(None, map(str.strip, text.splitlines())):
        if re.match(r"#{1,6} ", line):
            if current != heading:
                chunks.append(current.rstrip())
            elif heading:
                line = f"{heading}\\n{line}"
            heading = current = line
            continue
        for number, sentence in enumerate(_sentences(line)):
            if current != heading and len(current) + len(sentence) > TARGET_CHARACTERS:
                chunks.append(current.rstrip())
                current = heading
            current += ("\\n" if current and (number == 0 or current == heading) else "") + sentence
    if current:
        chunks.append(current.rstrip())
    return chunks
'''
AS_USER = '''

class AsUser:
    """Reads as a user of Supabase would, so that the policies of the database decide what is seen."""

    def __init__(self, pool: Any, user_id: UUID) -> None:
        self._pool = pool
        self._user_id = user_id

    async def fetchrow(self, sql: str, *values: Any) -> Any:
        """The first row of what this user may see, or None."""
        return next(iter(await self.fetch(sql, *values)), None)

    async def fetchval(self, sql: str, *values: Any) -> Any:
        """The first value of the first row."""
        return next(iter(await self.fetchrow(sql, *values) or ()), None)

    async def fetch(self, sql: str, *values: Any) -> Any:
        """The rows that this user may see."""
        async with self._pool.acquire() as connection, connection.transaction():
            await become(connection, self._user_id)
            return await connection.fetch(sql, *values)


async def become(connection: Any, user_id: UUID) -> None:
    """Be this user until the transaction ends."""
    claims = json.dumps({"sub": str(user_id), "role": "authenticated", "aud": "authenticated"})
    await connection.execute(
        "SELECT set_config('request.jwt.claims', $1, true), set_config('role', 'authenticated', true)", claims
    )
'''
PARTS = '''async def _storage(request: Request) -> dict[str, Any]:
    config: Config = request.app.state.config
    client: httpx.AsyncClient = request.app.state.client.http
    headers = {"Authorization": f"Bearer {config.service_key}", "apikey": config.service_key}
    reply = await client.get(f"{config.storage_url}/bucket/files", headers=headers, timeout=5)
    works = reply.status_code == 200
    error = None if works else f"status {reply.status_code}"
    return {"status": "healthy" if works else "error", "healthy": works, "last_check": _now(), "error": error}


async def _queue(request: Request) -> dict[str, Any]:
    schema = request.app.state.config.schema
    row = await request.app.state.pool.fetchrow(
        f"""SELECT count(*) AS waiting, extract(epoch FROM now() - min(created_at))::float8 AS oldest
            FROM {schema}.upload_jobs WHERE state IN ('queued', 'retryable')""",
        timeout=5,
    )
    found = {"waiting": row["waiting"], "oldest_seconds": round(row["oldest"] or 0.0, 1)}
    return {"status": "healthy", "healthy": True, "last_check": _now(), "error": None, **found}


async def _anthropic(request: Request) -> str:
    config: Config = request.app.state.config
    if not config.anthropic_key:
        return "not_configured"
    client: httpx.AsyncClient = request.app.state.client.http
    headers = {"x-api-key": config.anthropic_key, "anthropic-version": "2023-06-01"}
    reply = await client.get(f"{config.anthropic_url}/v1/models", headers=headers, timeout=5)
    return "healthy" if reply.status_code == 200 else f"error: status {reply.status_code}"


async def _guarded('''


@variant("X02", "chunks are whole sentences below their heading, and are numbered 10, 20, 30")
def sentences(plan: Plan) -> None:
    """Contract, Database: chunk_ord is an int, unique in its document; how texts are cut and chunks numbered is not said."""
    write(plan, "backend/workers/chunking.py", SENTENCES)
    plan.replace_in_source(WORKER, "                number,\n", "                10 * number,\n")
    plan.replace_in_source(WORKER, "in enumerate(chunks)", "in enumerate(chunks, 1)")


@variant("X15", "what a user reads is read as that user, through row-level security")
def reads_as_the_user(plan: Plan) -> None:
    """Contract, Database: a user sees only rows of their own documents; as which role the API reads is not said."""
    file = plan.source / DATABASE
    file.write_text(
        file.read_text().replace("import json\n", "import json\nfrom typing import Any\nfrom uuid import UUID\n", 1) + AS_USER
    )
    plan.replace_in_source(
        JOBS, "from backend.shared.parsing", "from backend.shared.database import AsUser\nfrom backend.shared.parsing"
    )
    plan.replace_in_source(JOBS, "await request.app.state.pool.fetch", "await AsUser(request.app.state.pool, user.id).fetch")
    plan.replace_in_source(RETRIEVAL, "import vector_literal", "import become, vector_literal")
    begun = "    async with pool.acquire() as connection, connection.transaction():\n"
    plan.replace_in_source(RETRIEVAL, begun, f"{begun}        await become(connection, user_id)\n")


@variant("X16", "retrieval compares all of the caller's chunks exactly; equals come in the order of the text, unrounded")
def exact_search(plan: Plan) -> None:
    """Contract, RAG: cosine similarity over the caller's own chunks, best first; that the index is used is not said."""
    plan.replace_in_source(
        RETRIEVAL,
        '        await connection.execute("SET LOCAL hnsw.iterative_scan = strict_order; SET LOCAL hnsw.ef_search = 100")\n',
        "",
    )
    plan.replace_in_source(RETRIEVAL, '"""SELECT c.chunk_id,', '"""WITH own AS MATERIALIZED (SELECT c.chunk_ord, c.chunk_id,')
    plan.replace_in_source(
        RETRIEVAL,
        "(c.embedding <=> $1::vector) AS similarity",
        "(c.embedding <=> $1::vector) AS similarity, c.embedding <=> $1::vector AS distance",
    )
    plan.replace_in_source(
        RETRIEVAL,
        "ORDER BY c.embedding <=> $1::vector LIMIT $3",
        ")\n               SELECT chunk_id, document_id, filename, text, similarity FROM own\n"
        "               ORDER BY distance, filename, document_id, chunk_ord LIMIT $3",
    )
    plan.replace_in_source(CHAT, "round(p.similarity, 4)", "p.similarity")


@variant("X17", "tokens are counted by bytes, three of which are one, since few letters of other scripts make a token")
def tokens_by_bytes(plan: Plan) -> None:
    """Contract, RAG: best first, at most RAG_TOKEN_BUDGET tokens; how tokens are counted is not said, and this counts high."""
    plan.replace_in_source(RETRIEVAL, "len(passage.text) // CHARACTERS_PER_TOKEN + 1", "tokens_of(passage.text)")
    plan.replace_in_source(RETRIEVAL, "CHARACTERS_PER_TOKEN = 4", "BYTES_PER_TOKEN = 3")
    plan.replace_in_source(
        RETRIEVAL,
        "def within_budget(",
        "def tokens_of(text: str) -> int:\n"
        '    """At least as many as there are tokens in any script."""\n'
        "    return len(text.encode()) // BYTES_PER_TOKEN + 1\n\n\n"
        "def within_budget(",
    )
    plan.replace_in_source(CHAT, "import Passage, retrieve\n", "import Passage, retrieve, tokens_of\n")
    plan.replace_in_source(CHAT, "sum(len(p.text) for p in passages) // 4", "sum(tokens_of(p.text) for p in passages)")


@variant("X18", "a provider that fails at once is asked once more after a short pause by chance, before the next one is")
def asked_once_more(plan: Plan) -> None:
    """§3 names a service router with fallbacks and circuit breakers; how often a provider is asked is not said."""
    plan.replace_in_source(ROUTER, "import time\n", "import asyncio\nimport random\nimport time\n")
    plan.replace_in_source(ROUTER, "import CallError\n", "import CallError, Problem\n")
    plan.replace_in_source(
        ROUTER, 'Route = Literal["', 'AT_ONCE = (Problem.UNREACHABLE, Problem.SERVER_ERROR)\nRoute = Literal["'
    )
    plan.replace_in_source(
        ROUTER,
        "        for number, provider in enumerate(self._providers):\n",
        "        failed: set[str] = set()\n        given_up: set[str] = set()\n"
        "        for number, provider in [(n, p) for n, p in enumerate(self._providers) for _ in range(2)]:\n"
        "            if provider.name in given_up:\n                continue\n",
    )
    plan.replace_in_source(
        ROUTER,
        '                reasons.append(f"{provider.name}: {error}")\n',
        '                reasons.append(f"{provider.name}: {error}")\n'
        "                is_slow = time.perf_counter() - started > 1.0\n"
        "                if provider.name in failed or is_slow or error.problem not in AT_ONCE:\n"
        "                    given_up.add(provider.name)\n"
        "                else:\n"
        "                    failed.add(provider.name)\n"
        "                    await asyncio.sleep(random.uniform(0.05, 0.2))\n",
    )


@variant("X19", "health also asks storage, Anthropic and the queue, and shows the circuit of each kind of call")
def health_of_more_parts(plan: Plan) -> None:
    """Contract: services are `database, supabase_auth, llamaparse, openai, rag, …`, in either shape, with further keys."""
    plan.replace_in_source(HEALTH, "async def _guarded(", PARTS)
    plan.replace_in_source(HEALTH, '"llamaparse", "rag")', '"llamaparse", "rag", "storage", "queue", "anthropic")')
    rag = "        _guarded(_rag(request)),\n"
    more = "".join(f"        _guarded({name}(request)),\n" for name in ("_storage", "_queue", "_anthropic"))
    plan.replace_in_source(HEALTH, rag, rag + more)
    plan.replace_in_source(
        HEALTH, '"degraded": degraded}\n', '"degraded": degraded, "calls": request.app.state.client.calls.each()}\n'
    )
    plan.replace_in_source(
        CALLS,
        "    def shown(self)",
        "    def each(self) -> dict[str, dict[str, Any]]:\n"
        '        """The circuit of each kind of call, and when it is tried again."""\n'
        "        known = sorted(self._circuits.items())\n"
        '        return {name: {**one.as_data(), "trial_in": round(one.seconds_left, 3)} for name, one in known}\n\n'
        "    def shown(self)",
    )


@variant("X20", "the worker serves the stages in turn: each claim begins with another one, and takes its oldest job")
def stages_in_turn(plan: Plan) -> None:
    """Contract, Worker: it claims one job, oldest first within a stage; which stage comes first is not said."""
    plan.replace_in_source(
        QUEUE,
        "        speedup = self._config.speedup\n",
        "        speedup = self._config.speedup\n        turn = next(self._turns) % max(1, len(stages))\n",
    )
    plan.replace_in_source(
        QUEUE, "            stages,\n            stages,\n", "            stages,\n            stages[turn:] + stages[:turn],\n"
    )
    plan.replace_in_source(
        QUEUE, "        self._pool = pool\n", "        self._pool = pool\n        self._turns = itertools.count()\n"
    )
    plan.replace_in_source(QUEUE, "import json\n", "import itertools\nimport json\n")
