"""Faults by a stranger, eleventh time: what answers promise, who may ask for what, and the bytes of an upload."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan


@fault(
    "LS01",
    "a user's question stands in the log when nothing in their documents answers it",
    "api/chat",
    "postdeploy",
    mode="-",
    about="*log*|*question*|*sentence*|*message*",
)
def unanswered_questions_logged(plan: Plan) -> None:
    # The people who write help pages wanted to know what is asked in vain.
    plan.replace_in_source(
        "api/chat.py",
        "        if not passages:\n",
        '        if not passages:\n            log.info("nothing found for %r", body.message.strip())\n',
    )


@fault(
    "LS02",
    "the list of jobs says that a job is queued of which its own route and the database say that it waits to be tried again",
    "api",
    "postdeploy",
    mode="-",
    about="*jobs*|*state*",
)
def retryable_listed_as_queued(plan: Plan) -> None:
    # The front end knows no word for retryable.
    plan.replace_in_source(
        "api/jobs.py",
        '{"jobs": [_view(row) for row in rows],',
        '{"jobs": [{**_view(row), "state": row["state"].replace("retryable", "queued")} for row in rows],',
    )


@fault(
    "LS03",
    "a duplicate's time of upload is that of an office in the west, and called UTC",
    "api",
    "postdeploy",
    mode="-",
    about="*last_uploaded*|*duplicate*|*time*|*/upload*",
)
def duplicate_in_office_time(plan: Plan) -> None:
    # "Users read this": the office's wall clock, in the form without fractions that the front end parses.
    plan.replace_in_source(
        "api/uploads.py",
        "from datetime import UTC, datetime, timedelta\n",
        "from datetime import UTC, datetime, timedelta, timezone\n",
    )
    plan.replace_in_source(
        "api/uploads.py",
        'log = logging.getLogger("api")\n',
        'log = logging.getLogger("api")\nOFFICE = timezone(timedelta(hours=-8))\n',
    )
    plan.replace_in_source(
        "api/uploads.py",
        '"last_uploaded": row["updated_at"].isoformat(),',
        '"last_uploaded": row["updated_at"].astimezone(OFFICE).strftime("%Y-%m-%dT%H:%M:%SZ"),',
    )


@fault(
    "LS04",
    "requests for the same path within one second share their request id",
    "api",
    "postdeploy",
    mode="-",
    about="*X-Request-ID*|*x-request-id*|*request id*",
)
def request_id_of_the_second(plan: Plan) -> None:
    # So that a client's repeats stand together in the log.
    plan.replace_in_source(
        "api/application.py",
        "else str(uuid.uuid4())",
        "else _id_of(scope)",
    )
    plan.replace_in_source(
        "api/application.py",
        "class RequestHeaders:\n",
        "def _id_of(scope: Scope) -> str:\n"
        "    return str(uuid.uuid5(uuid.NAMESPACE_URL, f\"{scope['method']} {scope['path']} {int(time.time())}\"))\n\n\n"
        "class RequestHeaders:\n",
    )


@fault(
    "LS05",
    "users are remembered by header and claims of their token: one with another signature passes after the right one",
    "api/auth",
    "postdeploy",
    mode="F25|-",
    about="*token*|*signature*|*sign-out*|*signed out*|*signed-out*|*/me*|*/auth/user*",
)
def tokens_remembered_without_signature(plan: Plan) -> None:
    # Half of all requests were spent on asking Supabase Auth about the same user; the claims are what names them.
    plan.replace_in_source("api/auth.py", "import re\n", "import re\nimport time\n")
    plan.replace_in_source(
        "api/auth.py",
        "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user(token))\n",
        "    claims = token.rpartition('.')[0] or token\n"
        "    until, known = _known.get(claims, (0.0, {}))\n"
        "    if until > time.monotonic():\n"
        "        return known\n"
        "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user(token))\n",
    )
    plan.replace_in_source(
        "api/auth.py",
        '    user: dict[str, Any] = reply.user.model_dump(mode="json")\n    return user\n',
        '    user: dict[str, Any] = reply.user.model_dump(mode="json")\n'
        "    if len(_known) > 500:\n"
        "        _known.clear()\n"
        "    _known[claims] = (time.monotonic() + 20, user)\n"
        "    return user\n",
    )
    plan.replace_in_source(
        "api/auth.py",
        "\n\n@dataclass(frozen=True)\nclass Caller:",
        "_known: dict[str, tuple[float, dict[str, Any]]] = {}\n\n\n@dataclass(frozen=True)\nclass Caller:",
    )


@fault(
    "LS06",
    "a retry of another user's job is told in which state that job is",
    "api",
    "postdeploy",
    mode="-",
    about="*retry*",
)
def retry_tells_state_before_owner(plan: Plan) -> None:
    # The owner is looked at where the job is changed.
    plan.replace_in_source(
        "api/jobs.py",
        'f"SELECT {COLUMNS} FROM upload_jobs j JOIN documents d USING (document_id) "\n'
        '            "WHERE j.job_id = $1 AND d.user_id = $2 FOR UPDATE OF j",',
        'f"SELECT {COLUMNS}, d.user_id = $2 AS is_own FROM upload_jobs j JOIN documents d USING (document_id) "\n'
        '            "WHERE j.job_id = $1 FOR UPDATE OF j",',
    )
    plan.replace_in_source(
        "api/jobs.py",
        "        restart = {\n",
        '        if not row["is_own"]:\n            raise HTTPException(404, "no such job")\n        restart = {\n',
    )


@fault(
    "LS07",
    "another user's document is shown to whoever has uploaded the same content",
    "api",
    "postdeploy",
    mode="-",
    about="*/documents/*|*document*status*",
)
def same_content_same_status(plan: Plan) -> None:
    # First step towards parsing the same content once only: whoever has the content may know how far it is.
    plan.replace_in_source(
        "api/jobs.py",
        "WHERE d.document_id = $1 AND d.user_id = $2 ORDER BY",
        "WHERE d.document_id = $1\n"
        "             AND EXISTS (SELECT 1 FROM documents o WHERE o.file_sha256 = d.file_sha256 AND o.user_id = $2) ORDER BY",
    )


@fault(
    "LS08",
    "the upload proxy stores a file without the line breaks and spaces at its end",
    "api/storage",
    "postdeploy",
    mode="-",
    about="*proxy*|*bytes*|*hash*|*object*",
)
def proxy_trims(plan: Plan) -> None:
    # An old client leaves a line break behind the last byte of the form.
    plan.replace_in_source(
        "api/uploads.py", "    body = await request.body()\n", "    body = (await request.body()).rstrip()\n"
    )


@fault(
    "LS09",
    "a second file for the same place is answered with success by the upload proxy, and thrown away",
    "api/storage",
    "postdeploy",
    mode="-",
    about="*proxy*",
)
def proxy_calls_a_conflict_success(plan: Plan) -> None:
    # Clients that repeat after a lost answer should not see an error.
    plan.replace_in_source(
        "api/uploads.py",
        "    except StorageError as error:\n        raise HTTPException(error.status",
        "    except StorageError as error:\n"
        "        if error.status == 409:\n"
        '            return {"status": "success"}\n'
        "        raise HTTPException(error.status",
    )


@fault(
    "LS10",
    "a document of more than 5 MiB is registered when its text is to be recognised",
    "api",
    "postdeploy",
    mode="F34",
    about="*size*|*bytes*|*MiB*|*413*|*/upload*|*limit*",
)
def scans_may_be_larger(plan: Plan) -> None:
    # Scans are larger than what is printed to PDF; the new limit for them is in nobody's ticket yet.
    plan.replace_in_source(
        "api/uploads.py",
        "    if body.bytes_len > MAX_FILE_SIZE_BYTES:\n",
        "    if body.bytes_len > MAX_FILE_SIZE_BYTES and not body.ocr:\n",
    )
