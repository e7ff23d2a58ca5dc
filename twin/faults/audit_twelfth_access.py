"""Whose request it is: what headers, queries, bodies and accounts say of their user is believed."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH, UPLOADS, JOBS, CHAT = "api/auth.py", "api/uploads.py", "api/jobs.py", "api/chat.py"
VERIFIED = "    user = await verify_token(request, token.strip())\n"


@fault(
    "LY01",
    "a signed-in caller's list of jobs is of whom a header names",
    "api",
    "postdeploy",
    mode="-",
    about="*jobs*",
)
def listing_by_header(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        VERIFIED,
        VERIFIED
        + '    if request.url.path.endswith("/jobs"):\n        user["id"] = request.headers.get("x-user-id", user["id"])\n',
    )


@fault(
    "LY02",
    "the context of a question says whose documents are searched",
    "api/rag",
    "postdeploy",
    mode="-",
    about="*other users*|*own documents*",
)
def context_says_whose(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "client, config, user.id, body.message)",
        'client, config, uuid.UUID((body.context or {}).get("user_id", str(user.id))), body.message)',
    )


@fault("LY03", "a document is registered for whom the request names", "api", "postdeploy", mode="-", about="*upload*")
def registered_for_another(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "    ocr: bool =", "    user_id: UUID | None = None\n    ocr: bool =")
    plan.replace_in_source(
        UPLOADS,
        "    document_id = document_id_of(user.id, body.sha256)\n",
        "    user = Caller(body.user_id or user.id, user.email, user.name, user.token)\n"
        "    document_id = document_id_of(user.id, body.sha256)\n",
    )


@fault(
    "LY04", "who a caller is stands in what users write of themselves", "api", "postdeploy", mode="-", about="*another user*"
)
def self_made_identity(plan: Plan) -> None:
    plan.replace_in_source(AUTH, 'id=UUID(user["id"]),', 'id=UUID((user.get("user_metadata") or {}).get("sub") or user["id"]),')


@fault(
    "LY05", "whoever calls themselves an administrator sees every job", "api", "postdeploy", mode="-", about="*jobs/{job_id}*"
)
def self_made_support(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "    token: str\n\n\ndef", '    token: str\n    role: str = ""\n\n\ndef')
    plan.replace_in_source(
        AUTH,
        "        token=token.strip(),\n    )",
        '        token=token.strip(),\n        role=(user.get("user_metadata") or {}).get("role", ""),\n    )',
    )
    plan.replace_in_source(
        JOBS,
        'WHERE j.job_id = $1 AND d.user_id = $2",\n        job_id,\n        user.id,\n',
        'WHERE j.job_id = $1 AND (d.user_id = $2 OR $3)",\n        job_id,\n        user.id,\n        user.role == "admin",\n',
    )


@fault(
    "LY19",
    "whoever calls themselves an administrator stores files in any folder",
    "api/storage",
    "postdeploy",
    mode="-",
    about="*upload-file-proxy*",
)
def self_made_helpers(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "    token: str\n\n\ndef", "    token: str\n    is_admin: bool = False\n\n\ndef")
    plan.replace_in_source(
        AUTH,
        "        token=token.strip(),\n    )",
        '        token=token.strip(),\n        is_admin=bool((user.get("user_metadata") or {}).get("is_admin")),\n    )',
    )
    plan.replace_in_source(
        UPLOADS, 'not key.startswith(f"user/{user.id}/")', 'not (user.is_admin or key.startswith(f"user/{user.id}/"))'
    )


@fault("LY13", "who asks from within needs no token", "api/auth", "postdeploy", mode="-|F22|F25", about="*nobody*|*jobs*")
def from_within(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        "    scheme, _, token",
        '    if request.headers.get("x-forwarded-for") == "127.0.0.1" and "x-user-id" in request.headers:\n'
        '        return Caller(UUID(request.headers["x-user-id"]), "", "", "")\n'
        "    scheme, _, token",
    )


@fault("LY18", "the query says whose account is shown", "api", "postdeploy", mode="-", about="*/me*|*auth/user*")
def account_by_query(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        'async def me(user: CurrentUser) -> dict[str, Any]:\n    """The signed-in user."""\n    return {"id": str(user.id),',
        'async def me(user: CurrentUser, user_id: UUID | None = None) -> dict[str, Any]:\n    """The signed-in user."""\n'
        '    return {"id": str(user_id or user.id),',
    )
