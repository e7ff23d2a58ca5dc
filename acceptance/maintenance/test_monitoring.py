"""5.1, 5.2, 5.3 Monitoring: the services' figures at their platform, over the run and the last day (§5)."""

import pytest

from fixtures.monitoring import Monitoring
from gate.selection import each, promised
from spec import entries

pytestmark = [
    pytest.mark.maintenance,
    pytest.mark.component("render"),
    promised("figures", "platform"),
]
every_service = each("service", entries.services)
every_web_service = each("service", entries.web_services)


@pytest.mark.checklist("5.3")
@pytest.mark.about("platform.cpu_high", "service {service}")
@every_service
def test_the_processor_has_pauses(monitoring: Monitoring, service: str) -> None:
    """§5 Resource Monitoring: CPU utilization, by the median, so that a burst is none (F28)."""
    monitoring.hold(service, "cpu")


@pytest.mark.checklist("5.3")
@pytest.mark.about("platform.memory_high", "service {service}")
@every_service
def test_memory_is_left(monitoring: Monitoring, service: str) -> None:
    """§5 Resource Monitoring: memory utilization stays below the plan's limit."""
    monitoring.hold(service, "memory")


@pytest.mark.checklist("5.3")
@pytest.mark.about("platform.memory_grows", "service {service}")
@every_service
def test_memory_does_not_grow_steadily(monitoring: Monitoring, service: str) -> None:
    """§5 Resource Monitoring: memory settles after the start; a leak is seen before it fills the plan's memory."""
    monitoring.hold(service, "memory_growth")


@pytest.mark.checklist("5.3")
@pytest.mark.about("platform.disk_full", "service {service}")
@every_service
def test_disk_space_is_left(monitoring: Monitoring, service: str) -> None:
    """§5 Resource Monitoring: disk space, where a service has a disk."""
    monitoring.hold(service, "disk")


@pytest.mark.checklist("5.3")
@pytest.mark.about("platform.traffic_high", "service {service}")
@every_web_service
def test_network_traffic_is_as_usual(monitoring: Monitoring, service: str) -> None:
    """§5 Resource Monitoring: network traffic of the last day."""
    monitoring.hold(service, "network")


@pytest.mark.checklist("5.3")
@pytest.mark.about("platform.instances", "service {service}")
@every_service
def test_the_agreed_instances_run(monitoring: Monitoring, service: str) -> None:
    """§5 Resource Monitoring: as many instances as the service is scaled to."""
    monitoring.hold(service, "instances")


@pytest.mark.checklist("5.2")
@pytest.mark.about("platform.errors", "service {service}")
@every_web_service
def test_hardly_any_request_ends_with_5xx(monitoring: Monitoring, service: str) -> None:
    """§5 Error Monitoring: HTTP error rate, of enough requests (contract: load error rate)."""
    monitoring.hold(service, "http_errors")


@pytest.mark.checklist("5.1")
@pytest.mark.about("platform.slow", "service {service}")
@every_web_service
def test_responses_are_fast_at_the_platform(monitoring: Monitoring, service: str) -> None:
    """§5 Performance Monitoring: response time of all requests, as the platform's proxy sees it."""
    monitoring.hold(service, "http_latency")


@pytest.mark.checklist("5.2")
@pytest.mark.about("platform.restarts", "service {service}")
@every_service
def test_instances_hardly_ever_end_by_themselves(monitoring: Monitoring, service: str) -> None:
    """§5 Error Monitoring: none ends by itself during the run, and few within a day."""
    monitoring.hold(service, "restarts", "restarts_of_the_day")


@pytest.mark.checklist("5.3")
@pytest.mark.about("platform.out_of_memory", "service {service}")
@every_service
def test_no_instance_ran_out_of_memory(monitoring: Monitoring, service: str) -> None:
    """§5 Resource Monitoring: none was ended for its memory within a day."""
    monitoring.hold(service, "out_of_memory")
