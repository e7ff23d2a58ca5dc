"""Faults of a stranger's release: conversations, providers and accounts."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
CHAT = "api/chat.py"


FOLLOW_UP = '''

def _with_context(body: ChatRequest, user_id: Any) -> str:
    """The question, with the one before it where it is a short one in a conversation that goes on."""
    before = _before.pop(user_id, "")
    _before[user_id] = body.message
    while len(_before) > MOST_REMEMBERED:
        _before.pop(next(iter(_before)))
    return f"{before}\\n{body.message}" if before and body.conversation_id and len(body.message) < 100 else body.message


def _sources('''


@fault(
    "Q31",
    "a short question is understood with the user's last one, though that belongs to another conversation",
    "rag/api/chat",
    "postdeploy",
    mode="-",
    about="*conversation*|*another question*|*question before*|*earlier question*|*previous question*|*context*"
    "|*kept apart*|*mixed*|*nearest*|*similarity*|*sources*",
)
def mixed_conversations(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "MAX_TOKENS = 1024\n",
        "MAX_TOKENS = 1024\n_before: dict[Any, str] = {}\nMOST_REMEMBERED = 1000\n",
    )
    plan.replace_in_source(CHAT, "\n\ndef _sources(", FOLLOW_UP)
    plan.replace_in_source(
        CHAT,
        "    try:\n        passages = await retrieve(request.app.state.pool, client, config, user.id, body.message)\n",
        "    question = _with_context(body, user.id)\n"
        "    try:\n        passages = await retrieve(request.app.state.pool, client, config, user.id, question)\n",
    )
    plan.replace_in_source(CHAT, "_prompt(body.message, passages)", "_prompt(question, passages)")


@fault(
    "Q32",
    "long prompts go to Anthropic first, though OpenAI works",
    "api/anthropic/openai/rag",
    "postdeploy",
    mode="-",
    about="*provider*|*anthropic*|*fallback*|*route*|*openai*|*alternative*",
)
def long_prompts_elsewhere(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "def router_of(client: Vendors, config: Config) -> ServiceRouter:",
        'def router_of(client: Vendors, config: Config, prompt: str = "") -> ServiceRouter:',
    )
    plan.replace_in_source(
        CHAT,
        '    return ServiceRouter([*providers, Provider("anthropic", partial(_anthropic, client))])\n',
        '    providers.append(Provider("anthropic", partial(_anthropic, client)))\n'
        "    # The small model loses the middle of a long prompt.\n"
        "    return ServiceRouter(providers[::-1] if len(prompt) > LONG_PROMPT else providers)\n",
    )
    plan.replace_in_source(CHAT, "MAX_TOKENS = 1024\n", "MAX_TOKENS = 1024\nLONG_PROMPT = 3000\n")
    plan.replace_in_source(CHAT, "router_of(client, config).answer(prompt)", "router_of(client, config, prompt).answer(prompt)")


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
        "    except AuthError as error:\n"
        "        raise HTTPException(409 if error.code in TAKEN else 400, error.message) from error\n",
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
    about="*timing*|*same time*|*seconds*|*unknown address*|*known address*|*enumerat*|*same answer*|*wrong password*"
    "|*longer*|*slower*|*/login*|*account exists*",
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
