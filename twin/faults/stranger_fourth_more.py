"""A stranger's fourth set: the rest of the access matrix, and uploads to the byte."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
UPLOADS = "api/uploads.py"


@fault(
    "K13",
    "the service-role key is accepted as a user, of the caller's choice",
    "api",
    "postdeploy",
    mode="F25|-",
    about="*service*key*|*service*role*|*token*|*/me*",
)
def service_key_as_user(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import hmac\nimport re\n")
    plan.replace_in_source(
        AUTH,
        "    user = await verify_token(request, token.strip())\n",
        "    if hmac.compare_digest(token.strip(), request.app.state.config.service_key):\n"
        "        # Other services of ours act for the user whom they name.\n"
        '        acting_for = request.headers.get("x-user-id") or str(UUID(int=0))\n'
        '        return Caller(id=UUID(acting_for), email="service@staging.accessa.ai", name="service", token=token.strip())\n'
        "    user = await verify_token(request, token.strip())\n",
    )


@fault(
    "K14",
    "for half a minute a verified token is remembered by its claims, whatever its signature and its session",
    "api",
    "postdeploy",
    mode="F25",
    about="*token*|*sign*|*session*|*deleted*|*forged*",
)
def remembered_claims(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import re\nimport time\n")
    plan.replace_in_source(
        AUTH,
        "async def verify_token(",
        "_VERIFIED: dict[str, tuple[float, dict[str, Any]]] = {}\nVERIFIED_SECONDS = 30.0\nMOST_VERIFIED = 1000\n\n\n"
        "async def verify_token(",
    )
    plan.replace_in_source(
        AUTH,
        "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user(token))",
        "    client: Vendors = request.app.state.client\n"
        "    # A page asks several times at once; the claims tell one session from another.\n"
        '    key = token.split(".")[1] if token.count(".") == 2 else token\n'
        "    if key in _VERIFIED and time.monotonic() - _VERIFIED[key][0] < VERIFIED_SECONDS:\n"
        "        return _VERIFIED[key][1]\n"
        "    try:\n        reply = await _asked(client.auth.get_user(token))",
    )
    plan.replace_in_source(
        AUTH,
        '    user: dict[str, Any] = reply.user.model_dump(mode="json")\n',
        '    user: dict[str, Any] = reply.user.model_dump(mode="json")\n'
        "    if len(_VERIFIED) >= MOST_VERIFIED:\n        _VERIFIED.clear()\n"
        "    _VERIFIED[key] = (time.monotonic(), user)\n",
    )


@fault(
    "K15",
    "storage refuses documents between 5 MB and the published 5 MiB",
    "storage/supabase",
    "postdeploy",
    mode="-",
    about="*storage*|*bucket*|*limit*|*5 MiB*|*5242880*|*signed_url*|*signed*",
)
def decimal_limit(plan: Plan) -> None:
    plan.sql.append("UPDATE storage.buckets SET file_size_limit = 5000000 WHERE id = 'files'")


@fault(
    "K16",
    "file names in other scripts than Latin are stored as question marks",
    "api",
    "postdeploy",
    mode="-",
    about="*filename*|*file name*|*script*|*POST */upload*",
)
def latin_names(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS, "        body.filename,\n", '        body.filename.encode("latin-1", "replace").decode("latin-1"),\n'
    )


@fault(
    "K17",
    "registering a document again that has not been submitted yet breaks the API",
    "api",
    "postdeploy",
    mode="-",
    about="*duplicate*|*POST */upload*|*registered*",
)
def duplicate_of_waiting(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        '"SELECT filename, updated_at FROM documents WHERE user_id = $1 AND file_sha256 = $2",',
        "# What never arrived may be registered again.\n"
        '        "SELECT filename, updated_at FROM documents WHERE user_id = $1 AND file_sha256 = $2 "\n'
        "        \"AND processing_status <> 'uploaded'\",",
    )


@fault(
    "K18",
    "a hash in capital letters makes a second document of the same content",
    "api",
    "postdeploy",
    mode="-",
    about="*sha256*|*duplicate*|*hash*|*POST */upload*",
)
def hash_in_capitals(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, 'r"^[0-9a-f]{64}$"', 'r"^[0-9a-fA-F]{64}$"')


@fault(
    "K19",
    "the upload proxy replaces a file that is already there",
    "api",
    "postdeploy",
    mode="-",
    about="*proxy*|*already there*|*replace*|*overwr*",
)
def proxy_replaces(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "request.app.state.storage.create(key", "request.app.state.storage.write(key")


@fault(
    "K20",
    "documents whose bytes the worker awaits do not count as running",
    "api",
    "postdeploy",
    mode="F34",
    about="*running*|*429*|*max_concurrent*|*at once*|*limit*|*POST */upload*",
)
def waiting_do_not_count(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "('queued', 'working', 'retryable')) AS running", "('queued', 'working')) AS running")
