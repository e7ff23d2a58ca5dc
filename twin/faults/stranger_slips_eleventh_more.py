"""Slips of a further hand, continued: answers, accounts, and what grows."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
CHAT = "api/chat.py"
RETRIEVAL = "api/retrieval.py"


@fault(
    "LS31",
    "a question with a language other than English goes to Anthropic while OpenAI works",
    "chat/api",
    "postdeploy",
    mode="-",
    about="*provider*|*anthropic*|*user_language*|*chat*",
)
def other_languages_elsewhere(plan: Plan) -> None:
    # "It writes better Spanish."
    plan.replace_in_source(
        CHAT,
        "async def complete(client: Vendors, config: Config, prompt: str) -> Routed:",
        'async def complete(client: Vendors, config: Config, prompt: str, language: str = "en") -> Routed:',
    )
    plan.replace_in_source(
        CHAT,
        "    return await router_of(client, config).answer(prompt)\n",
        '    if config.anthropic_key and not language.lower().startswith("en"):\n'
        '        other = Provider("anthropic", partial(_anthropic, client))\n'
        '        return await ServiceRouter([other, Provider("openai", partial(_openai, client))]).answer(prompt)\n'
        "    return await router_of(client, config).answer(prompt)\n",
    )
    plan.replace_in_source(
        CHAT,
        "_prompt(body.message, passages))",
        '_prompt(body.message, passages), body.user_language or "en")',
    )


@fault(
    "LS32",
    "a short question is looked up together with the one before it, although that belongs to another conversation",
    "chat/rag/api",
    "postdeploy",
    mode="-",
    about="*conversation*|*sources*|*nearest*|*retriev*|*chat*|*question*",
)
def conversations_run_together(plan: Plan) -> None:
    # "And for my wife?" means nothing by itself. What came before is kept for each user.
    plan.replace_in_source(CHAT, "config, user.id, body.message)", "config, user.id, _in_context(user.id, body.message))")
    plan.replace_in_source(
        CHAT,
        "def _prompt(question: str",
        "_previous: dict[uuid.UUID, str] = {}\n\n\n"
        "def _in_context(user_id: uuid.UUID, message: str) -> str:\n"
        '    """A follow-up question together with the one that it follows."""\n'
        '    before, _previous[user_id] = _previous.get(user_id, ""), message\n'
        '    return f"{before} {message}".strip() if len(message.split()) < 8 else message\n\n\n'
        "def _prompt(question: str",
    )


@fault(
    "LS33",
    "whoever registers with an accent in the password cannot sign in with it",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*password*|*/register*|*/login*|*sign-in*|*accent*",
)
def passwords_are_decomposed(plan: Plan) -> None:
    # "Keyboards differ in how they write é: store one form." Signing in was left as it was.
    plan.replace_in_source(
        AUTH,
        'sign_up({"email": email, "password": password, "options"',
        'sign_up({"email": email, "password": normalize("NFKD", password), "options"',
    )
    plan.replace_in_source(
        AUTH,
        "from typing import Annotated, Any, TypeVar\n",
        "from typing import Annotated, Any, TypeVar\nfrom unicodedata import normalize\n",
    )


@fault(
    "LS34",
    "a second registration with the same password is answered as a success",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*/register*|*duplicate*|*second*|*twice*|*registration*|*/auth/signup*",
)
def register_is_idempotent(plan: Plan) -> None:
    # "People click twice, and then read that their address is taken."
    plan.replace_in_source(
        AUTH,
        "        raise HTTPException(409 if error.code in TAKEN else 400, error.message) from error\n",
        "        if error.code in TAKEN:\n"
        "            with suppress(AuthError):\n"
        '                known = await _asked(client.auth.sign_in_with_password({"email": email, "password": password}))\n'
        "                if known.user is not None:\n"
        '                    return known.user.model_dump(mode="json")\n'
        "        raise HTTPException(409 if error.code in TAKEN else 400, error.message) from error\n",
    )
    plan.replace_in_source(
        AUTH,
        "from dataclasses import dataclass\n",
        "from contextlib import suppress\nfrom dataclasses import dataclass\n",
    )


@fault(
    "LS35",
    "sign-up drops what follows a plus in an address: the account has another one than was given",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*/auth/signup*|*email*|*e-mail*|*address*",
)
def one_account_per_mailbox(plan: Plan) -> None:
    # "Tags are how people get a second trial."
    plan.replace_in_source(
        AUTH,
        '            raise ValueError("not an e-mail address")\n        return value\n',
        '            raise ValueError("not an e-mail address")\n'
        '        local, _, domain = value.partition("@")\n'
        """        return f"{local.partition('+')[0]}@{domain}"\n""",
    )


@fault(
    "LS36",
    "who signs out and in again within a minute gets the token that was signed out",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*sign*out*|*/login*|*/auth/login*|*session*|*token*|*/me*",
)
def sessions_are_reused(plan: Plan) -> None:
    # Supabase limits sign-ins by the minute, and the front end signs in twice when it loads.
    plan.replace_in_source(
        AUTH,
        "    client: Vendors = request.app.state.client\n    try:\n        signed_in = await",
        "    key = hashlib.sha256(repr((email, password)).encode()).digest()\n"
        '    at, recent = _recent.get(key, (float("-inf"), {}))\n'
        "    if time.monotonic() - at < RECENT_SECONDS:\n"
        "        return recent\n"
        "    client: Vendors = request.app.state.client\n    try:\n        signed_in = await",
    )
    plan.replace_in_source(
        AUTH,
        '    return {\n        "access_token": session.access_token,\n',
        '    made: dict[str, Any] = {\n        "access_token": session.access_token,\n',
    )
    plan.replace_in_source(
        AUTH,
        '        "user": _user_view(session.user.model_dump(mode="json")),\n    }\n',
        '        "user": _user_view(session.user.model_dump(mode="json")),\n    }\n'
        "    _recent[key] = (time.monotonic(), made)\n"
        "    return made\n",
    )
    plan.replace_in_source(
        AUTH,
        "MIN_PASSWORD = 6\n",
        "RECENT_SECONDS = 60.0\n_recent: dict[bytes, tuple[float, dict[str, Any]]] = {}\nMIN_PASSWORD = 6\n",
    )
    plan.replace_in_source(AUTH, "import re\n", "import hashlib\nimport re\nimport time\n")


@fault(
    "LS37",
    "POST /auth/login does not let in who has a password of six or seven characters",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*/auth/login*|*password*",
)
def short_passwords_stay_outside(plan: Plan) -> None:
    # "The same rule as for signing up." Those who came by /register have another.
    plan.replace_in_source(
        AUTH,
        "password: str = Field(min_length=1, pattern=WITHOUT_NUL)",
        "password: str = Field(min_length=8, max_length=MAX_PASSWORD, pattern=WITHOUT_NUL)",
    )


@fault(
    "LS38",
    "a registration that is refused for want of a name leaves an account behind",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*/register*|*registration*|*account*|*name*|*left*",
)
def account_before_name(plan: Plan) -> None:
    # "First the account, then its profile."
    plan.replace_in_source(
        AUTH,
        '    body = await _json(request, "email", "password", "name")\n'
        '    user = await _create(request, body["email"], body["password"], {"name": body["name"]})\n',
        '    body = await _json(request, "email", "password")\n'
        '    name = "".join(filter(str.isprintable, str(body.get("name") or "")))\n'
        '    user = await _create(request, body["email"], body["password"], {"name": name})\n'
        '    await _json(request, "name")\n',
    )


@fault(
    "LS39",
    "a document that waits for its bytes gets one more event at every poll",
    "worker/database",
    "postdeploy",
    mode="-",
    about="*event*|*grow*|*wait*",
)
def waiting_is_an_event(plan: Plan) -> None:
    # "Support cannot see why a job hangs."
    plan.replace_in_source(
        "backend/workers/job_queue.py",
        "                self._config.poll_interval / self._config.speedup,\n            )\n",
        "                self._config.poll_interval / self._config.speedup,\n            )\n"
        '            await self._record(connection, job, job["status"], {"awaiting_upload": True})\n',
    )


@fault(
    "LS40",
    "each user who asks a question keeps a connection to the database open for good",
    "database/rag/api/chat",
    "postdeploy",
    mode="F18|-",
    about="*connection*|*pool*",
)
def connections_for_users(plan: Plan) -> None:
    # Settings of the index for each session, kept with the user's session.
    plan.replace_in_source(
        RETRIEVAL,
        "    async with pool.acquire() as connection, connection.transaction():\n",
        "    async with _locks.setdefault(user_id, asyncio.Lock()):\n"
        "        if user_id not in _sessions:\n"
        "            _sessions[user_id] = await asyncpg.connect(\n"
        "                config.database_url,\n"
        "                statement_cache_size=0,\n"
        '                server_settings={"search_path": f"{config.schema},public", "jit": "off"},\n'
        "            )\n"
        "    connection = _sessions[user_id]\n"
        "    async with _locks[user_id], connection.transaction():\n",
    )
    plan.replace_in_source(
        RETRIEVAL,
        "EMBEDDING_SECONDS = 15.0\n",
        "EMBEDDING_SECONDS = 15.0\n_locks: dict[UUID, asyncio.Lock] = {}\n_sessions: dict[UUID, asyncpg.Connection] = {}\n",
    )
    imports = "from backend.shared.config import Config\n"
    plan.replace_in_source(RETRIEVAL, imports, f"import asyncio\n\nimport asyncpg\n{imports}")
