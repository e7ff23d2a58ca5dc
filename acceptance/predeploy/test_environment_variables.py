"""8.1.2 Validate staging environment variables (§1 and §2 Environment Variables)."""

import pytest

from fixtures.environment import Rule, environments, rules_of
from fixtures.problems import expect_none
from fixtures.render import Render
from fixtures.render_environment import RenderEnvironment
from gate.failures import NotConfigured
from gate.http import expect
from gate.selection import each, promised
from gate.session import Session
from gate.settings import production_markers
from spec import Specification, entries

# After a release too: what is wrong here is why something else does not work there.
pytestmark = [
    pytest.mark.predeploy,
    pytest.mark.postdeploy,
    pytest.mark.maintenance,
    pytest.mark.checklist("8.1.2"),
    pytest.mark.component("configuration"),
]
every_service = each("service", entries.services)


def _first(service: str, names: list[str]) -> str:
    """Subject of several variables: the first one; the failure names the others."""
    return f"variable {service} {names[0]}" if names else ""


@pytest.mark.about("env.value", "variable {service} {name}")
@each("service, name", entries.variables)
def test_the_variable_follows_its_rule(session: Session, service: str, name: str) -> None:
    """§1/§2 Environment Variables: each variable of each service has the value or the form that is specified."""
    rule = Rule(session, service, name)
    expect_none(rule.problem(), f"problems with {name} of the {service}", rule.hint)


@pytest.mark.about("env.differs", "variable {name}")
@each("name", entries.shared_variables)
def test_both_services_agree(session: Session, name: str) -> None:
    """§1/§2 Environment Variables: a variable that both services have has one value (F05)."""
    values = {env[name] for env in environments(session) if name in env}
    hint = f"{name} of both services in Render's dashboard; they must name the same database, project and keys"
    expect(len(values) <= 1, f"{name} to have one value in all services", hint, f"{len(values)} different values").is_true()


@pytest.mark.about("env.value", "service {service}")
@every_service
def test_no_value_has_stray_characters(session: Session, service: str) -> None:
    """§1/§2 Environment Variables: no quotes, spaces or line ends that came along with a copied value."""
    stray = [rule.name for rule in rules_of(session, service) if rule.has_stray_characters()]
    what = f"variables of the {service} with quotes, spaces or line ends around their value"
    expect(stray, what, subject=_first(service, stray)).is_empty()


@pytest.mark.about("env.placeholder", "service {service}")
@every_service
def test_no_placeholder_was_left(session: Session, service: str) -> None:
    """§6 API Keys: every key was filled in (F01)."""
    left = [rule.name for rule in rules_of(session, service) if rule.is_placeholder()]
    what = f"variables of the {service} that still hold a placeholder"
    expect(left, what, subject=_first(service, left)).is_empty()


@pytest.mark.about("env.production", "service {service}")
@every_service
def test_nothing_points_to_production(session: Session, spec: Specification, service: str) -> None:
    """§6 Data Security: no variable looks like production (F35)."""
    found = production_markers(session.run.environment_of(service), spec)
    expect(found, f"variables of the {service} that look like production", subject=_first(service, found)).is_empty()


@pytest.mark.about("env.undeclared", "service {service}")
@promised("platform")
@every_service
def test_render_gives_the_declared_values(session: Session, spec: Specification, render: Render, service: str) -> None:
    """§7 Configuration: what Render gives to the service is what was declared (F05, F26)."""
    environment = RenderEnvironment(render)
    shown = environment.settings(render.service(spec.services[service].name)).variables
    env = session.run.environment_of(service)
    absent = [name for name in spec.variables_of(service) if name in env and name not in shown]
    if absent and environment.hides_groups:
        raise NotConfigured("RENDER_API_KEY", "give a RENDER_API_KEY that may read the environment groups")
    # A value that the key may not see is not compared.
    seen = {name: held.value for name, held in shown.items()}
    differ = [name for name in spec.variables_of(service) if seen.get(name, "") not in (None, env.get(name, ""))]
    expect(
        absent, f"variables of the {service} that Render lacks", code="env.missing", subject=_first(service, absent)
    ).is_empty()
    what = f"variables of the {service} whose value at Render differs from the env file"
    expect(differ, what, subject=_first(service, differ)).is_empty()
