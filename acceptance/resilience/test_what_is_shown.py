"""3.3 Internal Service Dependencies: health and answers show circuits, what is degraded, and the way of an answer."""

import pytest

from fixtures.answers import Answer
from fixtures.api import Api
from fixtures.document_run import DocumentRun
from fixtures.health import HealthReport
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import each, promised
from spec import Specification
from spec.drill_entries import services_with_circuits

pytestmark = [
    pytest.mark.resilience,
    pytest.mark.checklist("3.3"),
    pytest.mark.component("api"),
    pytest.mark.needs("api"),
    promised("resilience"),
]


@pytest.fixture
def health(api: Api, spec: Specification) -> HealthReport:
    """The health body, asked now."""
    return HealthReport(expect(api.call("health", timeout=spec.health.timeout_seconds)).success(), spec.health)


@each("service", services_with_circuits)
@pytest.mark.about("health.shape")
def test_the_circuits_are_shown_as_agreed(health: HealthReport, spec: Specification, service: str) -> None:
    """contract Resilience: each circuit has a state, its failures, and since when it is open."""
    rule, body = spec.resilience.circuits, health.reply.object()
    if not isinstance(shown := body.get(rule.field), dict):
        not_applicable("the health body shows no circuits")
    what, subject = f"circuit {service} in the health body", f"field {rule.field} of {health.reply}"
    expect(shown.get(service), what, subject=subject, of=health.reply).is_not_empty("the API calls this service")
    circuit = shown[service]
    expect(circuit.get("state"), f"state of {what}", subject=subject, of=health.reply).is_one_of(rule.states)
    is_normal = circuit["state"] == rule.normal_state
    expect(circuit.get("opened_at") is None, f"{what} without opened_at", subject=subject, of=health.reply).equals(is_normal)
    most = rule.failures_to_open - 1 if is_normal else circuit["failures"]
    expect(circuit.get("failures"), f"failures of {what}", subject=subject, of=health.reply).is_at_most(most)


@pytest.mark.about("health.hides")
def test_what_is_degraded_is_no_secret(health: HealthReport, spec: Specification) -> None:
    """contract Resilience: while something is offered in part or not at all, the status is not healthy."""
    name = spec.resilience.degraded_field
    if not isinstance(degraded := health.reply.object().get(name), dict):
        not_applicable("the health body does not name what is degraded")
    hides = bool(degraded) and health.status == spec.health.required_status
    subject = f"field {spec.health.status_field} of {health.reply}"
    expect(hides, f"a healthy status beside {name} {sorted(degraded)}", subject=subject, of=health.reply).equals(False)


@pytest.mark.component("chat")
@pytest.mark.about("http.value")
def test_an_answer_says_which_way_it_took(api: Api, policy: DocumentRun, spec: Specification) -> None:
    """contract Resilience: metadata name the provider, the route, and the attempts, of which the last succeeded."""
    rule = spec.resilience.router
    reply = expect(api.as_(policy.owner).ask(policy.facts[0][0])).success()
    if "route" not in (shown := Answer(reply).metadata):
        not_applicable("answers do not say which way they took")
    subject = f"field metadata of {reply}"
    attempts = [(attempt["provider"], attempt["outcome"]) for attempt in shown.get("attempts", [])]
    if shown["route"] == rule.none:
        succeeded = [provider for provider, outcome in attempts if outcome == rule.success]
        expect(succeeded, "providers that succeeded without an answer", subject=subject, of=reply).is_empty()
    else:
        wanted = rule.primary if shown["provider"] == rule.providers[0] else rule.fallback
        expect(shown["route"], f"route of an answer by {shown['provider']}", subject=subject, of=reply).equals(wanted)
        expect(attempts[-1:], "the last attempt", subject=subject, of=reply).equals([(shown["provider"], rule.success)])
