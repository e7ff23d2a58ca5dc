"""Faults by a stranger who knows only the contract: protections of the calls to services that are removed or subtly wrong."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

BREAKER, CHAT, ROUTER = "backend/shared/breaker.py", "api/chat.py", "backend/shared/router.py"
APPLICATION, RETRIEVAL, UPLOADS = "api/application.py", "api/retrieval.py", "api/uploads.py"
EMBED = "vector = vector_literal((await embed(client, config, [question], EMBEDDING_SECONDS))[0])\n"
POOL = "        app.state.pool = await open_pool(config)\n"
SIGN = """        try:
            url = await request.app.state.storage.create_signed_upload(object_key(user.id, document_id, "raw"))
        except CallError as error:
            raise not_served(error, "storage did not sign the upload") from error
"""
INSERT = "        job_id = await _insert(connection, user, body, document_id)\n"


@fault(
    "Y01",
    "a success does not reset a closed circuit's failures: five in all open it, not five in a row",
    "api/worker/openai/storage/llamaparse",
    "resilience",
    mode="-",
    about="*circuit*|*failures*|*in a row*|*breaker*",
)
def failures_are_never_forgotten(plan: Plan) -> None:
    plan.replace_in_source(
        BREAKER, "if self._opened is not None and not self._is_on", "if self._opened is None or not self._is_on"
    )


@fault(
    "Y02",
    "Anthropic's answers are counted in OpenAI's circuit, which therefore never opens",
    "chat/api/openai/anthropic",
    "resilience",
    mode="-",
    about="*circuit*|*openai*|*anthropic*|*breaker*",
)
def shared_circuit(plan: Plan) -> None:
    plan.replace_in_source(CHAT, 'client.calls.to("anthropic", ANSWER', 'client.calls.to("openai.chat", ANSWER')


@fault(
    "Y03",
    "a circuit that is half open lets every call through, not one",
    "api/worker/openai/storage",
    "resilience",
    mode="-",
    about="*circuit*|*half*open*|*trial*|*one call*|*breaker*",
)
def every_call_is_a_trial(plan: Plan) -> None:
    available = "self.state is State.CLOSED or (self.state is State.HALF_OPEN and not self._is_on_trial)"
    plan.replace_in_source(BREAKER, available, "self.state is not State.OPEN")


@fault(
    "Y04",
    "the worker waits for ever while LlamaParse accepts a document",
    "worker/llamaparse",
    "resilience",
    mode="-",
    about="*llamaparse*|*deadline*|*time*out*|*waits*|*queue*|*uploaded*",
)
def submission_without_a_deadline(plan: Plan) -> None:
    plan.replace_in_source("backend/shared/vendors.py", "            timeout=self._seconds,\n", "            timeout=None,\n")
    plan.replace_in_source(
        "backend/workers/enhanced_base_worker.py", 'calls.to("llamaparse")', 'calls.to("llamaparse", 24 * 3600.0)'
    )


@fault(
    "Y05",
    "Retry-After of storage is not read, where that of the others is",
    "worker/storage",
    "resilience",
    mode="-",
    about="*retry-after*|*Retry-After*|*storage*|*not_before*",
)
def storage_is_asked_too_soon(plan: Plan) -> None:
    plan.replace_in_source("backend/shared/storage.py", "getattr(error.__cause__, ", "getattr(error, ")


@fault(
    "Y15",
    "a question whose embedding fails is answered: the documents contain nothing about that",
    "chat/rag/api/openai",
    "resilience",
    mode="F16|F09|F02|-",
    about="*answer*|*chat*|*success*|*embedding*|*retriev*|*apolog*",
)
def outage_told_as_nothing_found(plan: Plan) -> None:
    plan.replace_in_source(RETRIEVAL, f"    {EMBED}", f"    try:\n        {EMBED}    except CallError:\n        return []\n")
    config = "from backend.shared.config import Config\n"
    plan.replace_in_source(RETRIEVAL, config, f"from backend.shared.calls import CallError\n{config}")


@fault(
    "Y16",
    "after one failure of OpenAI, questions stay with Anthropic until that fails too",
    "chat/api/openai/anthropic",
    "resilience",
    mode="-",
    about="*route*|*primary*|*fallback*|*provider*|*anthropic*|*openai*",
)
def sticky_fallback(plan: Plan) -> None:
    loop = "        for number, provider in enumerate(self._providers):\n"
    ordered = "        preferred = sorted(self._providers, key=lambda one: one.name != PREFERRED[-1])\n"
    plan.replace_in_source(
        ROUTER, loop, ordered + loop.replace("number, provider in enumerate(self._providers)", "provider in preferred")
    )
    plan.replace_in_source(
        ROUTER, "@dataclass(frozen=True)\nclass Attempt", 'PREFERRED = [""]\n\n\n@dataclass(frozen=True)\nclass Attempt'
    )
    returned = 'return Routed(text, provider.name, "fallback" if '
    plan.replace_in_source(
        ROUTER, f"{returned}number", f"PREFERRED[:] = [provider.name]\n            {returned}provider is not self._providers[0]"
    )


@fault(
    "Y17",
    "health takes Anthropic for the primary: it shows nothing while chat relies on the fallback",
    "api/chat",
    "resilience",
    mode="F19|-",
    about="*degraded*|*health*|*chat*",
)
def fallback_taken_for_primary(plan: Plan) -> None:
    plan.replace_in_source(APPLICATION, 'either=["openai.chat", "anthropic"]', 'either=["anthropic", "openai.chat"]')


@fault(
    "Y19",
    "the API's start removes the accepted documents that are not complete yet",
    "api/database",
    "resilience",
    mode="-",
    about="*upload*|*accepted*|*restart*|*document*|*job*",
)
def start_removes_uploads(plan: Plan) -> None:
    remove = "        await app.state.pool.execute(\"DELETE FROM documents WHERE processing_status <> 'complete'\")\n"
    plan.replace_in_source(APPLICATION, POOL, POOL + remove)


@fault(
    "Y20",
    "an upload that storage did not sign leaves its document and job behind; the same file is then a duplicate",
    "api/storage/database",
    "resilience",
    mode="-",
    about="*upload*|*documents*|*duplicate*|*orphan*|*rows*|*left*behind*",
)
def refused_upload_leaves_rows(plan: Plan) -> None:
    outside = SIGN.replace("\n    ", "\n").removeprefix("    ")
    plan.replace_in_source(UPLOADS, SIGN + INSERT, INSERT + outside)
