"""Releases of a stranger's hand: who is let in by the database and the storage, and uploads to the byte."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

UPLOADS = "api/uploads.py"
STORAGE = "backend/shared/storage.py"
OPTIONS = "CreateSignedUploadUrlOptions"


@fault(
    "J11",
    "a view shows every signed-in user the documents of all others",
    "database/supabase",
    "postdeploy",
    mode="F24",
    about="*document_progress*|*view*",
)
def progress_of_all(plan: Plan) -> None:
    # One request for the front end instead of two. A view reads with the rights of its owner, whom no policy binds.
    plan.sql.append("""
        CREATE VIEW upload_pipeline.document_progress AS
            SELECT d.document_id, d.user_id, d.filename, d.processing_status, j.job_id, j.status, j.state, j.updated_at
            FROM upload_pipeline.documents d JOIN upload_pipeline.upload_jobs j USING (document_id);
        GRANT SELECT ON upload_pipeline.document_progress TO authenticated, service_role;
    """)


@fault(
    "J12",
    "a signed-in user may write events about another user's job",
    "database/supabase",
    "postdeploy",
    mode="F24|-",
    about="*events*",
)
def events_by_anyone(plan: Plan) -> None:
    # The front end notes what its user does with a job; whose job that is was left to the front end.
    plan.sql.append("""
        GRANT INSERT ON upload_pipeline.events TO authenticated;
        CREATE POLICY events_front_end ON upload_pipeline.events FOR INSERT TO authenticated
            WITH CHECK (job_id IS NOT NULL);
    """)


@fault(
    "J13",
    "every signed-in user sees the failed jobs of all others",
    "database/supabase/realtime",
    "postdeploy",
    mode="F24",
    about="*upload_jobs*|*realtime*",
)
def failed_jobs_for_support(plan: Plan) -> None:
    # For support's own page; but support signs in as everybody does.
    plan.sql.append("""
        CREATE POLICY upload_jobs_support ON upload_pipeline.upload_jobs FOR SELECT TO authenticated
            USING (state = 'deadletter');
    """)


@fault(
    "J14",
    "every signed-in user reads the parsed texts of all others in the bucket",
    "storage/supabase",
    "postdeploy",
    mode="-|F24",
    about="*files*|*storage*|*parsed*|*object*",
)
def parsed_texts_for_all(plan: Plan) -> None:
    # The preview of the front end reads the text itself: the folder is compared, its owner is not.
    plan.sql.append("""
        CREATE POLICY files_preview ON storage.objects FOR SELECT TO authenticated
            USING (bucket_id = 'files' AND (string_to_array(name, '/'))[3] = 'parsed');
    """)


@fault(
    "J15",
    "the bucket refuses files of the last quarter of a megabyte below the limit",
    "storage/supabase",
    "postdeploy",
    mode="F34|-",
    about="*file_size_limit*|*size*|*limit*|*bytes*",
)
def five_million_bytes(plan: Plan) -> None:
    # Five megabytes, as the dashboard counts them; the published limit is five mebibytes.
    plan.sql.append("UPDATE storage.buckets SET file_size_limit = 5000000 WHERE id = 'files'")


@fault(
    "J16",
    "the proxy stores a file without the line break at its end",
    "api/storage",
    "postdeploy",
    mode="-",
    about="*proxy*|*bytes*|*hash*|*sha256*",
)
def the_last_line_break(plan: Plan) -> None:
    # A client's form library added one in front and behind; the files' own last line breaks go with it.
    plan.replace_in_source(UPLOADS, "    body = await request.body()\n", '    body = (await request.body()).strip(b"\\r\\n")\n')


@fault(
    "J17",
    "content whose first job failed is registered again instead of refused as a duplicate",
    "api",
    "postdeploy",
    mode="-",
    about="*duplicate*|*same content*|*upload*",
)
def failed_content_again(plan: Plan) -> None:
    # Instead of a retry. The document keeps its day, so that the daily limit never counts the repeats.
    plan.replace_in_source(
        STORAGE, "import StorageApiError\n", "import StorageApiError\nfrom storage3.types import " + OPTIONS + "\n"
    )
    plan.replace_in_source(STORAGE, "(self, key: str) -> str:", "(self, key: str, again: bool = False) -> str:")
    plan.replace_in_source(
        STORAGE,
        "create_signed_upload_url(key))",
        f'create_signed_upload_url(key, {OPTIONS}(upsert="true") if again else None))',
    )
    plan.replace_in_source(UPLOADS, '"SELECT filename, updated_at FROM', '"SELECT filename, updated_at, processing_status FROM')
    plan.replace_in_source(
        UPLOADS,
        "    if row:\n        detail = {",
        '    if row and not str(row["processing_status"]).startswith("failed"):\n        detail = {',
    )
    plan.replace_in_source(UPLOADS, "user: Caller, sha256: str) -> None:", "user: Caller, sha256: str) -> bool:")
    plan.replace_in_source(UPLOADS, "(409, detail)\n", "(409, detail)\n    return row is not None\n")
    plan.replace_in_source(UPLOADS, "await _refuse_duplicate(connection,", "again = await _refuse_duplicate(connection,")
    plan.replace_in_source(
        UPLOADS, 'object_key(user.id, document_id, "raw"))', 'object_key(user.id, document_id, "raw"), again)'
    )
    plan.replace_in_source(
        UPLOADS,
        'VALUES ($1, $2, $3, $4, $5, $6, $7, \'uploaded\')"""',
        """VALUES ($1, $2, $3, $4, $5, $6, $7, 'uploaded')
           ON CONFLICT (document_id) DO UPDATE SET filename = excluded.filename, bytes_len = excluded.bytes_len,
               processing_status = 'uploaded', updated_at = now()\"\"\"""",
    )


@fault(
    "J18",
    "content that another user has finished is refused with that user's file name",
    "api",
    "postdeploy",
    mode="-|F24",
    about="*duplicate*|*document_title*|*same content*|*another user*|*upload*",
)
def known_from_others(plan: Plan) -> None:
    # A brochure that everybody has need not be parsed again for everybody.
    plan.replace_in_source(
        UPLOADS,
        '"SELECT filename, updated_at FROM documents WHERE user_id = $1 AND file_sha256 = $2"',
        '"SELECT filename, updated_at FROM documents WHERE file_sha256 = $2 "\n'
        "        \"AND (user_id = $1 OR processing_status = 'complete') ORDER BY user_id = $1 DESC LIMIT 1\"",
    )


@fault(
    "J19",
    "file names of up to 120 characters are refused when they have more than 120 bytes",
    "api",
    "postdeploy",
    mode="-",
    about="*filename*|*file name*|*name*",
)
def names_in_bytes(plan: Plan) -> None:
    # An archive's headers have room for so many bytes; of some scripts that is 40 characters.
    plan.replace_in_source(
        UPLOADS,
        '    @field_validator("bytes_len", mode="before")\n',
        '    @field_validator("filename")\n'
        "    @classmethod\n"
        "    def _fits(cls, value: str) -> str:\n"
        "        if len(value.encode()) > 120:\n"
        '            raise ValueError("too long")\n'
        "        return value\n"
        "\n"
        '    @field_validator("bytes_len", mode="before")\n',
    )


@fault(
    "J20",
    "the second user with the same content gets a link into the first one's folder",
    "api/storage",
    "postdeploy",
    mode="-",
    about="*signed*|*link*|*folder*|*same content*|*upload*",
)
def links_by_content(plan: Plan) -> None:
    # Signing was the slowest step of a registration that a client repeats; the content does not say whose it is.
    plan.replace_in_source(UPLOADS, "import math\n", "import math\nimport time\n")
    plan.replace_in_source(
        UPLOADS,
        'MIME_TYPES = ("application/pdf",)\n',
        'MIME_TYPES = ("application/pdf",)\n'
        "LINK_SECONDS = 240.0\n"
        "_links: dict[str, tuple[float, str]] = {}\n"
        "\n"
        "\n"
        "async def _link(request: Request, key: str, sha256: str) -> str:\n"
        '    made, url = _links.get(sha256, (float("-inf"), ""))\n'
        "    if time.monotonic() - made > LINK_SECONDS:\n"
        "        url = await request.app.state.storage.create_signed_upload(key)\n"
        "        _links[sha256] = (time.monotonic(), url)\n"
        "    return url\n",
    )
    plan.replace_in_source(
        UPLOADS,
        'await request.app.state.storage.create_signed_upload(object_key(user.id, document_id, "raw"))',
        'await _link(request, object_key(user.id, document_id, "raw"), body.sha256)',
    )
