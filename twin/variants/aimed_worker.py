"""Variants aimed at what the worker leaves behind; each says what allows it."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant
from twin.variants.errors import UPLOAD_ROUTE

WORKER = "backend/workers/enhanced_base_worker.py"
QUEUE = "backend/workers/job_queue.py"
UPLOADS = "api/uploads.py"
PARSING = "backend/shared/parsing.py"
ENTER = '''    async def enter(self, job: Any, status: str) -> None:
        """Show that a stage has begun."""
        sql = "UPDATE upload_jobs SET status = $2, updated_at = now() WHERE job_id = $1"
        await self._pool.execute(sql, job["job_id"], status)

    async def _record('''
WORD = '''def _word(status: str) -> str:
    """The status for people."""
    return "ready" if status == "complete" else "failed" if status.startswith("failed") else "processing"


class PermanentError('''
OWN_URL = """

def _own_url(url: str) -> str:
    key, _, signature = url.partition(f"/object/upload/sign/{BUCKET}/")[2].partition("?token=")
    return f"/api/upload-pipeline/files/{key}/{signature}"


async def _insert("""


@variant("W46", "each chunk is embedded behind the name of its document and its place in it")
def embedded_in_context(plan: Plan) -> None:
    """Contract, Worker and RAG: chunks are embedded with the model; which words around them go along is not said."""
    plan.replace_in_source(
        WORKER,
        "        for start in range(0, len(rows), BATCH):\n",
        '        name = (await self._document(job))["filename"]\n'
        '        places = {row["chunk_id"]: f"{name}, part {n} of {len(rows)}" for n, row in enumerate(rows, 1)}\n'
        "        for start in range(0, len(rows), BATCH):\n",
    )
    plan.replace_in_source(
        WORKER, '[row["text"] for row in batch]', """[f"{places[row['chunk_id']]}\\n{row['text']}" for row in batch]"""
    )


@variant("W47", "chunk_sha is the hash of the chunker's name and version together with the text")
def hash_with_the_chunker(plan: Plan) -> None:
    """Contract, Database: document_chunks has chunk_sha; of what, and by which algorithm, is not said."""
    plan.replace_in_source(
        WORKER,
        "                hashlib.sha256(text.encode()).hexdigest(),\n",
        '                hashlib.sha256(f"{CHUNKER_NAME}@{CHUNKER_VERSION}\\n{text}".encode()).hexdigest(),\n',
    )


@variant("W48", "a job shows each stage that has begun, and waits for its callback in state queued")
def stages_that_have_begun(plan: Plan) -> None:
    """Contract, Database: chunking, embedding_queued and embedding_in_progress are statuses; no state is named for waiting."""
    plan.replace_in_source(QUEUE, "    async def _record(", ENTER)
    plan.replace_in_source(WORKER, '"parse_queued", state="working"', '"parse_queued", state="queued"')
    chunks = "        chunks = split(await self._parsed_text(job))\n"
    plan.replace_in_source(WORKER, chunks, f'        await self.queue.enter(job, "chunking")\n{chunks}')
    rows = "        rows = await self.pool.fetch(\n"
    plan.replace_in_source(WORKER, rows, f'        await self.queue.enter(job, "embedding_queued")\n{rows}')
    batches = "        for start in range(0, len(rows), BATCH):\n"
    plan.replace_in_source(WORKER, batches, f'        await self.queue.enter(job, "embedding_in_progress")\n{batches}')


@variant("W49", "processing_status of a document has words for people: received, processing, ready, failed")
def words_for_people(plan: Plan) -> None:
    """Contract, Worker: the document's processing_status follows the job; in which words is not said."""
    plan.replace_in_source(QUEUE, "class PermanentError(", WORD)
    text = (plan.source / QUEUE).read_text()
    first, found, rest = text.partition("UPDATE documents SET processing_status = $2")
    assert found, "the worker writes processing_status"
    (plan.source / QUEUE).write_text(first + found + rest.replace("            status,\n", "            _word(status),\n", 1))
    plan.replace_in_source(PARSING, "processing_status = 'parsed'", "processing_status = 'processing'")
    plan.replace_in_source(PARSING, "processing_status = 'failed_parse'", "processing_status = 'failed'")
    plan.replace_in_source(UPLOADS, "$6, $7, 'uploaded')", "$6, $7, 'received')")


@variant("W50", "files go to a path of the API, which refuses with 415 what does not begin as a PDF")
def only_files_that_are_pdf(plan: Plan) -> None:
    """Contract: PUT <signed_url> takes PDF bytes; §3 and the field leave open whose URL it is and what else is refused."""
    plan.replace_in_source(UPLOADS, '        "signed_url": url,\n', '        "signed_url": _own_url(url),\n')
    plan.replace_in_source(UPLOADS, "\n\nasync def _insert(", OWN_URL)
    file = plan.source / UPLOADS
    route = UPLOAD_ROUTE.format().replace(
        "    reply = await",
        '    if not (await request.body()).startswith(b"%PDF-"):\n'
        '        raise HTTPException(415, "not a PDF")\n'
        "    reply = await",
    )
    file.write_text(file.read_text() + route)
