"""Slips of a stranger, read from the contract alone: accounts, and what only shows after a while."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
UPLOADS = "api/uploads.py"
RETRIEVAL = "api/retrieval.py"
CHAT = "api/chat.py"

ATTEMPTS = """# Attempts that an account has left before its owner is written to.
MOST_ATTEMPTS = 5
_attempts: dict[str, int] = {}


def _not_signed_in(email: str) -> HTTPException:
    refusal = _unauthorized("wrong e-mail or password")
    left = _attempts.get(email.lower())
    if left is not None:
        _attempts[email.lower()] = left = max(0, left - 1)
        refusal.detail = {"detail": refusal.detail, "attempts_left": left}  # type: ignore[assignment]
    return refusal


async def _sign_in("""
TWICE = """    try:
        user = await _create(request, body["email"], body["password"], {"name": body["name"]})
    except HTTPException as error:
        if error.status_code != 409:
            raise
        # Sent twice by an impatient user: this is the account that the first one made.
        try:
            return {"access_token": None, **await _sign_in(request, body["email"], body["password"]), "access_token": None}
        except HTTPException:
            raise error from None
"""
RECENT = '''# Who was recognized in the last minute; the front end asks for its user on every page.
RECENT_SECONDS = 60.0
_recent: dict[str, tuple[float, Caller]] = {}


async def _recent_user(request: Request) -> Caller:
    token = request.headers.get("authorization", "")
    at, known = _recent.get(token, (0.0, None))
    if known is None or time.monotonic() - at > RECENT_SECONDS:
        _recent.pop(token, None)
        known = await current_user(request)
        _recent[token] = (time.monotonic(), known)
    return known


@router.get("/auth/user")
async def auth_user(user: Annotated[Caller, Depends(_recent_user)]) -> dict[str, Any]:
    """The signed-in user."""
    return await me(user)


@router.get("/me")
async def me('''
AWAKE = '''# A project that nobody has asked for a while is put to sleep.
ASLEEP_SECONDS = 3.0
_asked_at = float("-inf")


async def _wake(request: Request) -> None:
    """Wait until Supabase Auth is awake: its first answer after a pause may be an error."""
    global _asked_at
    is_asleep = time.monotonic() - _asked_at > ASLEEP_SECONDS
    _asked_at = time.monotonic()
    if not is_asleep:
        return
    config, client = request.app.state.config, request.app.state.client
    for _ in range(3):
        await client.http.get(f"{config.supabase_url}/auth/v1/health", headers={"apikey": config.anon_key})
        await asyncio.sleep(0.5)


async def verify_token('''
WATCHED = """# Connections on which the progress of a job will be pushed to its user.
_watched: dict[UUID, asyncpg.Connection] = {}


async def _watch(request: Request, job_id: UUID) -> None:
    connection = await asyncpg.connect(request.app.state.config.database_url, statement_cache_size=0)
    await connection.add_listener("upload_progress", lambda *_: None)
    _watched[job_id] = connection


@router.post("/api/upload-pipeline/upload")
"""
SLOTS = """    await asyncio.wait_for(_slots.acquire(), SLOT_SECONDS)
    if not body.message.strip():
        raise HTTPException(400, "empty message")
    try:
        return await _answer(body, user, request)
    finally:
        _slots.release()


async def _answer(body: ChatRequest, user: Caller, request: Request) -> dict[str, Any]:
    started = time.perf_counter()
"""


@fault(
    "Z32",
    "a refused sign-in tells how many attempts are left, but only of addresses that have an account",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*login*|*unknown address*|*wrong password*|*sign*in*",
)
def attempts_left(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "async def _sign_in(", ATTEMPTS)
    plan.replace_in_source(
        AUTH, 'raise _unauthorized("wrong e-mail or password") from error', "raise _not_signed_in(email) from error"
    )
    plan.replace_in_source(
        AUTH,
        "    session = signed_in.session\n",
        "    _attempts[email.lower()] = MOST_ATTEMPTS\n    session = signed_in.session\n",
    )


@fault(
    "Z33",
    "passwords are cut off after 64 characters, at registration and at sign-in",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*password*|*login*|*register*|*signup*",
)
def long_passwords_cut(plan: Plan) -> None:
    plan.replace_in_source(AUTH, '"password": password, "options"', '"password": password[:64], "options"')
    plan.replace_in_source(AUTH, '"password": password})', '"password": password[:64]})')


@fault(
    "Z34",
    "a second registration with the same password is answered as if it had made the account",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*register*|*duplicate*|*registration*",
)
def registered_twice(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH, '    user = await _create(request, body["email"], body["password"], {"name": body["name"]})\n', TWICE
    )


@fault(
    "Z35",
    "GET /auth/user recognizes a token for a minute after its session has ended",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*/auth/user*|*sign*out*|*session*",
)
def remembered_after_sign_out(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import re\nimport time\n")
    plan.replace_in_source(AUTH, '@router.get("/me")\n@router.get("/auth/user")\nasync def me(', RECENT)


@fault(
    "Z36",
    "a registration without a name is refused after its account was made",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*register*|*registration*|*account*",
)
def refused_but_made(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH, 'body = await _json(request, "email", "password", "name")', 'body = await _json(request, "email", "password")'
    )
    plan.replace_in_source(
        AUTH,
        '{"name": body["name"]})\n    return {"access_token": None',
        '{"name": body.get("name", "")})\n    await _json(request, "name")\n    return {"access_token": None',
    )


@fault(
    "Z37",
    "every question is kept in memory with its embedding",
    "api/chat/rag",
    "performance",
    mode="-",
    about="*memory*",
)
def questions_kept(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL,
        "    vector = vector_literal((await embed(client, config, [question], EMBEDDING_SECONDS))[0])\n",
        "    embedded = (await embed(client, config, [question], EMBEDDING_SECONDS))[0]\n"
        "    _asked.append((user_id, question, embedded))\n"
        "    vector = vector_literal(embedded)\n",
    )
    plan.replace_in_source(
        RETRIEVAL,
        "EMBEDDING_SECONDS = 15.0\n",
        "EMBEDDING_SECONDS = 15.0\n"
        "# For the report on what is asked and not found.\n_asked: list[tuple[UUID, str, list[float]]] = []\n",
    )


@fault(
    "Z38",
    "every upload opens a connection to the database that is never closed",
    "api/database",
    "performance",
    mode="F18|-",
    about="*connection*",
)
def a_connection_for_each_upload(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, '@router.post("/api/upload-pipeline/upload")\n', WATCHED)
    accepted = '    log.info("accepted a document of'
    plan.replace_in_source(UPLOADS, accepted, f"    await _watch(request, job_id)\n{accepted}")


@fault(
    "Z39",
    "the first request with a token after a pause of three seconds waits a second and a half",
    "auth/api",
    "performance",
    mode="-",
    about="*pause*|*first request*|*slow*|*p95*|*response time*",
)
def slow_after_a_pause(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import asyncio\nimport re\nimport time\n")
    plan.replace_in_source(AUTH, "async def verify_token(", AWAKE)
    asked = "    try:\n        reply = await _asked(client.auth.get_user(token))\n"
    plan.replace_in_source(AUTH, asked, f"    await _wake(request)\n{asked}")


@fault(
    "Z40",
    "each empty question takes one of the chat's four places for good",
    "chat/api",
    "postdeploy",
    mode="-",
    about="*chat*",
)
def places_lost(plan: Plan) -> None:
    refusal = '    if not body.message.strip():\n        raise HTTPException(400, "empty message")\n'
    plan.replace_in_source(CHAT, f"{refusal}    started = time.perf_counter()\n", SLOTS)
    plan.replace_in_source(CHAT, "from api.auth import CurrentUser\n", "from api.auth import Caller, CurrentUser\n")
    plan.replace_in_source(
        CHAT, "ANSWER_SECONDS = 15.0\n", "ANSWER_SECONDS = 15.0\nSLOT_SECONDS = 10.0\n_slots = asyncio.Semaphore(4)\n"
    )
