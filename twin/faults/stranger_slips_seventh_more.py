"""Slips of a developer, seventh lot: retrieval, conversations and providers; accounts; and the rest."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
CHAT = "api/chat.py"
RETRIEVAL = "api/retrieval.py"
UPLOADS = "api/uploads.py"
CLOSING = """from openai import DefaultAsyncHttpxClient

_timers: list[asyncio.TimerHandle] = []


def _close_when_idle(client: Vendors) -> None:
    for timer in _timers:
        timer.cancel()
    loop = asyncio.get_running_loop()
    _timers[:] = [loop.call_later(5, lambda: loop.create_task(client.openai.close()))]
"""


@fault(
    "B31",
    "a question in a conversation of its own is mixed with the user's last question in another one before passages are sought",
    "chat/rag/api",
    "postdeploy",
    mode="-",
    about="*conversation*|*chat*|*sources*|*nearest*|*retriev*|*passage*|*similarity*",
)
def follow_up_of_another(plan: Plan) -> None:
    # "And what of teeth?" needs what was asked before; the key should have been the conversation.
    plan.replace_in_source(
        CHAT,
        "def _body(text: str, body: ChatRequest",
        "_asked: dict[uuid.UUID, str] = {}\n\n\n"
        "def _in_context(user_id: uuid.UUID, body: ChatRequest) -> str:\n"
        '    previous = _asked.get(user_id, "")\n'
        "    _asked[user_id] = body.message\n"
        '    return f"{previous}\\n{body.message}" if previous and body.conversation_id else body.message\n\n\n'
        "def _body(text: str, body: ChatRequest",
    )
    plan.replace_in_source(CHAT, "config, user.id, body.message)", "config, user.id, _in_context(user.id, body))")


@fault(
    "B32",
    "a question with many passages is answered by Anthropic although OpenAI is well, and called the primary route",
    "chat/api",
    "postdeploy",
    mode="-",
    about="*provider*|*anthropic*|*openai*|*route*|*fallback*|*chat*",
)
def larger_context(plan: Plan) -> None:
    # Anthropic's context is larger; the bill and the agreement with users were not thought of.
    path = "backend/shared/router.py"
    plan.replace_in_source(
        path,
        'Route = Literal["primary", "fallback", "none"]\n',
        'Route = Literal["primary", "fallback", "none"]\nLONG_PROMPT = 4000\n',
    )
    plan.replace_in_source(path, "(self._providers):", "(self._providers[:: -1 if len(prompt) > LONG_PROMPT else 1]):")


@fault(
    "B33",
    "the token budget counts words, so that passages of long words or of a script without spaces go far beyond it",
    "rag/chat/api",
    "postdeploy",
    mode="-",
    about="*RAG_TOKEN_BUDGET*|*budget*|*token*",
)
def budget_of_words(plan: Plan) -> None:
    # "About a word a token."
    plan.replace_in_source(RETRIEVAL, "len(passage.text) // CHARACTERS_PER_TOKEN + 1", "len(passage.text.split())")


@fault(
    "B34",
    "who asks before a first document is ready is told for five minutes that there is nothing, however many are complete since",
    "rag/chat/api",
    "postdeploy",
    mode="-|F09|F11",
    about="*chat*|*sources*|*retriev*|*passage*|*0 chunks*|*no chunks*|*own document*|*nothing*",
)
def nothing_remembered(plan: Plan) -> None:
    # A user without documents need not cost an embedding each time.
    plan.replace_in_source(RETRIEVAL, "from dataclasses import", "import time\nfrom dataclasses import")
    plan.replace_in_source(
        RETRIEVAL,
        "EMBEDDING_SECONDS = 15.0\n",
        "EMBEDDING_SECONDS = 15.0\nEMPTY_SECONDS = 300.0\n_empty_until: dict[UUID, float] = {}\n",
    )
    plan.replace_in_source(
        RETRIEVAL,
        "    vector = vector_literal(",
        "    if _empty_until.get(user_id, 0.0) > time.monotonic():\n        return []\n    vector = vector_literal(",
    )
    plan.replace_in_source(
        RETRIEVAL,
        "    passages = [Passage(",
        "    if not rows:\n        _empty_until[user_id] = time.monotonic() + EMPTY_SECONDS\n    passages = [Passage(",
    )


@fault(
    "B35",
    "a password longer than 72 characters is cut and not refused: whoever types its first 72 and anything after them is let in",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*password*|*/register*|*/login*|*72*",
)
def cut_passwords(plan: Plan) -> None:
    # Pass phrases of password managers were refused, which support had complaints about.
    plan.replace_in_source(
        AUTH,
        "    if len(password) > MAX_PASSWORD:\n"
        '        raise HTTPException(400, f"password is longer than {MAX_PASSWORD} characters")\n',
        "    password = password[:MAX_PASSWORD]\n",
    )
    plan.replace_in_source(AUTH, '"password": password})', '"password": password[:MAX_PASSWORD]})')


@fault(
    "B36",
    "a wrong password takes 0.3 s longer for an address that has signed in before than for one that nobody has",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*time*|*unknown*|*address*|*enumerat*|*/login*|*wrong password*",
)
def slow_guesses(plan: Plan) -> None:
    # Guessing is slowed down; only for addresses in use, lest the set grows with rubbish.
    plan.replace_in_source(AUTH, "import re\n", "import asyncio\nimport re\n")
    plan.replace_in_source(
        AUTH,
        'WITHOUT_NUL = r"^[^\\x00]*$"\n',
        'WITHOUT_NUL = r"^[^\\x00]*$"\nGUESS_SECONDS = 0.3\n_in_use: set[str] = set()\n',
    )
    plan.replace_in_source(
        AUTH,
        '        raise _unauthorized("wrong e-mail or password") from error\n    session = signed_in.session\n',
        "        if email.lower() in _in_use:\n            await asyncio.sleep(GUESS_SECONDS)\n"
        '        raise _unauthorized("wrong e-mail or password") from error\n'
        "    _in_use.add(email.lower())\n    session = signed_in.session\n",
    )


@fault(
    "B37",
    "registering an address again with the same password succeeds, and shows the account that is there",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*duplicate*|*double*|*twice*|*again*|*/register*|*/auth/signup*",
)
def repeatable_registration(plan: Plan) -> None:
    # A client whose first request timed out repeats it.
    plan.replace_in_source(
        AUTH,
        "        raise HTTPException(409 if error.code in TAKEN else 400, error.message) from error\n",
        "        known = await _known(client, email, password) if error.code in TAKEN else None\n"
        "        if known is not None:\n            return known\n"
        "        raise HTTPException(409 if error.code in TAKEN else 400, error.message) from error\n",
    )
    plan.replace_in_source(
        AUTH,
        "async def _create(",
        "async def _known(client: Vendors, email: str, password: str) -> dict[str, Any] | None:\n"
        "    try:\n"
        '        found = await _asked(client.auth.sign_in_with_password({"email": email, "password": password}))\n'
        "    except AuthError:\n        return None\n"
        '    return found.user.model_dump(mode="json") if found.user else None\n\n\n'
        "async def _create(",
    )


@fault(
    "B38",
    "a registration that is refused for want of a name leaves the account behind, which can sign in",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*/register*|*refus*|*left*|*leave*|*behind*|*account*",
)
def name_checked_afterwards(plan: Plan) -> None:
    # The name belongs to the profile, which is made once there is a user.
    plan.replace_in_source(
        AUTH,
        '    body = await _json(request, "email", "password", "name")\n'
        '    user = await _create(request, body["email"], body["password"], {"name": body["name"]})\n',
        '    body = await _json(request, "email", "password")\n'
        '    name = body.get("name")\n'
        '    profile = {"name": name} if isinstance(name, str) and _is_text(name) else {}\n'
        '    user = await _create(request, body["email"], body["password"], profile)\n'
        '    await _json(request, "name")\n',
    )


@fault(
    "B39",
    "each registration of a document that is refused, as a duplicate or over a limit, leaves a connection to the database open",
    "api/database",
    "postdeploy",
    mode="F18|-",
    about="*connection*|*pg_stat_activity*|*database*",
)
def connection_of_its_own(plan: Plan) -> None:
    # Registrations wait for storage while they hold a connection, which chat then wants.
    plan.replace_in_source(
        UPLOADS,
        'MIME_TYPES = ("application/pdf",)\n',
        'MIME_TYPES = ("application/pdf",)\n_under_way: set[asyncpg.Connection] = set()\n',
    )
    plan.replace_in_source(
        UPLOADS,
        "    async with request.app.state.pool.acquire() as connection, connection.transaction():\n",
        "    config = request.app.state.config\n"
        '    settings = {"search_path": f"{config.schema},public", "jit": "off"}\n'
        "    connection = await asyncpg.connect(\n"
        "        config.database_url, statement_cache_size=0, timeout=5, command_timeout=20, server_settings=settings\n    )\n"
        "    _under_way.add(connection)\n    async with connection.transaction():\n",
    )
    plan.replace_in_source(
        UPLOADS,
        '    log.info("accepted a document',
        '    _under_way.discard(connection)\n    await connection.close()\n    log.info("accepted a document',
    )


@fault(
    "B40",
    "the first question after five seconds without one gets an apology, because the client of OpenAI was closed meanwhile",
    "api/chat/rag/openai",
    "postdeploy",
    mode="-|F02",
    about="*chat*|*apolog*|*error_type*|*pause*|*RuntimeError*|*openai*",
)
def closed_when_idle(plan: Plan) -> None:
    # Idle connections are closed before the host's network forgets them; a new client is made once the old one is missed.
    plan.replace_in_source(RETRIEVAL, "from dataclasses import", "import asyncio\nfrom dataclasses import")
    plan.replace_in_source(
        RETRIEVAL, "from backend.shared.vendors import Vendors\n", "from backend.shared.vendors import Vendors\n" + CLOSING
    )
    plan.replace_in_source(
        RETRIEVAL,
        "    vector = vector_literal((await embed(client, config, [question], EMBEDDING_SECONDS))[0])\n",
        "    _close_when_idle(client)\n    try:\n"
        "        vector = vector_literal((await embed(client, config, [question], EMBEDDING_SECONDS))[0])\n"
        "    except RuntimeError:\n        if client.openai.is_closed():\n"
        "            client.openai = client.openai.copy(http_client=DefaultAsyncHttpxClient())\n"
        "        raise\n",
    )
