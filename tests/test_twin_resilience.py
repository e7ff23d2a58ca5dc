"""The twin's services withstand failures of others: circuits, calls, the service router and the degradation manager."""

import asyncio
import importlib
import json
from typing import Any

import asyncpg
import httpx
import pytest

from spec import load
from tests.conftest import ROOT

RULE = load().resilience


class Shared:
    """The modules that both services share."""

    def __init__(self) -> None:
        for name in ("breaker", "calls", "degradation", "router"):
            setattr(self, name, importlib.import_module(f"backend.shared.{name}"))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Shared:
    """The modules, from the twin's source."""
    monkeypatch.syspath_prepend(str(ROOT / "twin" / "source"))
    return Shared()


class Clock:
    """A clock that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def circuit(shared: Shared) -> tuple[Any, Clock]:
    """A circuit and its clock."""
    clock = Clock()
    return shared.breaker.Circuit("openai", clock=clock), clock


def fail(one: Any, times: int) -> None:
    """Calls that fail."""
    for _ in range(times):
        assert one.admit()
        one.failed("no answer")


def test_a_circuit_opens_after_failures_in_a_row_only(shared: Shared) -> None:
    one, _ = circuit(shared)
    fail(one, RULE.circuits.failures_to_open - 1)
    assert one.admit()
    one.succeeded()
    fail(one, RULE.circuits.failures_to_open - 1)
    assert one.state == RULE.circuits.normal_state
    fail(one, 1)
    assert (one.state, one.admit(), one.as_data()["failures"]) == ("open", False, RULE.circuits.failures_to_open)
    assert one.as_data()["opened_at"]


def test_an_open_circuit_is_tried_with_one_call(shared: Shared) -> None:
    one, clock = circuit(shared)
    fail(one, RULE.circuits.failures_to_open)
    clock.now += RULE.circuits.open_seconds - 0.1
    assert not one.admit()
    clock.now += 0.2
    assert one.state == "half_open"
    assert (one.admit(), one.admit()) == (True, False)
    one.failed("no answer")
    assert (one.state, round(one.seconds_left)) == ("open", RULE.circuits.open_seconds)
    clock.now += RULE.circuits.open_seconds
    assert one.admit()
    one.succeeded()
    assert one.as_data() == {"state": "closed", "failures": 0, "opened_at": None}


def test_a_trial_that_is_abandoned_makes_room_for_the_next(shared: Shared) -> None:
    one, clock = circuit(shared)
    fail(one, RULE.circuits.failures_to_open)
    clock.now += RULE.circuits.open_seconds
    assert one.admit()
    one.abandoned()
    assert one.admit()


def test_calls_from_before_say_nothing_about_an_open_circuit(shared: Shared) -> None:
    one, clock = circuit(shared)
    fail(one, RULE.circuits.failures_to_open)
    one.succeeded()
    one.failed("late")
    clock.now += RULE.circuits.open_seconds
    assert (one.state, one.failures) == ("half_open", RULE.circuits.failures_to_open)


def status_error(status: int, **headers: str) -> httpx.HTTPStatusError:
    """What a client raises for a status."""
    request = httpx.Request("GET", "https://host/x")
    return httpx.HTTPStatusError("refused", request=request, response=httpx.Response(status, headers=headers, request=request))


@pytest.mark.parametrize(
    ("error", "problem", "counts"),
    [
        (status_error(503), "server_error", True),
        (status_error(429), "rate_limited", True),
        (status_error(401), "refused", False),
        (httpx.ReadTimeout("slow"), "timeout", True),
        (TimeoutError(), "timeout", True),
        (httpx.ConnectError("refused"), "unreachable", True),
        (httpx.RemoteProtocolError("cut"), "unreachable", True),
        (json.JSONDecodeError("no JSON", "", 0), "unreadable", True),
    ],
)
def test_failures_have_one_form_and_only_outages_count(shared: Shared, error: Exception, problem: str, counts: bool) -> None:
    made = shared.calls.Calls(5.0)

    async def once() -> Any:
        try:
            async with made.to("openai"):
                raise error
        except shared.calls.CallError as found:
            return found

    found = asyncio.run(once())
    assert (found.problem, found.is_outage, found.circuit) == (problem, counts, "openai")
    assert made.circuit("openai").failures == int(counts)


def test_retry_after_is_read_where_it_is_a_number(shared: Shared) -> None:
    translated = shared.calls.translated
    assert translated("x", status_error(429, **{"retry-after": "7"})).retry_after == 7
    assert translated("x", status_error(429, **{"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"})).retry_after is None
    assert translated("x", status_error(429, **{"retry-after": "nan"})).retry_after is None


def test_what_is_no_failure_of_a_call_passes_as_it_is(shared: Shared) -> None:
    made = shared.calls.Calls(5.0)

    async def once() -> None:
        async with made.to("openai"):
            raise RuntimeError("of the body")

    with pytest.raises(RuntimeError, match="of the body"):
        asyncio.run(once())
    assert made.circuit("openai").failures == 0


def test_a_call_ends_at_its_deadline_and_none_is_made_while_the_circuit_is_open(shared: Shared) -> None:
    made = shared.calls.Calls(0.01)

    async def all_calls() -> list[str]:
        outcomes = []
        for _ in range(RULE.circuits.failures_to_open + 1):
            try:
                async with made.to("openai.chat"):
                    outcomes.append("called")
                    await asyncio.sleep(60)
            except shared.calls.CallError as error:
                outcomes.append(str(error.problem))
        return outcomes

    assert asyncio.run(all_calls()) == [*["called", "timeout"] * RULE.circuits.failures_to_open, "circuit_open"]
    assert made.shown()["openai"]["state"] == "open"


def test_deadlines_are_shortened_to_a_least_one(shared: Shared) -> None:
    made = shared.calls.Calls(60.0, patience_speedup=60.0)
    assert [made.deadline(seconds) for seconds in (600.0, 60.0, 15.0, 1.0)] == [10.0, 3.0, 3.0, 1.0]
    assert shared.calls.Calls(60.0).deadline(60.0) == 60.0


def test_the_worst_operation_of_a_service_is_shown(shared: Shared) -> None:
    made = shared.calls.Calls(5.0)
    made.circuit("openai.embeddings")
    fail(made.circuit("openai.chat"), RULE.circuits.failures_to_open)
    assert made.shown()["openai"]["state"] == "open"


def provider(shared: Shared, name: str, answer: str = "") -> Any:
    """A provider that answers, or is out of order without an answer."""

    async def ask(prompt: str) -> str:
        if not answer:
            raise shared.calls.CallError(name, shared.calls.Problem.SERVER_ERROR, f"{name} answered 503", 503)
        return f"{answer} to {prompt}"

    return shared.router.Provider(name, ask)


@pytest.mark.parametrize(
    ("answers", "way"),
    [
        (("yes", "no"), ("yes to why", "openai", "primary", ["success"])),
        (("", "no"), ("no to why", "anthropic", "fallback", ["server_error", "success"])),
    ],
)
def test_the_router_takes_the_first_that_answers(shared: Shared, answers: tuple[str, str], way: tuple[Any, ...]) -> None:
    providers = [provider(shared, name, answer) for name, answer in zip(RULE.router.providers, answers, strict=True)]
    found = asyncio.run(shared.router.ServiceRouter(providers).answer("why"))
    assert (found.text, found.provider, found.route, [attempt.outcome for attempt in found.attempts]) == way


def test_the_router_says_of_each_provider_why_there_is_no_answer(shared: Shared) -> None:
    router = shared.router.ServiceRouter([provider(shared, "openai")], not_configured=["anthropic"])
    with pytest.raises(shared.router.NoProvider, match=r"openai: openai answered 503; anthropic: not configured") as raised:
        asyncio.run(router.answer("why"))
    assert [attempt.provider for attempt in raised.value.attempts] == ["openai"]


def test_what_is_degraded_follows_from_the_circuits(shared: Shared) -> None:
    made, capability = shared.calls.Calls(5.0), shared.degradation.Capability
    offers = {"chat": capability(needs=["embeddings"], either=["first", "second"]), "uploads": capability(needs=["sign"])}
    manager = shared.degradation.DegradationManager(made, offers)
    assert manager.degraded() == {}
    fail(made.circuit("first"), RULE.circuits.failures_to_open)
    assert manager.degraded() == {"chat": "fallback"}
    fail(made.circuit("second"), RULE.circuits.failures_to_open)
    assert manager.degraded() == {"chat": "unavailable"}
    fail(made.circuit("sign"), RULE.circuits.failures_to_open)
    assert manager.degraded() == {"chat": "unavailable", "uploads": "unavailable"}


def test_the_services_figures_are_those_of_the_specification(shared: Shared) -> None:
    worker, queue, lease, reconciliation = (
        importlib.import_module(f"backend.workers.{name}")
        for name in ("enhanced_base_worker", "job_queue", "lease", "reconciliation")
    )
    rule, deadlines = RULE.jobs, RULE.deadlines
    assert (rule.lease_seconds, rule.ended_workers) == (lease.LEASE_SECONDS, worker.MOST_CLAIMS)
    assert rule.longest_postponement_seconds == queue.LONGEST_POSTPONEMENT_SECONDS
    assert rule.callback_seconds == reconciliation.CALLBACK_SECONDS
    assert (RULE.circuits.failures_to_open, RULE.circuits.open_seconds) == (
        shared.breaker.FAILURES_TO_OPEN,
        shared.breaker.OPEN_SECONDS,
    )
    assert deadlines.worker_seconds == worker.VENDOR_SECONDS
    api = "".join((ROOT / "twin" / "source" / "api" / name).read_text() for name in ("chat.py", "application.py"))
    assert f"ANSWER_SECONDS = {deadlines.question_seconds}\n" in api
    assert f"VENDOR_SECONDS = {deadlines.api_seconds}\n" in api


def test_a_lost_connection_is_an_outage_and_a_wrong_statement_is_not(shared: Shared) -> None:
    outages = importlib.import_module("backend.shared.database").OUTAGES
    assert issubclass(asyncpg.ConnectionDoesNotExistError, outages)
    assert issubclass(asyncpg.TooManyConnectionsError, outages)
    assert issubclass(TimeoutError, outages)
    assert not issubclass(asyncpg.CheckViolationError, outages)
