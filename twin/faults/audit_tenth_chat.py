"""What the chat says of its answers, and of accounts and health beside it, that contradicts what it says elsewhere."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

CHAT = "api/chat.py"
ROUTER = "backend/shared/router.py"


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
