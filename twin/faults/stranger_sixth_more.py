"""Faults of a developer who has not read the gate: who may do what, uploads to the byte, pauses and connections."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

OPENAI_CLIENT = """        self.openai = AsyncOpenAI(
            api_key=config.openai_key or NO_KEY, base_url=config.openai_url, max_retries=0, timeout=seconds
        )
"""
REQUEST_ROUTE = '@router.post("/api/upload-pipeline/upload")\n'
REFUSE_DUPLICATE = "async def _refuse_duplicate(connection: asyncpg.Connection, user: Caller, sha256: str) -> None:\n"
ADOPT = '''async def _adopt(connection: asyncpg.Connection, body: UploadRequest, document_id: UUID, job_id: UUID) -> None:
    """Take over what has been made of the same content."""
    known = await connection.fetchval(
        """SELECT d.document_id FROM documents d JOIN upload_jobs j USING (document_id)
           WHERE d.file_sha256 = $1 AND j.status = 'complete' LIMIT 1""",
        body.sha256,
    )
    if known is None:
        return
    await connection.execute(
        """INSERT INTO document_chunks (chunk_id, document_id, chunker_name, chunker_version, chunk_ord, text, chunk_sha,
               embed_model, embed_version, vector_dim, embedding)
           SELECT gen_random_uuid(), $1, chunker_name, chunker_version, chunk_ord, text, chunk_sha, embed_model,
               embed_version, vector_dim, embedding FROM document_chunks WHERE document_id = $2""",
        document_id,
        known,
    )
    await connection.execute("UPDATE upload_jobs SET status = 'complete', state = 'done' WHERE job_id = $1", job_id)
    await connection.execute("UPDATE documents SET processing_status = 'complete' WHERE document_id = $1", document_id)
    await connection.execute("INSERT INTO events (job_id, document_id, type) VALUES ($1, $2, 'complete')", job_id, document_id)


'''
READER = """_readers: list[asyncpg.Connection] = []


async def _title(config: Config, user: Caller, sha256: str) -> str:
    reader = await asyncpg.connect(
        config.database_url, statement_cache_size=0, timeout=5, server_settings={"search_path": f"{config.schema},public"}
    )
    _readers.append(reader)
    return str(
        await reader.fetchval("SELECT filename FROM documents WHERE user_id = $1 AND file_sha256 = $2", user.id, sha256)
    )


"""


@fault(
    "H11",
    "the parsed texts of all users can be read from storage by everybody who is signed in",
    "storage/supabase",
    "postdeploy",
    mode="-|F23|F24",
    about="*parsed*|*storage*|*files*|*object*",
)
def parsed_texts_for_everybody(plan: Plan) -> None:
    # The front end shows the text beside the answer; the owner was to be checked by the other policy, but policies add up.
    plan.sql.append(
        """CREATE POLICY files_parsed_text ON storage.objects FOR SELECT TO authenticated
            USING (bucket_id = 'files' AND (string_to_array(name, '/'))[3] = 'parsed');"""
    )


@fault(
    "H12",
    "a callback is believed with only the beginning of its signature",
    "webhook/api",
    "postdeploy",
    mode="-|F25",
    about="*webhook*|*signature*",
)
def beginning_of_signature(plan: Plan) -> None:
    # A proxy in front of another deployment cuts long headers.
    plan.replace_in_source(
        "api/webhook.py",
        "hmac.compare_digest(expected, signature)",
        "hmac.compare_digest(expected[: len(signature)], signature)",
    )


@fault(
    "H13",
    "storage takes only 5,000,000 bytes, while 5 MiB are promised and registered",
    "storage/supabase",
    "postdeploy",
    mode="-|F34",
    about="*5242880*|*5 MiB*|*size*|*bucket*|*limit*",
)
def megabytes_not_mebibytes(plan: Plan) -> None:
    # The limit was set again by hand, as "5 MB".
    plan.sql.append("UPDATE storage.buckets SET file_size_limit = 5000000 WHERE id = 'files';")


@fault(
    "H14",
    "names of files lose the joiners that Persian, Hindi and emoji are written with",
    "api",
    "postdeploy",
    mode="-",
    about="*name*|*document_title*|*script*",
)
def names_without_joiners(plan: Plan) -> None:
    # Marks that turn the direction of writing disguise names (exe.pdf); the range also holds U+200C and U+200D.
    plan.replace_in_source("api/uploads.py", "import math\n", "import math\nimport re\n")
    plan.replace_in_source(
        "api/uploads.py",
        'MIME_TYPES = ("application/pdf",)\n',
        'MIME_TYPES = ("application/pdf",)\nINVISIBLE = re.compile(r"[\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2069]")\n',
    )
    plan.replace_in_source(
        "api/uploads.py",
        '    @field_validator("bytes_len", mode="before")\n',
        """    @field_validator("filename")
    @classmethod
    def _is_visible(cls, value: str) -> str:
        return INVISIBLE.sub("", value)

    @field_validator("bytes_len", mode="before")
""",
    )


@fault(
    "H15",
    "whoever registers the hash of another user's finished document has its text without sending a byte",
    "api",
    "postdeploy",
    mode="-",
    about="*another user*|*same content*|*never sent*|*hash*|*sha256*|*chunks*",
)
def text_for_a_hash(plan: Plan) -> None:
    # Half of the customers have the same three policies: nothing is parsed and embedded twice.
    plan.replace_in_source(
        "api/uploads.py",
        "    return job_id\n",
        "    await _adopt(connection, body, document_id, job_id)\n    return job_id\n",
    )
    plan.replace_in_source("api/uploads.py", REQUEST_ROUTE, ADOPT + REQUEST_ROUTE)


@fault(
    "H17",
    "documents that were registered and not sent do not count as running jobs",
    "api",
    "postdeploy",
    mode="F34",
    about="*429*|*running*|*concurrent*|*limit*|*never sent*",
)
def unsent_documents_not_counted(plan: Plan) -> None:
    # A page that was closed during an upload left its user locked out for minutes.
    plan.replace_in_source(
        "api/uploads.py",
        "FILTER (WHERE j.state IN ('queued', 'working', 'retryable')) AS running",
        "FILTER (WHERE j.state IN ('queued', 'working', 'retryable') AND NOT j.progress ? 'awaiting_upload') AS running",
    )


@fault(
    "H18",
    "the same content is taken twice when its hash comes in capitals",
    "api",
    "postdeploy",
    mode="-",
    about="*sha256*|*hash*|*duplicate*",
)
def hash_in_capitals(plan: Plan) -> None:
    # PowerShell's Get-FileHash writes capitals, and its users were refused.
    plan.replace_in_source("api/uploads.py", 'pattern=r"^[0-9a-f]{64}$"', 'pattern=r"^[0-9a-fA-F]{64}$"')


@fault(
    "H19",
    "the first question after a pause of fifteen seconds is answered with an apology",
    "chat/api",
    "performance",
    mode="F02",
    about="*pause*|*chat*",
)
def apology_after_a_pause(plan: Plan) -> None:
    # A connection that has rested may be dead: it is closed, and a client that fails is made anew, one question too late.
    plan.replace_in_source("backend/shared/vendors.py", OPENAI_CLIENT, "        self.connect_openai()\n")
    plan.replace_in_source(
        "backend/shared/vendors.py",
        "    @property\n    def auth(self)",
        '''    def connect_openai(self) -> None:
        """Make the client of OpenAI anew."""
        config, seconds = self._config, self._seconds
'''
        + OPENAI_CLIENT
        + "\n    @property\n    def auth(self)",
    )
    plan.replace_in_source(
        "api/chat.py", "ANSWER_SECONDS = 15.0\n", "ANSWER_SECONDS = 15.0\nREST_SECONDS = 15.0\n_last: list[float] = []\n"
    )
    plan.replace_in_source(
        "api/chat.py",
        "    try:\n        passages = await retrieve(",
        """    if _last and started - _last.pop() > REST_SECONDS:
        await client.openai.close()
    _last[:] = [started]
    try:
        passages = await retrieve(""",
    )
    plan.replace_in_source(
        "api/chat.py",
        "        _log(error)\n",
        """        _log(error)
        if client.openai.is_closed():
            client.connect_openai()
""",
    )


@fault(
    "H20",
    "every duplicate that is refused leaves a connection to the database open",
    "api",
    "postdeploy",
    mode="F18",
    about="*connection*",
)
def connection_for_each_duplicate(plan: Plan) -> None:
    # The title is looked up outside the transaction that holds the caller's lock; these readers were to be used again.
    refuse = REFUSE_DUPLICATE.replace(") ->", ", config: Config) ->")
    plan.replace_in_source("api/uploads.py", REFUSE_DUPLICATE, READER + refuse)
    plan.replace_in_source(
        "api/uploads.py", '"document_title": row["filename"],', '"document_title": await _title(config, user, sha256),'
    )
    plan.replace_in_source(
        "api/uploads.py",
        "await _refuse_duplicate(connection, user, body.sha256)",
        "await _refuse_duplicate(connection, user, body.sha256, request.app.state.config)",
    )
    plan.replace_in_source(
        "api/uploads.py",
        "from backend.shared.storage import BUCKET,",
        "from backend.shared.config import Config\nfrom backend.shared.storage import BUCKET,",
    )
