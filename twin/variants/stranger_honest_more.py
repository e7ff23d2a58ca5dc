"""A stranger's variants of accounts, refusals, retrieval, routing and the worker; each says what allows it."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.build import write
from twin.variants.stranger_honest import JOBS, UPLOADS, WEBHOOK

AUTH = "api/auth.py"
APPLICATION = "api/application.py"
CHAT = "api/chat.py"
HEALTH = "api/health.py"
RETRIEVAL = "api/retrieval.py"
ROUTER = "backend/shared/router.py"
CALLS = "backend/shared/calls.py"
DATABASE = "backend/shared/database.py"
QUEUE = "backend/workers/job_queue.py"
WORKER = "backend/workers/enhanced_base_worker.py"
SENTENCES = '''"""markdown-simple@1: whole sentences, each chunk below the heading that it belongs to."""

from __future__ import annotations

import re

CHUNKER_NAME = "markdown-simple"
CHUNKER_VERSION = "1"
TARGET_CHARACTERS = 500


def split(text: str) -> list[str]:
    """Chunks in reading order; no sentence is cut, and every word of the text is in at least one of them."""
    chunks: list[str] = []
    heading, current = "", ""
    for line in filter(None, map(str.strip, text.splitlines())):
        if re.match(r"#{1,6} ", line):
            if current != heading:
                chunks.append(current)
            elif heading:
                line = f"{heading}\\n{line}"
            heading = current = line
            continue
        for number, sentence in enumerate(re.split(r"(?<=[.!?。！？])\\s+", line)):
            if current != heading and len(current) + len(sentence) > TARGET_CHARACTERS:
                chunks.append(current)
                current = heading
            joint = "" if not current else "\\n" if number == 0 or current == heading else " "
            current += joint + sentence
    if current:
        chunks.append(current)
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
IDS = """

def _id_of(given: str, kind: str) -> UUID:
    try:
        return UUID(given)
    except ValueError:
        raise HTTPException(404, f"no such {kind}") from None


async def _job_id(job_id: str, user: CurrentUser) -> UUID:
    return _id_of(job_id, "job")


async def _document_id(document_id: str, user: CurrentUser) -> UUID:
    return _id_of(document_id, "document")


JobId = Annotated[UUID, Depends(_job_id)]
DocumentId = Annotated[UUID, Depends(_document_id)]


def _percent("""
WEBHOOK_ID = """

async def _job_id(job_id: str) -> UUID:
    try:
        return UUID(job_id)
    except ValueError:
        raise HTTPException(404, "no such job") from None


def _markdown("""
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
    """Contract, Database: chunk_ord is an int, unique in its document; how a text is cut, and what stands between, is not said."""
    write(plan, "backend/workers/chunking.py", SENTENCES)
    plan.replace_in_source(WORKER, "                number,\n", "                10 * number,\n")
    plan.replace_in_source(WORKER, "in enumerate(chunks)", "in enumerate(chunks, 1)")


@variant("X10", "signing in takes 0.3 s at least, whatever comes of it, and so does registering")
def equal_times(plan: Plan) -> None:
    """Issue 17: same time for unknown address and wrong password; the targets hold for endpoints without an external call."""
    plan.replace_in_source(AUTH, "import re\n", "import asyncio\nimport re\nimport time\n")
    floor = (
        "@asynccontextmanager\nasync def _in_equal_time() -> AsyncIterator[None]:\n    started = time.monotonic()\n    try:\n"
    )
    floor += "        yield\n    finally:\n        await asyncio.sleep(max(0.0, 0.3 - (time.monotonic() - started)))\n"
    plan.replace_in_source(AUTH, "\nasync def _create(", f"\n{floor}\n\nasync def _create(")
    plan.replace_in_source(
        AUTH, "import Awaitable\n", "import AsyncIterator, Awaitable\nfrom contextlib import asynccontextmanager\n"
    )
    for call in ("client.auth.sign_up(", "client.auth.sign_in_with_password("):
        plan.replace_in_source(AUTH, f"await _asked({call}", f"await _evenly({call}")
    evenly = (
        "async def _evenly(call: Awaitable[T]) -> T:\n    async with _in_equal_time():\n        return await _asked(call)\n"
    )
    plan.replace_in_source(AUTH, "\nasync def _create(", f"\n{evenly}\n\nasync def _create(")


@variant("X11", "addresses may have blanks around them; passwords have 8 characters, are no address and not the commonest ones")
def rules_of_accounts(plan: Plan) -> None:
    """Contract: POST /register and /auth/signup take email and password and refuse by 400; which passwords are good is not said."""
    plan.replace_in_source(AUTH, "MIN_PASSWORD = 6\n", 'MIN_PASSWORD = 8\nCOMMON = {"password", "12345678", "qwertyuiop"}\n')
    plan.replace_in_source(
        AUTH,
        "    if not EMAIL.fullmatch(email):\n",
        "    email = email.strip()\n"
        "    if len(password) < MIN_PASSWORD or password.lower() in COMMON or password.lower() == email.lower():\n"
        '        raise HTTPException(400, "too weak a password: eight characters, no address, none of the commonest")\n'
        "    if not EMAIL.fullmatch(email):\n",
    )
    plan.replace_in_source(AUTH, "EMAIL.fullmatch(value)", "EMAIL.fullmatch(value.strip())")
    plan.replace_in_source(AUTH, '({"email": email, "password": password}', '({"email": email.strip(), "password": password}')


@variant("X12", "refusals repeat the id, the size or the number that was asked for, and hold the request's id")
def refusals_that_repeat(plan: Plan) -> None:
    """Field: an error body is `{"detail": …}`, and extra keys are nobody's business; what is repeated is the caller's own, no secret."""
    plan.replace_in_source(
        APPLICATION,
        '    body = error.detail if isinstance(error.detail, dict) else {"detail": error.detail}\n',
        '    body = error.detail if isinstance(error.detail, dict) else {"detail": error.detail}\n'
        '    body = {**body, "request_id": REQUEST_ID.get(), "status_code": error.status_code}\n',
    )
    plan.replace_in_source(
        APPLICATION,
        '    return JSONResponse({"detail": found}, status_code=422)',
        "    for entry, item in zip(found, error.errors(), strict=True):\n"
        '        if entry["loc"][-1] in ("limit", "offset", "bytes_len") and len(str(item["input"])) < 30:\n'
        '            entry["input"] = str(item["input"])\n'
        '    return JSONResponse({"detail": found, "request_id": REQUEST_ID.get()}, status_code=422)',
    )
    for file in (JOBS, WEBHOOK):
        plan.replace_in_source(file, 'HTTPException(404, "no such job")\n', 'HTTPException(404, f"no such job: {job_id}")\n')
    plan.replace_in_source(JOBS, '"no such document")\n', 'f"no such document: {document_id}")\n')
    plan.replace_in_source(JOBS, 'f"a job in state', "f\"job {job_id} of document {row['document_id']}, in state")
    plan.replace_in_source(
        UPLOADS,
        '    if body.bytes_len > MAX_FILE_SIZE_BYTES:\n        raise HTTPException(413, f"',
        '    if body.bytes_len > MAX_FILE_SIZE_BYTES:\n        raise HTTPException(413, f"{body.bytes_len} bytes are ',
    )


@variant("X13", "ids of jobs and documents that are no UUIDs are answered like those that do not exist: 404")
def malformed_is_not_there(plan: Plan) -> None:
    """Contract: 404 for another's job or document and for an unknown job; of a malformed id neither page says 422."""
    plan.replace_in_source(JOBS, "APIRouter, HTTPException, Query", "APIRouter, Depends, HTTPException, Query")
    plan.replace_in_source(JOBS, "(job_id: UUID, user", "(job_id: JobId, user")
    plan.replace_in_source(JOBS, "(document_id: UUID, user", "(document_id: DocumentId, user")
    plan.replace_in_source(JOBS, "\n\ndef _percent(", IDS)
    plan.replace_in_source(WEBHOOK, "import APIRouter, HTTPException", "import APIRouter, Depends, HTTPException")
    plan.replace_in_source(WEBHOOK, "import Any\n", "import Annotated, Any\n")
    plan.replace_in_source(WEBHOOK, "llamaparse(job_id: UUID,", "llamaparse(job_id: Annotated[UUID, Depends(_job_id)],")
    plan.replace_in_source(WEBHOOK, "\n\ndef _markdown(", WEBHOOK_ID)


@variant("X14", "hashes may have capitals; a ticket says how to send the file; 429 says from when on, as a date, and how many")
def tickets_that_say_more(plan: Plan) -> None:
    """Contract: sha256 is 64 hex; field: extra headers and keys are nobody's business; RFC 9110: Retry-After may be a date."""
    plan.replace_in_source(UPLOADS, 'r"^[0-9a-f]{64}$"', 'r"^[0-9a-fA-F]{64}$"')
    plan.replace_in_source(
        UPLOADS,
        "document_id = document_id_of(user.id,",
        "body.sha256 = body.sha256.lower()\n    document_id = document_id_of(user.id,",
    )
    plan.replace_in_source(
        UPLOADS,
        '        "signed_url": url,\n',
        '        "signed_url": url,\n        "method": "PUT",\n        "headers": {"Content-Type": body.mime},\n'
        '        "max_bytes": MAX_FILE_SIZE_BYTES,\n        "expires_in": SIGNED_URL_TTL_SECONDS,\n',
    )
    plan.replace_in_source(
        UPLOADS, "import math\nfrom datetime", "import math\nfrom email.utils import format_datetime\nfrom datetime"
    )
    for most, words, pause in (
        ("MAX_CONCURRENT_JOBS", "jobs may run at once", "timedelta(minutes=1)"),
        ("MAX_UPLOADS_PER_DAY", "documents a day", "timedelta(days=1)"),
    ):
        said = f'raise HTTPException(429, f"at most {{{most}}} {words}"'
        plan.replace_in_source(UPLOADS, f"{said})", f"{said}, headers=_limited({most}, {pause}))")
    plan.replace_in_source(
        UPLOADS,
        "\n\nasync def _refuse_over_limits(",
        "\n\ndef _limited(most: int, pause: timedelta) -> dict[str, str]:\n"
        "    until = format_datetime(datetime.now(UTC) + pause, usegmt=True)\n"
        '    return {"Retry-After": until, "RateLimit-Limit": str(most), "RateLimit-Remaining": "0"}\n'
        "\n\nasync def _refuse_over_limits(",
    )


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
    """Contract, RAG: cosine similarity over the caller's own chunks, best first; the index may be there without being needed."""
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


@variant(
    "X17", "tokens are counted by bytes, three of which are one; a passage that does not fit leaves room for a smaller one"
)
def tokens_by_bytes(plan: Plan) -> None:
    """Contract, RAG: at most RAG_TOKEN_BUDGET tokens, best first; how tokens are counted or the budget is filled is not said."""
    plan.replace_in_source(
        RETRIEVAL,
        "        tokens += len(passage.text) // CHARACTERS_PER_TOKEN + 1\n        if tokens > config.token_budget:\n            break\n",
        "        size = len(passage.text.encode()) // BYTES_PER_TOKEN + 1\n        if tokens + size > config.token_budget:\n"
        "            continue\n        tokens += size\n",
    )
    plan.replace_in_source(RETRIEVAL, "CHARACTERS_PER_TOKEN = 4", "BYTES_PER_TOKEN = 3")
    plan.replace_in_source(
        CHAT, "sum(len(p.text) for p in passages) // 4", "sum(len(p.text.encode()) // 3 + 1 for p in passages)"
    )


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
        "                if provider.name in failed or error.problem not in AT_ONCE:\n"
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
