"""Further slips of the worker and of what it shares with the API."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

CALLS = "backend/shared/calls.py"
CHUNKING = "backend/workers/chunking.py"
WORKER = "backend/workers/enhanced_base_worker.py"


@fault(
    "C80",
    "a service that refuses a request counts as one that is out of order",
    "worker/api",
    "postdeploy",
    mode="-",
    about="*queue*|*circuit*|*storage*",
)
def refusals_are_outages(plan: Plan) -> None:
    plan.replace_in_source(
        CALLS, "self.problem not in (Problem.REFUSED, Problem.CIRCUIT_OPEN)", "self.problem is not Problem.CIRCUIT_OPEN"
    )


@fault(
    "C81",
    "of each passage the first 400 letters are embedded",
    "worker/rag",
    "postdeploy",
    mode="-|F11",
    about="*embedding*|*vector*",
)
def first_letters(plan: Plan) -> None:
    plan.replace_in_source(WORKER, '[row["text"] for row in batch]', '[row["text"][:400] for row in batch]')


@fault(
    "C82",
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
    "C84",
    "a line that a document has twice is kept once",
    "worker",
    "postdeploy",
    mode="-",
    about="*chunks*|*unbroken*|*lost*",
)
def lines_once(plan: Plan) -> None:
    # Headers and footers come back on every page.
    plan.replace_in_source(CHUNKING, 're.split(r"\\n+", text)', 'dict.fromkeys(re.split(r"\\n+", text))')
