"""8.2.1 Run health checks on all services: what happened to them at the platform while the checks ran (§5 Error Monitoring)."""

import pytest

from fixtures.document_runs import DocumentRuns
from fixtures.monitoring import Monitoring
from gate.selection import each, promised
from spec import entries

pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.1"),
    pytest.mark.component("render"),
    promised("figures", "platform"),
]
every_service = each("service", entries.services)


@pytest.mark.about("platform.restarts", "service {service}")
@every_service
def test_no_instance_ended_during_the_run(document_runs: DocumentRuns, platform_events: Monitoring, service: str) -> None:
    """§5 Error Monitoring: no instance ended by itself while the checks ran."""
    platform_events.hold(service, "restarts")


@pytest.mark.about("platform.out_of_memory", "service {service}")
@every_service
def test_no_instance_ran_out_of_memory_during_the_run(
    document_runs: DocumentRuns, platform_events: Monitoring, service: str
) -> None:
    """§5 Resource Monitoring: no instance was ended for its memory while the checks ran."""
    platform_events.hold(service, "out_of_memory")


@pytest.mark.about("platform.deploying", "service {service}")
@every_service
def test_no_deploy_was_under_way(document_runs: DocumentRuns, platform_events: Monitoring, service: str) -> None:
    """§7 Deployment Process: one release answered all checks; no deploy began or ended meanwhile."""
    platform_events.hold(service, "deploys")
