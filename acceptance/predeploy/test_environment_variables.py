"""8.1.2 Validate staging environment variables (§1 and §2 Environment Variables)."""

import pytest

from fixtures.environment import Rule, environments, rules_of
from fixtures.render import Render
from gate.http import expect
from gate.selection import each, promised
from gate.session import Session
from gate.settings import production_markers
from spec import Specification, entries

pytestmark = [
    pytest.mark.predeploy,
    pytest.mark.maintenance,
    pytest.mark.checklist("8.1.2"),
    pytest.mark.component("configuration"),
]
every_service = each("service", entries.services)


@each("service, name", entries.variables)
def test_the_variable_follows_its_rule(session: Session, service: str, name: str) -> None:
    """§1/§2 Environment Variables: each variable of each service has the value or the form that is specified."""
    rule = Rule(session, service, name)
    expect(rule.problem(), f"problem with {name} of the {service}", rule.hint).equals(None)


@each("name", entries.shared_variables)
def test_both_services_agree(session: Session, name: str) -> None:
    """§1/§2 Environment Variables: a variable that both services have has one value (F05)."""
    values = {env.get(name) for env in environments(session)}
    hint = f"{name} of both services in Render's dashboard; they must name the same database, project and keys"
    expect(len(values) <= 1, f"the same {name} in the API and the worker", hint, "different values").holds()


@every_service
def test_no_value_has_stray_characters(session: Session, service: str) -> None:
    """§1/§2 Environment Variables: no quotes, spaces or line ends that came along with a copied value."""
    stray = [rule.name for rule in rules_of(session, service) if rule.has_stray_characters()]
    expect(stray, f"variables of the {service} with quotes, spaces or line ends around their value").is_empty()


@every_service
def test_no_placeholder_was_left(session: Session, service: str) -> None:
    """§6 API Keys: every key was filled in (F01)."""
    left = [rule.name for rule in rules_of(session, service) if rule.is_placeholder()]
    expect(left, f"variables of the {service} that still hold a placeholder").is_empty()


@every_service
def test_nothing_points_to_production(session: Session, spec: Specification, service: str) -> None:
    """§6 Data Security: no variable looks like production (F35)."""
    env = session.run.environment_of(service)
    expect(production_markers(env, spec), f"variables of the {service} that look like production").is_empty()


@promised("platform")
@every_service
def test_render_gives_the_declared_values(session: Session, spec: Specification, render: Render, service: str) -> None:
    """§7 Configuration: what Render gives to the service is what was declared (F05, F26)."""
    shown = render.environment(render.service(spec.services[service].name)["id"])
    env = session.run.environment_of(service)
    differ = [name for name in spec.variables_of(service) if shown.get(name) != env.get(name)]
    expect(differ, f"variables of the {service} whose value at Render differs from the env file").is_empty()
