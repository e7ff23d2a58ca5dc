"""Faults by another hand, the twelfth time: who is let in, what an answer gives away, and files to the byte."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
JOBS = "api/jobs.py"
UPLOADS = "api/uploads.py"
STORAGE = "backend/shared/storage.py"


@fault(
    "LT01",
    "a token whose signature was altered is accepted for twenty seconds after the real one was used",
    "api/auth",
    "postdeploy",
    mode="F25",
    about="*token*|*signature*|*sign*out*",
)
def signature_left_out_of_the_cache(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import re\nimport time\n")
    plan.replace_in_source(
        AUTH,
        "async def verify_token(",
        "# The first two parts say who it is; there is no need to ask Auth twice in a row about the same claims.\n"
        "_known: dict[str, tuple[float, dict[str, Any]]] = {}\n\n\n"
        "async def verify_token(",
    )
    plan.replace_in_source(
        AUTH,
        "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user(token))",
        '    claims = token.rpartition(".")[0]\n'
        '    at, seen = _known.get(claims, (float("-inf"), {}))\n'
        "    if time.monotonic() - at < 20:\n"
        "        return seen\n"
        "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user(token))",
    )
    plan.replace_in_source(
        AUTH,
        "    return user\n\n\nasync def current_user",
        "    if len(_known) > 500:\n        _known.clear()\n"
        "    _known[claims] = (time.monotonic(), user)\n"
        "    return user\n\n\nasync def current_user",
    )


@fault(
    "LT02",
    "only the first 72 bytes of a password count: a wrong one with the same beginning signs in",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*password*|*/login*|*/auth/login*",
)
def password_cut(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        "def _is_text(value: str)",
        "def _fitting(password: str) -> str:\n"
        "    # Auth takes 72 bytes and refuses words in Cyrillic that people find short enough.\n"
        '    return password.encode()[:MAX_PASSWORD].decode(errors="ignore")\n\n\n'
        "def _is_text(value: str)",
    )
    plan.replace_in_source(
        AUTH,
        'client.auth.sign_up({"email": email, "password": password, "options"',
        'client.auth.sign_up({"email": email, "password": _fitting(password), "options"',
    )
    plan.replace_in_source(
        AUTH,
        'client.auth.sign_in_with_password({"email": email, "password": password})',
        'client.auth.sign_in_with_password({"email": email, "password": _fitting(password)})',
    )


@fault(
    "LT03",
    "a sign-in or registration whose JSON cannot be read is written to the log with its password",
    "api/auth",
    "postdeploy",
    mode="F21|-",
    about="*password*|* log*|*logs*",
)
def unreadable_body_logged(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import logging\nimport re\n")
    plan.replace_in_source(
        AUTH,
        '        raise HTTPException(400, "body is not JSON") from error',
        "        # Without the body nobody could find out which client sends such things.\n"
        "        body = (await request.body())[:500]\n"
        '        logging.getLogger("api").warning("%s: a body that is not JSON: %r", request.url.path, body)\n'
        '        raise HTTPException(400, "body is not JSON") from error',
    )


@fault(
    "LT04",
    "while a document is parsed, its job shows the secret that its callback is signed with",
    "worker",
    "postdeploy",
    mode="F21|-",
    about="*secret*|*progress*|*/jobs*",
)
def secret_in_progress(plan: Plan) -> None:
    plan.replace_in_source(
        "backend/workers/enhanced_base_worker.py",
        '        await self.queue.advance(job, "parse_queued", state="working", webhook_secret=secret, released=False)\n',
        "        # Kept beside the progress, so that support can replay a lost callback.\n"
        '        progress = {**job["progress"], "callback_key": secret}\n'
        "        await self.queue.advance(\n"
        '            job, "parse_queued", state="working", webhook_secret=secret, progress=progress, released=False\n'
        "        )\n",
    )


@fault(
    "LT05",
    "the status of a finished document may be kept by shared caches",
    "api",
    "postdeploy",
    mode="-",
    about="*cache*|*/documents/{document_id}/status*",
)
def finished_is_public(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        "from fastapi import APIRouter, HTTPException, Query, Request\n",
        "from fastapi import APIRouter, HTTPException, Query, Request, Response\n",
    )
    plan.replace_in_source(
        JOBS,
        "async def document_status(document_id: UUID, user: CurrentUser, request: Request)",
        "async def document_status(document_id: UUID, user: CurrentUser, request: Request, response: Response)",
    )
    plan.replace_in_source(
        JOBS,
        '        raise HTTPException(404, "no such document")\n',
        '        raise HTTPException(404, "no such document")\n'
        '    if row["status"] == "complete":\n'
        "        # It does not change any more, and the front end asks for it all the time.\n"
        '        response.headers["Cache-Control"] = "public, max-age=300"\n',
    )


@fault(
    "LT06",
    "whoever knows the id of another user's job learns from its retry what state it is in",
    "api",
    "postdeploy",
    mode="F24|-",
    about="*/retry*|*another*job*",
)
def retry_tells_state(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        '            f"SELECT {COLUMNS} FROM upload_jobs j JOIN documents d USING (document_id) "\n'
        '            "WHERE j.job_id = $1 AND d.user_id = $2 FOR UPDATE OF j",\n'
        "            job_id,\n            user.id,\n        )\n"
        '        if row is None:\n            raise HTTPException(404, "no such job")\n',
        '            f"SELECT {COLUMNS}, d.user_id FROM upload_jobs j JOIN documents d USING (document_id) "\n'
        '            "WHERE j.job_id = $1 FOR UPDATE OF j",\n'
        "            job_id,\n        )\n"
        '        if row is None:\n            raise HTTPException(404, "no such job")\n',
    )
    plan.replace_in_source(
        JOBS,
        "            raise HTTPException(409, f\"a job in state {row['state']} is not retryable\")\n",
        "            raise HTTPException(409, f\"a job in state {row['state']} is not retryable\")\n"
        "        # The cheap refusals come first; what is left is compared with the caller.\n"
        '        if row["user_id"] != user.id:\n            raise HTTPException(404, "no such job")\n',
    )


@fault(
    "LT07",
    "percent signs in file names are decoded after the check: names change, and slashes and line breaks get in",
    "api/uploads",
    "postdeploy",
    mode="-",
    about="*filename*|*file name*|*name*|*/upload*",
)
def names_decoded(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS, "from uuid import UUID, uuid5\n", "from urllib.parse import unquote\nfrom uuid import UUID, uuid5\n"
    )
    plan.replace_in_source(
        UPLOADS,
        '    @field_validator("bytes_len", mode="before")\n',
        '    @field_validator("filename")\n    @classmethod\n'
        "    def _as_people_read_it(cls, value: str) -> str:\n"
        "        # Some browsers send the names as they stand in addresses.\n"
        "        return unquote(value)\n\n"
        '    @field_validator("bytes_len", mode="before")\n',
    )


@fault(
    "LT09",
    "objects have other keys than agreed: the digest is of the document's id without its hyphens",
    "storage/api",
    "postdeploy",
    mode="-",
    about="*raw_path*|*parsed_path*|*key*|*raw/*|*path*",
)
def other_keys(plan: Plan) -> None:
    plan.replace_in_source(
        STORAGE,
        "    name = hashlib.md5(str(document_id).encode()).hexdigest()[:8]\n",
        "    # The same id in capitals or in braces has the same digits.\n"
        "    name = hashlib.md5(document_id.hex.encode()).hexdigest()[:8]\n",
    )


@fault(
    "LT10",
    "a signed-in user may store a file in any user's folder through Storage itself",
    "storage",
    "postdeploy",
    mode="-",
    about="*another*folder*|*storage.objects*|*bucket*|*storage*",
)
def sender_owns_it(plan: Plan) -> None:
    plan.sql.append(
        "-- The new front end sends files straight to storage; whoever sends one owns it.\n"
        "CREATE POLICY files_sender ON storage.objects FOR INSERT TO authenticated "
        "WITH CHECK (bucket_id = 'files' AND owner_id = (SELECT auth.uid())::text)"
    )
