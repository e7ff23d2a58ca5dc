"""The variant that shares no line with the API it replaces."""

from __future__ import annotations

from twin import rewritten
from twin.plan import Plan
from twin.rewritten import faults
from twin.variants import variant


def _put_in_place(plan: Plan) -> None:
    rewritten.replace_api(plan.source)
    plan.own_changes = faults.CHANGES


@variant("V90", "the whole API is written again on aiohttp, from the contract alone")
def another_framework(plan: Plan) -> None:
    _put_in_place(plan)
    plan.api_command = rewritten.api_command


@variant("V91", "the API on aiohttp runs behind uvicorn, as its image starts it")
def another_framework_behind_uvicorn(plan: Plan) -> None:
    _put_in_place(plan)
