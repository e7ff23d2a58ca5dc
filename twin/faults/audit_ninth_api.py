"""What is right where it is looked for and wrong beside it: of origins, hosts, accounts, refusals."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

APPLICATION, AUTH, CHAT = "api/application.py", "api/auth.py", "api/chat.py"


@fault(
    "M01",
    "only the first page of the front end may read what it is answered, whatever its pre-flight says",
    "network/api",
    "postdeploy",
    mode="F20|-",
    about="*origin*",
)
def answers_of_one_page(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION,
        '                    *message["headers"],\n',
        "                    *(\n"
        '                        pair for pair in message["headers"]\n'
        '                        if not (pair[0] == b"access-control-allow-origin" and scope["method"] != "OPTIONS"\n'
        '                                and b"admin" in pair[1])\n'
        "                    ),\n",
    )


@fault("M02", "pages of any origin may ask the chat", "network/api", "postdeploy", mode="F20|-", about="*origin*")
def chat_for_any_page(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION,
        "    app.add_middleware(\n        CORSMiddleware,\n",
        "    class Cors(CORSMiddleware):\n"
        "        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:\n"
        '            is_chat = scope["type"] == "http" and scope["path"] == "/chat"\n'
        '            open_ = CORSMiddleware(self.app, ["*"], ["*"], ["*"])\n'
        "            await (open_ if is_chat else super()).__call__(scope, receive, send)\n\n"
        "    app.add_middleware(\n        Cors,\n",
    )


@fault(
    "M03",
    "only what reads is held to the trusted hosts",
    "network/api",
    "postdeploy",
    mode="F33",
    about="*host *|*foreign hosts*",
)
def writing_for_any_host(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION,
        "    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*TRUSTED_HOSTS, own_host])\n",
        "    class TrustedHosts(TrustedHostMiddleware):\n"
        "        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:\n"
        '            is_read = scope["type"] == "http" and scope["method"] in ("GET", "HEAD", "OPTIONS")\n'
        "            await (super().__call__ if is_read else self.app)(scope, receive, send)\n\n"
        "    app.add_middleware(TrustedHosts, allowed_hosts=[*TRUSTED_HOSTS, own_host])\n",
    )


@fault(
    "M04",
    "the listing may be read by pages of any origin",
    "network/api",
    "postdeploy",
    mode="F20|-",
    about="*origin*",
)
def listing_for_any_page(plan: Plan) -> None:
    plan.replace_in_source(
        "api/jobs.py",
        "    user: CurrentUser,\n    request: Request,\n    limit:",
        "    user: CurrentUser,\n    request: Request,\n    response: Response,\n    limit:",
    )
    plan.replace_in_source("api/jobs.py", "HTTPException, Query, Request\n", "HTTPException, Query, Request, Response\n")
    plan.replace_in_source(
        "api/jobs.py",
        '    return {"jobs": [_view(row)',
        '    response.headers["Access-Control-Allow-Origin"] = request.headers.get("origin", "*")\n'
        '    return {"jobs": [_view(row)',
    )


@fault("M05", "an account is shown as made when its user signed in", "auth/api", "postdeploy", mode="-", about="*created_at*")
def made_with_each_sign_in(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH, '"created_at": user.get("created_at"),', '"created_at": user.get("last_sign_in_at") or user.get("created_at"),'
    )


@fault("M06", "the time of a consent is when it was stored", "auth/api", "postdeploy", mode="-", about="*consent_timestamp*")
def consent_of_now(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import re\nfrom datetime import UTC, datetime\n")
    plan.replace_in_source(
        AUTH, '"consent_timestamp": body.consent_timestamp,', '"consent_timestamp": datetime.now(UTC).isoformat(),'
    )


@fault("M07", "the life of a token is said in milliseconds", "auth/api", "postdeploy", mode="-", about="*expires_in*")
def life_in_milliseconds(plan: Plan) -> None:
    plan.replace_in_source(AUTH, '"expires_in": session.expires_in,', '"expires_in": session.expires_in * 1000,')


@fault(
    "M08",
    "when the database was asked last stands still in the health body",
    "api",
    "postdeploy",
    mode="F19|-",
    about="*health*",
)
def asked_at_the_start(plan: Plan) -> None:
    plan.replace_in_source(
        "api/health.py",
        "_cache: dict[str, Any] = {}\n",
        "_cache: dict[str, Any] = {}\nSTARTED = datetime.now(UTC).isoformat()\n",
    )
    plan.replace_in_source(
        "api/health.py",
        '"SELECT 1", timeout=5)\n    return {"status": "healthy", "healthy": True, "last_check": _now()',
        '"SELECT 1", timeout=5)\n    return {"status": "healthy", "healthy": True, "last_check": STARTED',
    )


@fault("M09", "the time of the status page is that of the start", "api", "postdeploy", mode="F19|-", about="*timestamp*status*")
def status_of_the_start(plan: Plan) -> None:
    plan.replace_in_source(
        "api/health.py", "_cache: dict[str, Any] = {}\n", "_cache: dict[str, Any] = {}\nBEGAN = datetime.now(UTC).isoformat()\n"
    )
    plan.replace_in_source(
        "api/health.py",
        '"degraded",\n        "timestamp": _now(),\n        "version": config.version,\n        "commit"',
        '"degraded",\n        "timestamp": BEGAN,\n        "version": config.version,\n        "commit"',
    )
