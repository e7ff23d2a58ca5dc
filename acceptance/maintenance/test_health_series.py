"""9.1 Health Checks: the service is healthy each time that it is asked, whichever instance answers (§9 Regular Maintenance)."""

import pytest

from fixtures.api import Api
from fixtures.health_series import HealthSeries
from gate.http import expect
from gate.selection import each, promised
from gate.session import Session
from spec import Specification, entries

pytestmark = [
    pytest.mark.maintenance,
    pytest.mark.checklist("9.1"),
    pytest.mark.component("api"),
    pytest.mark.needs("api"),
    promised("calendar"),
]


@pytest.fixture(scope="module")
def series(api: Api, spec: Specification) -> HealthSeries:
    """Answers one after another, asked once for all checks."""
    return HealthSeries(api, spec.health)


@pytest.mark.about("health.unhealthy")
@each("name", entries.dependencies)
def test_the_dependency_is_healthy_each_time(series: HealthSeries, name: str) -> None:
    """§9 Health Checks: no answer calls a dependency unhealthy (F10)."""
    series.require(name)


@pytest.mark.about("health.flaps")
def test_the_service_has_one_status(series: HealthSeries, session: Session, spec: Specification) -> None:
    """§9 Health Checks: the status does not change from answer to answer."""
    session.observe("dependencies in the health body", series.named)
    found = [report.status for report in series.reports]
    series.require_one("status", found, "health.flaps", f"field {spec.health.status_field} of {series.reports[0].reply}")


@pytest.mark.about("release.differs", "release version")
def test_all_instances_are_of_one_version(series: HealthSeries) -> None:
    """§9 Health Checks: no old instance is left behind the address (F07)."""
    series.require_one("version", [report.version for report in series.reports], "release.differs", "release version")


@pytest.mark.about("release.differs", "release version")
@promised("endpoints.status")
def test_the_status_page_is_of_one_release(series: HealthSeries, api: Api, spec: Specification) -> None:
    """§9 Health Checks: the status page names one version and environment each time (F07)."""
    replies = [api.call("status") for _ in range(spec.health.looks)]
    names = spec.endpoint("status").fields
    bodies = [expect(reply).fields(*names) for reply in replies]
    for field in ("version", "environment"):
        series.require_one(
            f"{field} on the status page", [body[field] for body in bodies], "release.differs", "release version"
        )
