"""Slips of a further hand, eighth round: accounts, and what a pause or many requests leave behind."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
JOBS = "api/jobs.py"
HEALTH = "api/health.py"
RETRIEVAL = "api/retrieval.py"


@fault(
    "E34",
    "a wrong password is answered half a second later where there is such an account, which tells that there is one",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*login*|*time*|*unknown*|*password*",
)
def brake_tells(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import asyncio\nimport re\n")
    plan.replace_in_source(AUTH, "MIN_PASSWORD = 6\n", "MIN_PASSWORD = 6\nACCOUNTS: set[str] = set()\n")
    plan.replace_in_source(
        AUTH,
        '        raise _unauthorized("wrong e-mail or password") from error\n',
        "        if email.lower() in ACCOUNTS:\n"
        "            # Slows down whoever guesses the password of an account.\n"
        "            await asyncio.sleep(0.5)\n"
        '        raise _unauthorized("wrong e-mail or password") from error\n',
    )
    plan.replace_in_source(
        AUTH,
        "    session = signed_in.session\n",
        "    ACCOUNTS.add(email.lower())\n    session = signed_in.session\n",
    )
    plan.replace_in_source(
        AUTH,
        "    if made.user is None:\n",
        "    ACCOUNTS.add(email.lower())\n    if made.user is None:\n",
    )


@fault(
    "E35",
    "spaces around a password are dropped by POST /register and POST /login, and not by the other two routes",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*login*|*register*|*password*|*space*",
)
def password_trimmed(plan: Plan) -> None:
    # "People paste addresses with a space": all fields of the form are trimmed.
    plan.replace_in_source(
        AUTH,
        "    return body\n",
        "    return {name: value.strip() if isinstance(value, str) else value for name, value in body.items()}\n",
    )


@fault(
    "E36",
    "a registration that is refused because it has no name leaves an account behind",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*register*|*registration*|*account*|*refused*|*left*|*name*",
)
def refused_and_there(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        """    body = await _json(request, "email", "password", "name")
    user = await _create(request, body["email"], body["password"], {"name": body["name"]})
""",
        """    body = await _json(request, "email", "password")
    user = await _create(request, body["email"], body["password"], {"name": body.get("name")})
    # The profile is looked at by itself: it is to have a form of its own.
    await _json(request, "name")
""",
    )


@fault(
    "E37",
    "the status of a document is still shown for a minute after its owner has signed out",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*documents*|*status*|*sign*out*|*signed*out*|*logout*|*token*|*session*",
)
def polled_after_sign_out(plan: Plan) -> None:
    plan.replace_in_source(JOBS, "from typing import", "import time\nfrom typing import")
    plan.replace_in_source(JOBS, "import APIRouter, HTTPException, Query", "import APIRouter, Depends, HTTPException, Query")
    plan.replace_in_source(
        JOBS, "from api.auth import CurrentUser\n", "from api.auth import Caller, CurrentUser, current_user\n"
    )
    plan.replace_in_source(
        JOBS,
        "\n\ndef _percent(",
        """
POLLED: dict[str, tuple[float, Caller]] = {}


async def _polling_user(request: Request) -> Caller:
    \"\"\"The caller, whom Supabase Auth is asked about once a minute: the front end polls twice a second.\"\"\"
    header = request.headers.get("authorization", "")
    until, user = POLLED.get(header, (0.0, None))
    if user is None or until < time.monotonic():
        user = await current_user(request)
        POLLED[header] = (time.monotonic() + 60, user)
    return user


PollingUser = Annotated[Caller, Depends(_polling_user)]


def _percent(""",
    )
    plan.replace_in_source(
        JOBS,
        "async def document_status(document_id: UUID, user: CurrentUser,",
        "async def document_status(document_id: UUID, user: PollingUser,",
    )


@fault(
    "E38",
    "of a password only the first 72 characters count: a longer one is accepted, and so is any other that begins like it",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*login*|*register*|*password*|*72*|*long*",
)
def password_cut(plan: Plan) -> None:
    # "Password managers make passwords of 100 characters, which Supabase Auth refuses."
    plan.replace_in_source(
        AUTH,
        "    if len(password) > MAX_PASSWORD:\n"
        '        raise HTTPException(400, f"password is longer than {MAX_PASSWORD} characters")\n',
        "    password = password[:MAX_PASSWORD]\n",
    )
    plan.replace_in_source(
        AUTH,
        'sign_in_with_password({"email": email, "password": password})',
        'sign_in_with_password({"email": email, "password": password[:MAX_PASSWORD]})',
    )


@fault(
    "E39",
    "each question of a user without documents leaves a connection to the database open, inside a transaction",
    "api/chat/rag/database",
    "postdeploy",
    mode="-",
    about="*connection*|*transaction*|*session*",
)
def connection_left(plan: Plan) -> None:
    plan.replace_in_source(RETRIEVAL, "from backend.shared.config", "import asyncpg\nfrom backend.shared.config")
    plan.replace_in_source(
        RETRIEVAL, "EMBEDDING_SECONDS = 15.0\n", "EMBEDDING_SECONDS = 15.0\nUNDER_WAY: set[asyncpg.Connection] = set()\n"
    )
    plan.replace_in_source(
        RETRIEVAL,
        '    async with pool.acquire() as connection, connection.transaction():\n        await connection.execute("SET LOCAL',
        """    # The settings of a search stay away from the connections of everything else.
    connection = await asyncpg.connect(
        config.database_url,
        statement_cache_size=0,
        timeout=5,
        command_timeout=20,
        server_settings={"search_path": f"{config.schema},public", "jit": "off"},
    )
    UNDER_WAY.add(connection)
    search = connection.transaction()
    await search.start()
    if True:
        await connection.execute("SET LOCAL""",
    )
    plan.replace_in_source(
        RETRIEVAL,
        "    passages = [Passage(",
        """    if not rows:
        return []
    await search.commit()
    await connection.close()
    UNDER_WAY.discard(connection)
    passages = [Passage(""",
    )


@fault(
    "E40",
    "the first request for the health after a pause is answered with what was found before the pause",
    "api",
    "postdeploy",
    mode="F19",
    about="*health*|*timestamp*|*cache*|*old*",
)
def stale_after_a_pause(plan: Plan) -> None:
    plan.replace_in_source(
        HEALTH,
        "            _cache.update(body=await collect(request), at=time.monotonic())\n        body",
        """            if "body" not in _cache:
                await _refresh(request)
            else:
                # Nobody waits for the checks: this caller gets what is there, the next one what is found now.
                _cache["task"] = asyncio.create_task(_refresh(request))
        body""",
    )
    plan.replace_in_source(
        HEALTH,
        '@router.get("/health")\n',
        """async def _refresh(request: Request) -> None:
    _cache.update(body=await collect(request), at=time.monotonic())


@router.get("/health")
""",
    )
