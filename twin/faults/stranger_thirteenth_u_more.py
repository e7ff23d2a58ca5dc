"""A stranger's faults, the thirteenth time: data beside the API, accounts, and what only shows with time."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

# The dashboard joins these on every page.
OVERVIEW = """
CREATE VIEW upload_pipeline.document_overview AS
    SELECT d.document_id, d.user_id, d.filename, d.created_at, j.job_id, j.status, j.state, j.last_error
    FROM upload_pipeline.documents d JOIN upload_pipeline.upload_jobs j USING (document_id);
GRANT SELECT ON upload_pipeline.document_overview TO authenticated;
"""
# The preview shows parsed text without a detour through the API.
PREVIEW = """
CREATE POLICY files_preview ON storage.objects FOR SELECT TO authenticated
    USING (bucket_id = 'files' AND (storage.foldername(name))[3] = 'parsed');
"""
# One channel a user, so that the front end need not poll.
CHANNELS = """
CREATE FUNCTION upload_pipeline.tell_owner() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE document upload_pipeline.documents;
BEGIN
    SELECT * INTO document FROM upload_pipeline.documents WHERE document_id = NEW.document_id;
    PERFORM realtime.send(
        jsonb_build_object('job_id', NEW.job_id, 'status', NEW.status, 'filename', document.filename),
        'progress', 'jobs:' || document.user_id);
    RETURN NEW;
END $$;
CREATE TRIGGER tell_owner AFTER INSERT OR UPDATE OF status ON upload_pipeline.upload_jobs
    FOR EACH ROW EXECUTE FUNCTION upload_pipeline.tell_owner();
CREATE POLICY job_channels ON realtime.messages FOR SELECT TO authenticated USING (realtime.topic() LIKE 'jobs:%');
"""


@fault(
    "LU11",
    "a new view shows every signed-in user all users' documents, file names and errors, past row-level security",
    "database",
    "postdeploy",
    mode="F24|-",
    about="*document_overview*|*view*|*row-level security*",
)
def view_of_all(plan: Plan) -> None:
    plan.sql.append(OVERVIEW)


@fault(
    "LU12",
    "every signed-in user may list and read the parsed text of all users' documents in storage",
    "storage",
    "postdeploy",
    mode="-|F24",
    about="*parsed*|*storage*|*objects*|*bucket*",
)
def parsed_for_all(plan: Plan) -> None:
    plan.sql.append(PREVIEW)


@fault(
    "LU13",
    "every signed-in user may join another user's private channel and hears their file names and progress",
    "realtime/database",
    "postdeploy",
    mode="-|F24",
    about="*realtime*|*channel*|*topic*|*messages*",
)
def channel_of_others(plan: Plan) -> None:
    plan.sql.append(CHANNELS)


@fault(
    "LU14",
    "/register keeps the password in clear among the user's metadata, from where it comes back in every access token",
    "api/auth",
    "postdeploy",
    mode="F21|-",
    about="*password*|*/register*|*user_metadata*|*metadata*",
)
def password_in_metadata(plan: Plan) -> None:
    plan.replace_in_source(
        "api/auth.py",
        '    user = await _create(request, body["email"], body["password"], {"name": body["name"]})\n',
        "    # The form gets new fields every week; all of them belong to the profile.\n"
        '    profile = {field: value for field, value in body.items() if field != "email"}\n'
        '    user = await _create(request, body["email"], body["password"], profile)\n',
    )


@fault(
    "LU15",
    "a second registration of an address is answered as a success, with the id and name of whom it belongs to",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*/register*|*/auth/signup*|*duplicate*|*second registration*|*registered twice*",
)
def second_registration(plan: Plan) -> None:
    plan.replace_in_source(
        "api/auth.py",
        "        raise HTTPException(409 if error.code in TAKEN else 400, error.message) from error\n",
        "        if error.code in TAKEN:\n"
        "            # Phones send the form twice on a bad line; the second one is no failure.\n"
        "            found = await request.app.state.pool.fetchrow(\n"
        '                "SELECT id, email, raw_user_meta_data, created_at FROM auth.users WHERE email = lower($1)", email\n'
        "            )\n"
        '            made_at, known = found["created_at"].isoformat(), found["raw_user_meta_data"]\n'
        '            return {"id": str(found["id"]), "email": email, "user_metadata": known, "created_at": made_at}\n'
        "        raise HTTPException(400, error.message) from error\n",
    )


@fault(
    "LU16",
    "a registration that is refused for want of a name has created the account all the same",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*/register*|*refused registration*|*left behind*|*leaves*",
)
def refused_and_made(plan: Plan) -> None:
    plan.replace_in_source(
        "api/auth.py",
        '    body = await _json(request, "email", "password", "name")\n'
        '    user = await _create(request, body["email"], body["password"], {"name": body["name"]})\n',
        '    body = await _json(request, "email", "password")\n'
        "    # The profile is looked at once the credentials are settled.\n"
        '    user = await _create(request, body["email"], body["password"], {"name": body.get("name")})\n'
        '    await _json(request, "name")\n',
    )


@fault(
    "LU17",
    "sign-in accepts a password whose upper and lower case are exchanged, all of it or in the first letter",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*/login*|*/auth/login*|*wrong password*|*case*",
)
def caps_lock(plan: Plan) -> None:
    plan.replace_in_source(
        "api/auth.py",
        "    except AuthError as error:\n"
        '        raise _unauthorized("wrong e-mail or password") from error\n'
        "    session = signed_in.session\n",
        "    except AuthError as error:\n"
        "        # Caps lock, and phones that begin with a capital, are half of all failed sign-ins.\n"
        "        meant = {password.swapcase(), password[:1].swapcase() + password[1:]} - {password}\n"
        "        if depth == 0:\n"
        "            for variant in sorted(meant):\n"
        "                try:\n"
        "                    return await _sign_in(request, email, variant, 1)\n"
        "                except HTTPException:\n"
        "                    continue\n"
        '        raise _unauthorized("wrong e-mail or password") from error\n'
        "    session = signed_in.session\n",
    )
    plan.replace_in_source(
        "api/auth.py",
        "async def _sign_in(request: Request, email: str, password: str) -> dict",
        "async def _sign_in(request: Request, email: str, password: str, depth: int = 0) -> dict",
    )


@fault(
    "LU18",
    "the API ends itself after every 150 requests instead of 1000, and whoever asks meanwhile is not answered",
    "api",
    "postdeploy",
    mode="-",
    about="*restart*|*not answer*|*no answer*|*connection*|*unreachable*",
)
def short_lived(plan: Plan) -> None:
    plan.replace_in_source("api/request_log.py", "import logging\n", "import logging\nimport signal\n")
    plan.replace_in_source(
        "api/request_log.py",
        "        self.app = app\n",
        "        self.app = app\n        self.served = 0\n",
    )
    plan.replace_in_source(
        "api/request_log.py",
        "        spent = (time.perf_counter() - started) * 1000\n",
        "        spent = (time.perf_counter() - started) * 1000\n"
        "        self.served += 1\n"
        "        # Memory creeps up since the last upgrade; a fresh process is the cheapest cure.\n"
        "        if self.served == 150:\n"
        "            signal.raise_signal(signal.SIGTERM)\n",
    )


@fault(
    "LU19",
    "every answer of the chat stays in the API's memory, 8 MB at a time, until the host ends the process",
    "api/chat",
    "postdeploy",
    mode="-",
    about="*memory*|*/api/chat*|*restart*",
)
def answers_in_memory(plan: Plan) -> None:
    plan.replace_in_source("api/chat.py", "MAX_TOKENS = 1024\n", "MAX_TOKENS = 1024\n_exports: dict[str, Any] = {}\n")
    plan.replace_in_source(
        "api/chat.py",
        "    return _body(\n        answer.text,\n",
        "    # The page for printing is laid out in a buffer that a later export of the conversation continues.\n"
        '    _exports[str(uuid.uuid4())] = (answer.text, bytearray(b" ") * (8 * 1024 * 1024))\n'
        "    return _body(\n        answer.text,\n",
    )


@fault(
    "LU20",
    "every accepted upload keeps a connection to the database for good, until there is none left for anybody",
    "api/uploads/database",
    "postdeploy",
    mode="F18|-",
    about="*connection*|*/api/upload-pipeline/upload*",
)
def connection_for_each(plan: Plan) -> None:
    plan.replace_in_source(
        "api/uploads.py",
        '    log.info("accepted a document',
        "    # Hears of the job's end; LISTEN does not work on the pool's connections.\n"
        "    listener = await asyncpg.connect(request.app.state.config.database_url, statement_cache_size=0)\n"
        '    await listener.add_listener(f"job_{job_id.hex}", lambda *_: None)\n'
        "    _listeners.append(listener)\n"
        '    log.info("accepted a document',
    )
    plan.replace_in_source(
        "api/uploads.py",
        'MIME_TYPES = ("application/pdf",)\n',
        'MIME_TYPES = ("application/pdf",)\n_listeners: list[Any] = []\n',
    )
