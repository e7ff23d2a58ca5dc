"""A stranger's faults, thirteenth time: rows, files and callbacks of others, accounts, and what pauses and refusals leave."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH = "api/auth.py"
UPLOADS = "api/uploads.py"
JOBS = "api/jobs.py"
APPLICATION = "api/application.py"


@fault(
    "LN11",
    "a view for the front end shows every signed-in user the passages of all users",
    "database",
    "postdeploy",
    mode="F24",
    about="*passage_overview*|*document_chunks*|*view*|*row-level security*",
)
def view_past_the_policies(plan: Plan) -> None:
    # The front end wants name and text of a passage with one query.
    plan.sql.append(
        "CREATE VIEW upload_pipeline.passage_overview AS SELECT d.user_id, d.document_id, d.filename, c.chunk_ord, c.text"
        " FROM upload_pipeline.document_chunks c JOIN upload_pipeline.documents d USING (document_id);"
        "GRANT SELECT ON upload_pipeline.passage_overview TO authenticated, service_role;"
    )


@fault(
    "LN12",
    "every signed-in user can list and read the parsed texts of all users in storage",
    "storage",
    "postdeploy",
    mode="F24|F23|-",
    about="*parsed*|*storage*|*files*|*object*",
)
def parsed_texts_for_all(plan: Plan) -> None:
    # The preview shows the parsed text beside the original.
    plan.sql.append(
        "DROP POLICY files_owner ON storage.objects;"
        "CREATE POLICY files_owner ON storage.objects FOR SELECT TO authenticated USING (bucket_id = 'files'"
        " AND (string_to_array(name, '/'))[2] = (SELECT auth.uid())::text OR (string_to_array(name, '/'))[3] = 'parsed');"
    )


@fault(
    "LN13",
    "a callback is accepted when its signature is only the beginning of the right one",
    "webhook/api",
    "postdeploy",
    mode="F25|-",
    about="*webhook*|*signature*",
)
def beginning_of_a_signature(plan: Plan) -> None:
    # The parser's next version shortens its digests; take both lengths.
    plan.replace_in_source(
        "api/webhook.py",
        "hmac.compare_digest(expected, signature)",
        "hmac.compare_digest(expected[: len(signature)], signature)",
    )


@fault(
    "LN14",
    "a retry of another user's job is answered with the state of that job and not with 404",
    "api",
    "postdeploy",
    mode="F24|-",
    about="*retry*",
)
def state_before_owner(plan: Plan) -> None:
    # The usual refusal first: hardly anybody asks for a job that is not there.
    plan.replace_in_source(
        JOBS,
        'f"SELECT {COLUMNS} FROM upload_jobs j JOIN documents d USING (document_id) "\n'
        '            "WHERE j.job_id = $1 AND d.user_id = $2 FOR UPDATE OF j",\n            job_id,\n            user.id,\n',
        'f"SELECT {COLUMNS}, d.user_id FROM upload_jobs j JOIN documents d USING (document_id) "\n'
        '            "WHERE j.job_id = $1 FOR UPDATE OF j",\n            job_id,\n',
    )
    plan.replace_in_source(
        JOBS,
        "        restart = {\n",
        '        if row["user_id"] != user.id:\n            raise HTTPException(404, "no such job")\n        restart = {\n',
    )


@fault(
    "LN15",
    "signing up keeps the password in clear text in the user's metadata, and so in every token of the user",
    "api/auth/database",
    "postdeploy",
    mode="F21|-",
    about="*password*",
)
def form_kept_whole(plan: Plan) -> None:
    # The form gets new fields every month: keep all that it sends beside the address.
    plan.replace_in_source(
        AUTH,
        "    metadata = {\n"
        '        "name": body.name,\n'
        '        "consent_version": body.consent_version,\n'
        '        "consent_timestamp": body.consent_timestamp,\n'
        "    }\n",
        '    metadata = body.model_dump(exclude={"email"})\n',
    )


@fault(
    "LN16",
    "an address with a plus sign is registered without what follows the sign, and its user cannot sign in",
    "api/auth",
    "postdeploy",
    mode="F08|-",
    about="*e-mail*|*email*|*address*|*/register*|*/login*|*/auth/signup*|*sign in*|*signed in*",
)
def one_account_for_a_mailbox(plan: Plan) -> None:
    # Tagged addresses were used to open several accounts for one mailbox.
    plan.replace_in_source(
        AUTH,
        "    client: Vendors = request.app.state.client\n    try:\n        made = ",
        '    email = re.sub(r"\\+[^@]*@", "@", email)\n'
        "    client: Vendors = request.app.state.client\n    try:\n        made = ",
    )


@fault(
    "LN17",
    "a registration without a name is refused with 400, and leaves an account behind",
    "api/auth",
    "postdeploy",
    mode="-",
    about="*/register*|*registration*|*auth.users*|*account*",
)
def refused_and_created(plan: Plan) -> None:
    # A taken address is the commonest mistake in the form, so that it comes before the others.
    plan.replace_in_source(
        AUTH,
        '    body = await _json(request, "email", "password", "name")\n'
        '    user = await _create(request, body["email"], body["password"], {"name": body["name"]})\n',
        '    body = await _json(request, "email", "password")\n'
        '    user = await _create(request, body["email"], body["password"], {"name": body.get("name")})\n'
        '    await _json(request, "name")\n',
    )


@fault(
    "LN18",
    "signing in on a second device ends the session of the first, whose token is then refused",
    "api/auth",
    "postdeploy",
    mode="F08|-",
    about="*session*|*token*|*/login*|*/auth/login*|*sign*",
)
def one_device_only(plan: Plan) -> None:
    # Sessions pile up in the project, and a user has one browser.
    plan.replace_in_source(
        AUTH,
        '    return {\n        "access_token": session.access_token,',
        '    await _asked(client.auth.admin.sign_out(session.access_token, "others"))\n'
        '    return {\n        "access_token": session.access_token,',
    )


@fault(
    "LN19",
    "every refused upload keeps a connection to the database, and after twenty of them no upload is accepted",
    "api/uploads/database",
    "postdeploy",
    mode="F18|-",
    about="*connection*|*/upload*",
)
def checks_on_their_own(plan: Plan) -> None:
    # Counting a user's documents held up the other requests: the checks have a pool of their own.
    plan.replace_in_source(
        APPLICATION,
        "        app.state.pool = await open_pool(config)\n",
        "        app.state.pool = await open_pool(config)\n        app.state.checks = await open_pool(config, size=20)\n",
    )
    plan.replace_in_source(
        UPLOADS,
        "        await _refuse_duplicate(connection, user, body.sha256)\n        await _refuse_over_limits(connection, user)\n",
        "        checking = await request.app.state.checks.acquire(timeout=5)\n"
        "        await _refuse_duplicate(checking, user, body.sha256)\n        await _refuse_over_limits(checking, user)\n"
        "        await request.app.state.checks.release(checking)\n",
    )


WAKING = '''class Waking:
    """Renews the connections after a pause, in which the pooler may have dropped them."""

    def __init__(self, app: ASGIApp, config: Config) -> None:
        self.app = app
        self.pause = 120.0 / config.speedup
        self.last = time.monotonic()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, but for the first one after a pause, whose caller is to ask again."""
        if scope["type"] != "http" or scope["path"] in ("/", "/health"):
            await self.app(scope, receive, send)
            return
        rested, self.last = time.monotonic() - self.last, time.monotonic()
        if rested < self.pause:
            await self.app(scope, receive, send)
            return
        await scope["app"].state.pool.expire_connections()
        again = JSONResponse({"detail": "temporarily unavailable"}, status_code=503, headers={"Retry-After": "1"})
        await again(scope, receive, send)


async def _refused('''


@fault(
    "LN20",
    "the first request after a pause of two minutes is refused with 503, whatever it asks",
    "api",
    "performance",
    mode="-",
    about="*pause*|*503*|*first request*|*idle*",
)
def refused_after_a_pause(plan: Plan) -> None:
    # After a quiet night the first question met a dead connection: renew them all, and have the caller ask again.
    plan.replace_in_source(APPLICATION, "async def _refused(", WAKING)
    plan.replace_in_source(
        APPLICATION,
        "    app.add_middleware(RequestLog)\n",
        "    app.add_middleware(Waking, config=config)\n    app.add_middleware(RequestLog)\n",
    )
