"""Faults of the API by an author who knows the specification and the release, but not the gate."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

APPLICATION = "api/application.py"
AUTH = "api/auth.py"
CHAT = "api/chat.py"
JOBS = "api/jobs.py"
RETRIEVAL = "api/retrieval.py"
UPLOADS = "api/uploads.py"
STORAGE = "backend/shared/storage.py"


@fault(
    "S01", "a chat question with a `context` object gets the apology", "chat/api", "postdeploy", mode="F02", about="chat|answer"
)
def context_needs_history(plan: Plan) -> None:
    plan.replace_in_source(
        CHAT,
        "passages = await retrieve(request.app.state.pool, client, config, user.id, body.message)",
        "question = body.message if body.context is None else f\"{body.context['history']} {body.message}\"\n"
        "        passages = await retrieve(request.app.state.pool, client, config, user.id, question)",
    )


@fault(
    "S06",
    "an expired token returns 500; other refused tokens return 401",
    "auth/api",
    "postdeploy",
    mode="F08",
    about="expired|token",
)
def expired_is_an_error(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import base64\nimport json\nimport re\nimport time\n")
    plan.replace_in_source(
        AUTH,
        '        raise _unauthorized("invalid or expired token") from error\n',
        "        part = token.split('.')[1] if token.count('.') == 2 else ''\n"
        "        try:\n"
        "            expires = json.loads(base64.urlsafe_b64decode(part + '=='))['exp']\n"
        "        except Exception:\n"
        "            expires = time.time()\n"
        "        if expires < time.time() - 1:\n"
        '            raise HTTPException(500, "session ended")\n'
        '        raise _unauthorized("invalid or expired token") from error\n',
    )


@fault(
    "S10",
    "chat discards every answer whose best passage is less than 0.8 similar",
    "chat/rag",
    "postdeploy",
    mode="F16",
    about="answer",
)
def too_careful(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "        if not passages:\n", "        if not passages or passages[0].similarity < 0.8:\n")


@fault(
    "S12",
    "CORS accepts every origin that ends in accessa.ai, such as https://evil-accessa.ai",
    "network/api",
    "postdeploy",
    mode="F20",
    about="origin",
)
def origin_by_suffix(plan: Plan) -> None:
    origins = "        allow_origins=list(config.cors_origins),\n"
    plan.replace_in_source(APPLICATION, origins, origins + '        allow_origin_regex=r"https://.*accessa\\.ai",\n')


@fault(
    "S13",
    "the signed upload URL carries the service-role key",
    "api/storage",
    "postdeploy",
    mode="F21",
    about="upload|signed_url",
)
def key_in_url(plan: Plan) -> None:
    url = '(await self._files.create_signed_upload_url(key))["signed_url"]'
    plan.replace_in_source(STORAGE, url, url + " + f\"&apikey={self._files._headers['apikey']}\"")


@fault(
    "S15", "verified users are cached by the unverified `sub` of the token", "auth/api", "postdeploy", mode="F25", about="token"
)
def known_by_name(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import base64\nimport json\nimport re\n")
    plan.replace_in_source(
        AUTH,
        "async def verify_token(",
        "_known: dict[str, dict[str, Any]] = {}\n\n\n"
        "def _subject(token: str) -> str:\n"
        "    try:\n"
        '        return str(json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))["sub"])\n'
        "    except Exception:\n"
        '        return ""\n\n\n'
        "async def verify_token(",
    )
    call = "    try:\n        reply = await _asked(client.auth.get_user("
    plan.replace_in_source(AUTH, call, "    if _subject(token) in _known:\n        return _known[_subject(token)]\n" + call)
    found = '    user: dict[str, Any] = reply.user.model_dump(mode="json")\n'
    plan.replace_in_source(AUTH, found, found + '    _known[user["id"]] = user\n')


@fault("S20", "a third running job of a user is accepted", "api", "postdeploy", mode="F34", about="running|concurrent")
def one_more_job(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, 'row["running"] >= MAX', 'row["running"] > MAX')


@fault(
    "S21",
    "the list of jobs shows the jobs of all users when it is filtered by state",
    "api",
    "postdeploy",
    mode="-",
    about="jobs",
)
def filter_without_owner(plan: Plan) -> None:
    plan.replace_in_source(JOBS, "AND ($2::text IS NULL OR j.state = $2) ", "AND $2::text IS NULL OR j.state = $2 ")


@fault(
    "S22",
    "a file that another user uploaded counts as a duplicate, and its title is shown",
    "api",
    "postdeploy",
    mode="-",
    about="upload|duplicate",
)
def duplicate_of_a_stranger(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        'WHERE user_id = $1 AND file_sha256 = $2",\n        user.id,\n        sha256,',
        'WHERE file_sha256 = $1",\n        sha256,',
    )


@fault(
    "S24",
    "upload_expires_at is five hours ahead; the signed URL lives 300 s",
    "api",
    "postdeploy",
    mode="-",
    about="upload_expires_at|signed_url_ttl",
)
def minutes_for_seconds(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "timedelta(seconds=SIGNED", "timedelta(minutes=SIGNED")


@fault(
    "S25",
    "the passages of an answer are sorted worst first",
    "rag/chat/api",
    "postdeploy",
    mode="-",
    about="order|best|similarit",
)
def worst_first(plan: Plan) -> None:
    plan.replace_in_source(
        RETRIEVAL,
        "    return within_budget(passages, config)",
        "    return sorted(within_budget(passages, config), key=lambda passage: passage.similarity)",
    )


@fault(
    "S27",
    "pre-flights and refused hosts lack X-Request-ID and X-Process-Time",
    "api/network",
    "postdeploy",
    mode="-",
    about="X-Request-ID|X-Process-Time",
)
def headers_inside(plan: Plan) -> None:
    added = "    app.add_middleware(RequestHeaders)\n"
    plan.replace_in_source(APPLICATION, added, "")
    plan.replace_in_source(APPLICATION, "    own_host = urlsplit", added + "    own_host = urlsplit")


@fault("S28", "POST /auth/signup creates users who have given no consent", "auth/api", "postdeploy", mode="-", about="signup")
def no_consent(plan: Plan) -> None:
    for name in ("consent_version", "consent_timestamp"):
        plan.replace_in_source(AUTH, f"    {name}: str = Field(min_length=1, pattern=WITHOUT_NUL)\n", f'    {name}: str = ""\n')


@fault("S30", "POST /api/upload-pipeline/upload waits 0.7 s for storage", "api", "performance", mode="-", about="upload")
def waits_for_storage(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS, "from __future__ import annotations\n", "from __future__ import annotations\n\nimport asyncio\n"
    )
    insert = "        job_id = await _insert(connection, user, body, document_id)\n"
    plan.replace_in_source(UPLOADS, insert, insert + "        await asyncio.sleep(0.7)\n")
