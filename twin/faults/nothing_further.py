"""Conversations without an id, growth that no single answer shows, and restarts that lose work."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

CHAT = "api/chat.py"
ANSWERED = "            answer = await complete(client, config, _prompt(body.message, passages))\n"


def _remember(plan: Plan, key: str, *, only: str = "True") -> None:
    """The API keeps what was said under a key, and puts it into the prompt as passages."""
    plan.replace_in_source(CHAT, "\n\ndef _prompt(", "\n\n_SAID: dict[str, list[str]] = {}\n\n\ndef _prompt(")
    plan.replace_in_source(
        CHAT,
        ANSWERED,
        f"            said = _SAID.setdefault({key}, []) if {only} else []\n"
        '            earlier = "".join(f"[passage {n}]\\n{text}\\n\\n" for n, text in enumerate(said, 90))\n'
        "            said.append(body.message)\n"
        "            answer = await complete(client, config, earlier + _prompt(body.message, passages))\n",
    )


@fault(
    "NU10",
    "what a user says without the id of a conversation is kept in one conversation of that user",
    "chat",
    "postdeploy",
    mode="-",
    about="*conversation*",
)
def one_conversation_of_a_user(plan: Plan) -> None:
    _remember(plan, "str(user.id)", only="not body.conversation_id")


@fault(
    "NU11",
    "the context of a user's last question is used again where a question has none",
    "chat",
    "postdeploy",
    mode="-",
    about="*conversation*",
)
def context_of_the_last_question(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "\n\ndef _prompt(", "\n\n_CONTEXT: dict[str, dict[str, Any]] = {}\n\n\ndef _prompt(")
    plan.replace_in_source(
        CHAT,
        ANSWERED,
        "            context = body.context or _CONTEXT.get(str(user.id), {})\n"
        "            _CONTEXT[str(user.id)] = context\n"
        '            earlier = "".join(f"[passage {n}]\\n{text}\\n\\n" for n, text in enumerate(context.values(), 90))\n'
        "            answer = await complete(client, config, earlier + _prompt(body.message, passages))\n",
    )


@fault(
    "NU12",
    "a question without the id of a conversation gets that of its user: all of them are one conversation",
    "chat/api",
    "postdeploy",
    mode="-",
    about="*conversation*",
)
def conversation_of_the_user(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "        answer.text,\n        body,\n",
        '        answer.text,\n        body.model_copy(update={"conversation_id": body.conversation_id or str(user.id)}),\n',
    )
