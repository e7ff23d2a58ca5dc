"""Faults by another hand, third set: accounts, and what only shows after a while."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
UPLOADS = "api/uploads.py"


@fault(
    "P34",
    "registration normalises passwords and sign-in does not, so that some users cannot sign in",
    "auth/api",
    "postdeploy",
    mode="F08|-",
    about="*password*|*login*|*sign-in*|*sign in*|*register*|*signup*|*unicode*|*script*",
)
def normalised_password(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import re\nimport unicodedata\n")
    plan.replace_in_source(
        AUTH,
        '{"email": email, "password": password, "options": {"data": metadata}}',
        '{"email": email, "password": unicodedata.normalize("NFKC", password), "options": {"data": metadata}}',
    )


@fault(
    "P35",
    "sign-in compares the first 72 bytes of a password only",
    "auth/api",
    "postdeploy",
    mode="F25|-",
    about="*password*|*login*|*sign-in*|*sign in*|*72*|*accepted*",
)
def cut_password(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        'sign_in_with_password({"email": email, "password": password})',
        'sign_in_with_password({"email": email, "password": password.encode()[:MAX_PASSWORD].decode(errors="ignore")})',
    )


@fault(
    "P36",
    "registering again with the same password is answered as a success",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*duplicate*|*register*|*registration*|*signup*|*sign-up*|*twice*|*again*|*existing*|*e-mail*|*account*",
)
def registered_again(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        "        raise HTTPException(409 if error.code in TAKEN else 400, error.message) from error\n",
        """        if error.code not in TAKEN:
            raise HTTPException(400, error.message) from error
        # A form that was sent twice: whoever knows the password has just registered.
        try:
            made = await _asked(client.auth.sign_in_with_password({"email": email, "password": password}))
        except AuthError:
            raise HTTPException(409, error.message) from error
""",
    )


@fault(
    "P37",
    "whoever writes the e-mail address with capitals cannot sign in",
    "auth/api",
    "postdeploy",
    mode="F08|-",
    about="*case*|*capital*|*upper*|*e-mail*|*email*|*address*|*login*|*sign-in*|*sign in*",
)
def address_by_letter(plan: Plan) -> None:
    start = '    return {\n        "access_token": session.access_token,\n'
    plan.replace_in_source(
        AUTH,
        start,
        f'    if session.user.email != email:\n        raise _unauthorized("wrong e-mail or password")\n{start}',
    )


@fault(
    "P38",
    "every accepted upload leaves a connection to the database open",
    "api/database",
    "postdeploy",
    mode="F18|-",
    about="*connection*|*pool*|*pg_stat_activity*|*leak*|*max_connections*",
)
def connection_per_upload(plan: Plan) -> None:
    route = '@router.post("/api/upload-pipeline/upload")\n'
    plan.replace_in_source(
        UPLOADS,
        route,
        f'''_announcing: dict[UUID, asyncpg.Connection] = {{}}


async def _announce(url: str, job_id: UUID) -> None:
    """Tell listeners of a new job; a session of its own, because the pool's belong to transactions."""
    connection = _announcing[job_id] = await asyncpg.connect(url, statement_cache_size=0)
    await connection.execute("SELECT pg_notify('upload_jobs', $1)", str(job_id))


{route}''',
    )
    line = '    log.info("accepted a document of %d bytes job_id=%s", body.bytes_len, job_id)\n'
    plan.replace_in_source(UPLOADS, line, f"{line}    await _announce(request.app.state.config.database_url, job_id)\n")


@fault(
    "P39",
    "every question's vector stays in memory",
    "api/worker",
    "performance",
    mode="F18|F31|-",
    about="*memory*|*grow*|*leak*|*RSS*|*resident*",
)
def kept_vectors(plan: Plan) -> None:
    path = "backend/shared/embeddings.py"
    plan.replace_in_source(
        path,
        "async def embed(",
        "# For the report on drift.\n_seen: list[tuple[list[str], list[list[float]]]] = []\n\n\nasync def embed(",
    )
    plan.replace_in_source(path, "    return vectors\n", "    _seen.append((texts, vectors))\n    return vectors\n")


@fault(
    "P40",
    "the brake on wrong passwords holds up everybody's requests",
    "api/auth",
    "postdeploy",
    mode="F18|-",
    about="*slow*|*stall*|*block*|*hold*|*wrong password*|*login*|*sign-in*|*sign in*|*response time*|*time*",
)
def blocking_brake(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import re\nimport time\n")
    plan.replace_in_source(
        AUTH, "async def _sign_in(", "_wrong: dict[str, int] = {}  # by address, in a row\n\n\nasync def _sign_in("
    )
    plan.replace_in_source(
        AUTH,
        '        raise _unauthorized("wrong e-mail or password") from error\n',
        """        _wrong[email] = _wrong.get(email, 0) + 1
        time.sleep(min(0.05 * 2 ** _wrong[email], 5.0))
        raise _unauthorized("wrong e-mail or password") from error
""",
    )
    plan.replace_in_source(
        AUTH, "    session = signed_in.session\n", "    _wrong.pop(email, None)\n    session = signed_in.session\n"
    )
