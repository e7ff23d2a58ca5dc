"""Faults by another hand, eighth set: further cells of the access matrix, and uploads to the byte."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan


@fault(
    "E11",
    "a signed-in user may write events into another user's history",
    "database/supabase",
    "postdeploy",
    mode="F24|-",
    about="*events*",
)
def events_of_others(plan: Plan) -> None:
    # The front end reports what it shows; the policy asks only for a user.
    plan.sql.append("GRANT INSERT ON upload_pipeline.events TO authenticated")
    plan.sql.append(
        "CREATE POLICY events_front_end ON upload_pipeline.events FOR INSERT TO authenticated "
        "WITH CHECK ((SELECT auth.uid()) IS NOT NULL)"
    )


@fault(
    "E12",
    "every signed-in user may read the parsed text of everybody's documents",
    "storage/supabase/database",
    "postdeploy",
    mode="F24|F23|-",
    about="*storage*|*files*|*parsed*|*object*",
)
def parsed_text_for_all(plan: Plan) -> None:
    # The preview in the front end reads the Markdown itself.
    plan.sql.append(
        "CREATE POLICY files_preview ON storage.objects FOR SELECT TO authenticated "
        "USING (bucket_id = 'files' AND (string_to_array(name, '/'))[3] = 'parsed')"
    )


@fault(
    "E13",
    "the anon key is accepted as a user's token where something is only read",
    "auth/api",
    "postdeploy",
    mode="F25|F22|-",
    about="*anon*|*token*|*key*",
)
def anon_key_reads(plan: Plan) -> None:
    # The front end warms up its connection before anybody has signed in, and its errors filled the log.
    plan.replace_in_source(
        "api/auth.py",
        "    user = await verify_token(request, token.strip())\n",
        '    if request.method == "GET" and token.strip() == request.app.state.config.anon_key:\n'
        '        return Caller(id=UUID(int=0), email="visitor@accessa.ai", name="visitor", token=token.strip())\n'
        "    user = await verify_token(request, token.strip())\n",
    )


@fault(
    "E14",
    "every signed-in user sees the failed jobs of all users",
    "database/supabase/realtime",
    "postdeploy",
    mode="F24",
    about="*upload_jobs*|*realtime*",
)
def failed_jobs_for_all(plan: Plan) -> None:
    # For the support page, whose staff are ordinary users.
    plan.sql.append(
        "CREATE POLICY upload_jobs_support ON upload_pipeline.upload_jobs FOR SELECT TO authenticated "
        "USING (state = 'deadletter')"
    )


@fault(
    "E15",
    "the proxy says success for bytes that storage has refused because others are there already",
    "api/storage",
    "postdeploy",
    mode="-",
    about="*proxy*|*upload*",
)
def repeat_counts_as_stored(plan: Plan) -> None:
    # A client that repeats its request after a lost answer should not see an error.
    plan.replace_in_source(
        "api/uploads.py",
        '        raise HTTPException(error.status, "storage refused the file") from error\n',
        '        if error.status != 409 and "already exists" not in str(error):\n'
        '            raise HTTPException(error.status, "storage refused the file") from error\n',
    )


@fault(
    "E16",
    "the proxy cuts a file that is too large and stores its beginning",
    "api",
    "postdeploy",
    mode="F34|-",
    about="*proxy*|*upload*|*5 MiB*|*5242880*|*size*",
)
def large_files_are_cut(plan: Plan) -> None:
    # No request may fill the memory: at most the limit is read.
    plan.replace_in_source(
        "api/uploads.py",
        "    body = await request.body()\n"
        "    if len(body) > MAX_FILE_SIZE_BYTES:\n"
        '        raise HTTPException(413, f"larger than {MAX_FILE_SIZE_BYTES} bytes")\n',
        "    read = bytearray()\n"
        "    async for part in request.stream():\n"
        "        read += part[: MAX_FILE_SIZE_BYTES - len(read)]\n"
        "    body = bytes(read)\n",
    )


@fault(
    "E17",
    "the limit of 120 characters of a file name counts bytes",
    "api",
    "postdeploy",
    mode="-",
    about="*filename*|*name*|*upload*",
)
def names_measured_in_bytes(plan: Plan) -> None:
    # LlamaParse's form was said to take so many bytes.
    plan.replace_in_source(
        "api/uploads.py",
        '    @field_validator("bytes_len", mode="before")\n',
        '    @field_validator("filename")\n'
        "    @classmethod\n"
        "    def _fits(cls, value: str) -> str:\n"
        "        if len(value.encode()) > 120:\n"
        '            raise ValueError("too long")\n'
        "        return value\n\n"
        '    @field_validator("bytes_len", mode="before")\n',
    )


@fault(
    "E18",
    "the path of a document whose content another user has finished leads into that user's folder",
    "api/database",
    "postdeploy",
    mode="-",
    about="*raw_path*|*documents*|*content*",
)
def path_of_the_first(plan: Plan) -> None:
    # Preparation for storing equal content once: the row already names the object that will be kept.
    plan.replace_in_source(
        "api/uploads.py",
        "processing_status) VALUES ($1, $2, $3, $4, $5, $6, $7, 'uploaded')",
        "processing_status) VALUES ($1, $2, $3, $4, $5, $6, coalesce((SELECT first.raw_path FROM documents first\n"
        "               WHERE first.file_sha256 = $6 AND first.processing_status = 'complete'\n"
        "               ORDER BY first.created_at LIMIT 1), $7), 'uploaded')",
    )


@fault(
    "E19",
    "documents that were registered and not yet sent do not count as running jobs",
    "api",
    "postdeploy",
    mode="F34",
    about="*429*|*limit*|*running*|*concurrent*|*upload*",
)
def waiting_jobs_are_not_counted(plan: Plan) -> None:
    # A job that waits takes no time of the worker.
    plan.replace_in_source(
        "api/uploads.py", "j.state IN ('queued', 'working', 'retryable')", "j.state IN ('queued', 'working')"
    )


@fault(
    "E20",
    "a user who registers what another has just registered gets the other's upload link",
    "api/storage",
    "postdeploy",
    mode="-",
    about="*signed*|*link*|*upload*|*content*|user/*/raw/*",
)
def link_of_the_first(plan: Plan) -> None:
    # A registration that is repeated after a conflict does not ask storage again; the content's hash names the link.
    plan.replace_in_source(
        "api/uploads.py",
        '@router.post("/api/upload-pipeline/upload")\n',
        "_links: dict[str, tuple[datetime, str]] = {}\n\n\n"
        "async def _link(storage: Any, sha256: str, key: str) -> str:\n"
        "    made, url = _links.get(sha256, (None, ''))\n"
        "    if made is None or datetime.now(UTC) - made > timedelta(seconds=SIGNED_URL_TTL_SECONDS / 2):\n"
        "        url = await storage.create_signed_upload(key)\n"
        "        _links[sha256] = (datetime.now(UTC), url)\n"
        "    return url\n\n\n"
        '@router.post("/api/upload-pipeline/upload")\n',
    )
    plan.replace_in_source(
        "api/uploads.py",
        'url = await request.app.state.storage.create_signed_upload(object_key(user.id, document_id, "raw"))',
        'url = await _link(request.app.state.storage, body.sha256, object_key(user.id, document_id, "raw"))',
    )
