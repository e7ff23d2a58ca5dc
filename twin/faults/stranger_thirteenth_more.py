"""Faults by a stranger who has not read the checks: access to the data, accounts, and rest."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
RUNNING_TOPICS = """
CREATE POLICY own_topics ON realtime.messages FOR SELECT TO authenticated USING (realtime.topic() LIKE 'user:%');
CREATE FUNCTION upload_pipeline.tell_progress() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM realtime.send(
        jsonb_build_object('job_id', new.job_id, 'document_id', new.document_id, 'status', new.status),
        'progress',
        (SELECT 'user:' || user_id FROM upload_pipeline.documents WHERE document_id = new.document_id));
    RETURN new;
END $$;
CREATE TRIGGER tell_progress AFTER UPDATE OF status ON upload_pipeline.upload_jobs
    FOR EACH ROW EXECUTE FUNCTION upload_pipeline.tell_progress()
"""


@fault(
    "LI11",
    "every signed-in user may listen on the private realtime topic of every other user",
    "realtime/database",
    "postdeploy",
    mode="F24|-",
    about="*realtime*|*topic*|*channel*|*messages*",
)
def topics_of_others(plan: Plan) -> None:
    # Progress comes by broadcast instead of polling; each user has a topic.
    plan.sql.append(RUNNING_TOPICS)


@fault(
    "LI12",
    "a search function in the database returns passages of everybody's documents to every signed-in user",
    "database",
    "postdeploy",
    mode="F24|-",
    about="*find_passages*|*function*|*rpc*",
)
def search_sees_everything(plan: Plan) -> None:
    # The policies made the search slow, and the front end only shows what belongs to the document at hand.
    plan.sql.append(
        "CREATE FUNCTION upload_pipeline.find_passages(words text DEFAULT '') RETURNS TABLE (filename text, passage text)"
        " LANGUAGE sql STABLE SECURITY DEFINER AS $$ SELECT d.filename, c.text FROM upload_pipeline.document_chunks c"
        " JOIN upload_pipeline.documents d USING (document_id) WHERE c.text ILIKE '%' || words || '%' LIMIT 20 $$"
    )


@fault(
    "LI13",
    "a sign-in by /auth/login ends all other sessions of the user, whose valid tokens are refused from then on",
    "auth",
    "postdeploy",
    mode="F08",
    about="*/auth/login*|*token*|*session*|*/me*",
)
def one_device_at_a_time(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        "    return await _sign_in(request, body.email, body.password)\n",
        "    signed_in = await _sign_in(request, body.email, body.password)\n"
        "    # One device at a time: a token that was forgotten somewhere else shall not stay good.\n"
        "    config, client = request.app.state.config, request.app.state.client\n"
        "    await client.http.post(\n"
        '        f"{config.supabase_url}/auth/v1/logout",\n'
        '        params={"scope": "others"},\n'
        '        headers={"apikey": config.anon_key, "Authorization": f"Bearer {signed_in[\'access_token\']}"},\n'
        "    )\n"
        "    return signed_in\n",
    )


@fault(
    "LI14",
    "the first signed-in request after a pause of five minutes is refused with 503",
    "api",
    "performance",
    mode="-",
    about="*pause*|*503*|*idle*|*first request*",
)
def asleep_after_a_pause(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import re\nimport time\n")
    plan.replace_in_source(AUTH, "MIN_PASSWORD = 6\n", "MIN_PASSWORD = 6\n_seen: dict[str, float] = {}\n")
    plan.replace_in_source(
        AUTH,
        "    user = await verify_token(request, token.strip())\n",
        "    # The pooler drops connections that rest; clients come again by themselves, and find fresh ones.\n"
        '    last, _seen["at"] = _seen.get("at", time.monotonic()), time.monotonic()\n'
        '    if _seen["at"] - last > 300 / request.app.state.config.speedup:\n'
        "        await request.app.state.pool.expire_connections()\n"
        '        raise HTTPException(503, "waking up", headers={"Retry-After": "1"})\n'
        "    user = await verify_token(request, token.strip())\n",
    )


@fault(
    "LI15",
    "three wrong passwords lock an account that exists out for a quarter of an hour, and an unknown address is never locked",
    "auth",
    "postdeploy",
    mode="-",
    about="*/login*|*/auth/login*|*unknown address*|*wrong password*|*429*",
)
def only_accounts_are_locked(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "import re\n", "import re\nimport time\n")
    plan.replace_in_source(AUTH, "MIN_PASSWORD = 6\n", "MIN_PASSWORD = 6\n_failures: dict[str, list[float]] = {}\n")
    plan.replace_in_source(
        AUTH,
        "    client: Vendors = request.app.state.client\n    try:\n        signed_in = await",
        "    client: Vendors = request.app.state.client\n"
        "    # Guessing at an account must end; addresses that nobody has here would only fill the memory.\n"
        "    window = 900 / request.app.state.config.speedup\n"
        "    recent = [at for at in _failures.get(email, []) if time.monotonic() - at < window]\n"
        "    if len(recent) >= 3:\n"
        '        raise HTTPException(429, "too many attempts for this account")\n'
        "    try:\n        signed_in = await",
    )
    plan.replace_in_source(
        AUTH,
        '        raise _unauthorized("wrong e-mail or password") from error\n',
        "        if email in _failures:\n"
        "            _failures[email] = [*recent, time.monotonic()]\n"
        '        raise _unauthorized("wrong e-mail or password") from error\n    _failures[email] = []\n',
    )


@fault(
    "LI16",
    "a registration with somebody else's address is refused, and yet changes the name of that account",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*/register*|*/auth/signup*|*name*|*duplicate*|*regist*",
)
def refused_and_renamed(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        "async def _create(",
        "async def _correct_name(request: Request, email: str, name: str) -> None:\n"
        "    # People who mistyped their name register again; support has corrected these by hand until now.\n"
        "    config, http = request.app.state.config, request.app.state.client.http\n"
        '    users = f"{config.supabase_url}/auth/v1/admin/users"\n'
        '    headers = {"apikey": config.service_key, "Authorization": f"Bearer {config.service_key}"}\n'
        '    page = await http.get(users, params={"per_page": 1000}, headers=headers)\n'
        '    for user in page.json().get("users", []):\n'
        '        if name and user["email"] == email.lower():\n'
        '            change = {"user_metadata": {"name": name}}\n'
        "            await http.put(f\"{users}/{user['id']}\", json=change, headers=headers)\n\n\n"
        "async def _create(",
    )
    plan.replace_in_source(
        AUTH,
        "        raise HTTPException(409 if error.code in TAKEN else 400, error.message) from error\n",
        "        if error.code in TAKEN:\n"
        '            await _correct_name(request, email, metadata.get("name", ""))\n'
        "        raise HTTPException(409 if error.code in TAKEN else 400, error.message) from error\n",
    )


@fault(
    "LI17",
    "a sign-up whose password is too short is refused with 422 after the account was made, which can then sign in",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*/auth/signup*|*short*|*refused*|*regist*",
)
def refused_too_late(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        "Field(min_length=8, max_length=MAX_PASSWORD, pattern",
        'Field(json_schema_extra={"minLength": 8}, max_length=MAX_PASSWORD, pattern',
    )
    plan.replace_in_source(
        AUTH,
        '    return {"user": _user_view(await _create(request, body.email, body.password, metadata))}\n',
        "    user = await _create(request, body.email, body.password, metadata)\n"
        "    # Supabase has rules of its own, which go first, so that people see one message and not two.\n"
        "    if len(body.password) < 8:\n"
        '        raise HTTPException(422, "password is shorter than 8 characters")\n'
        '    return {"user": _user_view(user)}\n',
    )


@fault(
    "LI18",
    "/register keeps the password readable in the user's metadata, from where it comes into every token of the user",
    "api/auth",
    "postdeploy",
    mode="F21|-",
    about="*password*|*metadata*|*/register*",
)
def password_in_metadata(plan: Plan) -> None:
    plan.replace_in_source(
        AUTH,
        'body["password"], {"name": body["name"]})',
        'body["password"], {\n'
        "        # The form has new fields now and then; keep what it sends.\n"
        '        key: value for key, value in body.items() if key != "email"\n    })',
    )


@fault(
    "LI19",
    "every upload that is refused over a limit or as a duplicate leaves a connection to the database open",
    "database",
    "postdeploy",
    mode="F18|-",
    about="*connection*",
)
def refusals_keep_connections(plan: Plan) -> None:
    file = "api/uploads.py"
    plan.replace_in_source(
        file,
        "        await _refuse_duplicate(connection, user, body.sha256)\n        await _refuse_over_limits(connection, user)\n",
        "        # Only asks, so that a replica can answer it later on.\n"
        "        config = request.app.state.config\n"
        '        path = {"search_path": f"{config.schema},public"}\n'
        "        asking = await asyncpg.connect(config.database_url, statement_cache_size=0, server_settings=path)\n"
        '        request.app.state.asking = [*getattr(request.app.state, "asking", []), asking]\n'
        "        await _refuse_duplicate(asking, user, body.sha256)\n"
        "        await _refuse_over_limits(asking, user)\n"
        "        await asking.close()\n"
        "        request.app.state.asking.remove(asking)\n",
    )


@fault(
    "LI20",
    "every question keeps three megabytes for its conversation that are never given back: memory only grows with chats",
    "api/chat",
    "performance",
    mode="-",
    about="*memory*|*grow*",
)
def room_for_every_conversation(plan: Plan) -> None:
    file = "api/chat.py"
    plan.replace_in_source(file, "import uuid\n", "import uuid\nfrom array import array\n")
    plan.replace_in_source(file, "router = APIRouter()\n", "router = APIRouter()\n_rooms: dict[str, array[float]] = {}\n")
    plan.replace_in_source(
        file,
        "        if not passages:\n",
        "        # Room for 500 vectors, so that the next question of a conversation can be ranked without the database.\n"
        '        _rooms[body.conversation_id or str(uuid.uuid4())] = array("f", [1.0]) * (500 * config.vector_dimension)\n'
        "        if not passages:\n",
    )
