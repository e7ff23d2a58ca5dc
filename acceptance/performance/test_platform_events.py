"""8.3.1 Measure API response times: what happened to the services at their platform meanwhile (§5 Resource Monitoring)."""

import pytest

from fixtures.monitoring import Monitoring
from gate.selection import each, promised
from spec import entries

pytestmark = [
    pytest.mark.performance,
    pytest.mark.checklist("8.3.1"),
    pytest.mark.component("render"),
    promised("figures", "platform"),
]


@pytest.mark.about("platform.out_of_memory", "service {service}")
@each("service", entries.services)
def test_no_instance_ran_out_of_memory_under_work(platform_events: Monitoring, service: str) -> None:
    """§5 Resource Monitoring: no instance was ended for its memory while it had much to do."""
    platform_events.hold(service, "out_of_memory")
