"""Faults by a stranger who knows only the contract: protections of jobs, leases and callbacks that are gone or subtly wrong."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

LEASE, QUEUE = "backend/workers/lease.py", "backend/workers/job_queue.py"
WORKER, RECONCILIATION = "backend/workers/enhanced_base_worker.py", "backend/workers/reconciliation.py"
WEBHOOK = "api/webhook.py"
CLOCK = "import logging\nfrom datetime import UTC, datetime, timedelta\n"
UNTIL = "lease_until = now() + make_interval(secs => ${})"
CALL_ERROR = "from backend.shared.calls import CallError\n"


@fault(
    "Y06",
    "a postponed job is tried again at the same short interval however long the outage lasts",
    "worker",
    "resilience",
    mode="-",
    about="*postpone*|*back-off*|*backoff*|*not_before*|*delay*|*retry*|*interval*",
)
def postponed_without_back_off(plan: Plan) -> None:
    plan.replace_in_source(
        QUEUE, "self._delay(error, min(times, 10), LONGEST", 'self._delay(error, job["retry_count"] + 1, LONGEST'
    )


@fault(
    "Y07",
    "the first rate limit that a job meets uses up one of its attempts",
    "worker",
    "resilience",
    mode="-",
    about="*rate*limit*|*429*|*retry_count*|*attempt*",
)
def rate_limit_counts(plan: Plan) -> None:
    plan.replace_in_source(
        WORKER, "error.problem in (Problem.RATE_LIMITED, Problem.CIRCUIT_OPEN)", "error.problem is Problem.CIRCUIT_OPEN"
    )


@fault(
    "Y08",
    "a lease ends by the worker's clock, not by the database's",
    "worker",
    "resilience",
    mode="-",
    about="*lease*|*clock*|*two workers*|*twice*|*claim*",
)
def leases_by_the_workers_clock(plan: Plan) -> None:
    until = "datetime.now(UTC) + timedelta(seconds=self.{})"
    for path in (LEASE, QUEUE):
        plan.replace_in_source(path, "import logging\n", CLOCK)
    plan.replace_in_source(LEASE, UNTIL.format(3), "lease_until = $3")
    plan.replace_in_source(LEASE, 'job["claim_id"], self.seconds)', f'job["claim_id"], {until.format("seconds")})')
    plan.replace_in_source(QUEUE, UNTIL.format(5), "lease_until = $5")
    plan.replace_in_source(QUEUE, "            self.leases.seconds,\n", f"            {until.format('leases.seconds')},\n")


@fault(
    "Y09",
    "a worker whose job was taken over may write again as soon as the other has finished its stage",
    "worker",
    "resilience",
    mode="-",
    about="*taken over*|*lease*|*two workers*|*twice*|*complete*|*status*",
)
def fence_with_a_gap(plan: Plan) -> None:
    plan.replace_in_source(LEASE, "AND claim_id = $2 FOR UPDATE", "AND coalesce(claim_id, $2) = $2 FOR UPDATE")


@fault(
    "Y10",
    "a job that ends its worker each time is never given up",
    "worker",
    "resilience",
    mode="F28|-",
    about="*poison*|*deadletter*|*given up*|*worker*ended*|*ends its worker*|*claims*",
)
def poisonous_job_for_ever(plan: Plan) -> None:
    plan.replace_in_source(WORKER, 'if job["claims"] > MOST_CLAIMS', 'if job["retry_count"] > MOST_CLAIMS')


@fault(
    "Y11",
    "a callback's signature is compared as far as it goes: an empty one is right",
    "webhook/api",
    "resilience",
    mode="-",
    about="*signature*|*signed*|*forged*|*callback*|*webhook*",
)
def empty_signature(plan: Plan) -> None:
    plan.replace_in_source(WEBHOOK, "not signature or not hmac", "signature is None or not hmac")
    plan.replace_in_source(
        WEBHOOK, "compare_digest(expected, signature)", "compare_digest(expected[: len(signature)], signature)"
    )


@fault(
    "Y12",
    "a callback that is repeated while its job is between `parsed` and `complete`, or has failed, sends it back",
    "webhook/api",
    "resilience",
    mode="-",
    about="*callback*|*webhook*|*late*|*twice*|*repeat*|*gone on*",
)
def late_callback_rewinds(plan: Plan) -> None:
    plan.replace_in_source(WEBHOOK, 'if row["status"] != "parse_queued"', 'if row["status"] in ("parsed", "complete")')


@fault(
    "Y13",
    "a document whose parse job cannot be looked up at present is submitted and paid for once more",
    "worker/llamaparse",
    "resilience",
    mode="-",
    about="*submitted*|*submits*|*twice*|*again*|*llamaparse*|*look*up*|*callback*",
)
def outage_taken_for_unknown(plan: Plan) -> None:
    plan.replace_in_source(RECONCILIATION, "if failed.status != 404", "if failed.problem is Problem.CIRCUIT_OPEN")
    plan.replace_in_source(RECONCILIATION, CALL_ERROR, CALL_ERROR.replace("CallError", "CallError, Problem"))


@fault(
    "Y14",
    "a document whose worker died before LlamaParse had accepted it is never submitted again",
    "worker",
    "resilience",
    mode="F13|-",
    about="*parse_queued*|*submit*|*never*|*callback*|*worker*died*|*stuck*|*lost*",
)
def never_submitted_again(plan: Plan) -> None:
    plan.replace_in_source(RECONCILIATION, "parse_job_id IS NOT DISTINCT FROM $2", "parse_job_id = $2")


@fault(
    "Y18",
    "the worker claims over a connection of its own, which it does not open again once it is lost",
    "worker/database",
    "resilience",
    mode="F03|-",
    about="*queue*|*claim*|*worker*|*connect*|*database*",
)
def one_connection_for_claims(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "        self._pool = pool\n", "        self._pool = pool\n        self._line: Any = None\n")
    own = "if self._line is None:\n            self._line = await self._pool.acquire()\n        "
    plan.replace_in_source(QUEUE, "return await self._pool.fetchrow(", f"{own}return await self._line.fetchrow(")
    plan.replace_in_source(WORKER, "await self.pool.close()", "self.pool.terminate()")
