"""A stranger's variants of what callers see: refusals, tokens, accounts."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.build import write

APPLICATION = "api/application.py"
AUTH = "api/auth.py"
UPLOADS = "api/uploads.py"
VENDORS = "backend/shared/vendors.py"
ADVICE = '''"""What a refusal says besides its reason: a code, the request's id, where to read more, and when to come again."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from backend.shared.logs import REQUEST_ID


def advised(status: int, detail: Any) -> dict[str, Any]:
    """The body of a refusal."""
    said = detail if isinstance(detail, dict) else {"detail": detail}
    code = HTTPStatus(status).name.lower()
    return {"code": code, "request_id": REQUEST_ID.get(), "help": "/docs", **said}


def later(seconds: int, limit: int) -> dict[str, str]:
    """Headers of 429."""
    return {
        "Retry-After": str(seconds),
        "RateLimit-Limit": str(limit),
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": str(seconds),
    }
'''
KNOWN = '''"""Users of tokens that were verified a moment ago: a page's several requests ask Supabase Auth once."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

KEPT_SECONDS = 5.0
MOST = 1000


def _seconds_left(token: str) -> float:
    """Until the token expires, by what it says itself; it has been verified."""
    try:
        part = token.split(".")[1]
        return float(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["exp"]) - time.time()
    except (ValueError, LookupError, TypeError):
        return 0.0


class KnownTokens:
    """Keeps the user of a verified token for a few seconds, never beyond its expiry; refusals are not kept."""

    def __init__(self) -> None:
        self._kept: dict[bytes, tuple[float, dict[str, Any]]] = {}
        self._asking: dict[bytes, asyncio.Task[dict[str, Any]]] = {}

    async def user(self, token: str, ask: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        """The token's user; whoever comes while it is being asked for waits for the same answer."""
        key = hashlib.sha256(token.encode()).digest()
        until, user = self._kept.get(key, (0.0, {}))
        if until > time.monotonic():
            return user
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._ask(key, token, ask))
        return await asyncio.shield(task)

    async def _ask(self, key: bytes, token: str, ask: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        try:
            user = await ask()
        finally:
            del self._asking[key]
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[key] = (time.monotonic() + min(KEPT_SECONDS, _seconds_left(token)), user)
        return user
'''
USERS = '''    @property
    def users(self) -> AsyncGoTrueClient:
        """The project's users, with the service-role key."""
        key = self._config.service_key
        return AsyncGoTrueClient(
            url=f"{self._config.supabase_url}/auth/v1",
            headers={"apikey": key, "Authorization": f"Bearer {key}"},
            auto_refresh_token=False,
            persist_session=False,
            http_client=self.http,
        )

    @cached_property
    def anthropic('''


@variant("M07", "refusals carry a code, the request's id and advice; 429 says when to come again, a challenge what was wrong")
def advice(plan: Plan) -> None:
    """Field: keys of a JSON object, headers: nobody's business; contract: `401 with WWW-Authenticate: Bearer`, 429, 409."""
    write(plan, "api/advice.py", ADVICE)
    plan.replace_in_source(APPLICATION, "from api import auth,", "from api.advice import advised\nfrom api import auth,")
    plan.replace_in_source(
        APPLICATION,
        'body = error.detail if isinstance(error.detail, dict) else {"detail": error.detail}\n',
        "body = advised(error.status_code, error.detail)\n",
    )
    plan.replace_in_source(
        AUTH,
        'headers={"WWW-Authenticate": "Bearer"})\n',
        'headers={"WWW-Authenticate": f"Bearer {CHALLENGES.get(reason, REALM)}"})\n',
    )
    plan.replace_in_source(
        AUTH,
        'WITHOUT_NUL = r"',
        "REALM = 'realm=\"insurance-navigator\"'\n"
        'INVALID = f\'{REALM}, error="invalid_token", error_description="The access token is invalid or has expired"\'\n'
        "# RFC 6750: nothing is said of an error where no token was given.\n"
        'CHALLENGES = {"invalid or expired token": INVALID}\nWITHOUT_NUL = r"',
    )
    plan.replace_in_source(UPLOADS, "from api.auth import Caller", "from api.advice import later\nfrom api.auth import Caller")
    for limit, seconds, words in (
        ("MAX_CONCURRENT_JOBS", 30, "jobs may run at once"),
        ("MAX_UPLOADS_PER_DAY", 3600, "documents a day"),
    ):
        old = f'f"at most {{{limit}}} {words}")'
        plan.replace_in_source(UPLOADS, old, f"{old[:-1]}, headers=later({seconds}, {limit}))")
    plan.replace_in_source(
        UPLOADS,
        "        raise HTTPException(409, detail)\n",
        '        page = f"/documents/{document_id_of(user.id, sha256)}/status"\n'
        '        detail["status_url"] = page\n'
        '        raise HTTPException(409, detail, headers={"Link": f\'<{page}>; rel="describedby"\'})\n',
    )


@variant("M08", "who a token belongs to is known for five seconds, never beyond its expiry; requests at the same time ask once")
def known_tokens(plan: Plan) -> None:
    """Contract: 401 for a token that is not valid; Auth lists `GET /user`, and not how often it is asked."""
    write(plan, "api/known_tokens.py", KNOWN)
    plan.replace_in_source(AUTH, "router = APIRouter()\n", "from api.known_tokens import KnownTokens\n\nrouter = APIRouter()\n")
    plan.replace_in_source(AUTH, "router = APIRouter()\n", "router = APIRouter()\nKNOWN = KnownTokens()\n")
    plan.replace_in_source(
        AUTH,
        "user = await verify_token(request, token.strip())",
        "user = await KNOWN.user(token.strip(), partial(verify_token, request, token.strip()))",
    )
    plan.replace_in_source(
        AUTH, "from typing import Annotated,", "from functools import partial\nfrom typing import Annotated,"
    )


@variant("M09", "accounts are made by the service itself, with the service-role key, and are confirmed at once")
def made_by_the_service(plan: Plan) -> None:
    """Contract, Auth: `POST /admin/users` beside `POST /signup`; of POST /register: `200, user created`, 400/409."""
    plan.replace_in_source(VENDORS, "    @cached_property\n    def anthropic(", USERS)
    plan.replace_in_source(
        AUTH,
        'client.auth.sign_up({"email": email, "password": password, "options": {"data": metadata}})',
        "client.users.admin.create_user(account)",
    )
    plan.replace_in_source(
        AUTH,
        "    if len(password) > MAX_PASSWORD:",
        "    # The administrator's way does not ask for a length of its own.\n"
        "    if len(password) < MIN_PASSWORD:\n"
        '        raise HTTPException(400, f"password is shorter than {MIN_PASSWORD} characters")\n'
        '    account: Any = {"email": email, "password": password, "email_confirm": True, "user_metadata": metadata}\n'
        "    if len(password) > MAX_PASSWORD:",
    )
