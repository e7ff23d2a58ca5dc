"""Variants aimed at who may ask the API what, and from where; each says what allows it."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.build import write
from twin.variants.release import APPLICATION, retouch
from twin.variants.reshaped import Headers

AUTH = "api/auth.py"
CORS = "    app.add_middleware(\n        CORSMiddleware,\n"
HOSTS = "    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*TRUSTED_HOSTS, own_host])\n"
RESET = '''

class Forgotten(BaseModel):
    """Body of POST /auth/password-reset."""

    email: str = Field(min_length=3, max_length=254, pattern=WITHOUT_NUL)


@router.post("/auth/password-reset", status_code=202)
async def password_reset(body: Forgotten) -> dict[str, str]:
    """Sends a link, if there is such an account; the response is the same if there is none."""
    return {"message": "If there is an account with this address, a link is on its way to it."}


@router.get("/livez")
async def live() -> dict[str, str]:
    """For whoever keeps the container alive."""
    return {"status": "ok"}
'''
DENIED = '''"""Whoever has no token gets no further than the open pages."""

from __future__ import annotations

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

OPEN = {"/", "/health", "/api/v1/status", "/docs", "/openapi.json", "/register", "/login", "/auth/signup", "/auth/login"}
OPEN |= {"/api/upload-pipeline/upload/limits"}
SIGNED = "/api/upload-pipeline/webhook/"


class Denied:
    """Refuses before it is known whether there is such a page."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] != "OPTIONS" and not self._may_pass(scope):
            refusal = JSONResponse({"detail": "not authenticated"}, 401, {"WWW-Authenticate": "Bearer"})
            await refusal(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _may_pass(self, scope: Scope) -> bool:
        path = scope["path"]
        scheme, _, token = dict(scope["headers"]).get(b"authorization", b"").partition(b" ")
        return path in OPEN or path.startswith(SIGNED) or (scheme.lower() == b"bearer" and bool(token.strip()))
'''
MOVED = '''"""One name for the API: what asks for it under another host is sent there."""

from __future__ import annotations

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class OneHost:
    """Answers trusted hosts, and redirects all others without repeating what they sent."""

    def __init__(self, app: ASGIApp, hosts: list[str], own: str) -> None:
        self.app, self.hosts, self.own = app, hosts, own.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._is_trusted(scope):
            await RedirectResponse(self.own + scope["path"], status_code=301)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _is_trusted(self, scope: Scope) -> bool:
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1").partition(":")[0].lower()
        return any(host == each or (each.startswith("*") and host.endswith(each[1:])) for each in self.hosts)
'''
LOCK = """
_FAILED: dict[str, list[float]] = {}
ATTEMPTS = 5
LOCKED_SECONDS = 60.0


def _refuse_locked(email: str) -> None:
    now = time.monotonic()
    recent = [at for at in _FAILED.get(email, []) if now - at < LOCKED_SECONDS]
    _FAILED[email] = recent
    if len(recent) >= ATTEMPTS:
        raise HTTPException(429, "too many attempts", headers={"Retry-After": str(int(LOCKED_SECONDS))})


async def _sign_in("""


@variant("W37", "further pages need no token: asking for a new password, and a sign of life")
def further_open_pages(plan: Plan) -> None:
    """Field: extra routes are nobody's business; these are no test endpoints, and give nothing away."""
    file = plan.source / AUTH
    file.write_text(file.read_text() + RESET)


@variant("W38", "without a token all but the open pages are 401, before it is known whether there is such a page")
def denied_by_default(plan: Plan) -> None:
    """Contract: 401 for what needs a token; what an unknown page answers is not said (field: 404 or 405)."""
    write(plan, "api/denied.py", DENIED)
    plan.replace_in_source(APPLICATION, CORS, f"    from api.denied import Denied\n\n    app.add_middleware(Denied)\n{CORS}")


def _first_origin(method: str, path: str, status: int, headers: Headers) -> tuple[int, Headers]:
    if any(name.lower() == b"access-control-allow-origin" for name, _ in headers):
        return status, headers
    return status, [*headers, (b"Access-Control-Allow-Origin", b"https://staging.accessa.ai"), (b"Vary", b"Origin")]


@variant("W39", "whoever is no origin of the front end gets the front end's first origin, which their browser refuses")
def first_origin(plan: Plan) -> None:
    """§1 CORS Configuration: only these origins are allowed; a header that names another page's origin allows none else."""
    retouch(plan, _first_origin)


@variant("W40", "a request for a foreign host is redirected to the API's own address")
def redirected_hosts(plan: Plan) -> None:
    """§1 Trusted Hosts lists who is served; how others are turned away is not said."""
    write(plan, "api/one_host.py", MOVED)
    own = "    from api.one_host import OneHost\n\n    hosts = [*TRUSTED_HOSTS, own_host]\n"
    plan.replace_in_source(APPLICATION, HOSTS, own + "    app.add_middleware(OneHost, hosts=hosts, own=config.api_base_url)\n")


@variant("W41", "an account is locked for a minute after five wrong passwords, and says so by 429")
def locked_accounts(plan: Plan) -> None:
    """Contract: 401 for a wrong password; neither page says that one may guess for ever."""
    plan.replace_in_source(AUTH, "import re\n", "import re\nimport time\n")
    plan.replace_in_source(AUTH, "\nasync def _sign_in(", LOCK)
    plan.replace_in_source(
        AUTH,
        "    client: Vendors = request.app.state.client\n    try:\n        signed_in",
        "    _refuse_locked(email)\n    client: Vendors = request.app.state.client\n    try:\n        signed_in",
    )
    plan.replace_in_source(
        AUTH,
        '    except AuthError as error:\n        raise _unauthorized("wrong e-mail',
        "    except AuthError as error:\n        _FAILED[email].append(time.monotonic())\n"
        '        raise _unauthorized("wrong e-mail',
    )
    plan.replace_in_source(
        "api/description.py", "Operation(schemas.SignedIn, (400, 401, ", "Operation(schemas.SignedIn, (400, 401, 429, "
    )
