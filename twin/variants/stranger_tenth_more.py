"""A stranger's variants of answers, sign-ups, callbacks, health, retrieval, prompts and files; each says what allows it."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant

AUTH = "api/auth.py"
CHAT = "api/chat.py"
HEALTH = "api/health.py"
RETRIEVAL = "api/retrieval.py"
STORAGE = "backend/shared/storage.py"
UPLOADS = "api/uploads.py"
WEBHOOK = "api/webhook.py"
LIMITED = '''def _limited(reason: str, limit: int, used: int, free: datetime) -> HTTPException:
    """429 with what is limited, and when it is worth another try; the time stands in the header as a date."""
    free = max(free, datetime.now(UTC) + timedelta(seconds=1))
    seconds = math.ceil((free - datetime.now(UTC)).total_seconds())
    body = {"detail": reason, "error_type": "limit_exceeded", "limit": limit, "used": used, "retry_at": free.isoformat()}
    headers = {
        "Retry-After": format_datetime(free, usegmt=True),
        "RateLimit-Limit": str(limit),
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": str(seconds),
    }
    return HTTPException(429, body, headers=headers)


async def _refuse_over_limits('''
REFUSALS = """    if row["running"] >= MAX_CONCURRENT_JOBS:
        soon = datetime.now(UTC) + timedelta(seconds=30)
        raise _limited(f"at most {MAX_CONCURRENT_JOBS} jobs may run at once", MAX_CONCURRENT_JOBS, row["running"], soon)
    if row["today"] >= MAX_UPLOADS_PER_DAY:
        reason = f"at most {MAX_UPLOADS_PER_DAY} documents a day"
        raise _limited(reason, MAX_UPLOADS_PER_DAY, row["today"], row["first"] + timedelta(days=1))
"""
COUNTED = "AS today\n"
COUNTED_WITH_FIRST = """AS today,
                  min(d.created_at) FILTER (WHERE d.created_at > now() - interval '1 day') AS first
"""
SIGN_UP = (
    '        made = await _asked(client.auth.sign_up({"email": email, "password": password, "options": {"data": metadata}}))\n'
)
ADMITTED = """        account = {"email": email, "password": password, "email_confirm": True, "user_metadata": metadata}
        made = await _asked(client.auth_admin.admin.create_user(account))
"""
AUTH_ADMIN = '''    @property
    def auth_admin(self) -> AsyncGoTrueClient:
        """A client with the service's key, which may create users."""
        return AsyncGoTrueClient(
            url=f"{self._config.supabase_url}/auth/v1",
            headers={"apikey": self._config.service_key, "Authorization": f"Bearer {self._config.service_key}"},
            auto_refresh_token=False,
            persist_session=False,
            http_client=self.http,
        )

    @cached_property
    def anthropic('''
LOGGED = '''

async def _log(connection: Any, job_id: UUID, body: bytes, accepted: bool) -> None:
    await connection.execute(
        "INSERT INTO webhook_log (job_id, provider, accepted, payload_sha256) VALUES ($1, 'llamaparse', $2, $3)",
        job_id,
        accepted,
        hashlib.sha256(body).hexdigest(),
    )


async def _admit(pool: Any, job_id: UUID, body: bytes, signature: str | None) -> None:
    """Raise 404 for no such job and 401 for a wrong signature, which is noted; no row is locked for a stranger."""
    row = await pool.fetchrow("SELECT webhook_secret FROM upload_jobs WHERE job_id = $1", job_id)
    if row is None:
        log.warning("a callback for a job that does not exist job_id=%s", job_id)
        raise HTTPException(404, "no such job")
    try:
        _verify(row["webhook_secret"], body, signature)
    except HTTPException:
        log.warning("a callback with a wrong signature job_id=%s", job_id)
        await _log(pool, job_id, body, accepted=False)
        raise


@router.post("/api'''
CHECKED = """        limit = CACHE_SECONDS / request.app.state.config.speedup
        age = time.monotonic() - _cache.get("at", float("-inf"))
        if age > limit / 2 and ("check" not in _cache or _cache["check"].done()):
            _cache["check"] = asyncio.create_task(_check(request))
            # Whoever waits for it is told of its error; where nobody does, the body grows old and the next one waits.
            _cache["check"].add_done_callback(lambda check: check.cancelled() or check.exception())
        if age > limit:
            await asyncio.shield(_cache["check"])
"""
CHECK = '''async def _check(request: Request) -> None:
    """Check everything, and keep the result."""
    body = await collect(request)
    _cache.update(body=body, at=time.monotonic())


@router.get("/health")
'''
EXACT = """    limits = (config.similarity_threshold, config.max_chunks, config.token_budget)
    rows = await pool.fetch(EXACT, vector, user_id, *limits)
    return [Passage(**dict(row.items())) for row in rows]
"""
EXACT_SQL = '''# A user has a few documents: all of their chunks are compared, and no index is asked. NaN is above any number.
EXACT = """
WITH own AS MATERIALIZED (
    SELECT c.chunk_id, c.document_id, d.filename, c.text, 1 - (c.embedding <=> $1::vector) AS similarity
    FROM documents d JOIN document_chunks c USING (document_id) WHERE d.user_id = $2 AND c.embedding IS NOT NULL
), ranked AS (
    SELECT *, row_number() OVER best AS place, sum(length(text) / 4 + 1) OVER best AS tokens
    FROM own WHERE similarity > $3 AND similarity <> 'NaN'
    WINDOW best AS (ORDER BY similarity DESC, chunk_id ROWS UNBOUNDED PRECEDING)
)
SELECT chunk_id, document_id, filename, text, similarity FROM ranked WHERE place <= $4 AND tokens <= $5 ORDER BY place
"""


@dataclass(frozen=True)
class Passage:'''
PROMPT = """LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


def _prompt(question: str, passages: list[Passage], language: str | None) -> str:
    # The best passages are the last, next to the question.
    context = "\\n\\n".join(f"[passage {number}]\\n{p.text}" for number, p in enumerate(reversed(passages), 1))
    wish = f"Answer in the language {language}.\\n" if language and LANGUAGE.fullmatch(language) else ""
    return f"{wish}Passages:\\n{context}\\n\\nQuestion: {question}"


async def _openai("""
WRITE = """        async with self._call("write"):
            await self._files.upload(key, body, {"content-type": mime, "upsert": "true"})
"""
WRITE_OR_REPLACE = """        try:
            await self.create(key, body, mime)
        except StorageError as error:
            if error.status != 409:
                raise
            async with self._call("write"):
                await self._files.update(key, body, {"content-type": mime})
"""
CACHED = """KEPT_SECONDS = 300.0
MOST_KEPT = 200
# When the latest questions' vectors were made, and the vectors, which depend on the model and the text alone.
_kept: OrderedDict[tuple[str, str], tuple[float, str]] = OrderedDict()


async def _vector_of(client: Vendors, config: Config, question: str) -> str:
    key = (config.embedding_model, question)
    made, vector = _kept.pop(key, (float("-inf"), ""))
    if time.monotonic() - made > KEPT_SECONDS:
        vector = vector_literal((await embed(client, config, [question], EMBEDDING_SECONDS))[0])
        made = time.monotonic()
    _kept[key] = (made, vector)
    while len(_kept) > MOST_KEPT:
        _kept.popitem(last=False)
    return vector


def within_budget("""


@variant("M21", "a refusal by 429 says the limit, what is used and when to try again, in Retry-After as a date")
def limits_that_explain(plan: Plan) -> None:
    """Contract, HTTP API: `429 above 2 running jobs or 3 documents a day`, of no named body; field: extra headers and keys."""
    plan.replace_in_source(UPLOADS, "timedelta\nfrom typing", "timedelta\nfrom email.utils import format_datetime\nfrom typing")
    plan.replace_in_source(UPLOADS, "async def _refuse_over_limits(", LIMITED)
    plan.replace_in_source(UPLOADS, COUNTED, COUNTED_WITH_FIRST)
    text = (plan.source / UPLOADS).read_text()
    start, end = text.index('    if row["running"]'), text.index("\n\nasync def _insert(")
    (plan.source / UPLOADS).write_text(text[:start] + REFUSALS + text[end:])


@variant("M22", "accounts are made with the service's key by the route for operators, and need no confirmation")
def accounts_by_the_service(plan: Plan) -> None:
    """Contract, Auth: `POST /admin/users` beside `POST /signup`; HTTP API: `200, user created`, by which is not said."""
    plan.replace_in_source(AUTH, SIGN_UP, ADMITTED)
    plan.replace_in_source("backend/shared/vendors.py", "    @cached_property\n    def anthropic(", AUTH_ADMIN)
    long = "    if len(password) > MAX_PASSWORD:\n"
    # Operators may choose any password, so that the service looks at it itself.
    short = f"    if len(password) < MIN_PASSWORD:\n{' ' * 8}raise HTTPException(400, "
    plan.replace_in_source(AUTH, long, short + 'f"password is shorter than {MIN_PASSWORD} characters")\n' + long)


@variant("M23", "callbacks are verified before anything is locked, those that are refused are noted, and answers name the job")
def callbacks_verified_first(plan: Plan) -> None:
    """Contract, HTTP API: `401 wrong or missing signature, 404 unknown job`, `200` of no named body; webhook_log exists."""
    text = (plan.source / WEBHOOK).read_text()
    start, end = text.index("        await connection.execute(\n"), text.index('        if row["status"] != "parse_queued"')
    text = text[:start] + "        await _log(connection, job_id, body, accepted=True)\n" + text[end:]
    signature = 'request.headers.get("x-webhook-signature")'
    text = text.replace(f"body, {signature})\n", "body, signature)  # which may be another by now\n")
    read = "    body = await request.body()\n"
    asked = f"    signature = {signature}\n    await _admit(request.app.state.pool, job_id, body, signature)\n"
    text = text.replace(read, read + asked).replace('\n\n@router.post("/api', LOGGED)
    for word in ("ok", "ignored"):
        text = text.replace(f'return {{"status": "{word}"}}', f'return {{"status": "{word}", "job_id": str(job_id)}}')
    (plan.source / WEBHOOK).write_text(text)


@variant("M24", "health is checked ahead of its time, in the background; who asks together waits for one check")
def health_ahead(plan: Plan) -> None:
    """Contract, HTTP API: `The deployed service caches the body for 30 s`; here no body is older, and few callers wait."""
    text = (plan.source / HEALTH).read_text()
    start, end = text.index("        age = time.monotonic()"), text.index('        body = _cache["body"]\n')
    text = text[:start] + CHECKED + text[end:]
    (plan.source / HEALTH).write_text(text.replace('@router.get("/health")\n', CHECK))


@variant("M25", "the database compares the question with all of the caller's chunks, and applies threshold and budget itself")
def exact_search(plan: Plan) -> None:
    """Contract, RAG: `over the caller's own chunks only`, best first, within both limits; no index is named."""
    plan.replace_in_source(RETRIEVAL, "@dataclass(frozen=True)\nclass Passage:", EXACT_SQL)
    text = (plan.source / RETRIEVAL).read_text()
    text = text[: text.index("    async with pool.acquire()")] + EXACT
    start, end = text.index("def within_budget("), text.index("async def retrieve(")
    (plan.source / RETRIEVAL).write_text((text[:start] + text[end:]).replace("CHARACTERS_PER_TOKEN = 4\n", ""))


@variant("M26", "models find the best passages last, answer in the user's language, and leave nothing to chance")
def best_passages_last(plan: Plan) -> None:
    """Contract, HTTP API: `{message, conversation_id?, user_language?, context?}`; the words of a prompt are not named."""
    plan.replace_in_source(CHAT, "import logging\n", "import logging\nimport re\n")
    text = (plan.source / CHAT).read_text()
    start, end = text.index("def _prompt("), text.index("async def _openai(")
    text = text[:start] + PROMPT + text[end + len("async def _openai(") :]
    text = text.replace("_prompt(body.message, passages)", "_prompt(body.message, passages, body.user_language)")
    exact = "model=CHAT_MODEL,\n            temperature=0,\n            max_tokens=MAX_TOKENS,\n"
    (plan.source / CHAT).write_text(text.replace("model=CHAT_MODEL,\n", exact))


@variant("M27", "a text is stored as a new object, and replaced by PUT where there is one; storage's rules are other ones")
def other_ways_of_storing(plan: Plan) -> None:
    """Contract, Storage: `POST|PUT|GET|HEAD|DELETE /object/{bucket}/{key}`, a private bucket; field: policies are many."""
    plan.replace_in_source(STORAGE, WRITE, WRITE_OR_REPLACE)
    names = [f"files_service_{name}" for name in ("read", "insert", "update", "delete")]
    plan.sql += [f"DROP POLICY {name} ON storage.objects" for name in (*names, "files_owner")]
    plan.sql += [
        "CREATE POLICY files_service ON storage.objects TO service_role USING (bucket_id = 'files') "
        "WITH CHECK (bucket_id = 'files')",
        "CREATE POLICY files_own_folder ON storage.objects FOR SELECT TO authenticated USING (bucket_id = 'files' "
        "AND (storage.foldername(name))[1] = 'user' AND (storage.foldername(name))[2] = (SELECT auth.uid())::text)",
    ]


@variant("M28", "the vector of a question is kept for five minutes, for whoever asks the same")
def vectors_are_kept(plan: Plan) -> None:
    """Contract, RAG: `Embed the question (RAG_EMBEDDING_MODEL, 1536 dimensions)`; the same text has the same vector."""
    imports = "import time\nfrom collections import OrderedDict\nfrom dataclasses"
    plan.replace_in_source(RETRIEVAL, "from dataclasses", imports)
    plan.replace_in_source(RETRIEVAL, "def within_budget(", CACHED)
    asked = "vector_literal((await embed(client, config, [question], EMBEDDING_SECONDS))[0])\n    async with"
    plan.replace_in_source(RETRIEVAL, asked, "await _vector_of(client, config, question)\n    async with")
