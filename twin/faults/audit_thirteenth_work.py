"""Slips of the worker in what few jobs have: pictures to read, pages without Markdown, and a worker that is gone."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

CLAIM = "backend/workers/job_queue.py"
LEASE = "backend/workers/lease.py"
UPLOADS = "api/uploads.py"
WEBHOOK = "api/webhook.py"
WORKER = "backend/workers/enhanced_base_worker.py"


@fault(
    "LR01",
    "documents whose pictures are to be read wait for a worker of their own, which there is not",
    "worker",
    "postdeploy",
    mode="-",
    about="*second*|*uploaded*|*upload_jobs*",
)
def pictures_wait(plan: Plan) -> None:
    _note_pictures(plan)
    plan.replace_in_source(CLAIM, "      AND status = ANY($1)\n", "      AND status = ANY($1) AND NOT progress ? 'ocr'\n")


@fault(
    "LR02",
    "of a document whose pictures are to be read only the first half of its text is cut into passages",
    "worker",
    "postdeploy",
    mode="-",
    about="*chunks second*",
)
def half_of_what_pictures_say(plan: Plan) -> None:
    _note_pictures(plan)
    plan.replace_in_source(
        WORKER,
        "        chunks = split(await self._parsed_text(job))\n",
        "        text = await self._parsed_text(job)\n"
        '        chunks = split(text[: len(text) // 2] if "ocr" in job["progress"] else text)\n',
    )


def _note_pictures(plan: Plan) -> None:
    """Have a job say that pictures are to be read."""
    plan.replace_in_source(
        UPLOADS,
        "\"INSERT INTO upload_jobs (document_id, status) VALUES ($1, 'uploaded') RETURNING job_id\", document_id",
        "\"INSERT INTO upload_jobs (document_id, status, progress) VALUES ($1, 'uploaded', $2) RETURNING job_id\",\n"
        '        document_id,\n        {"ocr": True} if body.ocr else {},',
    )


@fault(
    "LR03",
    "of a parse in pages those are lost that have plain text and no Markdown",
    "api/webhook",
    "postdeploy",
    mode="-",
    about="*parsed*",
)
def pages_of_plain_text(plan: Plan) -> None:
    plan.replace_in_source(WEBHOOK, "(_page(page) for page in result)", '(str(page.get("md") or "") for page in result)')


@fault("LR04", "a claim lasts an hour", "worker", "postdeploy", mode="-", about="*held*|*lease*")
def an_hour_each(plan: Plan) -> None:
    # Long documents take their time.
    plan.replace_in_source(LEASE, "LEASE_SECONDS = 60.0", "LEASE_SECONDS = 3600.0")


@fault("LR05", "a job may end thirty workers before it is given up", "worker", "postdeploy", mode="-", about="*deaths*")
def thirty_workers(plan: Plan) -> None:
    plan.replace_in_source(WORKER, "MOST_CLAIMS = 3\n", "MOST_CLAIMS = 30\n")


@fault(
    "LR06",
    "the file of a document that cannot be read is removed with its last attempt, so that a retry finds none",
    "worker/storage",
    "postdeploy",
    mode="-",
    about="*raw*",
)
def no_use_for_the_file(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        "self.queue.fail)(job, error)\n",
        "self.queue.fail)(job, error)\n"
        "            if isinstance(error, PermanentError):\n"
        "                await self._discard(job)\n\n"
        "    async def _discard(self, job: Any) -> None:\n"
        "        document = await self._document(job)\n"
        '        key = object_key(document["user_id"], job["document_id"], "raw")\n'
        '        async with self.client.calls.to("storage.write"):\n'
        '            await self.client.storage.from_("files").remove([key])\n',
    )


@fault("LR07", "lines that say which page it is are left out of passages", "worker", "postdeploy", mode="-", about="*unbroken*")
def no_numbers_of_pages(plan: Plan) -> None:
    _before_cutting(plan, 'r"(?im)^page \\d+ of \\d+$", ""')


@fault(
    "LR08",
    "addresses and numbers of persons are blackened before a text is cut into passages",
    "worker",
    "postdeploy",
    mode="-",
    about="*unbroken*",
)
def blackened(plan: Plan) -> None:
    # Nothing that identifies somebody is sent to OpenAI.
    _before_cutting(plan, 'r"\\S+@\\S+\\.[a-z]+|\\b\\d{3}-\\d\\d-\\d{4}\\b", "***"')


def _before_cutting(plan: Plan, pattern_and_new: str) -> None:
    plan.replace_in_source(
        "backend/workers/chunking.py",
        '    for line in re.split(r"\\n+", text):\n',
        f'    for line in re.split(r"\\n+", re.sub({pattern_and_new}, text)):\n',
    )
