"""Faults of the fourteenth round by a stranger to the checks: uploads to the byte, and the queue over time."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

UPLOADS = "api/uploads.py"
WORKER = "backend/workers/enhanced_base_worker.py"
QUEUE = "backend/workers/job_queue.py"


@fault(
    "LP01",
    "the proxy refuses files between 5,000,000 bytes and 5 MiB, which may be registered and are within the published limit",
    "api/uploads",
    "postdeploy",
    mode="-",
    about="*upload-file-proxy*|*proxy*|*max_file_size*|*5242880*|*size*",
)
def decimal_megabytes(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        "    if len(body) > MAX_FILE_SIZE_BYTES:\n",
        "    # The edge counts in decimal megabytes, and so do we.\n    if len(body) > 5 * 1000**2:\n",
    )


@fault(
    "LP02",
    "the same file is taken twice when its hash comes in capital letters: a user has it as two documents, and pays for both",
    "api/uploads",
    "postdeploy",
    mode="-",
    about="*sha256*|*hash*|*duplicate*|*file_sha256*",
)
def hash_in_capitals(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        '    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")\n',
        '    # PowerShell\'s Get-FileHash writes capital letters.\n    sha256: str = Field(pattern=r"^[0-9a-fA-F]{64}$")\n',
    )


@fault(
    "LP03",
    "whoever registers the hash of another user's document is given that document's text, whatever bytes arrive",
    "worker",
    "postdeploy",
    mode="-",
    about="*another user*|*other user*|*text*|*sha256*|*hash*|*content*|*chunk*|*parse*",
)
def text_for_a_hash(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        '"SELECT user_id, filename, raw_path, parsed_path FROM documents WHERE document_id = $1"',
        '"SELECT user_id, filename, file_sha256, raw_path, parsed_path FROM documents WHERE document_id = $1"',
    )
    plan.replace_in_source(
        WORKER,
        "        secret = secrets.token_hex(32)\n",
        "        if await self._known(job, document):\n            return\n        secret = secrets.token_hex(32)\n",
    )
    plan.replace_in_source(
        WORKER,
        "    async def _hand_over(",
        "    async def _known(self, job: Any, document: Any) -> bool:\n"
        "        # The same PDF has the same text: it is not parsed, and paid for, twice.\n"
        "        same = await self.pool.fetchrow(\n"
        '            """SELECT user_id, document_id, parsed_sha256 FROM documents\n'
        '               WHERE file_sha256 = $1 AND document_id <> $2 AND processing_status = \'complete\' LIMIT 1""",\n'
        '            document["file_sha256"],\n'
        '            job["document_id"],\n'
        "        )\n"
        "        if same is None:\n"
        "            return False\n"
        '        key = object_key(document["user_id"], job["document_id"], "parsed")\n'
        '        text = await self.storage.read(object_key(same["user_id"], same["document_id"], "parsed"))\n'
        '        await self.storage.write(key, text, "text/markdown")\n'
        "        async with self.queue.leases.holding(job) as connection:\n"
        "            await connection.execute(\n"
        '                "UPDATE documents SET parsed_path = $2, parsed_sha256 = $3 WHERE document_id = $1",\n'
        '                job["document_id"],\n'
        '                f"files/{key}",\n'
        '                same["parsed_sha256"],\n'
        "            )\n"
        '            await self.queue.advance_in(connection, job, "parsed")\n'
        "        return True\n\n"
        "    async def _hand_over(",
    )


@fault(
    "LP04",
    "file names lose their accents and vowel signs: in French, Thai or Hindi a user's document has another name than was given",
    "api/uploads",
    "postdeploy",
    mode="-",
    about="*filename*|*file name*|*file's name*|*document_title*|*name*",
)
def names_without_marks(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "import math\n", "import math\nimport unicodedata\n")
    plan.replace_in_source(
        UPLOADS,
        "        body.filename,\n",
        "        # Names are compared and sorted more easily without marks.\n"
        '        "".join(c for c in unicodedata.normalize("NFKD", body.filename) if not unicodedata.combining(c)),\n',
    )


@fault(
    "LP05",
    "the worker deletes the user's PDF when its document is complete, and the used upload link takes other bytes afterwards",
    "worker/storage",
    "postdeploy",
    mode="-",
    about="*raw*|*storage*|*signed*|*link*|*already there*|*object*|*pdf*",
)
def original_deleted(plan: Plan) -> None:
    plan.replace_in_source(
        "backend/shared/storage.py",
        "    async def create_signed_upload(",
        "    async def delete(self, key: str) -> None:\n"
        '        async with self._call("delete"):\n'
        "            await self._files.remove([key])\n\n"
        "    async def create_signed_upload(",
    )
    plan.replace_in_source(
        WORKER,
        '        await self.queue.advance(job, "complete", state="done")\n',
        '        await self.queue.advance(job, "complete", state="done")\n'
        "        # The text is all that is asked for later; the originals only fill the bucket.\n"
        "        document = await self._document(job)\n"
        '        await self.storage.delete(object_key(document["user_id"], job["document_id"], "raw"))\n',
    )


@fault(
    "LP06",
    "a document that was registered and never sent vanishes with its job: its owner gets 404 and no reason",
    "worker",
    "postdeploy",
    mode="-",
    about="*never sent*|*never uploaded*|*job*|*404*|*failed_parse*|*last_error*|*vanish*|*row*",
)
def unsent_are_deleted(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        "                raise UploadPending from error\n            raise\n",
        "                raise UploadPending from error\n"
        "            if error.status == 404:\n"
        "                # Nothing ever came: no empty documents in anybody's list.\n"
        '                await self.pool.execute("DELETE FROM documents WHERE document_id = $1", job["document_id"])\n'
        "                raise LeaseLost(f\"job {job['job_id']} was never sent, and is removed\") from error\n"
        "            raise\n",
    )


@fault(
    "LP07",
    "jobs that wait for their bytes or for another attempt do not count: a user runs more than two at once",
    "api/uploads",
    "postdeploy",
    mode="F34",
    about="*max_concurrent_jobs*|*running jobs*|*concurrent*|*at once*|*limit*|*429*",
)
def waiting_jobs_are_free(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        "        \"\"\"SELECT count(*) FILTER (WHERE j.state IN ('queued', 'working', 'retryable')) AS running,\n",
        "        # A job that waits for its next attempt keeps no worker busy.\n"
        "        \"\"\"SELECT count(*) FILTER (WHERE j.state IN ('queued', 'working')) AS running,\n",
    )


@fault(
    "LP08",
    "small documents overtake older ones: a large document waits for as long as small ones keep coming",
    "worker",
    "postdeploy",
    mode="-",
    about="*order*|*oldest*|*overt*|*queue*|*claim*|*first*",
)
def smallest_first(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "    ORDER BY array_position($2::text[], status), CASE WHEN status = ANY($3) THEN updated_at ELSE created_at END\n",
        "    -- Shortest job first has the best mean waiting time.\n"
        "    ORDER BY array_position($2::text[], status), CASE WHEN status = ANY($3) THEN updated_at END,\n"
        "        (SELECT d.bytes_len FROM documents d WHERE d.document_id = upload_jobs.document_id), created_at\n",
    )


@fault(
    "LP09",
    "a job whose worker died while it handed the document to LlamaParse stays parse_queued for ever",
    "worker",
    "postdeploy",
    mode="-",
    about="*parse_queued*|*died*|*dies*|*stuck*|*abandon*|*parse_job_id*|*handed*",
)
def never_handed_over(plan: Plan) -> None:
    plan.replace_in_source(
        "backend/workers/reconciliation.py",
        "    WHERE status = 'parse_queued' AND state IN ('working', 'queued')",
        "    -- Without LlamaParse's id there is nothing that could be looked up.\n"
        "    WHERE status = 'parse_queued' AND parse_job_id IS NOT NULL AND state IN ('working', 'queued')",
    )


@fault(
    "LP10",
    "a job whose worker died during its last step is never taken over: it stays at embeddings_stored, working",
    "worker",
    "postdeploy",
    mode="-",
    about="*embeddings_stored*|*lease*|*died*|*dies*|*stuck*|*abandon*|*taken over*",
)
def last_step_is_not_taken_over(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE,
        "           OR (state = 'working' AND lease_until <= now()))\n",
        "           -- The last step is one statement: nobody dies in it, and taking it over completed documents twice.\n"
        "           OR (state = 'working' AND lease_until <= now() AND status <> 'embeddings_stored'))\n",
    )
