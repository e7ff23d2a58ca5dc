"""Variants of what stands between the caller and the services."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant

JITTER_SECONDS = 0.04


@variant("V03", "the API stands behind a proxy, and each request waits up to 40 ms more")
def proxy_with_jitter(plan: Plan) -> None:
    plan.config.behaviour["proxy"] = {"kind": "latency", "seconds": JITTER_SECONDS}
