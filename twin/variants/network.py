"""Variants of the network between the caller and the services."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant

JITTER_SECONDS = 0.04


@variant("V03", "the API is behind a proxy that delays each request by up to 40 ms")
def proxy_with_jitter(plan: Plan) -> None:
    plan.config.behaviour["proxy"] = {"kind": "latency", "seconds": JITTER_SECONDS}
