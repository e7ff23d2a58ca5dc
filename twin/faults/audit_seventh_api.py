"""What is right in the ordinary case and wrong in one other: of the chat, of signing in, of hosts."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

APPLICATION, AUTH, CHAT = "api/application.py", "api/auth.py", "api/chat.py"


@fault("D01", "an answer without passages has no `response`", "chat/api", "postdeploy", mode="-", about="*response*|*/chat*")
def no_response(plan: Plan) -> None:
    plan.replace_in_source(CHAT, '        "response": text,\n', '        "response": text if sources else None,\n')


@fault(
    "D02",
    "an answer without passages begins a new conversation",
    "chat/api",
    "postdeploy",
    mode="-",
    about="*conversation*",
)
def another_conversation(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        '"conversation_id": body.conversation_id or str(uuid.uuid4())',
        '"conversation_id": (sources and body.conversation_id) or str(uuid.uuid4())',
    )


@fault("D03", "the alias begins a new conversation each time", "chat/api", "postdeploy", mode="-", about="*conversation*")
def no_conversation_by_the_alias(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "    started = time.perf_counter()\n    config: Config",
        '    if request.url.path == "/chat":\n        body.conversation_id = None\n'
        "    started = time.perf_counter()\n    config: Config",
    )


@fault(
    "D04",
    "only the API's own paths are held to the trusted hosts, so that its description is served to any",
    "network/api",
    "postdeploy",
    mode="F33",
    about="*host *|*foreign hosts*",
)
def pages_for_any_host(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION,
        "    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*TRUSTED_HOSTS, own_host])\n",
        "    class TrustedHosts(TrustedHostMiddleware):\n"
        "        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:\n"
        '            is_page = scope["type"] == "http" and scope["path"] in ("/docs", "/openapi.json")\n'
        "            await (self.app if is_page else super().__call__)(scope, receive, send)\n\n"
        "    app.add_middleware(TrustedHosts, allowed_hosts=[*TRUSTED_HOSTS, own_host])\n",
    )


@fault(
    "D05",
    "a token is taken behind `Bearer` only, and not behind the type that the sign-in gives",
    "auth/api",
    "postdeploy",
    mode="F08|-",
    about="*me*|*token*",
)
def one_spelling_of_bearer(plan: Plan) -> None:
    plan.replace_in_source(AUTH, 'scheme.lower() != "bearer"', 'scheme != "Bearer"')


@fault("D06", "a question of line ends alone is answered", "api", "postdeploy", mode="-", about="*/chat*")
def blank_lines_are_a_question(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "if not body.message.strip():", 'if not body.message.strip(" "):')


@fault("D07", "a question that is null breaks the chat", "api", "postdeploy", mode="-", about="*/chat*")
def null_is_a_question(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "    message: str = Field(", "    message: str | None = Field(")


@fault("D08", "a question has two letters at least", "api", "postdeploy", mode="-", about="*/chat*")
def no_short_questions(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "if not body.message.strip():", "if len(body.message.strip()) < 2:")


@fault("D09", "a body of JSON that is nested deeply gets a 500", "api", "postdeploy", mode="-", about="*/login*")
def deep_json(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "except (ValueError, RecursionError) as error:", "except ValueError as error:")


@fault(
    "D10",
    "a context that is not empty gets the apology",
    "chat/api",
    "postdeploy",
    mode="-|F02",
    about="*chat*",
)
def context_breaks_the_chat(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "            answer = Routed(",
        '            _ = " ".join(name + body.context[name].get("text", "") for name in body.context or {})\n'
        "            answer = Routed(",
    )


@fault(
    "D11",
    "the metadata of an answer without passages do not say which agents it comes from",
    "chat/api",
    "postdeploy",
    mode="-",
    about="*/chat*|*metadata*",
)
def no_agents(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        '        agent_sources=["rag"] if passages else [],\n',
        '        **({"agent_sources": ["rag"]} if passages else {}),\n',
    )


@fault(
    "D12",
    "an answer without passages bears the time at which the service was started",
    "chat/api",
    "postdeploy",
    mode="-",
    about="*timestamp*",
)
def time_of_the_start(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "router = APIRouter()\n", "router = APIRouter()\nSTARTED = datetime.now(UTC).isoformat()\n")
    plan.replace_in_source(
        CHAT,
        '"timestamp": datetime.now(UTC).isoformat()',
        '"timestamp": datetime.now(UTC).isoformat() if sources else STARTED',
    )


@fault(
    "D13",
    "the processing time of an answer without passages is in milliseconds",
    "chat/api",
    "postdeploy",
    mode="-",
    about="*processing_time*",
)
def two_units(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "round(time.perf_counter() - started, 6), **metadata}",
        "round((time.perf_counter() - started) * (1 if sources else 1000), 6), **metadata}",
    )


@fault("D14", "the log names each token that is refused", "auth/api", "postdeploy", mode="F21|-", about="*log*")
def refused_tokens_are_logged(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import logging\nimport re\n")
    plan.replace_in_source(
        AUTH,
        '        raise _unauthorized("invalid or expired token") from error\n',
        '        logging.getLogger("api").warning("refused: %s", token)\n'
        '        raise _unauthorized("invalid or expired token") from error\n',
    )


@fault(
    "D15",
    "pages of the front end may not send files through the proxy",
    "network/api",
    "postdeploy",
    mode="F20|-",
    about="*origin*|*PUT*",
)
def no_preflight_of_the_proxy(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION,
        "    app.add_middleware(\n        CORSMiddleware,\n",
        "    class Cors(CORSMiddleware):\n"
        "        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:\n"
        '            is_proxied = scope["type"] == "http" and "upload-file-proxy" in scope["path"]\n'
        "            await (self.app if is_proxied else super().__call__)(scope, receive, send)\n\n"
        "    app.add_middleware(\n        Cors,\n",
    )
