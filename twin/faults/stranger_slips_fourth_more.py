"""A stranger's defects of the provider that answers, of accounts, and of what shows only after many requests or a pause."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
CHAT = "api/chat.py"
UPLOADS = "api/uploads.py"
EMBEDDINGS = "backend/shared/embeddings.py"


@fault(
    "K33",
    "questions in another language than English are answered by the fallback while OpenAI works",
    "api",
    "postdeploy",
    mode="-",
    about="*provider*|*anthropic*|*openai*|*fallback*|*language*|*route*",
)
def other_languages_elsewhere(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "async def complete(client: Vendors, config: Config, prompt: str) -> Routed:",
        "async def complete(client: Vendors, config: Config, prompt: str, language: str | None = None) -> Routed:",
    )
    plan.replace_in_source(
        CHAT,
        "    return await router_of(client, config).answer(prompt)\n",
        """    if language and not language.lower().startswith("en") and config.anthropic_key:
        return await ServiceRouter(
            [Provider("anthropic", partial(_anthropic, client)), Provider("openai", partial(_openai, client))]
        ).answer(prompt)
    return await router_of(client, config).answer(prompt)
""",
    )
    plan.replace_in_source(
        CHAT,
        "complete(client, config, _prompt(body.message, passages))",
        "complete(client, config, _prompt(body.message, passages), body.user_language)",
    )


@fault(
    "K34",
    "a wrong password takes longer for an address that has signed in before",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*login*|*sign*in*|*unknown address*|*wrong password*|*time*",
)
def slow_for_known_addresses(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import asyncio\nimport re\n")
    plan.replace_in_source(
        AUTH,
        'WITHOUT_NUL = r"^[^\\x00]*$"\n',
        'WITHOUT_NUL = r"^[^\\x00]*$"\nGUESSING_SECONDS = 0.4\n_accounts: set[str] = set()\n',
    )
    plan.replace_in_source(
        AUTH,
        '        raise _unauthorized("wrong e-mail or password") from error\n',
        """        if email.lower() in _accounts:
            # Slow down whoever guesses the password of an account.
            await asyncio.sleep(GUESSING_SECONDS)
        raise _unauthorized("wrong e-mail or password") from error
""",
    )
    plan.replace_in_source(
        AUTH, "    session = signed_in.session\n", "    session = signed_in.session\n    _accounts.add(email.lower())\n"
    )


@fault(
    "K35",
    "a password whose first letter is of the other case signs in",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*login*|*password*|*sign*in*|*case*",
)
def first_letter_of_either_case(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        '        signed_in = await _asked(client.auth.sign_in_with_password({"email": email, "password": password}))\n',
        """        try:
            signed_in = await _asked(client.auth.sign_in_with_password({"email": email, "password": password}))
        except AuthError:
            # Keyboards of telephones begin a field with a capital letter.
            typed = password[0].swapcase() + password[1:]
            if typed == password:
                raise
            signed_in = await _asked(client.auth.sign_in_with_password({"email": email, "password": typed}))
""",
    )


@fault(
    "K36",
    "an address whose registration was refused once can never register again",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*register*|*registration*|*signup*|*sign-up*|*refused*|*left behind*",
)
def refused_stays_reserved(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        'T = TypeVar("T")\n',
        'T = TypeVar("T")\n# Registrations under way: a double click makes one account.\n_under_way: set[str] = set()\n',
    )
    plan.replace_in_source(
        AUTH,
        "    try:\n        made = await _asked(",
        """    if email.lower() in _under_way:
        raise HTTPException(409, "this address is being registered")
    _under_way.add(email.lower())
    try:
        made = await _asked(""",
    )
    plan.replace_in_source(
        AUTH, "    if made.user is None:\n", "    _under_way.discard(email.lower())\n    if made.user is None:\n"
    )


@fault(
    "K37",
    "who polled a job or a document reads on for a minute after signing out",
    "auth/api",
    "postdeploy",
    mode="F25|-",
    about="*sign*out*|*signed out*|*token*|*session*|*logout*|*jobs*|*documents/*",
)
def remembered_while_polling(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import re\nimport time\n")
    plan.replace_in_source(
        AUTH,
        "async def verify_token(",
        """POLLED = ("/api/upload-pipeline/jobs/", "/documents/")
REMEMBERED_SECONDS = 60.0
_remembered: dict[str, tuple[float, dict[str, Any]]] = {}


async def verify_token(""",
    )
    plan.replace_in_source(
        AUTH,
        "    client: Vendors = request.app.state.client\n    try:\n        reply = ",
        """    # Progress is asked for every second: Supabase Auth need not be asked each time.
    is_polled = request.method == "GET" and request.url.path.startswith(POLLED)
    until, known = _remembered.get(token, (0.0, {}))
    if is_polled and time.monotonic() < until:
        return known
    client: Vendors = request.app.state.client
    try:
        reply = """,
    )
    plan.replace_in_source(
        AUTH,
        '    user: dict[str, Any] = reply.user.model_dump(mode="json")\n',
        """    user: dict[str, Any] = reply.user.model_dump(mode="json")
    if is_polled:
        _remembered[token] = (time.monotonic() + REMEMBERED_SECONDS, user)
""",
    )


@fault(
    "K38",
    "each session that uploads leaves a client of storage with its connection behind",
    "api",
    "performance",
    mode="F18|-",
    about="*connection*|*memory*|*upload*|*grow*",
)
def client_for_each_session(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        "from backend.shared.storage import BUCKET, StorageError, object_key\n",
        "from backend.shared.storage import BUCKET, Storage, StorageError, object_key\n"
        "from backend.shared.vendors import Vendors\n",
    )
    plan.replace_in_source(
        UPLOADS,
        "def document_id_of(",
        '''_signers: dict[str, Storage] = {}


def _signer(request: Request, user: Caller) -> Storage:
    """A client of storage for each session, so that one user's large files hold up nobody else."""
    if user.token not in _signers:
        _signers[user.token] = Storage(Vendors(request.app.state.config, 30.0))
    return _signers[user.token]


def document_id_of(''',
    )
    plan.replace_in_source(
        UPLOADS,
        "await request.app.state.storage.create_signed_upload(",
        "await _signer(request, user).create_signed_upload(",
    )


@fault(
    "K39",
    "every reply with embeddings is kept, so that memory grows with each question",
    "api/rag",
    "performance",
    mode="-",
    about="*memory*|*grow*|*MB*",
)
def replies_kept(plan: Plan) -> None:
    plan.replace_in_source(
        EMBEDDINGS,
        "def check_vector(",
        "# For the costs, which are summed up by `cost_cents`.\nREPLIES: list[object] = []\n\n\ndef check_vector(",
    )
    plan.replace_in_source(
        EMBEDDINGS,
        "        vectors = [item.embedding",
        "        REPLIES.append(reply)\n        vectors = [item.embedding",
    )


@fault(
    "K40",
    "the first request after a quiet while is answered 503",
    "api",
    "performance",
    mode="-",
    about="*pause*|*idle*|*first request*|*quiet*|*503*|*/me*|*http.status*",
)
def asleep_after_a_pause(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import re\nimport time\n")
    plan.replace_in_source(
        AUTH,
        "async def current_user(",
        '''IDLE_SECONDS = 20.0


async def _awake(request: Request) -> None:
    """The pooler drops idle connections: after a pause they are made anew, and the client tries once more."""
    state, now = request.app.state, time.monotonic()
    idle, state.called = now - getattr(state, "called", now), now
    if idle > IDLE_SECONDS:
        await state.pool.expire_connections()
        raise HTTPException(503, "waking up", headers={"Retry-After": "1"})


async def current_user(''',
    )
    plan.replace_in_source(
        AUTH,
        '    scheme, _, token = request.headers.get("authorization", "").partition(" ")\n',
        '    await _awake(request)\n    scheme, _, token = request.headers.get("authorization", "").partition(" ")\n',
    )
