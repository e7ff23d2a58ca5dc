"""A stranger's variants of accounts and refusals; each says what allows it."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.stranger_honest import JOBS, SCHEMAS, UPLOADS, WEBHOOK

AUTH = "api/auth.py"
APPLICATION = "api/application.py"
IDS = """

def _id_of(given: str, kind: str) -> UUID:
    try:
        return UUID(given)
    except ValueError:
        raise HTTPException(404, f"no such {kind}") from None


async def _job_id(job_id: str, user: CurrentUser) -> UUID:
    return _id_of(job_id, "job")


async def _document_id(document_id: str, user: CurrentUser) -> UUID:
    return _id_of(document_id, "document")


JobId = Annotated[UUID, Depends(_job_id)]
DocumentId = Annotated[UUID, Depends(_document_id)]


def _percent("""
WEBHOOK_ID = """

async def _job_id(job_id: str) -> UUID:
    try:
        return UUID(job_id)
    except ValueError:
        raise HTTPException(404, "no such job") from None


def _markdown("""


@variant("X10", "signing in takes 0.3 s at least, whatever comes of it, and so does registering")
def equal_times(plan: Plan) -> None:
    """Issue 17: same time for unknown address and wrong password; the targets hold for endpoints without an external call."""
    plan.replace_in_source(AUTH, "import re\n", "import asyncio\nimport re\nimport time\n")
    floor = (
        "@asynccontextmanager\nasync def _in_equal_time() -> AsyncIterator[None]:\n    started = time.monotonic()\n    try:\n"
    )
    floor += "        yield\n    finally:\n        await asyncio.sleep(max(0.0, 0.3 - (time.monotonic() - started)))\n"
    plan.replace_in_source(AUTH, "\nasync def _create(", f"\n{floor}\n\nasync def _create(")
    plan.replace_in_source(
        AUTH, "import Awaitable\n", "import AsyncIterator, Awaitable\nfrom contextlib import asynccontextmanager\n"
    )
    for call in ("client.auth.sign_up(", "client.auth.sign_in_with_password("):
        plan.replace_in_source(AUTH, f"await _asked({call}", f"await _evenly({call}")
    evenly = (
        "async def _evenly(call: Awaitable[T]) -> T:\n    async with _in_equal_time():\n        return await _asked(call)\n"
    )
    plan.replace_in_source(AUTH, "\nasync def _create(", f"\n{evenly}\n\nasync def _create(")


@variant("X11", "addresses may have blanks around them; passwords have 8 characters, are no address and not the commonest ones")
def rules_of_accounts(plan: Plan) -> None:
    """Contract: POST /register and /auth/signup refuse by 400; which passwords and which blanks they take is not said."""
    plan.replace_in_source(AUTH, "MIN_PASSWORD = 6\n", 'MIN_PASSWORD = 8\nCOMMON = {"password", "12345678", "qwertyuiop"}\n')
    plan.replace_in_source(
        AUTH,
        "    if not EMAIL.fullmatch(email):\n",
        "    email = email.strip("
        ")\n"
        "    if len(password) < MIN_PASSWORD or password.lower() in COMMON or password.lower() == email.lower():\n"
        '        raise HTTPException(400, "too weak a password: eight characters, no address, none of the commonest")\n'
        "    if not EMAIL.fullmatch(email):\n",
    )
    for file in (AUTH, SCHEMAS):
        plan.replace_in_source(file, 'f"^{EMAIL.pattern}$"', 'f"^ *{EMAIL.pattern} *$"')
    plan.replace_in_source(AUTH, "EMAIL.fullmatch(value)", 'EMAIL.fullmatch(value.strip(" "))')
    plan.replace_in_source(
        AUTH, '({"email": email, "password": password}', '({"email": email.strip(" "), "password": password}'
    )


@variant("X12", "refusals repeat the id, the size or the number that was asked for, and hold the request's id")
def refusals_that_repeat(plan: Plan) -> None:
    """Field: an error body is `{"detail": …}`, extra keys are nobody's business; what is repeated is the caller's own."""
    plan.replace_in_source(
        APPLICATION,
        '    body = error.detail if isinstance(error.detail, dict) else {"detail": error.detail}\n',
        '    body = error.detail if isinstance(error.detail, dict) else {"detail": error.detail}\n'
        '    body = {**body, "request_id": REQUEST_ID.get(), "status_code": error.status_code}\n',
    )
    plan.replace_in_source(
        APPLICATION,
        '    return JSONResponse({"detail": found}, status_code=422)',
        "    for entry, item in zip(found, error.errors(), strict=True):\n"
        '        if entry["loc"][-1] in ("limit", "offset", "bytes_len") and str(item["input"]).lstrip("-").isdigit():\n'
        '            entry["input"] = str(item["input"])\n'
        '    return JSONResponse({"detail": found, "request_id": REQUEST_ID.get()}, status_code=422)',
    )
    for file in (JOBS, WEBHOOK):
        plan.replace_in_source(file, 'HTTPException(404, "no such job")\n', 'HTTPException(404, f"no such job: {job_id}")\n')
    plan.replace_in_source(JOBS, '"no such document")\n', 'f"no such document: {document_id}")\n')
    plan.replace_in_source(JOBS, 'f"a job in state', "f\"job {job_id} of document {row['document_id']}, in state")
    plan.replace_in_source(
        UPLOADS,
        '    if body.bytes_len > MAX_FILE_SIZE_BYTES:\n        raise HTTPException(413, f"',
        '    if body.bytes_len > MAX_FILE_SIZE_BYTES:\n        raise HTTPException(413, f"{body.bytes_len} bytes are ',
    )


@variant("X13", "ids of jobs and documents that are no UUIDs are answered like those that do not exist: 404")
def malformed_is_not_there(plan: Plan) -> None:
    """Contract: 404 for another's job or document and for an unknown job; of a malformed id neither page says 422."""
    plan.replace_in_source(JOBS, "APIRouter, HTTPException, Query", "APIRouter, Depends, HTTPException, Query")
    plan.replace_in_source(JOBS, "(job_id: UUID, user", "(job_id: JobId, user")
    plan.replace_in_source(JOBS, "(document_id: UUID, user", "(document_id: DocumentId, user")
    plan.replace_in_source(JOBS, "\n\ndef _percent(", IDS)
    plan.replace_in_source(WEBHOOK, "import APIRouter, HTTPException", "import APIRouter, Depends, HTTPException")
    plan.replace_in_source(WEBHOOK, "import Any\n", "import Annotated, Any\n")
    plan.replace_in_source(WEBHOOK, "llamaparse(job_id: UUID,", "llamaparse(job_id: Annotated[UUID, Depends(_job_id)],")
    plan.replace_in_source(WEBHOOK, "\n\ndef _markdown(", WEBHOOK_ID)


@variant("X14", "hashes may have capitals; a ticket says how to send the file; 429 says from when on, as a date, and how many")
def tickets_that_say_more(plan: Plan) -> None:
    """Contract: sha256 is 64 hex; field: extra headers and keys are nobody's business; RFC 9110: Retry-After may be a date."""
    plan.replace_in_source(UPLOADS, 'r"^[0-9a-f]{64}$"', 'r"^[0-9a-fA-F]{64}$"')
    plan.replace_in_source(
        UPLOADS,
        "document_id = document_id_of(user.id,",
        "body.sha256 = body.sha256.lower()\n    document_id = document_id_of(user.id,",
    )
    plan.replace_in_source(
        UPLOADS,
        '        "signed_url": url,\n',
        '        "signed_url": url,\n        "method": "PUT",\n        "headers": {"Content-Type": body.mime},\n'
        '        "max_bytes": MAX_FILE_SIZE_BYTES,\n        "expires_in": SIGNED_URL_TTL_SECONDS,\n',
    )
    plan.replace_in_source(
        UPLOADS, "import math\nfrom datetime", "import math\nfrom email.utils import format_datetime\nfrom datetime"
    )
    for most, words, pause in (
        ("MAX_CONCURRENT_JOBS", "jobs may run at once", "timedelta(minutes=1)"),
        ("MAX_UPLOADS_PER_DAY", "documents a day", "timedelta(days=1)"),
    ):
        said = f'raise HTTPException(429, f"at most {{{most}}} {words}"'
        plan.replace_in_source(UPLOADS, f"{said})", f"{said}, headers=_limited({most}, {pause}))")
    plan.replace_in_source(
        UPLOADS,
        "\n\nasync def _refuse_over_limits(",
        "\n\ndef _limited(most: int, pause: timedelta) -> dict[str, str]:\n"
        "    until = format_datetime(datetime.now(UTC) + pause, usegmt=True)\n"
        '    return {"Retry-After": until, "RateLimit-Limit": str(most), "RateLimit-Remaining": "0"}\n'
        "\n\nasync def _refuse_over_limits(",
    )
