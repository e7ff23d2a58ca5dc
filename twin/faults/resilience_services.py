"""Protections of the services removed: circuits, the router, deadlines, degradation, and what callbacks are held to.

Which drills must see them stands in proof/drills.toml.
"""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

CHAT, HEALTH, WEBHOOK = "api/chat.py", "api/health.py", "api/webhook.py"
BREAKER, CALLS = "backend/shared/breaker.py", "backend/shared/calls.py"
OPENS = "        if was_trial or self.failures >= self._failures_to_open:\n"
CLOSES = "        self.failures, self._opened, self._opened_at, self._is_on_trial = 0, None, None, False\n"


@fault("R01", "no circuit ever opens", "chat", "resilience", mode="-", about="*no circuit breaker opens*openai_down*")
def no_breaker(plan: Plan) -> None:
    plan.replace_in_source(BREAKER, OPENS, "        if self.failures < 0:\n")


@fault(
    "R02",
    "a circuit that has opened never closes",
    "chat",
    "resilience",
    mode="-",
    about="*a circuit breaker stays open*fallback_openai_down*",
)
def never_closes(plan: Plan) -> None:
    plan.replace_in_source(
        BREAKER,
        CLOSES,
        "        self._is_on_trial = False\n        if self._opened is None:\n            self.failures = 0\n",
    )


@fault(
    "R03",
    "an open circuit lets every call through",
    "chat",
    "resilience",
    mode="-",
    about="*an open circuit does not keep questions from waiting*openai_slow*",
)
def open_and_passable(plan: Plan) -> None:
    plan.replace_in_source(BREAKER, "        if not self.is_available:\n            return False\n", "")


@fault(
    "R04",
    "the service router has no fallback",
    "chat",
    "resilience",
    mode="-",
    about="*questions are not answered*fallback_openai_down*",
)
def no_fallback(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "    if not config.anthropic_key:\n", "    if config:\n")


@fault(
    "R05",
    "an apology says that it is a success",
    "chat",
    "resilience",
    mode="-",
    about="*answers are not honest*openai_down*",
)
def dishonest_apology(plan: Plan) -> None:
    plan.replace_in_source(CHAT, '"success": "error_type" not in metadata', '"success": True')


@fault(
    "R06",
    "/health says healthy whatever is out of order",
    "chat/api",
    "resilience",
    mode="-",
    about="*the health body does not say that something is degraded*fallback_both_down*",
)
def hidden_degradation(plan: Plan) -> None:
    plan.replace_in_source(HEALTH, '    status = "degraded" if degraded else body["status"]\n', '    status = "healthy"\n')


@fault(
    "R07",
    "calls to other services have no deadline",
    "chat",
    "resilience",
    mode="-",
    about="*openai_slow*",
)
def no_deadline(plan: Plan) -> None:
    plan.replace_in_source(CALLS, "asyncio.timeout(self.deadline(seconds or self._seconds))", "asyncio.timeout(None)")


@fault(
    "R08",
    "an answer that cannot be read does not count as a failure of its service",
    "chat",
    "resilience",
    mode="-",
    about="*no circuit breaker opens*openai_garbage*",
)
def garbage_is_fine(plan: Plan) -> None:
    plan.replace_in_source(CALLS, "    if isinstance(error, UNREADABLE):\n", "    if False:\n")


@fault(
    "R09",
    "a rate limit does not count as a failure of its service",
    "chat",
    "resilience",
    mode="-",
    about="*no circuit breaker opens*openai_rate_limited*",
)
def limits_do_not_count(plan: Plan) -> None:
    plan.replace_in_source(
        CALLS,
        "        return self.problem not in (Problem.REFUSED, Problem.CIRCUIT_OPEN)\n",
        "        return self.problem not in (Problem.REFUSED, Problem.CIRCUIT_OPEN, Problem.RATE_LIMITED)\n",
    )


@fault(
    "R10",
    "a callback for a job that has gone on sets it back",
    "webhook/worker",
    "resilience",
    mode="-",
    about="*webhook_repeated*",
)
def not_idempotent(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK, '        if row["status"] != "parse_queued":\n            return {"status": "ignored"}\n', ""
    )


@fault(
    "R11",
    "a callback with any signature is accepted",
    "webhook",
    "resilience",
    mode="-",
    about="*callbacks with a wrong signature are accepted*webhook_stranger*|*another text than their own*webhook_forged*",
)
def unsigned(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK, '        _verify(row["webhook_secret"], body, request.headers.get("x-webhook-signature"))\n', ""
    )


@fault(
    "R12",
    "a callback that says `failed` is believed, whatever LlamaParse knows",
    "webhook/worker",
    "resilience",
    mode="-",
    about="*jobs fail for a failure that passes*webhook_out_of_order*",
)
def believed_failure(plan: Plan) -> None:
    plan.replace_in_source(
        WEBHOOK,
        '            await doubt(connection, row, str(payload.get("error") or "parsing failed"))\n',
        '            error = str(payload.get("error") or "parsing failed")\n'
        '            await conclude(connection, request.app.state.storage, row, "", error)\n',
    )


@fault("R25", "/health shows a closed circuit that has opened", "api", "resilience", mode="-", about="*circuits*")
def contradictory_circuits(plan: Plan) -> None:
    plan.replace_in_source(
        BREAKER, '"opened_at": self._opened_at.isoformat() if self._opened_at else None', '"opened_at": str(datetime.now(UTC))'
    )


@fault("R26", "each answer is said to have taken the fallback", "chat", "resilience", mode="-", about="*metadata*")
def wrong_route(plan: Plan) -> None:
    plan.replace_in_source(CHAT, "        route=answer.route,\n", '        route="fallback",\n')


@fault(
    "R27",
    "/health says healthy beside what is degraded",
    "api/chat",
    "resilience",
    mode="-",
    about="*status*",
)
def contradictory_health(plan: Plan) -> None:
    plan.replace_in_source(HEALTH, '    status = "degraded" if degraded else body["status"]\n', '    status = body["status"]\n')
    plan.replace_in_source(HEALTH, '"degraded": degraded}', '"degraded": degraded | {"chat": "fallback"}}')
