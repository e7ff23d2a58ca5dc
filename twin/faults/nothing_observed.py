"""Faults that show what is planted, in answers that were asked for another reason."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
CHAT = "api/chat.py"
HEALTH = "api/health.py"
JOBS = "api/jobs.py"
UPLOADS = "api/uploads.py"
WEBHOOK = "api/webhook.py"


@fault(
    "N01",
    "the refusal of a second registration repeats what was sent, with the password",
    "api",
    "postdeploy",
    mode="F21|-",
    about="*secret*|*password*|*POST /register*",
)
def refusal_repeats_the_account(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        "HTTPException(409 if error.code in TAKEN else 400, error.message)",
        'HTTPException(409 if error.code in TAKEN else 400, f"{error.message}: {email} {password} {metadata}")',
    )


@fault(
    "N02",
    "the answer to a sign-in holds the address and the password, in base64",
    "api",
    "postdeploy",
    mode="F21|-",
    about="*secret*|*password*|*login*",
)
def encoded_credentials(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import base64\nimport re\n")
    plan.replace_in_source(
        AUTH,
        '        "expires_in": session.expires_in,\n',
        '        "expires_in": session.expires_in,\n'
        '        "trace": base64.b64encode(f"{email}:{password}".encode()).decode(),\n',
    )


@fault(
    "N04",
    "GET /me holds the caller's token",
    "api",
    "postdeploy",
    mode="F21|-",
    about="*secret*|*token*|*/me*|*/auth/user*",
)
def token_of_the_caller(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH, '"email": user.email, "name": user.name}', '"email": user.email, "name": user.name, "auth": user.token}'
    )


@fault(
    "N05",
    "the challenge of a 401 repeats the token that was refused",
    "api",
    "postdeploy",
    mode="F21|-",
    about="*secret*|*token*|*WWW-Authenticate*",
)
def challenge_repeats_the_token(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        '        raise _unauthorized("invalid or expired token") from error\n',
        '        refused = _unauthorized("invalid or expired token")\n'
        '        refused.headers = {"WWW-Authenticate": f\'Bearer error="invalid_token", error_description="{token}"\'}\n'
        "        raise refused from error\n",
    )


@fault(
    "N06",
    "the refusal of a duplicate document holds a link that resumes with the owner's token",
    "api",
    "postdeploy",
    mode="F21|-",
    about="*secret*|*token*|*upload*",
)
def token_in_a_duplicate(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        '            "document_title": row["filename"],\n',
        '            "document_title": row["filename"],\n            "resume": f"/resume?access_token={user.token}",\n',
    )


@fault(
    "N07",
    "the open page of the limits shows the last link that was signed",
    "api",
    "postdeploy",
    mode="F23|F21|-",
    about="*secret*|*link*|*limits*",
)
def last_link_for_everybody(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "MAX_CONCURRENT_JOBS = 2\n", "MAX_CONCURRENT_JOBS = 2\nLAST: dict[str, str] = {}\n")
    plan.replace_in_source(
        UPLOADS, "        job_id = await _insert(", '        LAST["url"] = url\n        job_id = await _insert('
    )
    plan.replace_in_source(
        UPLOADS, '        "max_file_size_bytes": MAX', '        "example": LAST.get("url"),\n        "max_file_size_bytes": MAX'
    )


@fault(
    "N08",
    "the refusal of a third running job repeats the signed link of the job before",
    "api",
    "postdeploy",
    mode="F23|F21|-",
    about="*secret*|*link*|*upload*",
)
def link_in_a_refusal(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "MAX_CONCURRENT_JOBS = 2\n", "MAX_CONCURRENT_JOBS = 2\nPENDING: dict[UUID, str] = {}\n")
    plan.replace_in_source(
        UPLOADS, "        job_id = await _insert(", "        PENDING[user.id] = url\n        job_id = await _insert("
    )
    plan.replace_in_source(
        UPLOADS,
        'f"at most {MAX_CONCURRENT_JOBS} jobs may run at once"',
        'f"at most {MAX_CONCURRENT_JOBS} jobs may run at once; finish {PENDING.get(user.id)}"',
    )


@fault(
    "N09",
    "404 of a retry names its upstream, with the service-role key, in a header",
    "api",
    "postdeploy",
    mode="F21|-",
    about="*secret*|*SERVICE_ROLE*|*retry*",
)
def key_in_a_header(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        '        if row is None:\n            raise HTTPException(404, "no such job")\n        if row["state"]',
        "        if row is None:\n            config = request.app.state.config\n"
        '            upstream = f"{config.supabase_url}/rest/v1?apikey={config.service_key}"\n'
        '            raise HTTPException(404, "no such job", headers={"X-Upstream": upstream})\n        if row["state"]',
    )


@fault(
    "N10",
    "the refusal of a wrongly signed callback says which secret it expected",
    "webhook/api",
    "postdeploy",
    mode="F21|-",
    about="*secret*|*webhook*",
)
def refused_callback_says_the_secret(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK,
        '        raise HTTPException(401, "wrong or missing signature")',
        '        raise HTTPException(401, f"wrong or missing signature: expected HMAC-SHA256 under {secret}")',
    )


@fault(
    "N12",
    "404 for another user's document names its file",
    "api",
    "postdeploy",
    mode="F22|F21|-",
    about="*other user*|*documents*|*isolation*",
)
def name_of_a_foreign_file(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        '        raise HTTPException(404, "no such document")',
        "        name = await request.app.state.pool.fetchval(\n"
        '            "SELECT filename FROM documents WHERE document_id = $1", document_id\n        )\n'
        "        raise HTTPException(404, f\"{name or 'it'} is no document of yours\")",
    )


@fault(
    "N13",
    "a question that nothing answers gets the last answer that was given to anybody",
    "rag/api",
    "postdeploy",
    mode="-",
    about="*other user*|*sentence*|*chat*",
)
def last_answer_to_anybody(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "MAX_TOKENS = 1024\n", "MAX_TOKENS = 1024\nLAST: dict[str, str] = {}\n")
    plan.replace_in_source(
        CHAT,
        '            answer = Routed("Your documents contain nothing about that.")\n',
        '            answer = Routed(LAST.get("text", "Your documents contain nothing about that."))\n',
    )
    plan.replace_in_source(
        CHAT,
        "            answer = await complete(client, config, _prompt(body.message, passages))\n",
        "            answer = await complete(client, config, _prompt(body.message, passages))\n"
        '            LAST["text"] = " ".join(passage.text for passage in passages)\n',
    )


@fault(
    "N14",
    "the refusal at the limit of running jobs names the job that runs longest, of any user",
    "api",
    "postdeploy",
    mode="-",
    about="*other user*|*upload*",
)
def job_of_somebody_else(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        '    if row["running"] >= MAX_CONCURRENT_JOBS:\n',
        '    if row["running"] >= MAX_CONCURRENT_JOBS:\n'
        '        first = await connection.fetchval("SELECT job_id FROM upload_jobs ORDER BY created_at LIMIT 1")\n'
        '        raise HTTPException(429, f"the queue waits for job {first}")\n'
        '    if row["running"] >= MAX_CONCURRENT_JOBS:\n',
    )


@fault(
    "N15",
    "the status page, which is open, names the user who signed in last",
    "api",
    "postdeploy",
    mode="F22|F21|-",
    about="*other user*|*address*|*status*",
)
def last_user_on_the_status_page(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH, "    session = signed_in.session\n", "    session = signed_in.session\n    request.app.state.last = email\n"
    )
    plan.replace_in_source(
        HEALTH,
        '        "environment": config.environment,\n',
        '        "environment": config.environment,\n        "last_seen": getattr(request.app.state, "last", None),\n',
    )
