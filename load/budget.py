"""What a load plan is going to use; a schedule is known before it begins, so a plan beyond its budget never starts."""

from __future__ import annotations

from urllib.parse import urlsplit

from gate.session import Session
from gate.settings import ConfigurationError
from load.plan import LoadPlan


def reserve(session: Session, plan: LoadPlan) -> None:
    """Count the whole plan before its first request; raises ConfigurationError (rate) or Blocked (what is used up).

    On this machine's own loopback the rate is free: it disturbs no one else.
    """
    budget, host = session.budget, urlsplit(session.api_url).netloc
    fastest = max(max(segment.rate, segment.to_rate or 0.0) for segment in plan.profile.segments)
    if fastest > budget.limits.requests_per_second and not session.is_loopback:
        raise ConfigurationError(
            f"profile {plan.name}: {fastest:g} requests a second are more than the {budget.limits.requests_per_second:g} that"
            f" [budget] of the specification file allows on {host}; a lower --rate, or another limit"
        )
    requests, whole = len(plan.due()), sum(plan.weights.values())
    uploads = round(requests * plan.weights.get("upload", 0) / whole)
    questions = round(requests * plan.weights.get("chat", 0) / whole)
    budget.spend(requests=requests, documents=uploads, pages=uploads, questions=questions, paced=False)
