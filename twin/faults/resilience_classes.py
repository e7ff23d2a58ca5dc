"""Protections removed at another place than in a fault of a stranger: what a drill sees of one, it must see of its whole class.

Which drills must see them stands in proof/drills.toml.
"""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

BREAKER, CALLS, ROUTER = "backend/shared/breaker.py", "backend/shared/calls.py", "backend/shared/router.py"
STORAGE, EMBEDDINGS, VENDORS = "backend/shared/storage.py", "backend/shared/embeddings.py", "backend/shared/vendors.py"
QUEUE, RECONCILIATION = "backend/workers/job_queue.py", "backend/workers/reconciliation.py"
WEBHOOK, APPLICATION = "api/webhook.py", "api/application.py"
FORGETS = "        self.failures, self._opened, self._opened_at, self._is_on_trial = 0, None, None, False\n"
A_DAY = "24 * 3600.0"


@fault(
    "R58",
    "a success takes back one failure of a circuit, and not all",
    "chat/api",
    "resilience",
    mode="-",
    about="*a circuit breaker opens although a success came between the failures*",
)
def one_failure_is_forgotten(plan: Plan) -> None:
    plan.replace_in_source(BREAKER, FORGETS, f"        left = self.failures - 1 if self._opened is None else 0\n{FORGETS}"
                           "        self.failures = max(0, left)\n")  # fmt: skip


@fault(
    "R59",
    "a call waits for the trial of a half-open circuit by making another one",
    "chat/api",
    "resilience",
    mode="-",
    about="*a half-open circuit lets several calls through*",
)
def trials_beside_the_trial(plan: Plan) -> None:
    plan.replace_in_source(
        CALLS, "        if not circuit.admit():\n", '        if not circuit.admit() and str(circuit.state) != "half_open":\n'
    )


@fault(
    "R60",
    "calls to the storage have no deadline",
    "worker/api/storage",
    "resilience",
    mode="-",
    about="*calls have no deadline*storage_*",
)
def no_deadline_of_storage(plan: Plan) -> None:
    plan.replace_in_source(STORAGE, 'self._calls.to(f"storage.{action}")', f'self._calls.to(f"storage.{{action}}", {A_DAY})')
    plan.replace_in_source(VENDORS, "httpx.Timeout(seconds, connect=5)", "httpx.Timeout(None, connect=5)")


@fault(
    "R61",
    "calls of the worker for embeddings have no deadline",
    "worker/openai",
    "resilience",
    mode="-",
    about="*calls have no deadline*openai_hangs*",
)
def no_deadline_of_embeddings(plan: Plan) -> None:
    plan.replace_in_source(EMBEDDINGS, '"openai.embeddings", seconds)', f'"openai.embeddings", seconds or {A_DAY})')
    plan.replace_in_source(VENDORS, "max_retries=0, timeout=seconds\n", "max_retries=0, timeout=None\n")


@fault(
    "R62",
    "Retry-After is read of LlamaParse and of the storage, and not of OpenAI",
    "worker/openai",
    "resilience",
    mode="-",
    about="*a service that asks for a pause gets none*openai_asks_for_a_pause*",
)
def openai_is_asked_too_soon(plan: Plan) -> None:
    plan.replace_in_source(
        CALLS, "status, retry_after(headers))", 'status, None if service == "openai" else retry_after(headers))'
    )


@fault(
    "R63",
    "the pause before a postponed job is tried again grows to ten seconds and no further",
    "worker",
    "resilience",
    mode="-",
    about="*tried again at short intervals*_long_outage*",
)
def short_back_off(plan: Plan) -> None:
    plan.replace_in_source(QUEUE, "LONGEST_POSTPONEMENT_SECONDS = 60.0\n", "LONGEST_POSTPONEMENT_SECONDS = 10.0\n")


@fault(
    "R64",
    "a job is put off by the worker's clock",
    "worker",
    "resilience",
    mode="-",
    about="*jobs are lost, for nothing takes them up again*clock_worker_ahead_waits*",
)
def put_off_by_the_own_clock(plan: Plan) -> None:
    begin, end = "SET status = $2, state = 'retryable', not_before = ", "now() + make_interval(secs => $3),"
    plan.replace_in_source(
        QUEUE,
        f"{begin}{end}",
        f'{begin}\'{{__import__("datetime").datetime.now(__import__("datetime").UTC)}}\'::timestamptz'
        " + make_interval(secs => $3),",
    )


@fault(
    "R65",
    "a signature is compared as far as the right one goes",
    "webhook/api",
    "resilience",
    "postdeploy",
    mode="-",
    about="*callbacks with a wrong signature are accepted*webhook_stranger*|*accepts a callback*signature*",
)
def more_behind_the_signature(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK, "compare_digest(expected, signature)", "compare_digest(expected, signature[: len(expected)])"
    )


@fault(
    "R66",
    "a document is submitted again when LlamaParse's answer about it cannot be read",
    "worker/llamaparse",
    "resilience",
    mode="-",
    about="*work is done twice*webhook_lost_look_ups_garbage*",
)
def unreadable_taken_for_unknown(plan: Plan) -> None:
    plan.replace_in_source(
        RECONCILIATION, "if failed.status != 404", 'if failed.status != 404 and failed.problem != "unreadable"'
    )


@fault(
    "R67",
    "a document is only looked after when its worker has let go of it",
    "worker",
    "resilience",
    mode="-",
    about="*jobs are lost, for nothing takes them up again*worker_killed_*",
)
def held_by_the_dead(plan: Plan) -> None:
    plan.replace_in_source(RECONCILIATION, "coalesce(lease_until, now()) <= now()", "lease_until IS NULL")


@fault(
    "R68",
    "/health does not know that uploads rely on the storage's signatures",
    "api",
    "resilience",
    mode="-",
    about="*the health body does not say that something is degraded*storage_signs_nothing*",
)
def uploads_seem_to_work(plan: Plan) -> None:
    plan.replace_in_source(APPLICATION, 'needs=["storage.sign"]', 'needs=["storage.list"]')


@fault(
    "R69",
    "a provider that has failed once is left out for the next questions",
    "chat",
    "resilience",
    mode="-",
    about="*the service router takes another way*fallback_for_a_moment*",
)
def left_out_for_long(plan: Plan) -> None:
    plan.replace_in_source(
        ROUTER,
        "            started = time.perf_counter()\n",
        "            if LEFT_OUT.get(provider.name, 0) > 0 and number + 1 < len(self._providers):\n"
        "                LEFT_OUT[provider.name] -= 1\n"
        "                continue\n"
        "            started = time.perf_counter()\n",
    )
    plan.replace_in_source(
        ROUTER,
        "                attempts.append(Attempt(provider.name, str(error.problem)",
        "                LEFT_OUT[provider.name] = 20\n"
        "                attempts.append(Attempt(provider.name, str(error.problem)",
    )
    plan.replace_in_source(
        ROUTER,
        "@dataclass(frozen=True)\nclass Attempt",
        "LEFT_OUT: dict[str, int] = {}\n\n\n@dataclass(frozen=True)\nclass Attempt",
    )
