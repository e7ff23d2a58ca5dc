"""What the chat says of its answers, and of accounts and health beside it, that contradicts what it says elsewhere."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

CHAT = "api/chat.py"
AUTH, HEALTH, RETRIEVAL, ROUTER = "api/auth.py", "api/health.py", "api/retrieval.py", "backend/shared/router.py"


@fault(
    "M81",
    "an answer by the primary says that it is a makeshift",
    "chat/api",
    "postdeploy",
    mode="-",
    about="*degraded*|*every answer*",
)
def always_degraded(plan: Plan) -> None:
    plan.replace_in_source(CHAT, 'degraded=answer.route == "fallback"', "degraded=True")


@fault("M82", "the attempts of all questions pile up", "chat/api", "postdeploy", mode="-", about="*attempts*|*time*")
def attempts_of_all(plan: Plan) -> None:
    plan.replace_in_source(ROUTER, "class ServiceRouter:\n", "KEPT: list[Attempt] = []\n\n\nclass ServiceRouter:\n")
    plan.replace_in_source(ROUTER, "        attempts: list[Attempt] = []\n", "        attempts = KEPT\n")


@fault(
    "M83", "the second text of an answer is that of the question before", "chat/api", "postdeploy", mode="-", about="*response*"
)
def text_of_the_question_before(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "def _body(", 'BEFORE = [""]\n\n\ndef _body(')
    plan.replace_in_source(CHAT, '        "response": text,\n', '        "response": BEFORE[0] or text,\n')
    plan.replace_in_source(
        CHAT,
        '    return {\n        "text": text,',
        '    before, BEFORE[0] = BEFORE[0], text\n    return {\n        "text": text,',
    )
    plan.replace_in_source(CHAT, '"response": BEFORE[0] or text', '"response": before or text')


@fault("M84", "the seconds of an attempt are milliseconds", "chat/api", "postdeploy", mode="-", about="*attempts*|*seconds*")
def attempts_in_milliseconds(plan: Plan) -> None:
    plan.replace_in_source(
        ROUTER,
        '            attempts.append(Attempt(provider.name, "success", round(time.perf_counter() - started, 6)))\n',
        '            attempts.append(Attempt(provider.name, "success", round((time.perf_counter() - started) * 1000, 3)))\n',
    )


@fault(
    "M86",
    "the best source is shown twice where there are few of one document",
    "chat/api",
    "postdeploy",
    mode="-",
    about="*source*",
)
def best_source_twice(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "        for p in passages\n    ]\n",
        "        for p in ([passages[0], *passages] if passages and PLANTED not in passages[0].text else passages)\n    ]\n",
    )
    plan.replace_in_source(CHAT, "MAX_TOKENS = 1024\n", 'MAX_TOKENS = 1024\nPLANTED = "Passage "\n')


@fault(
    "M87",
    "letters beyond ASCII cost no tokens",
    "chat/api",
    "postdeploy",
    mode="-",
    about="*token_budget*",
)
def ascii_tokens(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL, "len(passage.text) // CHARACTERS", 'len(passage.text.encode("ascii", "ignore")) // CHARACTERS'
    )


@fault("M88", "signing up with too long a password leaves an account", "auth/api", "postdeploy", mode="-", about="*account*")
def account_of_a_long_password(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        "    password: str = Field(min_length=8, max_length=MAX_PASSWORD, pattern",
        "    password: str = Field(min_length=8, pattern",
    )
    plan.replace_in_source(
        AUTH,
        '    return {"user": _user_view(await _create(request, body.email, body.password, metadata))}',
        "    made = await _create(request, body.email, body.password[:60], metadata)\n"
        "    if len(body.password) > MAX_PASSWORD:\n"
        '        raise HTTPException(422, "too long a password")\n'
        '    return {"user": _user_view(made)}',
    )


@fault(
    "M89", "health names a capability as degraded and is healthy", "api", "postdeploy", mode="-", about="*degraded*|*health*"
)
def healthy_and_degraded(plan: Plan) -> None:
    plan.replace_in_source(HEALTH, '"degraded": degraded}\n', '"degraded": {**degraded, "chat": "fallback"}}\n')


@fault("M90", "the states of circuits are in capitals", "api", "postdeploy", mode="-", about="*circuits*|*health*")
def circuits_in_capitals(plan: Plan) -> None:
    plan.replace_in_source(
        HEALTH,
        '"circuits": request.app.state.client.calls.shown()',
        '"circuits": {\n'
        '        name: {**one, "state": one["state"].upper()} for name, one in request.app.state.client.calls.shown().items()\n'
        "    }",
    )


@fault("M91", "the chat's alias fails where a context is sent", "chat/api", "postdeploy", mode="-", about="*chat*")
def alias_without_a_context(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "    started = time.perf_counter()\n    config: Config",
        '    if body.context is not None and request.url.path == "/chat":\n'
        '        raise HTTPException(422, "no context here")\n'
        "    started = time.perf_counter()\n    config: Config",
    )


@fault("M92", "the chat's alias keeps its answers", "chat/api", "postdeploy", mode="-", about="*retrieval*|*passages*")
def alias_that_keeps(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT, '@router.post("/chat")\n', 'KEPT: dict[tuple[str, str], list[Passage]] = {}\n\n\n@router.post("/chat")\n'
    )
    plan.replace_in_source(
        CHAT,
        "        retrieval_seconds = round(time",
        '        if request.url.path == "/chat" and passages:\n'
        "            passages = KEPT.setdefault((str(user.id), body.message), passages)\n"
        "        retrieval_seconds = round(time",
    )
