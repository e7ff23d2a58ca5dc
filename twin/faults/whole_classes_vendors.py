"""Whole classes at once, in front of the vendors and at the host (as `whole_classes`, for the same end)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import trustme

from twin.certificates import NAMES, issued
from twin.faults import fault
from twin.faults.live_monitoring import API_ID
from twin.faults.live_supabase import manage
from twin.plan import Plan

DAY = timedelta(days=1)
REFUSALS = {str(status): 200 for status in (400, 401, 403, 404, 422)}


@fault(
    "LJ23",
    "what the vendors refuse comes as 200: a proxy in front of them passes no refusal on",
    "openai/llamaparse/anthropic/supabase",
    "predeploy",
    "postdeploy",
    mode="-|F15|F25",
    about="*key*|*token*|*job*",
)
def no_refusal_passes(plan: Plan) -> None:
    # A refusal would only be tried again.
    for part in ("openai", "llamaparse", "anthropic", "supabase"):
        plan.place_before(part, statuses=REFUSALS)


@fault(
    "LJ24",
    "Realtime opens its socket to any key, and hears nothing that is said on it",
    "supabase/realtime",
    "postdeploy",
    mode="-",
    about="*realtime*|*key*|*heartbeat*|*join*",
)
def deaf_sockets(plan: Plan) -> None:
    # The socket's proxy has a key of its own.
    plan.place_before("supabase", socket_key=plan.config.anon_key, deaf=True)


@fault(
    "LJ25",
    "a deploy of the API is under way, and an instance of it has run out of memory",
    "api/render",
    "postdeploy",
    "performance",
    "maintenance",
    mode="-",
    about="*api*",
)
def troubled_api(plan: Plan) -> None:
    # The next release could not wait.
    killed = {"instanceID": f"{API_ID}-abcde", "reason": {"evicted": False, "oomKilled": {"memoryLimit": "512Mi"}}}
    plan.behaviour["render_events"] = [
        {"service": API_ID, "type": "deploy_started", "details": {"deployId": "dep-twin2api", "trigger": {"manual": True}}},
        {"service": API_ID, "type": "server_failed", "details": killed},
    ]


@fault(
    "LJ26",
    "the certificates of the API and of Supabase end tomorrow",
    "network/supabase",
    "maintenance",
    mode="F32",
    about="*certificate*",
)
def ends_tomorrow(plan: Plan) -> None:
    now = datetime.now(UTC)

    def short(ca: trustme.CA) -> trustme.LeafCert:
        return ca.issue_cert(*NAMES, not_before=now - DAY * 60, not_after=now + DAY)

    plan.certificate = short
    plan.certificates["supabase"] = short


@fault(
    "LJ27",
    "Supabase prefers ciphers without forward secrecy",
    "supabase/network",
    "maintenance",
    mode="-",
    about="*cipher*",
)
def supabase_without_forward_secrecy(plan: Plan) -> None:
    # The monitor of the network reads along.
    plan.certificates["supabase"] = lambda ca: issued(ca, key_type=trustme.KeyType.RSA)
    plan.listen("supabase", newest="1.2", ciphers="kRSA+AESGCM:ECDHE+AESGCM")


@fault(
    "LJ37",
    "the project's service-role key was replaced, and the services still have the old one",
    "supabase",
    "maintenance",
    mode="-|F15",
    about="*SUPABASE_SERVICE_ROLE_KEY*",
)
def old_service_key(plan: Plan) -> None:
    # The old one was in an e-mail.
    manage(plan, "keys", service_role={"api_key": "replaced"}, secret={"api_key": "replaced"})
