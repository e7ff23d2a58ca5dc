"""The variant that shares no line with the worker it replaces."""

from __future__ import annotations

from twin import rewritten_worker
from twin.plan import Plan
from twin.variants import variant


@variant("V98", "the whole worker is written again on raw httpx, from the contract alone")
def another_worker(plan: Plan) -> None:
    rewritten_worker.replace_worker(plan.source)
