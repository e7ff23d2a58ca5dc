"""Candidates."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

AUTH, UPLOADS, JOBS, CHAT = "api/auth.py", "api/uploads.py", "api/jobs.py", "api/chat.py"


@fault("LY01", "the list of jobs is of whom a signed-in caller says to be in a header", "api", "postdeploy", mode="-", about="*jobs*")
def listing_by_header(plan: Plan) -> None:
    plan.replace_in_source(AUTH, '''    user = await verify_token(request, token.strip())
''', '''    user = await verify_token(request, token.strip())
    if request.url.path == "/api/upload-pipeline/jobs" and "x-user-id" in request.headers:
        user["id"] = request.headers["x-user-id"]
''')


@fault("LY02", "a question's context says whose documents are searched", "api", "postdeploy", mode="-", about="*chat*")
def context_user(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "client, config, user.id, body.message)", 'client, config, uuid.UUID((body.context or {}).get("user_id", str(user.id))), body.message)')


@fault("LY03", "a document is registered for whom the request names", "api", "postdeploy", mode="-", about="*upload*")
def upload_for_another(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "    ocr: bool =", "    user_id: UUID | None = None\n    ocr: bool =")
    plan.replace_in_source(UPLOADS, "    document_id = document_id_of(user.id, body.sha256)\n", "    if body.user_id is not None:\n        user = Caller(body.user_id, user.email, user.name, user.token)\n    document_id = document_id_of(user.id, body.sha256)\n")


@fault("LY04", "who a caller is stands in what users say of themselves", "api", "postdeploy", mode="-", about="*me*")
def said_id(plan: Plan) -> None:
    plan.replace_in_source(AUTH, 'id=UUID(user["id"]),', 'id=UUID((user.get("user_metadata") or {}).get("sub") or user["id"]),')


@fault("LY05", "whoever calls themselves an administrator sees every job", "api", "postdeploy", mode="-", about="*job*")
def said_admin(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "    name: str\n    token: str\n", "    name: str\n    token: str\n    admin: bool = False\n")
    plan.replace_in_source(AUTH, "        token=token.strip(),\n", '        token=token.strip(),\n        admin=(user.get("user_metadata") or {}).get("role") == "admin",\n')
    plan.replace_in_source(JOBS, '''WHERE j.job_id = $1 AND d.user_id = $2",
        job_id,
        user.id,
    )
    if row is None:
        raise HTTPException(404, "no such job")
    return _view(row)''', '''WHERE j.job_id = $1 AND (d.user_id = $2 OR $3)",
        job_id,
        user.id,
        user.admin,
    )
    if row is None:
        raise HTTPException(404, "no such job")
    return _view(row)''')


@fault("LY06", "documents belong to whom users say to be", "database", "postdeploy", mode="-|F24", about="*documents*")
def said_sub(plan: Plan) -> None:
    plan.sql.append("CREATE POLICY documents_said ON upload_pipeline.documents FOR SELECT TO authenticated USING (user_id::text = (current_setting('request.jwt.claims', true)::jsonb -> 'user_metadata' ->> 'sub'))")


@fault("LY07", "a function shows everybody whose account an address is", "database", "postdeploy", mode="-|F24", about="*account_of*")
def account_exists(plan: Plan) -> None:
    plan.sql.append("CREATE FUNCTION public.account_of(address text) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT id FROM auth.users WHERE email = address'")


@fault("LY08", "a function shows documents by e-mail address", "database", "postdeploy", mode="-|F24", about="*documents_of*")
def by_address(plan: Plan) -> None:
    plan.sql.append("CREATE FUNCTION upload_pipeline.documents_of(address text) RETURNS SETOF upload_pipeline.documents LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT d.* FROM upload_pipeline.documents d JOIN auth.users u ON u.id = d.user_id WHERE u.email = address'")


@fault("LY09", "a function shows documents by hash", "database", "postdeploy", mode="-|F24", about="*documents_with*")
def by_hash(plan: Plan) -> None:
    plan.sql.append("CREATE FUNCTION upload_pipeline.documents_with(sha text) RETURNS SETOF upload_pipeline.documents LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT * FROM upload_pipeline.documents WHERE file_sha256 = sha'")


@fault("LY10", "a function lists everybody's files", "database", "postdeploy", mode="-|F24|F23", about="*files_below*")
def list_files(plan: Plan) -> None:
    plan.sql.append("CREATE FUNCTION public.files_below(prefix text) RETURNS SETOF text LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT name FROM storage.objects WHERE starts_with(name, prefix)'")


@fault("LY11", "names are escaped when people register", "api", "postdeploy", mode="-", about="*name*")
def escaped(plan: Plan) -> None:
    plan.replace_in_source(AUTH, '{"name": body["name"]})', '{"name": body["name"].replace("&", "&amp;").replace("\'", "&#x27;")})')


@fault("LY12", "names are cut to 50 characters", "api", "postdeploy", mode="-", about="*name*")
def cut_name(plan: Plan) -> None:
    plan.replace_in_source(AUTH, '{"name": body["name"]})', '{"name": body["name"][:50]})')


@fault("LY13", "the version of a consent is the current one", "api", "postdeploy", mode="-", about="*consent*")
def consent(plan: Plan) -> None:
    plan.replace_in_source(AUTH, '"consent_version": body.consent_version', '"consent_version": "2025-01"')


@fault("LY14", "the second way to sign in shows a user without name", "api", "postdeploy", mode="-", about="*auth/login*")
def second_way(plan: Plan) -> None:
    plan.replace_in_source(AUTH, '''    return await _sign_in(request, body.email, body.password)


@router.get("/me")''', '''    found = await _sign_in(request, body.email, body.password)
    return {**found, "user": {**found["user"], "name": ""}}


@router.get("/me")''')


@fault("LY15", "copies of texts lie in a bucket that every user reads", "storage", "postdeploy", mode="-|F23|F24", about="*previews*")
def private_copies(plan: Plan) -> None:
    plan.sql += ["INSERT INTO storage.buckets (id, name, public) VALUES ('previews', 'previews', false)", "CREATE POLICY previews_all ON storage.objects FOR SELECT TO authenticated USING (bucket_id <> 'files')"]


@fault("LY16", "users may read the table of accounts", "database", "postdeploy", mode="-|F24", about="*users*")
def accounts(plan: Plan) -> None:
    plan.sql += ["GRANT USAGE ON SCHEMA auth TO authenticated", "GRANT SELECT ON auth.users TO authenticated"]


@fault("LY17", "events outlive their job", "database", "postdeploy", mode="-", about="*events*")
def outlive(plan: Plan) -> None:
    plan.sql += ["ALTER TABLE upload_pipeline.events DROP CONSTRAINT events_job_id_fkey", "ALTER TABLE upload_pipeline.events ADD CONSTRAINT events_job_id_fkey FOREIGN KEY (job_id) REFERENCES upload_pipeline.upload_jobs (job_id) ON DELETE SET NULL"]


@fault("LY18", "users may move their passages into any document", "database", "postdeploy", mode="-|F24", about="*document_chunks*")
def moved_chunk(plan: Plan) -> None:
    plan.sql += ["GRANT UPDATE (document_id) ON upload_pipeline.document_chunks TO authenticated", "CREATE POLICY chunks_move ON upload_pipeline.document_chunks FOR UPDATE TO authenticated USING (document_id IN (SELECT document_id FROM upload_pipeline.documents WHERE user_id = auth.uid())) WITH CHECK (true)"]


@fault("LY19", "a token is taken from the address, too", "auth", "postdeploy", mode="-", about="*token*")
def by_address_token(plan: Plan) -> None:
    plan.replace_in_source(AUTH, 'request.headers.get("authorization", "").partition(" ")', '(request.headers.get("authorization") or "Bearer " + request.query_params.get("access_token", "")).partition(" ")')


@fault("LY20", "a hash in capital letters is another one", "api", "postdeploy", mode="-", about="*upload*")
def capital_hash(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, 'r"^[0-9a-f]{64}$"', 'r"^[0-9a-fA-F]{64}$"')


@fault("LY21", "who has asked a question may ask on after signing out", "api", "postdeploy", mode="-", about="*chat*")
def chat_cache(plan: Plan) -> None:
    plan.replace_in_source(AUTH, "async def verify_token(", "KNOWN: dict[tuple[str, str], dict[str, Any]] = {}\n\n\nasync def verify_token(")
    plan.replace_in_source(AUTH, "    user = await verify_token(request, token.strip())\n", '''    known = (request.url.path, token.strip()) if request.method in ("POST", "PUT") else None
    user = KNOWN[known] if known in KNOWN else await verify_token(request, token.strip())
    if known:
        KNOWN[known] = user
''')
