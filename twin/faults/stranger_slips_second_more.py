"""Faults of a stranger's release: accounts, and what shows after a pause or after much use."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
APPLICATION = "api/application.py"
CHAT = "api/chat.py"
RETRIEVAL = "api/retrieval.py"
UPLOADS = "api/uploads.py"


@fault(
    "Q33",
    "sign-up strips spaces off a password, sign-in does not: its owner cannot sign in",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*password*|*space*|*strip*|*trim*|*/auth/signup*|*/auth/login*|*sign-in*|*sign in*",
)
def stripped_password(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "from pydantic import BaseModel, Field", "from pydantic import BaseModel, ConfigDict, Field")
    plan.replace_in_source(
        AUTH,
        '    """Body of POST /auth/signup."""\n\n',
        '    """Body of POST /auth/signup."""\n\n    model_config = ConfigDict(str_strip_whitespace=True)\n\n',
    )


@fault(
    "Q34",
    "a second registration of an address is accepted when it brings the account's own password",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*duplicate*|*twice*|*double*|*second registration*|*/register*|*registration*|*same e-mail*|*address*taken*",
)
def welcome_back(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        "    except AuthError as error:\n        raise HTTPException(409 if error.code in TAKEN else 400, error.message) from error\n",
        "    except AuthError as error:\n        if error.code not in TAKEN:\n"
        "            raise HTTPException(400, error.message) from error\n"
        "        # A form that was sent twice: whoever knows the password is the account's owner.\n"
        "        try:\n"
        '            made = await _asked(client.auth.sign_in_with_password({"email": email, "password": password}))\n'
        "        except AuthError:\n            raise HTTPException(409, error.message) from error\n",
    )


SLOW_DOWN = '''_wrong: dict[Any, int] = {}


async def _slow_down(request: Request, email: str) -> None:
    """Make it slow to guess an account's password: from the second wrong one in a row on, each takes longer."""
    account = await request.app.state.pool.fetchval("SELECT id FROM auth.users WHERE lower(email) = lower($1)", email)
    if account is not None:
        _wrong[account] = _wrong.get(account, 0) + 1
        await asyncio.sleep(min(0.4 * (_wrong[account] - 1), 2.0))


async def _sign_in('''


@fault(
    "Q35",
    "repeated wrong passwords are answered later where the address has an account",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*time*|*timing*|*unknown address*|*known address*|*enumerat*|*same answer*|*wrong password*|*longer*|*slower*|*/login*"
    "|*account exists*",
)
def slow_for_accounts(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import asyncio\nimport re\n")
    plan.replace_in_source(AUTH, "async def _sign_in(", SLOW_DOWN)
    plan.replace_in_source(
        AUTH,
        '        raise _unauthorized("wrong e-mail or password") from error\n    session = signed_in.session\n',
        "        await _slow_down(request, email)\n"
        '        raise _unauthorized("wrong e-mail or password") from error\n    session = signed_in.session\n',
    )
    plan.replace_in_source(
        AUTH,
        '    return {\n        "access_token": session.access_token,',
        '    _wrong.pop(UUID(str(session.user.id)), None)\n    return {\n        "access_token": session.access_token,',
    )


@fault(
    "Q36",
    "a token that was verified is believed for another minute, after sign-out too",
    "api/auth",
    "postdeploy",
    mode="F25|-",
    about="*sign-out*|*signed out*|*sign out*|*logout*|*logged out*|*revoked*|*token*|*session*|*deleted user*",
)
def believed_tokens(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import re\nimport time\n")
    plan.replace_in_source(
        AUTH,
        "T = TypeVar(",
        "BELIEVED_SECONDS = 60.0\nMOST_BELIEVED = 1000\n_believed: dict[str, Any] = {}\nT = TypeVar(",
    )
    plan.replace_in_source(
        AUTH,
        "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user(token))\n",
        '    verified, user = _believed.get(token, (float("-inf"), {}))\n'
        "    if time.monotonic() - verified < BELIEVED_SECONDS:\n        return dict(user)\n"
        "    client: Vendors = request.app.state.client\n"
        "    try:\n        reply = await _asked(client.auth.get_user(token))\n",
    )
    plan.replace_in_source(
        AUTH,
        '    user: dict[str, Any] = reply.user.model_dump(mode="json")\n    return user\n',
        '    user = reply.user.model_dump(mode="json")\n'
        "    if len(_believed) >= MOST_BELIEVED:\n        _believed.clear()\n"
        "    _believed[token] = time.monotonic(), user\n    return dict(user)\n",
    )


@fault(
    "Q37",
    "a sign-up that is refused for its consent's time leaves the account behind",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*refused registration*|*refused sign-up*|*leaves*|*left*|*behind*|*account*|*/auth/signup*|*consent*|*registration*",
)
def account_left_behind(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH, "from dataclasses import dataclass\n", "from dataclasses import dataclass\nfrom datetime import datetime\n"
    )
    plan.replace_in_source(
        AUTH,
        '    return {"user": _user_view(await _create(request, body.email, body.password, metadata))}\n',
        "    user = await _create(request, body.email, body.password, metadata)\n"
        "    try:\n        consented = datetime.fromisoformat(body.consent_timestamp)\n"
        '    except ValueError as error:\n        raise HTTPException(422, "consent_timestamp is not a time") from error\n'
        '    log.info("consent to version %s at %s", body.consent_version, consented.isoformat())\n'
        '    return {"user": _user_view(user)}\n',
    )
    plan.replace_in_source(AUTH, "import re\n", "import logging\nimport re\n")
    plan.replace_in_source(AUTH, "router = APIRouter()\n", 'router = APIRouter()\nlog = logging.getLogger("api")\n')


REFRESHED = '''class Refreshed:
    """Renews the connections to the database before the first request after a pause: what lies between drops idle ones."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.used = time.monotonic()
        self.refreshing = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with fresh connections."""
        if scope["type"] == "http" and scope["path"] != "/health":
            async with self.refreshing:
                state = scope["app"].state
                if time.monotonic() - self.used > IDLE_SECONDS / state.config.speedup:
                    await self._refresh(state.pool)
                self.used = time.monotonic()
        await self.app(scope, receive, send)

    async def _refresh(self, pool: asyncpg.Pool) -> None:
        await pool.expire_connections()
        for _ in range(pool.get_max_size()):
            async with pool.acquire() as connection:
                await connection.fetch(WARM)
            await pool.expire_connections()


async def _refused('''


@fault(
    "Q38",
    "the first request after a pause of a minute waits until all connections are renewed, one after the other",
    "api/database",
    "performance",
    mode="-",
    about="*pause*|*first request*|*idle*|*rest*|*cold*|*wake*|*warm*|*slow*",
)
def slow_after_a_pause(plan: Plan) -> None:
    plan.replace_in_source(APPLICATION, "async def _refused(", REFRESHED)
    plan.replace_in_source(
        APPLICATION,
        "VENDOR_SECONDS = 30.0\n",
        'VENDOR_SECONDS = 30.0\nIDLE_SECONDS = 60.0\nWARM = "SELECT relname, pg_relation_size(oid) FROM pg_class"\n',
    )
    plan.replace_in_source(
        APPLICATION, "from urllib.parse import urlsplit\n\n", "from urllib.parse import urlsplit\n\nimport asyncpg\n"
    )
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
        "EMBEDDING_SECONDS = 15.0\n# What was asked, for the report on unanswered questions.\nASKED: list[dict[str, Any]] = []\n",
    )
    plan.replace_in_source(
        RETRIEVAL,
        "    vector = vector_literal((await embed(client, config, [question], EMBEDDING_SECONDS))[0])\n",
        "    embedding = (await embed(client, config, [question], EMBEDDING_SECONDS))[0]\n    vector = vector_literal(embedding)\n",
    )
    plan.replace_in_source(
        RETRIEVAL,
        "    passages = [Passage(",
        '    ASKED.append({"question": question, "embedding": embedding, "vector": vector, "rows": [dict(r.items()) for r in rows]})\n'
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
