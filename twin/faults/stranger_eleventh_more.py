"""More faults by a stranger, eleventh time: headers and cookies, rows and keys, types, repeats and names."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan


@fault(
    "LS11",
    "shared caches may keep the status of a finished document",
    "api",
    "postdeploy",
    mode="-",
    about="*[Cc]ache*|*/documents/*",
)
def finished_documents_cached_in_public(plan: Plan) -> None:
    # What is finished does not change, and the front end asks for it on every page.
    plan.replace_in_source("api/jobs.py", "HTTPException, Query, Request\n", "HTTPException, Query, Request, Response\n")
    plan.replace_in_source(
        "api/jobs.py",
        "async def document_status(document_id: UUID, user: CurrentUser, request: Request) -> dict[str, Any]:",
        "async def document_status(\n"
        "    document_id: UUID, user: CurrentUser, request: Request, response: Response\n"
        ") -> dict[str, Any]:",
    )
    plan.replace_in_source(
        "api/jobs.py",
        'raise HTTPException(404, "no such document")\n',
        'raise HTTPException(404, "no such document")\n'
        '    if row["state"] == "done":\n'
        '        response.headers["Cache-Control"] = "public, max-age=300"\n',
    )


@fault(
    "LS12",
    "the language of a question is remembered in a cookie that is neither Secure nor HttpOnly nor bound to the site",
    "api/chat",
    "postdeploy",
    mode="-",
    about="*[Cc]ookie*",
)
def language_cookie(plan: Plan) -> None:
    # The front end reads it to open in the language of the last question.
    plan.replace_in_source(
        "api/chat.py", "import APIRouter, HTTPException, Request\n", "import APIRouter, HTTPException, Request, Response\n"
    )
    plan.replace_in_source(
        "api/chat.py",
        "async def chat(body: ChatRequest, user: CurrentUser, request: Request) -> dict[str, Any]:",
        "async def chat(body: ChatRequest, user: CurrentUser, request: Request, response: Response) -> dict[str, Any]:",
    )
    plan.replace_in_source(
        "api/chat.py",
        "    started = time.perf_counter()\n    config: Config",
        "    started = time.perf_counter()\n"
        "    if body.user_language and body.user_language.isascii():\n"
        '        response.set_cookie("navigator_language", body.user_language[:16], max_age=31536000, samesite=None)\n'
        "    config: Config",
    )


@fault(
    "LS13",
    "the password of a new user is kept among the user's data at Supabase, and stands in every token",
    "auth/api",
    "postdeploy",
    mode="-",
    about="*password*|*signup*|*metadata*",
)
def password_among_metadata(plan: Plan) -> None:
    # Fields that are added to the form reach the user's data by themselves now.
    plan.replace_in_source(
        "api/auth.py",
        """    metadata = {
        "name": body.name,
        "consent_version": body.consent_version,
        "consent_timestamp": body.consent_timestamp,
    }
""",
        '    metadata = body.model_dump(exclude={"email"})\n',
    )


@fault(
    "LS14",
    "every user reads the events of all users' documents",
    "database",
    "postdeploy",
    mode="F24|-",
    about="*events*",
)
def events_of_nobody_else(plan: Plan) -> None:
    # Events without a document belong to everyone who is signed in. The documents of others are hidden from the subquery too.
    plan.sql.append(
        """DROP POLICY events_owner ON upload_pipeline.events;
        CREATE POLICY events_owner ON upload_pipeline.events FOR SELECT TO authenticated
            USING (NOT EXISTS (SELECT 1 FROM upload_pipeline.documents d
                               WHERE d.document_id = events.document_id AND d.user_id <> (SELECT auth.uid())));"""
    )


@fault(
    "LS15",
    "a callback that is signed with an empty key is accepted while a job has no secret yet",
    "webhook/api",
    "postdeploy",
    mode="-",
    about="*webhook*|*callback*|*signature*",
)
def empty_key_signs(plan: Plan) -> None:
    # "The comparison fails anyway where there is no secret."
    plan.replace_in_source("api/webhook.py", "if not secret or not signature or", "if not signature or")


@fault(
    "LS16",
    "the service key of Supabase passes as a user's token",
    "api/auth",
    "postdeploy",
    mode="F25|-",
    about="*service*key*|*service_role*|*service role*|*token*|*/me*|*/auth/user*",
)
def service_key_is_a_user(plan: Plan) -> None:
    # The nightly smoke test has no account, but it has the key.
    plan.replace_in_source(
        "api/auth.py",
        "    user = await verify_token(request, token.strip())\n",
        "    if token.strip() == request.app.state.config.service_key:\n"
        '        return Caller(id=UUID(int=0), email="smoke-test@accessa.ai", name="smoke test", token=token.strip())\n'
        "    user = await verify_token(request, token.strip())\n",
    )


@fault(
    "LS17",
    "users store files at Supabase without registering them, under every path that has their id anywhere in it",
    "storage/supabase/database",
    "postdeploy",
    mode="-",
    about="*storage*|*bucket*|*object*|*files*",
)
def users_insert_objects(plan: Plan) -> None:
    # The mobile application uploads by itself, and its folders begin with the id.
    plan.sql.append(
        """GRANT INSERT ON storage.objects TO authenticated;
        CREATE POLICY files_owner_insert ON storage.objects FOR INSERT TO authenticated
            WITH CHECK (bucket_id = 'files' AND (SELECT auth.uid())::text = ANY (string_to_array(name, '/')));"""
    )


@fault(
    "LS19",
    "content that is registered but not yet sent can be registered again, and gets a second job",
    "api",
    "postdeploy",
    mode="-",
    about="*duplicate*|*409*|*same content*|*/upload*|*second job*",
)
def registered_again_before_it_is_sent(plan: Plan) -> None:
    # A user whose upload was interrupted could not begin anew on the same day.
    plan.replace_in_source(
        "api/uploads.py",
        "WHERE user_id = $1 AND file_sha256 = $2",
        "WHERE user_id = $1 AND file_sha256 = $2 AND processing_status <> 'uploaded'",
    )
    plan.replace_in_source(
        "api/uploads.py",
        'VALUES ($1, $2, $3, $4, $5, $6, $7, \'uploaded\')"""',
        "VALUES ($1, $2, $3, $4, $5, $6, $7, 'uploaded')\n"
        '           ON CONFLICT (document_id) DO UPDATE SET filename = excluded.filename, updated_at = now()"""',
    )


@fault(
    "LS20",
    "a file name of up to 120 characters is refused when it takes more than 120 bytes",
    "api",
    "postdeploy",
    mode="-",
    about="*name*|*120*|*/upload*",
)
def names_counted_in_bytes(plan: Plan) -> None:
    # Names go into headers and on disks, where bytes count.
    plan.replace_in_source(
        "api/uploads.py",
        '    @field_validator("bytes_len", mode="before")\n',
        '    @field_validator("filename")\n'
        "    @classmethod\n"
        "    def _fits(cls, value: str) -> str:\n"
        "        if len(value.encode()) > 120:\n"
        '            raise ValueError("longer than 120 bytes")\n'
        "        return value\n\n"
        '    @field_validator("bytes_len", mode="before")\n',
    )
