"""What is stored or logged beside what is needed, on one way or in one case only."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

UPLOADS = "api/uploads.py"


@fault("LX13", "the event of a registration keeps the link", "api/database", "postdeploy", mode="-|F21", about="*events*")
def link_in_event(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        "        job_id = await _insert(connection, user, body, document_id)\n",
        "        job_id = await _insert(connection, user, body, document_id)\n"
        "        await connection.execute(\n"
        '            "UPDATE events SET payload = $2 WHERE job_id = $1", job_id, {"signed_url": url}\n'
        "        )\n",
    )


@fault(
    "LX14", "the event of a registration keeps the caller's token", "api/database", "postdeploy", mode="-|F21", about="*events*"
)
def token_in_event(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        "        job_id = await _insert(connection, user, body, document_id)\n",
        "        job_id = await _insert(connection, user, body, document_id)\n"
        "        await connection.execute(\n"
        '            "UPDATE events SET payload = $2 WHERE job_id = $1", job_id, {"caller": user.token}\n'
        "        )\n",
    )
