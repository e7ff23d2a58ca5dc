"""What is right in the ordinary case and wrong in one other: ids, names, origins."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

APPLICATION, AUTH, CHAT = "api/application.py", "api/auth.py", "api/chat.py"


@fault(
    "D16", "who brings an id of their own for a request gets none back", "api", "postdeploy", mode="-", about="*X-Request-ID*"
)
def given_ids_are_not_shown(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION,
        '                    (b"x-request-id", request_id.encode()),\n',
        '                    *([(b"x-request-id", request_id.encode())] if request_id != given else []),\n',
    )


@fault("D17", "a job whose id is none breaks its retry", "api", "postdeploy", mode="-", about="*retry*")
def ids_that_are_none(plan: Plan) -> None:
    plan.replace_in_source("api/jobs.py", "async def retry(job_id: UUID,", "async def retry(job_id: str,")


@fault(
    "D18",
    "the same question of the same user is always in the same conversation",
    "chat/api",
    "postdeploy",
    mode="-",
    about="*conversation*",
)
def conversation_of_the_question(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "    started = time.perf_counter()\n    config: Config",
        "    body.conversation_id = body.conversation_id or str(uuid.uuid5(user.id, body.message))\n"
        "    started = time.perf_counter()\n    config: Config",
    )


@fault("D19", "who has registered without a name cannot be shown", "auth/api", "postdeploy", mode="F08|-", about="*/me*")
def nobody_without_a_name(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        '        name=(user.get("user_metadata") or {}).get("name", ""),\n',
        '        name=user["user_metadata"]["name"] or user["nick"],\n',
    )


@fault(
    "D20",
    "a registration shows another id than that of the account",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*id*",
)
def id_of_nobody(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "from uuid import UUID\n", "from uuid import UUID, uuid4\n")
    plan.replace_in_source(
        AUTH,
        '"token_type": "bearer", "user": _user_view(user)}',
        '"token_type": "bearer", "user": _user_view(user) | {"id": str(uuid4())}}',
    )


@fault("D21", "names of users are cut after 64 characters", "auth/api", "postdeploy", mode="-", about="*name*")
def short_names(plan: Plan) -> None:
    plan.replace_in_source(AUTH, '{"name": body["name"]})', '{"name": body["name"][:64]})')


@fault("D22", "any port of the front end's hosts may call the API", "network/api", "postdeploy", mode="F20|-", about="*origin*")
def any_port(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION,
        "        allow_origins=list(config.cors_origins),\n",
        "        allow_origins=list(config.cors_origins),\n"
        '        allow_origin_regex="(" + "|".join(config.cors_origins) + r")(:\\d+)?",\n',
    )


@fault("D23", "a password that is too short gets a 503", "auth/api", "postdeploy", mode="-", about="*register*|*account*")
def weak_passwords_are_an_outage(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "isinstance(error, AuthApiError | AuthWeakPasswordError)", "type(error) is AuthApiError")


@fault(
    "D24",
    "pages of the front end may read why a sign-in was refused, and not that it succeeded",
    "network/api",
    "postdeploy",
    mode="F20|-",
    about="*origin*",
)
def sign_ins_of_no_page(plan: Plan) -> None:
    plan.replace_in_source(
        APPLICATION,
        '                    *message["headers"],\n',
        "                    *(\n"
        '                        pair for pair in message["headers"]\n'
        '                        if not (pair[0] == b"access-control-allow-origin" and message["status"] == 200\n'
        '                                and scope["path"].endswith("/login"))\n'
        "                    ),\n",
    )


@fault("D25", "signs in the texts of sources are escaped for pages", "chat/api", "postdeploy", mode="-", about="*sources*")
def escaped_texts(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "import asyncio\n", "import asyncio\nimport html\n")
    plan.replace_in_source(CHAT, '            "text": p.text,\n', '            "text": html.escape(p.text),\n')


@fault("D26", "times of consent end with +00:00, and not with Z", "auth/api", "postdeploy", mode="-", about="*signup*")
def no_times_of_browsers(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        "    consent_timestamp: str = Field(min_length=1, pattern=WITHOUT_NUL)\n",
        '    consent_timestamp: str = Field(min_length=1, pattern=r"\\+\\d\\d:\\d\\d$")\n',
    )


@fault("D27", "JSON whose charset is named is not read", "auth/api", "postdeploy", mode="-", about="*register*|*login*")
def no_charset(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        "    try:\n        body = await request.json()\n",
        '    if request.headers.get("content-type") != "application/json":\n'
        '        raise HTTPException(415, "not JSON")\n'
        "    try:\n        body = await request.json()\n",
    )


@fault("D28", "caches may keep the health body for five minutes", "api", "postdeploy", mode="F19|-", about="*health*")
def kept_health(plan: Plan) -> None:
    plan.replace_in_source(
        "api/health.py",
        "return JSONResponse(_with_circuits(request, body))",
        'return JSONResponse(_with_circuits(request, body), headers={"Cache-Control": "public, max-age=300"})',
    )
