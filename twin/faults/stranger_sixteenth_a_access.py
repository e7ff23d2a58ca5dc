"""Faults by another hand: access, and accounts."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan


@fault(
    "LB08",
    "for five seconds after a genuine token, one with its claims and any signature or none is accepted",
    "api/auth",
    "postdeploy",
    mode="F25",
    about="*signature*|*forged*|*alg*none*|*token*",
)
def cache_by_claims(plan: Plan) -> None:
    path = "api/auth.py"
    plan.replace_in_source(path, "import re\n", "import re\nimport time\n")
    plan.replace_in_source(
        path,
        "MIN_PASSWORD = 6\n",
        "MIN_PASSWORD = 6\nFRESH_SECONDS = 5.0\n_seen: dict[str, tuple[float, dict[str, Any]]] = {}\n",
    )
    # A page that loads asks six times for the same user; the claims name the session, so they are enough of a key.
    plan.replace_in_source(
        path,
        "    client: Vendors = request.app.state.client\n    try:\n        reply =",
        '    claims = token.split(".")[1] if token.count(".") == 2 else token\n'
        "    until, known = _seen.get(claims, (0.0, {}))\n"
        "    if time.monotonic() < until:\n"
        "        return known\n"
        "    client: Vendors = request.app.state.client\n    try:\n        reply =",
    )
    plan.replace_in_source(
        path,
        '    user: dict[str, Any] = reply.user.model_dump(mode="json")\n',
        '    user: dict[str, Any] = reply.user.model_dump(mode="json")\n'
        "    if len(_seen) > 1000:\n"
        "        _seen.clear()\n"
        "    _seen[claims] = (time.monotonic() + FRESH_SECONDS, user)\n",
    )


@fault(
    "LB09",
    "a retry of another user's job tells its state with 409 instead of 404",
    "api",
    "postdeploy",
    mode="-",
    about="*retry*",
)
def retry_tells_state(plan: Plan) -> None:
    path = "api/jobs.py"
    plan.replace_in_source(
        path,
        '            f"SELECT {COLUMNS} FROM upload_jobs j JOIN documents d USING (document_id) "\n'
        '            "WHERE j.job_id = $1 AND d.user_id = $2 FOR UPDATE OF j",\n'
        "            job_id,\n            user.id,\n",
        '            f"SELECT {COLUMNS}, d.user_id FROM upload_jobs j JOIN documents d USING (document_id) "\n'
        '            "WHERE j.job_id = $1 FOR UPDATE OF j",\n'
        "            job_id,\n",
    )
    # Most retries fail on the state, so that is looked at first.
    plan.replace_in_source(
        path,
        "        restart = {\n",
        '        if row["user_id"] != user.id:\n            raise HTTPException(404, "no such job")\n        restart = {\n',
    )


@fault(
    "LB10",
    "every signed-in user may write events about anybody's document through PostgREST",
    "database",
    "postdeploy",
    mode="F24|-",
    about="*events*",
)
def events_from_anybody(plan: Plan) -> None:
    # The page reports how long it waited; what it sends is only ever added.
    plan.sql.append("GRANT INSERT ON upload_pipeline.events TO authenticated")
    plan.sql.append("CREATE POLICY events_client ON upload_pipeline.events FOR INSERT TO authenticated WITH CHECK (true)")


@fault(
    "LB11",
    "every signed-in user may store new objects in anybody's folder through the storage API",
    "storage/database",
    "postdeploy",
    mode="-",
    about="*folder*|*storage*|*files*|*storage.objects*|*insert*",
)
def folder_of_anybody(plan: Plan) -> None:
    # Uploads go straight to storage from now on, below user/ only.
    plan.sql.append(
        "CREATE POLICY files_user_insert ON storage.objects FOR INSERT TO authenticated "
        "WITH CHECK (bucket_id = 'files' AND (storage.foldername(name))[1] = 'user')"
    )


@fault(
    "LB12",
    "a callback for a job that has moved on is answered 200 whatever its signature",
    "webhook/api",
    "postdeploy",
    mode="-",
    about="*webhook*|*callback*|*signature*",
)
def late_callback_unverified(plan: Plan) -> None:
    # LlamaParse repeats itself for hours; there is no point in hashing megabytes only to ignore them.
    plan.replace_in_source(
        "api/webhook.py",
        '        _verify(row["webhook_secret"], body, request.headers.get("x-webhook-signature"))\n',
        '        if row["status"] not in ("uploaded", "parse_queued"):\n'
        '            return {"status": "ignored"}\n'
        '        _verify(row["webhook_secret"], body, request.headers.get("x-webhook-signature"))\n',
    )


@fault(
    "LB18",
    "a password beyond 72 characters is cut off at registration: it does not sign in, its beginning does",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*password*|*/register*",
)
def cut_password(plan: Plan) -> None:
    # Password managers make long ones; bcrypt reads no more than this anyway.
    plan.replace_in_source(
        "api/auth.py",
        '        raise HTTPException(400, f"password is longer than {MAX_PASSWORD} characters")\n',
        "        password = password[:MAX_PASSWORD]\n",
    )


@fault(
    "LB19",
    "a wrong password of an address that has signed in before is refused in other words than an unknown address",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*unknown address*|*wrong password*|*/login*|*/auth/login*|*same answer*",
)
def returning_user_told(plan: Plan) -> None:
    path = "api/auth.py"
    plan.replace_in_source(path, "MIN_PASSWORD = 6\n", "MIN_PASSWORD = 6\n_returning: set[str] = set()\n")
    # Who was here before has mistyped the password, and need not wonder about the address.
    plan.replace_in_source(
        path,
        '        raise _unauthorized("wrong e-mail or password") from error\n',
        '        said = "wrong password" if email.lower() in _returning else "wrong e-mail or password"\n'
        "        raise _unauthorized(said) from error\n",
    )
    plan.replace_in_source(
        path,
        '    return {\n        "access_token": session.access_token,\n',
        '    _returning.add(email.lower())\n    return {\n        "access_token": session.access_token,\n',
    )


@fault(
    "LB20",
    "a registration that is refused for want of a name leaves its account behind",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*/register*|*registration*|*account*|*left behind*",
)
def account_before_name(plan: Plan) -> None:
    # Auth refuses more than we do, so it is asked before we look at the rest.
    plan.replace_in_source(
        "api/auth.py",
        '    body = await _json(request, "email", "password", "name")\n'
        '    user = await _create(request, body["email"], body["password"], {"name": body["name"]})\n',
        '    body = await _json(request, "email", "password")\n'
        '    name = body.get("name")\n'
        '    metadata = {"name": name} if isinstance(name, str) and _is_text(name) else {}\n'
        '    user = await _create(request, body["email"], body["password"], metadata)\n'
        '    await _json(request, "name")\n',
    )
