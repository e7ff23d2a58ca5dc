"""Further slips of the worker."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

CHUNKING = "backend/workers/chunking.py"
WEBHOOK = "api/webhook.py"
WORKER = "backend/workers/enhanced_base_worker.py"


@fault(
    "D81",
    "of each passage the first 400 letters are embedded",
    "worker/rag",
    "postdeploy",
    mode="-|F11",
    about="*embedding*|*vector*",
)
def first_letters(plan: Plan) -> None:
    plan.replace_in_source(WORKER, '[row["text"] for row in batch]', '[row["text"][:400] for row in batch]')


@fault(
    "D82",
    "the worker logs how each text begins",
    "worker",
    "postdeploy",
    mode="-",
    about="*log worker*",
)
def logged_beginning(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER,
        '        async with self.queue.leases.holding(job) as connection:\n            await connection.execute("DELETE',
        '        log.info("%s passages: %.60s", len(rows), chunks[0])\n'
        '        async with self.queue.leases.holding(job) as connection:\n            await connection.execute("DELETE',
    )


@fault(
    "D84",
    "a line that a document has twice is kept once",
    "worker",
    "postdeploy",
    mode="-",
    about="*chunks*|*unbroken*|*lost*",
)
def lines_once(plan: Plan) -> None:
    # Headers and footers come back on every page.
    plan.replace_in_source(CHUNKING, 're.split(r"\\n+", text)', 'dict.fromkeys(re.split(r"\\n+", text))')


@fault(
    "D86",
    "a document in which a passage stands twice fails",
    "worker",
    "postdeploy",
    mode="-",
    about="*unbroken*|*stage*|*document*|*chunk*",
)
def named_by_text(plan: Plan) -> None:
    # A passage keeps its id where the document is cut anew.
    plan.replace_in_source(
        WORKER,
        "{job['document_id']}:{CHUNKER_NAME}:{CHUNKER_VERSION}:{number}",
        "{job['document_id']}:{CHUNKER_NAME}:{CHUNKER_VERSION}:{text}",
    )


@fault(
    "D87",
    "of a list of pages those up to the first one without a text are stored",
    "api/webhook",
    "postdeploy",
    mode="-",
    about="*parsed*|*page*|*callback*|*lost*",
)
def up_to_an_empty_page(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK, "_page(page) for page in result)", "_page(page) for page in itertools.takewhile(_page, result))"
    )
    plan.replace_in_source(WEBHOOK, "import hmac\n", "import hmac\nimport itertools\n")
