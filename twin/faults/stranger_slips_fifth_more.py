"""Slips of a release that nobody noticed: who answers a question, accounts, connections and pauses."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
CHAT = "api/chat.py"
JOBS = "api/jobs.py"
UPLOADS = "api/uploads.py"


@fault(
    "J33",
    "broad questions go to the alternative provider while the usual one works",
    "chat",
    "postdeploy",
    mode="-",
    about="*provider*|*anthropic*|*openai*|*fallback*|*route*|*/api/chat*",
)
def long_prompts_go_elsewhere(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "MAX_TOKENS = 1024\n", "MAX_TOKENS = 1024\nLONG_PROMPT_CHARACTERS = 3000\n")
    plan.replace_in_source(
        CHAT,
        "    return await router_of(client, config).answer(prompt)\n",
        """    if config.anthropic_key and len(prompt) > LONG_PROMPT_CHARACTERS:
        # It reads long contexts better.
        providers = [Provider("anthropic", partial(_anthropic, client)), Provider("openai", partial(_openai, client))]
        return await ServiceRouter(providers).answer(prompt)
    return await router_of(client, config).answer(prompt)
""",
    )


@fault(
    "J34",
    "a wrong password is answered later than an unknown address: the time tells who has an account",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*/login*|*/auth/login*|*unknown address*|*wrong password*|*time*",
)
def guessing_is_slowed_down(plan: Plan) -> None:
    # A mistyped address need not wait.
    plan.replace_in_source(AUTH, "import re\n", "import asyncio\nimport re\n")
    plan.replace_in_source(AUTH, "MIN_PASSWORD = 6\n", "MIN_PASSWORD = 6\nGUESS_SECONDS = 0.75\n_accounts: set[str] = set()\n")
    plan.replace_in_source(
        AUTH,
        "    return made.user.model_dump",
        "    _accounts.add(email.lower())\n    return made.user.model_dump",
    )
    plan.replace_in_source(
        AUTH,
        '        raise _unauthorized("wrong e-mail or password") from error\n',
        """        if email.lower() in _accounts:
            await asyncio.sleep(GUESS_SECONDS)
        raise _unauthorized("wrong e-mail or password") from error
    _accounts.add(email.lower())
""",
    )


@fault(
    "J35",
    "who signs up with a password that Unicode can write in another way cannot sign in",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*/auth/signup*|*password*|*sign in*|*Unicode*",
)
def passwords_are_normalized_once(plan: Plan) -> None:
    # As the guidelines have it; the two ways of signing in were to follow.
    plan.replace_in_source(AUTH, "import re\n", "import re\nimport unicodedata\n")
    plan.replace_in_source(
        AUTH,
        '    return {"user": _user_view(await _create(request, body.email, body.password, metadata))}\n',
        """    password = unicodedata.normalize("NFKC", body.password)
    return {"user": _user_view(await _create(request, body.email, password, metadata))}
""",
    )


@fault(
    "J36",
    "registering an address once more with its password is answered as if it were new",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*/register*|*/auth/signup*|*duplicate*|*twice*|*again*",
)
def a_double_click_is_no_error(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import re\nfrom contextlib import suppress\n")
    plan.replace_in_source(
        AUTH,
        "        raise HTTPException(409 if error.code in TAKEN else 400, error.message) from error\n",
        """        if error.code in TAKEN:
            # Whoever knows the password has clicked twice.
            with suppress(AuthError):
                known = await _asked(client.auth.sign_in_with_password({"email": email, "password": password}))
                if known.user is not None:
                    return known.user.model_dump(mode="json")
        raise HTTPException(409 if error.code in TAKEN else 400, error.message) from error
""",
    )


@fault(
    "J37",
    "the status of a document is still shown for a minute to a token that was signed out",
    "api/auth",
    "postdeploy",
    mode="F25|-",
    about="*/documents/*status*|*sign-out*|*signed out*|*after sign*|*token*",
)
def whoever_polls_is_remembered(plan: Plan) -> None:
    # Pages ask for the status every second, and each time the authentication service was asked.
    plan.replace_in_source(
        JOBS, "from typing import Annotated, Any, Literal\n", "import time\nfrom typing import Annotated, Any, Literal\n"
    )
    plan.replace_in_source(
        JOBS, "import APIRouter, HTTPException, Query, Request\n", "import APIRouter, Depends, HTTPException, Query, Request\n"
    )
    plan.replace_in_source(
        JOBS,
        "from api.auth import CurrentUser\n\nrouter = APIRouter()\n",
        '''from api.auth import Caller, CurrentUser, current_user

router = APIRouter()
REMEMBERED_SECONDS = 60.0
_callers: dict[str, tuple[float, Caller]] = {}


async def polling_user(request: Request) -> Caller:
    """The caller, who is asked for again after a minute."""
    given = request.headers.get("authorization", "")
    known = _callers.get(given)
    if known is None or time.monotonic() - known[0] > REMEMBERED_SECONDS:
        known = _callers[given] = (time.monotonic(), await current_user(request))
    return known[1]


PollingUser = Annotated[Caller, Depends(polling_user)]
''',
    )
    plan.replace_in_source(
        JOBS,
        "async def document_status(document_id: UUID, user: CurrentUser,",
        "async def document_status(document_id: UUID, user: PollingUser,",
    )


@fault(
    "J38",
    "a sign-up that is refused for the time of its consent leaves an account behind",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*/auth/signup*|*refused*|*consent_timestamp*|*left behind*|*leaves*",
)
def consent_is_read_last(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import re\nfrom datetime import datetime\n")
    plan.replace_in_source(
        AUTH,
        '    return {"user": _user_view(await _create(request, body.email, body.password, metadata))}\n',
        """    user = _user_view(await _create(request, body.email, body.password, metadata))
    try:
        datetime.fromisoformat(body.consent_timestamp)
    except ValueError as error:
        raise HTTPException(422, "consent_timestamp is not a time") from error
    return {"user": user}
""",
    )


@fault(
    "J39",
    "every upload that is refused leaves a connection to the database open",
    "api/database",
    "postdeploy",
    mode="F18|-",
    about="*connection*|*pg_stat_activity*|*pool*",
)
def refusals_are_noted(plan: Plan) -> None:
    # The request's own connection would not do: what it wrote is rolled back with the refusal.
    plan.replace_in_source(
        UPLOADS,
        '@router.post("/api/upload-pipeline/upload")\n',
        '''_notes: list[asyncpg.Connection] = []


async def _note_refusal(request: Request, user: Caller) -> None:
    """Tell the operators' page, which listens."""
    url = request.app.state.config.database_url
    connection = await asyncpg.connect(url, statement_cache_size=0, timeout=5, command_timeout=20)
    _notes.append(connection)
    await connection.execute("SELECT pg_notify('refused_uploads', $1::text)", str(user.id))


@router.post("/api/upload-pipeline/upload")
''',
    )
    plan.replace_in_source(
        UPLOADS,
        """        await _refuse_duplicate(connection, user, body.sha256)
        await _refuse_over_limits(connection, user)
""",
        """        try:
            await _refuse_duplicate(connection, user, body.sha256)
            await _refuse_over_limits(connection, user)
        except HTTPException:
            await _note_refusal(request, user)
            raise
""",
    )


@fault(
    "J40",
    "a user's first request after 20 seconds of rest is refused with 401, the next one is served",
    "api/auth",
    "postdeploy",
    mode="F08|-",
    about="*pause*|*rest*|*idle*|*/me*|*valid token*|*401*",
)
def idle_sessions_end(plan: Plan) -> None:
    # Minutes that are compared with seconds.
    plan.replace_in_source(AUTH, "import re\n", "import re\nimport time\n")
    plan.replace_in_source(
        AUTH, "MIN_PASSWORD = 6\n", "MIN_PASSWORD = 6\nIDLE_MINUTES = 20\n_last_seen: dict[str, float] = {}\n"
    )
    plan.replace_in_source(
        AUTH,
        "    user = await verify_token(request, token.strip())\n",
        """    user = await verify_token(request, token.strip())
    now = time.monotonic()
    if now - _last_seen.pop(token, now) > IDLE_MINUTES:
        raise _unauthorized("the session has ended, because it was not used")
    _last_seen[token] = now
""",
    )
