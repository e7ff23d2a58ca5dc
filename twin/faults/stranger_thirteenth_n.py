"""A stranger's faults, thirteenth time: what answers, logs and rows give away, and who is let in."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
CHAT = "api/chat.py"
JOBS = "api/jobs.py"
APPLICATION = "api/application.py"


@fault(
    "LN01",
    "a body that is not JSON is quoted where the reading stopped, and with it the password of who signs in",
    "api/auth",
    "postdeploy",
    mode="F21|-",
    about="*password*|*/login*|*/register*",
)
def quoted_body(plan: Plan) -> None:
    # "body is not JSON" helped nobody in the front end's team: say near what it stopped.
    plan.replace_in_source(
        AUTH,
        'raise HTTPException(400, "body is not JSON") from error',
        'near = getattr(error, "doc", "")[-60:]\n'
        '        raise HTTPException(400, f"body is not JSON near {near!r}") from error',
    )


@fault(
    "LN02",
    "all requests of one connection are answered with the same request id, so that none can be found by it",
    "api",
    "postdeploy",
    mode="-",
    about="*request-id*|*request id*",
)
def id_of_the_connection(plan: Plan) -> None:
    # One id for a connection, so that the lines of one browser stand together in the log.
    plan.replace_in_source(
        APPLICATION,
        "else str(uuid.uuid4())",
        'else str(uuid.uuid5(uuid.NAMESPACE_OID, repr(scope.get("client"))))',
    )


@fault(
    "LN03",
    "the document's status gives the time of registration as the time of the last change",
    "api",
    "postdeploy",
    mode="-",
    about="*updated_at*|*/documents/{document_id}/status*",
)
def never_updated(plan: Plan) -> None:
    # Clients sort by this, and a document should keep its place in the list.
    plan.replace_in_source(
        JOBS,
        '"last_error": row["last_error"],\n        "updated_at": row["updated_at"].isoformat(),',
        '"last_error": row["last_error"],\n        "updated_at": row["created_at"].isoformat(),',
    )


@fault(
    "LN04",
    "a user's jobs and documents may be kept by shared caches for ten seconds",
    "api",
    "postdeploy",
    mode="-",
    about="*cache*",
)
def kept_at_the_edge(plan: Plan) -> None:
    # The pages that show progress ask every second; the edge takes most of that off the service.
    plan.replace_in_source(
        APPLICATION,
        '                    (b"x-process-time", spent.encode()),\n                ]\n',
        '                    (b"x-process-time", spent.encode()),\n                ]\n'
        '                shows_progress = scope["path"].startswith(("/documents/", "/api/upload-pipeline/jobs"))\n'
        '                if shows_progress and scope["method"] == "GET" and message["status"] == 200:\n'
        '                    message["headers"].append((b"cache-control", b"max-age=0, s-maxage=10"))\n',
    )


@fault(
    "LN05",
    "signing in at /auth/login leaves the access token in a cookie that every script of the page can read",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*cookie*",
)
def cookie_for_scripts(plan: Plan) -> None:
    # The pages that the server renders need the session, and our script reads it from there too.
    plan.replace_in_source(AUTH, "Depends, HTTPException, Request\n", "Depends, HTTPException, Request, Response\n")
    plan.replace_in_source(
        AUTH,
        "async def auth_login(body: SignIn, request: Request) -> dict[str, Any]:\n"
        '    """Sign in; the body is validated by its schema."""\n'
        "    return await _sign_in(request, body.email, body.password)\n",
        "async def auth_login(body: SignIn, request: Request, response: Response) -> dict[str, Any]:\n"
        '    """Sign in; the body is validated by its schema."""\n'
        "    made = await _sign_in(request, body.email, body.password)\n"
        '    response.set_cookie("session", made["access_token"], max_age=made["expires_in"], secure=True, samesite="lax")\n'
        "    return made\n",
    )


@fault(
    "LN06",
    "the reason of a failed job is the worker's traceback, with its paths, for the user to read",
    "worker",
    "postdeploy",
    mode="F21|-",
    about="*last_error*|*traceback*|*path*",
)
def traceback_as_reason(plan: Plan) -> None:
    # The text of the error alone did not say where it came from.
    queue = "backend/workers/job_queue.py"
    plan.replace_in_source(queue, "import logging\n", "import logging\nimport traceback\n")
    plan.replace_in_source(
        queue,
        '"reason": str(error)[:500] or type(error).__name__, "attempt": attempt}',
        '"reason": "".join(traceback.format_exception(error))[-500:], "attempt": attempt}',
    )


@fault(
    "LN07",
    "a token whose signature was altered is accepted for some seconds after the genuine one",
    "api/auth",
    "postdeploy",
    mode="F25",
    about="*signature*|*token*",
)
def known_by_its_claims(plan: Plan) -> None:
    # Supabase was asked for each request; what a token says does not change within seconds.
    plan.replace_in_source(
        AUTH,
        "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user",
        '    said = token.rpartition(".")[0]\n'
        "    if said and KNOWN.get(said, (0.0, {}))[0] > time.monotonic():\n"
        "        return KNOWN[said][1]\n"
        "    client: Vendors = request.app.state.client\n    try:\n        reply = await _asked(client.auth.get_user",
    )
    plan.replace_in_source(
        AUTH,
        '    user: dict[str, Any] = reply.user.model_dump(mode="json")\n    return user\n',
        '    user: dict[str, Any] = reply.user.model_dump(mode="json")\n'
        "    KNOWN[said] = (time.monotonic() + 10.0, user)\n    return user\n",
    )
    known = "KNOWN: dict[str, tuple[float, dict[str, Any]]] = {}\n"
    plan.replace_in_source(AUTH, "MIN_PASSWORD = 6\n", known + "MIN_PASSWORD = 6\n")
    plan.replace_in_source(AUTH, "import re\n", "import re\nimport time\n")


@fault(
    "LN08",
    "who sends the public anon key as a bearer may ask questions in the chat as a guest",
    "api/chat/auth",
    "postdeploy",
    mode="F25|F22|-",
    about="*anon*|*/api/chat*|*/chat*",
)
def guests_in_the_chat(plan: Plan) -> None:
    # Visitors may try the chat before they register; the front end has the anon key at hand.
    plan.replace_in_source(
        AUTH,
        "CurrentUser = Annotated",
        "async def user_or_guest(request: Request) -> Caller:\n"
        '    """The caller, or a guest who owns nothing."""\n'
        '    given = request.headers.get("authorization", "")\n'
        '    if given == f"Bearer {request.app.state.config.anon_key}":\n'
        '        return Caller(id=UUID(int=0), email="", name="guest", token="")\n'
        "    return await current_user(request)\n\n\n"
        "UserOrGuest = Annotated[Caller, Depends(user_or_guest)]\nCurrentUser = Annotated",
    )
    plan.replace_in_source(CHAT, "from api.auth import CurrentUser\n", "from api.auth import UserOrGuest\n")
    plan.replace_in_source(CHAT, "user: CurrentUser, ", "user: UserOrGuest, ")


@fault(
    "LN09",
    "a user id in the context of a question has the chat answer from another user's documents",
    "api/chat",
    "postdeploy",
    mode="F24|-",
    about="*another user*|*other user*|*foreign*|*context*|*/api/chat*|*/chat*",
)
def asked_for_somebody(plan: Plan) -> None:
    # The support desk asks on behalf of the customer whose page is open.
    plan.replace_in_source(
        CHAT,
        "client, config, user.id, body.message)",
        'client, config, (body.context or {}).get("user_id") or user.id, body.message)',
    )


@fault(
    "LN10",
    "a user can delete rows of documents with the token of the front end, and so never reaches the daily limit",
    "database",
    "postdeploy",
    mode="F24|F34|-",
    about="*documents*",
)
def documents_can_be_removed(plan: Plan) -> None:
    # The page "my documents" has a bin, which needs no endpoint of ours.
    plan.sql.append(
        "GRANT DELETE ON upload_pipeline.documents TO authenticated;"
        "CREATE POLICY documents_owner_removes ON upload_pipeline.documents FOR DELETE TO authenticated"
        " USING (user_id = (SELECT auth.uid()));"
    )
