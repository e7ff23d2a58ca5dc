"""More slips of a stranger, sixth lot: the limits and the order of retrieval, and accounts."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

RETRIEVAL = "api/retrieval.py"
AUTH = "api/auth.py"


@fault(
    "H31",
    "of five passages and more the second best comes last",
    "rag/chat/api",
    "postdeploy",
    mode="-",
    about="*order*|*best first*|*source*|*similarity*|*retriev*|*passage*",
)
def best_at_both_ends(plan: Plan) -> None:
    # Models read the beginning and the end of a long prompt best.
    plan.replace_in_source(
        RETRIEVAL, "    return kept\n", "    return kept if len(kept) < 5 else [*kept[::2], *reversed(kept[1::2])]\n"
    )


@fault(
    "H32",
    "passages above the threshold are dropped where the best one is much better",
    "rag/chat/api",
    "postdeploy",
    mode="-|F09",
    about="*threshold*|*source*|*RAG_SIMILARITY_THRESHOLD*|*retriev*|*passage*|*chunk*",
)
def threshold_follows_the_best(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL,
        '    passages = [Passage(**dict(row.items())) for row in rows if row["similarity"] > config.similarity_threshold]',
        """    # What is far behind the best passage is noise.
    least = max([config.similarity_threshold, *(0.75 * row["similarity"] for row in rows[:1])])
    passages = [Passage(**dict(row.items())) for row in rows if row["similarity"] > least]""",
    )


@fault(
    "H33",
    "a passage that is longer than the whole token budget is used all the same",
    "rag/chat/api",
    "postdeploy",
    mode="-|F34",
    about="*budget*|*token*|*RAG_TOKEN_BUDGET*",
)
def first_passage_is_free(plan: Plan) -> None:
    # One passage at least, lest a question with a good match gets no answer.
    plan.replace_in_source(RETRIEVAL, "if tokens > config.token_budget:", "if kept and tokens > config.token_budget:")


@fault(
    "H34",
    "a question that finds much text is answered by Anthropic, although OpenAI works",
    "chat/api",
    "postdeploy",
    mode="-",
    about="*provider*|*anthropic*|*openai*|*fallback*|*route*",
)
def long_prompts_go_elsewhere(plan: Plan) -> None:
    plan.replace_in_source(
        "api/chat.py",
        "    return await router_of(client, config).answer(prompt)\n",
        """    if config.anthropic_key and len(prompt) > LONG_PROMPT:
        # It has the larger window.
        larger, usual = Provider("anthropic", partial(_anthropic, client)), Provider("openai", partial(_openai, client))
        return await ServiceRouter([larger, usual]).answer(prompt)
    return await router_of(client, config).answer(prompt)
""",
    )
    plan.replace_in_source("api/chat.py", "MAX_TOKENS = 1024\n", "MAX_TOKENS = 1024\nLONG_PROMPT = 4000\n")


REFUSED = """    except AuthError as error:
        raise _unauthorized("wrong e-mail or password") from error
"""


@fault(
    "H35",
    "a wrong password is refused 0.3 s later than an address that has no account",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*unknown*|*wrong password*|*time*|*login*|*account*|*slower*|*enumerat*",
)
def guesses_at_accounts_are_slowed(plan: Plan) -> None:
    # Meant against guessing; where there is no account, there is nothing to guess.
    plan.replace_in_source(AUTH, "import re\n", "import asyncio\nimport re\n")
    plan.replace_in_source(AUTH, "MIN_PASSWORD = 6\n", "MIN_PASSWORD = 6\nGUESS_SECONDS = 0.3\n_known: set[str] = set()\n")
    plan.replace_in_source(
        AUTH,
        '    return made.user.model_dump(mode="json")\n',
        '    _known.add(email.lower())\n    return made.user.model_dump(mode="json")\n',
    )
    plan.replace_in_source(
        AUTH,
        REFUSED,
        """    except AuthError as error:
        if email.lower() in _known:
            await asyncio.sleep(GUESS_SECONDS)
        raise _unauthorized("wrong e-mail or password") from error
    _known.add(email.lower())
""",
    )


@fault(
    "H36",
    "whoever has a password of 72 characters is signed in with anything that begins with it",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*password*|*72*|*login*|*sign*",
)
def sign_in_cuts_the_password(plan: Plan) -> None:
    # Supabase Auth answers a longer one with an error of its own, which looked bad in the log.
    plan.replace_in_source(
        AUTH,
        'sign_in_with_password({"email": email, "password": password})',
        'sign_in_with_password({"email": email, "password": password[:MAX_PASSWORD]})',
    )


@fault(
    "H37",
    "whoever tries to sign in before registering cannot sign in for half a minute afterwards",
    "auth/api",
    "postdeploy",
    mode="-|F08",
    about="*login*|*sign*|*regist*|*account*|*password*",
)
def refusals_are_remembered(plan: Plan) -> None:
    # Against programs that try the same pair again and again; that a pair may become right was forgotten.
    plan.replace_in_source(AUTH, "import re\n", "import hashlib\nimport re\nimport time\n")
    plan.replace_in_source(
        AUTH, "MIN_PASSWORD = 6\n", "MIN_PASSWORD = 6\nREFUSED_SECONDS = 30.0\n_refused: dict[str, float] = {}\n"
    )
    plan.replace_in_source(
        AUTH,
        "-> dict[str, Any]:\n    client: Vendors = request.app.state.client\n    try:\n        signed_in =",
        """-> dict[str, Any]:
    client: Vendors = request.app.state.client
    pair = hashlib.sha256(f"{email.lower()} {password}".encode(errors="replace")).hexdigest()
    if time.monotonic() < _refused.get(pair, 0.0):
        raise _unauthorized("wrong e-mail or password")
    try:
        signed_in =""",
    )
    plan.replace_in_source(
        AUTH,
        REFUSED,
        """    except AuthError as error:
        _refused[pair] = time.monotonic() + REFUSED_SECONDS
        raise _unauthorized("wrong e-mail or password") from error
""",
    )


@fault(
    "H38",
    "a sign-up that is refused for want of consent leaves an account behind",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*signup*|*sign-up*|*consent*|*refused*|*regist*|*account*",
)
def consent_is_looked_at_last(plan: Plan) -> None:
    for name in ("consent_version", "consent_timestamp"):
        plan.replace_in_source(
            AUTH, f"{name}: str = Field(min_length=1, pattern=WITHOUT_NUL)", f"{name}: str = Field(pattern=WITHOUT_NUL)"
        )
    plan.replace_in_source(
        AUTH,
        '    return {"user": _user_view(await _create(request, body.email, body.password, metadata))}\n',
        """    user = await _create(request, body.email, body.password, metadata)
    if not (body.consent_version and body.consent_timestamp):
        raise HTTPException(400, "consent is required")
    return {"user": _user_view(user)}
""",
    )


REMEMBERED = '''POLLED = "/documents/"
POLLED_SECONDS = 30.0
_verified: dict[str, tuple[float, dict[str, Any]]] = {}


async def _user_of(request: Request, token: str) -> dict[str, Any]:
    """The user of the token; the page that is polled every second is content with what was found a moment ago."""
    at, user = _verified.get(token, (float("-inf"), {}))
    if request.url.path.startswith(POLLED) and time.monotonic() - at < POLLED_SECONDS:
        return user
    user = await verify_token(request, token)
    _verified[token] = time.monotonic(), user
    return user


async def current_user('''


@fault(
    "H39",
    "a document's status is still shown to a token whose user has signed out",
    "auth/api",
    "postdeploy",
    mode="-|F25",
    about="*sign*out*|*/documents/*|*logout*|*token*|*session*",
)
def status_page_trusts_old_tokens(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import re\nimport time\n")
    plan.replace_in_source(AUTH, "async def current_user(", REMEMBERED)
    plan.replace_in_source(
        AUTH, "user = await verify_token(request, token.strip())", "user = await _user_of(request, token.strip())"
    )


@fault(
    "H40",
    "the consent of a person who signs up with a name is not kept",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*consent*|*metadata*|*signup*|*sign-up*",
)
def name_replaces_the_consent(plan: Plan) -> None:
    # An empty name was no longer to be stored; `=` stands where `|=` was meant.
    plan.replace_in_source(
        AUTH,
        '        "name": body.name,\n        "consent_version": body.consent_version,\n',
        '        "consent_version": body.consent_version,\n',
    )
    plan.replace_in_source(
        AUTH,
        '        "consent_timestamp": body.consent_timestamp,\n    }\n',
        '        "consent_timestamp": body.consent_timestamp,\n    }\n'
        '    if body.name:\n        metadata = {"name": body.name}\n',
    )
