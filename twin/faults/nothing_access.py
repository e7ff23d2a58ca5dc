"""Faults of access at the API: tokens and owners, each in a place of its own."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
JOBS = "api/jobs.py"
UPLOADS = "api/uploads.py"
REFUSAL = '        raise _unauthorized("invalid or expired token") from error\n'
SAID = '''

def _said(token: str) -> dict[str, Any]:
    """What a token says, whoever signed it."""
    try:
        head, body, _ = token.split(".")
        read = (json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in (head, body))
        alg, claims = next(read)["alg"], next(read)
        return {**claims, "alg": alg}
    except (ValueError, KeyError, TypeError):
        return {}


async def verify_token('''


def _believe(plan: Plan, condition: str) -> None:
    """Believe what a refused token says where a condition holds."""
    plan.replace_in_source(AUTH, "import re\n", "import base64\nimport json\nimport re\nimport time\n")
    plan.replace_in_source(AUTH, "\n\nasync def verify_token(", SAID)
    plan.replace_in_source(
        AUTH,
        REFUSAL,
        "        said = _said(token)\n"
        f'        if said.get("sub") and ({condition}):\n'
        '            return {"id": said["sub"], "email": said.get("email", ""), "user_metadata": {}}\n' + REFUSAL,
    )


@fault("N35", "a token is accepted for five minutes after it ended", "auth/api", "postdeploy", mode="F25", about="*expired*")
def five_minutes_more(plan: Plan) -> None:
    _believe(plan, '0 < time.time() - said.get("exp", 0) < 300')


@fault(
    "N36",
    "GET /auth/user accepts tokens for another audience",
    "auth/api",
    "postdeploy",
    mode="F25",
    about="*audience*GET /auth/user*",
)
def any_audience(plan: Plan) -> None:
    _believe(plan, 'request.url.path == "/auth/user" and said.get("aud") not in (None, "authenticated")')


@fault("N37", "the alias /chat does not look at the role", "auth/api", "postdeploy", mode="F25", about="*role*POST /chat*")
def visitors_chat(plan: Plan) -> None:
    _believe(plan, 'request.url.path == "/chat" and said.get("role") == "anon"')


@fault(
    "N38",
    "the retry of a job accepts `alg: none`",
    "auth/api",
    "postdeploy",
    mode="F25",
    about="*alg none*/jobs/{job_id}/retry*",
)
def unsigned_retry(plan: Plan) -> None:
    _believe(plan, 'request.url.path.endswith("/retry") and said["alg"].lower() == "none"')


@fault(
    "N39",
    "the status of a document that is not complete is shown to everybody",
    "api",
    "postdeploy",
    mode="-",
    about="*/documents/{document_id}/status*",
)
def unfinished_is_public(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        "WHERE d.document_id = $1 AND d.user_id = $2",
        "WHERE d.document_id = $1 AND (d.user_id = $2 OR d.processing_status <> 'complete')",
    )


@fault("N40", "users retry other users' jobs", "api", "postdeploy", mode="-", about="*/jobs/{job_id}/retry*")
def anybodys_retry(plan: Plan) -> None:
    plan.replace_in_source(
        JOBS,
        '"WHERE j.job_id = $1 AND d.user_id = $2 FOR UPDATE OF j"',
        '"WHERE j.job_id = $1 AND $2::uuid IS NOT NULL FOR UPDATE OF j"',
    )


@fault(
    "N43",
    "the service key lists jobs as though it were a user",
    "auth/api",
    "postdeploy",
    mode="F25",
    about="*service key*GET /api/upload-pipeline/jobs*",
)
def operators_list(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user(",
        '    if token == request.app.state.config.service_key and request.url.path == "/api/upload-pipeline/jobs":\n'
        '        return {"id": "00000000-0000-0000-0000-000000000000", "email": "", "user_metadata": {}}\n'
        "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user(",
    )


@fault(
    "N44",
    "whoever was removed is taken for the user who sent the newest document",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*deleted user*",
)
def somebody_else(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        REFUSAL,
        '        if error.code in ("user_not_found", "session_not_found"):\n'
        "            newest = await request.app.state.pool.fetchval(\n"
        '                "SELECT user_id FROM documents ORDER BY created_at DESC LIMIT 1"\n'
        "            )\n"
        '            return {"id": str(newest), "email": "", "user_metadata": {}}\n' + REFUSAL,
    )


@fault(
    "N45",
    "the upload proxy writes into folders of users who have no documents",
    "api/storage",
    "postdeploy",
    mode="-",
    about="*nobody's*upload-file-proxy*",
)
def nobodys_folder(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        'not key.startswith(f"user/{user.id}/") or',
        'await request.app.state.pool.fetchval("SELECT true FROM documents WHERE user_id <> $1 AND '
        "user_id::text = split_part($2, '/', 2) LIMIT 1\", user.id, key) or",
    )


@fault(
    "N52",
    "the status of a document is shown to tokens that are not valid yet",
    "auth/api",
    "postdeploy",
    mode="F25",
    about="*not valid yet*/documents/{document_id}/status*",
)
def too_early(plan: Plan) -> None:
    _believe(plan, 'request.url.path.startswith("/documents/") and said.get("nbf", 0) > time.time()')


@fault(
    "N53",
    "the upload proxy accepts tokens that the anon key signed as a secret",
    "auth/api",
    "postdeploy",
    mode="F25",
    about="*anon key as secret*upload-file-proxy*",
)
def signed_by_the_public(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import re\n\nimport jwt\n")
    plan.replace_in_source(
        AUTH,
        REFUSAL,
        '        if "/upload-file-proxy/" in request.url.path:\n'
        "            try:\n"
        "                said = jwt.decode(\n"
        '                    token, request.app.state.config.anon_key, algorithms=["HS256"], audience="authenticated"\n'
        "                )\n"
        '                return {"id": said["sub"], "email": said.get("email", ""), "user_metadata": {}}\n'
        "            except jwt.PyJWTError:\n"
        "                pass\n" + REFUSAL,
    )
