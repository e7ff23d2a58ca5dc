"""8.2.1 Run health checks on all services: which release is live, and who says so (§7 Deployment Process)."""

import pytest

from fixtures.release import commit_in
from fixtures.render import Render
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import each, promised
from gate.session import Session
from gate.shared import SAID_RELEASE
from spec import Specification, entries

pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.1"),
    pytest.mark.component("api"),
    pytest.mark.needs("api"),
    promised("platform"),
]


@each("service", entries.services)
@pytest.mark.about("release.differs", "release commit of {service}")
def test_every_service_runs_the_same_commit(session: Session, render: Render, spec: Specification, service: str) -> None:
    """§7 Deployment Process: one release for all services; with the expected one where it is named (F07)."""
    live = {name: render.live_commit(entry.name) for name, entry in spec.services.items()}
    expected = session.settings.text("HARNESS_EXPECTED_COMMIT") or live[spec.service]
    part = service if service in spec.harness.parts else None
    hint = "Render's deploys of this service"
    expect(live[service], f"commit of the newest deploy of the {service}", hint, component=part).equals(expected)


@pytest.mark.about("release.disagrees", "release commit")
def test_service_and_platform_name_the_same_commit(session: Session) -> None:
    """§7 Deployment Process: the commit that the service names is the one that the platform has live (F07)."""
    service, platform = (session.shared.read(f"{SAID_RELEASE}/{source}") for source in ("commit", "platform"))
    if service is None or platform is None:
        not_applicable("the service or the platform does not name a commit")
    hint = "Render's newest live deploy; a restart that did not happen, or an instance of the old release"
    shown, seen = commit_in(service, platform), f"the service: {service}; the platform: {platform}"
    expect(shown, "commit that the service names", hint, seen).equals(platform)
