"""What the chat says of its answers, and of accounts and health beside it, that contradicts what it says elsewhere."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

CHAT = "api/chat.py"
RETRIEVAL, ROUTER = "api/retrieval.py", "backend/shared/router.py"


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
