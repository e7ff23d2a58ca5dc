"""Faults of a stranger, thirteenth round: uploads to the byte, what is left of a failed document, and the callback."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

UPLOADS = "api/uploads.py"
WEBHOOK = "api/webhook.py"
WORKER = "backend/workers/enhanced_base_worker.py"


@fault(
    "LU21",
    "a file name of up to 120 characters is refused when it takes more than 120 bytes, as names in other scripts do",
    "api/uploads",
    "postdeploy",
    mode="-",
    about="*filename*|*file name*|*script*|*/api/upload-pipeline/upload*",
)
def name_in_bytes(plan: Plan) -> None:
    check = (
        '    @field_validator("filename")\n'
        "    @classmethod\n"
        "    def _fits(cls, value: str) -> str:\n"
        "        # The archive's file system takes no more than so many bytes.\n"
        "        if len(value.encode()) > 120:\n"
        '            raise ValueError("longer than 120 bytes")\n'
        "        return value\n\n"
    )
    before = '    @field_validator("bytes_len", mode="before")\n'
    plan.replace_in_source(UPLOADS, before, check + before)


@fault(
    "LU22",
    "a hash in capitals is taken for another one: the same content of the same user is registered twice, without a 409",
    "api/uploads",
    "postdeploy",
    mode="-",
    about="*sha256*|*hash*|*duplicate*|*/api/upload-pipeline/upload*",
)
def hash_in_capitals(plan: Plan) -> None:
    # Clients on Windows write their hashes in capitals.
    plan.replace_in_source(UPLOADS, 'r"^[0-9a-f]{64}$"', 'r"^[0-9a-fA-F]{64}$"')


@fault(
    "LU23",
    "the proxy says that it has stored a second file under a taken name, while storage refused it and the first one stays",
    "api/uploads/storage",
    "postdeploy",
    mode="-",
    about="*upload-file-proxy*|*proxy*|*already there*|*409*",
)
def refused_and_successful(plan: Plan) -> None:
    line = '        raise HTTPException(error.status, "storage refused the file") from error\n'
    calm = (
        "        # A browser that repeats its PUT after a lost answer must not see an error.\n"
        "        if error.status == 409:\n"
        '            return {"status": "success"}\n'
    )
    plan.replace_in_source(UPLOADS, line, calm + line)


@fault(
    "LU24",
    "who declares the hash of another user's document gets that user's text, whatever the bytes are that arrive",
    "worker/uploads/storage",
    "postdeploy",
    mode="-",
    about="*hash*|*sha256*|*same content*|*another user*|*foreign*|*text*|*chunk*",
)
def text_by_hash(plan: Plan) -> None:
    reuse = (
        "        # Half of the insured send the same booklet: it is parsed, and paid for, once.\n"
        "        known = await self.pool.fetchrow(\n"
        '            """SELECT o.document_id, o.user_id, o.parsed_sha256\n'
        "               FROM documents d JOIN documents o USING (file_sha256)\n"
        '               WHERE d.document_id = $1 AND o.document_id <> $1 AND o.processing_status = \'complete\' LIMIT 1""",\n'
        '            job["document_id"],\n'
        "        )\n"
        "        if known:\n"
        '            text = await self.storage.read(object_key(known["user_id"], known["document_id"], "parsed"))\n'
        '            key = object_key(document["user_id"], job["document_id"], "parsed")\n'
        '            await self.storage.write(key, text, "text/markdown")\n'
        "            await self.pool.execute(\n"
        '                "UPDATE documents SET parsed_path = $2, parsed_sha256 = $3 WHERE document_id = $1",\n'
        '                job["document_id"],\n'
        '                f"files/{key}",\n'
        '                known["parsed_sha256"],\n'
        "            )\n"
        '            await self.queue.advance(job, "parsed")\n'
        "            return\n"
    )
    before = "        secret = secrets.token_hex(32)\n"
    plan.replace_in_source(WORKER, before, reuse + before)


@fault(
    "LU25",
    "similarities are rounded to tenths before they are held to the threshold: passages from 0.30 to 0.35 are left out",
    "rag/api/chat",
    "postdeploy",
    mode="-",
    about="*threshold*|*similarity*|*retrieval*|*sources*|*passages*|*chunks*",
)
def rounded_to_tenths(plan: Plan) -> None:
    # The threshold is given in tenths, and so both sides are compared in tenths.
    plan.replace_in_source(
        "api/retrieval.py",
        'if row["similarity"] > config.similarity_threshold',
        'if round(row["similarity"], 1) > config.similarity_threshold',
    )


@fault(
    "LU26",
    "a document that was registered and never sent ends as done, without a reason, and can never be retried",
    "worker/database",
    "postdeploy",
    mode="-",
    about="*never sent*|*never arriv*|*state*|*last_error*|*registered*|*abandoned*|*failed_parse*",
)
def abandoned_is_done(plan: Plan) -> None:
    path = "backend/workers/job_queue.py"
    line = '        status = FAILED[job["status"]] if final else job["status"]\n'
    never = (
        "        # A visitor who changed their mind is no failure, and rang the pager at night.\n"
        '        abandoned = final and job["status"] == "uploaded" and isinstance(error, CallError) and error.status == 404\n'
    )
    plan.replace_in_source(path, line, line + never)
    plan.replace_in_source(
        path, '"deadletter" if final else "retryable"', '"done" if abandoned else "deadletter" if final else "retryable"'
    )
    plan.replace_in_source(
        path,
        "                attempt,\n                reason,\n            )\n            if final:",
        "                attempt,\n                None if abandoned else reason,\n            )\n            if final:",
    )


@fault(
    "LU28",
    "a document that has failed is registered once more: 500 or 502 where 409 duplicate_document is due",
    "api/uploads",
    "postdeploy",
    mode="-",
    about="*duplicate*|*409*|*/api/upload-pipeline/upload*|*failed*",
)
def failed_once_more(plan: Plan) -> None:
    # Whoever has sent a broken scan should be able to send the document again.
    plan.replace_in_source(
        UPLOADS,
        'WHERE user_id = $1 AND file_sha256 = $2",',
        "WHERE user_id = $1 AND file_sha256 = $2\"\n        \" AND coalesce(processing_status, '') NOT LIKE 'failed%'\",",
    )


@fault(
    "LU29",
    "the file of a failed document is deleted from storage, so that a retry can only fail",
    "worker/storage",
    "postdeploy",
    mode="-",
    about="*raw*|*storage*|*retry*|*file*|*failed_*|*object*",
)
def nothing_to_retry(plan: Plan) -> None:
    line = "            await (self.queue.postpone if self._is_no_fault_of_the_job(error) else self.queue.fail)(job, error)\n"
    tidy = (
        "            # What cannot be read is of no use to anybody, and is billed by the month.\n"
        '            if isinstance(error, PermanentError) or job["retry_count"] >= self.config.max_retries:\n'
        "                document = await self._document(job)\n"
        '                await self.storage.discard(object_key(document["user_id"], job["document_id"], "raw"))\n'
    )
    plan.replace_in_source(WORKER, line, line + tidy)
    before = "    async def create_signed_upload("
    plan.replace_in_source(
        "backend/shared/storage.py",
        before,
        "    async def discard(self, key: str) -> None:\n"
        '        """Delete an object; raises CallError."""\n'
        '        async with self._call("write"):\n'
        "            await self._files.remove([key])\n\n" + before,
    )


@fault(
    "LU30",
    "a callback without a valid signature is answered 200 once the job has moved on",
    "webhook/api",
    "postdeploy",
    mode="-",
    about="*signature*|*webhook*|*callback*",
)
def unsigned_and_late(plan: Plan) -> None:
    line = '        _verify(row["webhook_secret"], body, request.headers.get("x-webhook-signature"))\n'
    early = (
        "        # A late callback changes nothing: its signature need not be computed.\n"
        '        if row["status"] != "parse_queued":\n'
        '            return {"status": "ignored"}\n'
    )
    plan.replace_in_source(WEBHOOK, line, early + line)
