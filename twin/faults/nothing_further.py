"""Conversations without an id, growth that no single answer shows, and restarts that lose work."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan
from twin.variants.aimed_network import PLATFORM

APPLICATION = "api/application.py"
AUTH = "api/auth.py"
CHAT = "api/chat.py"
QUEUE = "backend/workers/job_queue.py"
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


def _opened(config: str, then: str) -> str:
    """A connection beside the pool, which is never closed, and what follows."""
    return f"_KEPT.append(await asyncpg.connect({config}.database_url, statement_cache_size=0))\n{then}"


@fault(
    "NU13",
    "the worker opens a connection to the database for each job that becomes complete, and keeps it",
    "database/worker",
    "postdeploy",
    mode="-",
    about="*connections*",
)
def connection_of_each_job(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE, "import logging\nfrom typing import Any\n", "import logging\nfrom typing import Any\n\nimport asyncpg\n"
    )
    plan.replace_in_source(
        QUEUE, 'log = logging.getLogger("worker")\n', 'log = logging.getLogger("worker")\n_KEPT: list[Any] = []\n'
    )
    plan.replace_in_source(
        QUEUE,
        '        log.info(json.dumps({"job_id": str(job["job_id"]), "status": status}))\n',
        '        if status == "complete":\n            '
        + _opened("self._config", '        log.info(json.dumps({"job_id": str(job["job_id"]), "status": status}))\n'),
    )


@fault(
    "NU14",
    "the worker writes an event for finished jobs, now and then, as long as it runs",
    "worker/database",
    "postdeploy",
    mode="-",
    about="*events*",
)
def events_of_finished_jobs(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "        speedup = self._config.speedup\n",
        "        await self._pool.execute(\n"
        "            \"INSERT INTO events (job_id, document_id, type) SELECT job_id, document_id, 'seen'\"\n"
        "            \" FROM upload_jobs WHERE state = 'done' AND random() < 0.02\"\n"
        "        )\n"
        "        speedup = self._config.speedup\n",
    )


def _ends_by_its_limit(plan: Plan) -> None:
    """The API ends after a thousand requests, and the next process takes its place, as in variant W44."""
    platform = plan.source.parent / "platform_of_the_api.py"
    platform.write_text(PLATFORM)
    plan.api_command = lambda port, cert, key: [str(platform), str(port), cert, key]


@fault(
    "NU15",
    "the API removes jobs without a file at its start, and its limit of requests starts it again and again",
    "api/database",
    "performance",
    mode="-",
    about="*upload*|*limits*|*restarted*",
)
def jobs_removed_at_the_start(plan: Plan) -> None:
    _ends_by_its_limit(plan)
    plan.replace_in_source(
        APPLICATION,
        "        app.state.pool = await open_pool(config)\n",
        "        app.state.pool = await open_pool(config)\n"
        "        await app.state.pool.execute(\"DELETE FROM upload_jobs WHERE status IN ('uploaded', 'failed_parse')\")\n",
    )


@fault(
    "NU16",
    "the API accepts no token that was issued before it was started, and its limit of requests starts it again and again",
    "api/auth",
    "performance",
    mode="-",
    about="*token*|*401*|*GET /me*|*POST /api/upload-pipeline/upload*",
)
def sessions_of_one_process(plan: Plan) -> None:
    _ends_by_its_limit(plan)
    plan.replace_in_source(AUTH, "\n\nasync def verify_token(", "\n\nSTARTED = time.time()\n\n\nasync def verify_token(")
    plan.replace_in_source(
        AUTH,
        "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user(token))\n",
        "    client: Vendors = request.app.state.client\n"
        '    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")) if token.count(".") == 2 else {}\n'
        '    if claims.get("iat", STARTED) < STARTED - 1:\n'
        '        raise _unauthorized("invalid or expired token")\n'
        "    try:\n        reply = await _asked(client.auth.get_user(token))\n",
    )
    plan.replace_in_source(
        AUTH,
        "from __future__ import annotations\n\n",
        "from __future__ import annotations\n\nimport base64\nimport json\nimport time\n",
    )
