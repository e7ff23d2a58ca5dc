"""What is refused and done nevertheless, and what is shown or kept of something else."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

CHAT, JOBS, UPLOADS, WEBHOOK = "api/chat.py", "api/jobs.py", "api/uploads.py", "api/webhook.py"


@fault("M10", "all sources bear the file name of the first one", "chat/api", "postdeploy", mode="-", about="*source*")
def name_of_the_first(plan: Plan) -> None:
    plan.replace_in_source(CHAT, '            "filename": p.filename,\n', '            "filename": passages[0].filename,\n')


@fault("M11", "a retry that is refused queues the job nevertheless", "api", "postdeploy", mode="-", about="*retry*")
def queued_before_it_is_refused(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS, "acquire() as connection, connection.transaction():\n        row =", "acquire() as connection:\n        row ="
    )
    plan.replace_in_source(
        JOBS,
        '        if row["state"] != "deadletter":\n',
        "        await connection.execute(\"UPDATE upload_jobs SET state = 'queued' WHERE job_id = $1\", job_id)\n"
        '        if row["state"] != "deadletter":\n',
    )


@fault(
    "M12",
    "the text of a callback is stored before its signature is looked at",
    "api",
    "postdeploy",
    mode="-",
    about="*webhook*",
)
def stored_before_it_is_refused(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK,
        '        _verify(row["webhook_secret"],',
        "        found = json.loads(body)\n"
        '        if isinstance(found, dict) and (text := _markdown(found.get("result"))):\n'
        '            key = object_key(row["user_id"], row["document_id"], "parsed")\n'
        '            await request.app.state.storage.write(key, text.encode(), "text/markdown")\n'
        '        _verify(row["webhook_secret"],',
    )
    plan.replace_in_source(
        WEBHOOK,
        "from backend.shared.parsing import conclude, doubt\n",
        "from backend.shared.parsing import conclude, doubt\nfrom backend.shared.storage import object_key\n",
    )


@fault("M13", "of pages the plain text is stored, where they have both", "api", "postdeploy", mode="-", about="*parsed*|*page*")
def plain_pages(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK, "(_page(page) for page in result)", '(str(page.get("txt") or _page(page)) for page in result)'
    )


@fault("M14", "the id of a document is made of its name as well", "api", "postdeploy", mode="-", about="*upload*")
def id_of_the_name(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        "document_id = document_id_of(user.id, body.sha256)",
        'document_id = document_id_of(user.id, f"{body.sha256}:{body.filename}")',
    )


@fault("M15", "a new document is called complete", "api", "postdeploy", mode="-", about="*processing_status*")
def complete_at_once(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "$7, 'uploaded')", "$7, 'complete')")


@fault(
    "M16",
    "the process time of what is refused for its token is always the same",
    "api",
    "postdeploy",
    mode="-",
    about="*X-Process-Time*",
)
def one_time_for_all(plan: Plan) -> None:
    plan.replace_in_source(
        "api/application.py",
        '                spent = f"{time.perf_counter() - started:.6f}"\n',
        '                spent = f"{time.perf_counter() - started:.6f}" if message["status"] != 401 else "0.000010"\n',
    )


@fault(
    "M17",
    "the processing time of an answer leaves retrieval out",
    "chat/api",
    "postdeploy",
    mode="-",
    about="*processing_time*",
)
def time_after_retrieval(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "            answer = await complete(client,",
        "            started = time.perf_counter()\n            answer = await complete(client,",
    )
    plan.replace_in_source(
        CHAT,
        '            answer = Routed("Your documents',
        '            started = time.perf_counter()\n            answer = Routed("Your documents',
    )


@fault(
    "M18",
    "whom the chat knows from a question before it does not ask for again for a minute",
    "auth/api",
    "postdeploy",
    mode="F25",
    about="*token*ended*",
)
def known_from_before(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "from typing import Any\n", "from typing import Annotated, Any\n")
    plan.replace_in_source(
        CHAT, "import APIRouter, HTTPException, Request\n", "import APIRouter, Depends, HTTPException, Request\n"
    )
    plan.replace_in_source(CHAT, "from api.auth import CurrentUser\n", "from api.auth import Caller, current_user\n")
    plan.replace_in_source(
        CHAT,
        'APOLOGY = "',
        "_known: dict[str, tuple[float, Caller]] = {}\n\n\n"
        "async def _caller(request: Request) -> Caller:\n"
        '    token = request.headers.get("authorization", "")\n'
        "    at, caller = _known.get(token, (0.0, None))\n"
        "    if caller is None or time.time() - at > 60:\n"
        "        caller = await current_user(request)\n"
        "        _known[token] = (time.time(), caller)\n"
        "    return caller\n\n\n"
        "CurrentUser = Annotated[Caller, Depends(_caller)]\n"
        'APOLOGY = "',
    )


@fault(
    "M19",
    "an id that somebody brought for a request is that of the next request of this path as well",
    "api",
    "postdeploy",
    mode="-",
    about="*X-Request-ID*",
)
def id_of_an_earlier_request(plan: Plan) -> None:
    plan.replace_in_source(
        "api/application.py", "class RequestHeaders:\n", "_brought: dict[str, str] = {}\n\n\nclass RequestHeaders:\n"
    )
    plan.replace_in_source(
        "api/application.py",
        "        REQUEST_ID.set(request_id)\n",
        "        if request_id == given:\n"
        '            _brought[scope["path"]] = given\n'
        "        else:\n"
        '            request_id = _brought.pop(scope["path"], request_id)\n'
        "        REQUEST_ID.set(request_id)\n",
    )


@fault(
    "M20", "the alias of the chat does not count tokens", "rag/chat/api", "postdeploy", mode="-", about="*token_budget*|*alias*"
)
def no_budget_by_the_alias(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "from dataclasses import asdict\n", "from dataclasses import asdict, replace\n")
    plan.replace_in_source(
        CHAT,
        "    client: Vendors = request.app.state.client\n    try:\n        passages = await retrieve(",
        "    client: Vendors = request.app.state.client\n"
        '    if request.url.path == "/chat":\n'
        "        config = replace(config, token_budget=10**6)\n"
        "    try:\n        passages = await retrieve(",
    )
