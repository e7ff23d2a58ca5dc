"""Variants of the platform that runs the services."""

from __future__ import annotations

from twin.plan import Plan
from twin.variants import variant

API, WORKER = "srv-twinapi", "srv-twinworker"
# Variables that both services need, and that an operator would rather write once.
SHARED = [
    "DATABASE_URL",
    "DATABASE_SCHEMA",
    "SUPABASE_URL",
    "SUPABASE_SERVICE_ROLE_KEY",
    "OPENAI_API_KEY",
    "LLAMAPARSE_API_KEY",
    "ENVIRONMENT",
    "LOG_LEVEL",
]


@variant("V07", "variables come from environment groups that are linked to the services")
def variables_of_groups(plan: Plan) -> None:
    plan.config.behaviour["render_groups"] = {
        "staging-shared": {"services": [API, WORKER], "keys": SHARED},
        "staging-worker": {"services": [WORKER], "keys": ["WORKER_POLL_INTERVAL", "WORKER_MAX_RETRIES"]},
        "staging-unused": {"services": [], "keys": []},
    }


@variant("V08", "services, variables and deploys come in pages, among other people's services and earlier deploys")
def pages(plan: Plan) -> None:
    plan.config.behaviour |= {"render_page": 10, "render_history": 40, "render_neighbours": 25}
