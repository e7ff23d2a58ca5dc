"""Uploads that are right in every word and wrong in what arrives: sizes, types, links, names, and the same content again."""

from __future__ import annotations

from twin.faults import fault
from twin.links import own_links
from twin.plan import Plan

UPLOADS = "api/uploads.py"
STORAGE = "backend/shared/storage.py"
JOBS = "api/jobs.py"
INSERT = '"""INSERT INTO documents (document_id, user_id,'


@fault(
    "N55",
    "storage takes files of any size: the bucket's limit was lost",
    "storage/api",
    "postdeploy",
    mode="F34|-",
    about="limit max_file_size_bytes of PUT /{signed}",
)
def any_size_by_link(plan: Plan) -> None:
    plan.sql.append("UPDATE storage.buckets SET file_size_limit = NULL WHERE id = 'files'")


@fault(
    "N56",
    "the upload proxy believes Content-Length, so a file in pieces passes with any size",
    "storage/api",
    "postdeploy",
    mode="F34|-",
    about="limit max_file_size_bytes of PUT *upload-file-proxy*",
)
def any_size_in_pieces(plan: Plan) -> None:
    plan.sql.append("UPDATE storage.buckets SET file_size_limit = NULL WHERE id = 'files'")
    plan.replace_in_source(
        UPLOADS,
        "    if len(body) > MAX_FILE_SIZE_BYTES:\n",
        '    if int(request.headers.get("content-length", 0)) > MAX_FILE_SIZE_BYTES:\n',
    )
    own_links(plan)


@fault(
    "N57",
    "storage takes files of any type: the bucket's list of types was lost",
    "storage/api",
    "postdeploy",
    mode="F34|-",
    about="limit supported_mime_types of PUT *|*bucket*files*|files",
)
def any_type(plan: Plan) -> None:
    plan.sql.append("UPDATE storage.buckets SET allowed_mime_types = NULL WHERE id = 'files'")


@fault(
    "N58",
    "a second file is refused as it should be, and stored nevertheless",
    "storage/api",
    "postdeploy",
    mode="-",
    about="object *raw*",
)
def refused_and_stored(plan: Plan) -> None:
    own_links(plan)
    plan.replace_in_source(
        STORAGE,
        '            await self._files.upload(key, body, {"content-type": mime})\n',
        "            there = await self._files.exists(key)\n"
        '            await self._files.upload(key, body, {"content-type": mime, "upsert": "true"})\n'
        "        if there:\n"
        '            raise StorageError("write", 409, "the resource already exists")\n',
    )


@fault(
    "N59",
    "the signature of a link covers its end and not its object",
    "storage/api",
    "postdeploy",
    mode="-",
    about="endpoint PUT /{signed}",
)
def link_for_any_object(plan: Plan) -> None:
    own_links(plan, signed="{expires}")


@fault(
    "N60",
    "the signature of a link covers its object and not its end",
    "api/auth/storage",
    "postdeploy",
    mode="F25|-",
    about="token of a prolonged link",
)
def link_without_signed_end(plan: Plan) -> None:
    own_links(plan, signed="{key}")


@fault(
    "N61",
    "links live for a year; upload_expires_at says five minutes",
    "api/storage",
    "postdeploy",
    mode="-",
    about="limit signed_url_ttl_seconds of PUT /{signed}",
)
def link_for_a_year(plan: Plan) -> None:
    own_links(plan, seconds=365 * 24 * 3600)


@fault(
    "N62",
    "file names are tidied before they are stored: accents composed, spaces joined, leading dots dropped",
    "api/database",
    "postdeploy",
    mode="-",
    about="column documents.filename",
)
def tidied_names(plan: Plan) -> None:
    plan.replace_in_source(UPLOADS, "import math\n", "import math\nimport unicodedata\n")
    plan.replace_in_source(
        UPLOADS,
        "        body.filename,\n",
        '        " ".join(unicodedata.normalize("NFC", body.filename).split()).lstrip("."),\n',
    )


@fault(
    "N63",
    "the document status shows file names as a header would have them: decoded, without what Latin-1 lacks",
    "api",
    "postdeploy",
    mode="-",
    about="field filename of GET /documents/{document_id}/status",
)
def names_of_a_header(plan: Plan) -> None:
    plan.replace_in_source(JOBS, "from uuid import UUID\n", "from urllib.parse import unquote_plus\nfrom uuid import UUID\n")
    plan.replace_in_source(
        JOBS,
        '        "filename": row["filename"],\n',
        '        "filename": unquote_plus(row["filename"].encode("latin-1", "replace").decode("latin-1")),\n',
    )


@fault(
    "N64",
    "the length of a file name is counted in bytes",
    "api",
    "postdeploy",
    mode="-",
    about="limit max_filename_characters",
)
def names_counted_in_bytes(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        '    @field_validator("bytes_len", mode="before")\n',
        '    @field_validator("filename")\n'
        "    @classmethod\n"
        "    def _fits(cls, value: str) -> str:\n"
        "        if len(value.encode()) > 120:\n"
        '            raise ValueError("longer than 120")\n'
        "        return value\n\n"
        '    @field_validator("bytes_len", mode="before")\n',
    )


@fault(
    "N65",
    "content that another user has sent is not awaited again: its chunks are copied to whoever names its hash",
    "api/database",
    "postdeploy",
    mode="-",
    about="endpoint POST /api/upload-pipeline/upload",
)
def copied_by_hash(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        "        job_id = await _insert(connection, user, body, document_id)\n",
        "        job_id = await _insert(connection, user, body, document_id)\n"
        "        await connection.execute(\n"
        '            """INSERT INTO document_chunks (chunk_id, document_id, chunker_name, chunker_version, chunk_ord, text,\n'
        "                   chunk_sha, embed_model, embed_version, vector_dim, embedding)\n"
        "               SELECT gen_random_uuid(), $1, c.chunker_name, c.chunker_version, c.chunk_ord, c.text, c.chunk_sha,\n"
        "                   c.embed_model, c.embed_version, c.vector_dim, c.embedding\n"
        "               FROM document_chunks c JOIN documents d USING (document_id)\n"
        "               JOIN upload_jobs j USING (document_id)\n"
        '               WHERE d.file_sha256 = $2 AND d.document_id <> $1 AND j.status = \'complete\'""",\n'
        "            document_id,\n"
        "            body.sha256,\n"
        "        )\n",
    )


@fault(
    "N66",
    "the name that a user gives to a file becomes the name of the same file of everybody else",
    "api/database",
    "postdeploy",
    mode="-",
    about="column documents.filename",
)
def renamed_for_everybody(plan: Plan) -> None:
    plan.replace_in_source(
        UPLOADS,
        '    job_id: UUID = await connection.fetchval(\n        "INSERT',
        "    await connection.execute(\n"
        '        "UPDATE documents SET filename = $1 WHERE file_sha256 = $2", body.filename, body.sha256\n'
        "    )\n"
        '    job_id: UUID = await connection.fetchval(\n        "INSERT',
    )
