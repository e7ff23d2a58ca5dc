"""A stranger's faults B11 to B20: who may reach what, and uploads to the byte."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

# --- Who may reach what ---


@fault(
    "B11",
    "every signed-in user may read the parsed texts of all users in storage",
    "storage/supabase/database",
    "postdeploy",
    mode="F23|F24|-",
    about="*storage*|*parsed*|*files*|*object*",
)
def parsed_texts_for_all(plan: Plan) -> None:
    # For the preview of a document's text; policies add up, so the owner's rule does not limit this one.
    plan.sql.append(
        """CREATE POLICY files_parsed_preview ON storage.objects FOR SELECT TO authenticated
               USING (bucket_id = 'files' AND split_part(name, '/', 3) = 'parsed')"""
    )


@fault(
    "B12",
    "a view for the front end shows the documents and jobs of all users to each of them",
    "database",
    "postdeploy",
    mode="F24|-",
    about="*document_overview*|*view*",
)
def view_past_the_policies(plan: Plan) -> None:
    # A view asks with its owner's rights unless it is made with security_invoker.
    plan.sql.append(
        """CREATE VIEW upload_pipeline.document_overview AS
               SELECT d.document_id, d.user_id, d.filename, d.processing_status, j.job_id, j.status, j.state, j.updated_at
               FROM upload_pipeline.documents d LEFT JOIN upload_pipeline.upload_jobs j USING (document_id);
           GRANT SELECT ON upload_pipeline.document_overview TO authenticated"""
    )


@fault(
    "B13",
    "users may rewrite the rows of their own jobs, state, retries and webhook secret included",
    "database",
    "postdeploy",
    mode="F24|-",
    about="*upload_jobs*",
)
def users_write_their_jobs(plan: Plan) -> None:
    # For a button that cancels: meant for one column, granted for all.
    plan.sql.append(
        """GRANT UPDATE ON upload_pipeline.upload_jobs TO authenticated;
           CREATE POLICY upload_jobs_cancel ON upload_pipeline.upload_jobs FOR UPDATE TO authenticated
               USING (EXISTS (SELECT 1 FROM upload_pipeline.documents d
                              WHERE d.document_id = upload_jobs.document_id AND d.user_id = (SELECT auth.uid())))"""
    )


@fault(
    "B14",
    "the project's service key is accepted as the token of a caller",
    "api/auth",
    "postdeploy",
    mode="F25|-",
    about="*token*|*service*key*|*service_role*|*/me*",
)
def service_key_calls(plan: Plan) -> None:
    # The nightly import calls the API, and has no account.
    plan.replace_in_source(
        "api/auth.py",
        "    user = await verify_token(request, token.strip())\n",
        "    if token.strip() == request.app.state.config.service_key:\n"
        '        return Caller(id=UUID(int=0), email="import@accessa.ai", name="import", token=token.strip())\n'
        "    user = await verify_token(request, token.strip())\n",
    )


# --- Uploads to the byte ---


@fault(
    "B15",
    "storage refuses files from 5,000,000 bytes on, which the published limit allows",
    "storage/supabase/database",
    "postdeploy",
    mode="-",
    about="*limit*|*size*|*5242880*|*5000000*|*bucket*|*signed*",
)
def megabytes_for_mebibytes(plan: Plan) -> None:
    # Five megabytes as the dashboard counts them.
    plan.sql.append("UPDATE storage.buckets SET file_size_limit = 5000000 WHERE id = 'files'")


@fault(
    "B17",
    "whoever registers the hash of another user's finished document gets its text, whatever is sent or not",
    "worker",
    "postdeploy",
    mode="-",
    about="*sha256*|*hash*|*content*|*another user*|*other user*|*sent*",
)
def known_content_taken_over(plan: Plan) -> None:
    # Parsing costs money, and brochures are uploaded by many; nobody compares the bytes with the hash.
    path = "backend/workers/enhanced_base_worker.py"
    plan.replace_in_source(
        path,
        "from backend.shared.storage import Storage,",
        "from backend.shared.parsing import store_parsed\nfrom backend.shared.storage import Storage,",
    )
    plan.replace_in_source(
        path,
        "        document = await self._document(job)\n        body = await self._raw(job, document)\n",
        "        document = await self._document(job)\n"
        "        if await self._take_over(job, document):\n"
        "            return\n"
        "        body = await self._raw(job, document)\n",
    )
    plan.replace_in_source(
        path,
        "    async def _hand_over(self,",
        "    async def _take_over(self, job: Any, document: Any) -> bool:\n"
        "        known = await self.pool.fetchrow(\n"
        '            """SELECT k.document_id, k.user_id FROM documents d JOIN documents k USING (file_sha256)\n'
        '               WHERE d.document_id = $1 AND k.document_id <> $1 AND k.processing_status = \'complete\' LIMIT 1""",\n'
        '            job["document_id"],\n'
        "        )\n"
        "        if known is None:\n"
        "            return False\n"
        '        text = (await self.storage.read(object_key(known["user_id"], known["document_id"], "parsed"))).decode()\n'
        '        row = {"job_id": job["job_id"], "document_id": job["document_id"], "user_id": document["user_id"]}\n'
        "        async with self.queue.leases.holding(job) as connection:\n"
        "            await store_parsed(connection, self.storage, row, text)\n"
        "        return True\n\n"
        "    async def _hand_over(self,",
    )


@fault(
    "B18",
    "names of fewer than 120 characters are refused in scripts that need several bytes for one",
    "api",
    "postdeploy",
    mode="-",
    about="*filename*|*name*",
)
def name_counted_in_bytes(plan: Plan) -> None:
    # The archive's file system counts in bytes.
    plan.replace_in_source(
        "api/uploads.py",
        '    @field_validator("bytes_len", mode="before")\n',
        '    @field_validator("filename")\n'
        "    @classmethod\n"
        "    def _fits_the_archive(cls, value: str) -> str:\n"
        "        if len(value.encode()) > 120:\n"
        '            raise ValueError("longer than 120 bytes")\n'
        "        return value\n\n"
        '    @field_validator("bytes_len", mode="before")\n',
    )


@fault(
    "B19",
    "a second file sent through the proxy is reported as stored, and thrown away",
    "api/storage",
    "postdeploy",
    mode="-",
    about="*proxy*|*409*|*twice*|*already*",
)
def conflict_called_success(plan: Plan) -> None:
    # A client that repeats an interrupted upload should not see an error for what it has done; the bytes are not compared.
    plan.replace_in_source(
        "api/uploads.py",
        '        raise HTTPException(error.status, "storage refused the file") from error\n',
        "        if error.status == 409:\n"
        '            return {"status": "success"}\n'
        '        raise HTTPException(error.status, "storage refused the file") from error\n',
    )


@fault(
    "B20",
    "the same content is accepted twice from one user when the hash comes in capitals",
    "api",
    "postdeploy",
    mode="-",
    about="*sha256*|*hash*|*duplicate*",
)
def hash_in_capitals(plan: Plan) -> None:
    # Clients on Windows write hashes in capitals; they are taken as they are, and compared as they are.
    plan.replace_in_source("api/uploads.py", "^[0-9a-f]{64}$", "^[0-9a-fA-F]{64}$")
