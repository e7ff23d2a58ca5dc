"""The variant that shares no line with the API it replaces."""

from __future__ import annotations

from twin import rewritten
from twin.plan import Plan
from twin.variants import variant


@variant("V90", "the whole API is written again on aiohttp, from the contract alone")
def another_framework(plan: Plan) -> None:
    rewritten.replace_api(plan.source)
    plan.api_command = rewritten.api_command


@variant("V91", "the API on aiohttp runs behind uvicorn, as its image starts it")
def another_framework_behind_uvicorn(plan: Plan) -> None:
    rewritten.replace_api(plan.source)
