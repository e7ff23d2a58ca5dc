"""9.4 Configuration Audit: each setting of each service agrees in all the places where it stands (§1, §2, §9)."""

import pytest

from fixtures.audit import DETAIL, FILE, PRODUCTION, SERVICE, VARIABLE, Audit
from gate.selection import each, promised
from spec import audit_entries, entries

pytestmark = [
    pytest.mark.maintenance,
    pytest.mark.checklist("9.4"),
    pytest.mark.component("configuration"),
    promised("audit"),
]
every_service = each("service", entries.services)


@pytest.mark.about("audit.missing", "service {service}")
@every_service
def test_the_service_is_there(audit: Audit, service: str) -> None:
    """§9 Configuration Audit: the host has the service, under its name."""
    audit.require(SERVICE, service, service)


@pytest.mark.about("audit.different", "detail {service} {detail}")
@each("service, detail", audit_entries.audited_details)
def test_the_detail_is_as_specified(audit: Audit, service: str, detail: str) -> None:
    """§9 Configuration Audit: each detail of each service, as the host or the release's own description has it (F36)."""
    audit.require(DETAIL, service, detail)


@pytest.mark.about("audit.different", "variable {service} {name}")
@each("service, name", entries.variables)
def test_the_variable_agrees_everywhere(audit: Audit, service: str, name: str) -> None:
    """§9 Configuration Audit: each variable at the host, in the env file and as the service reports it (F05, F26)."""
    audit.require(VARIABLE, service, name)


@pytest.mark.about("audit.missing", "file {service} {name}")
@each("service, name", audit_entries.secret_files)
def test_the_secret_file_is_there(audit: Audit, service: str, name: str) -> None:
    """§9 Configuration Audit: each secret file that a service is to have."""
    audit.require(FILE, service, name)


@pytest.mark.about("audit.extra", "service {service}")
@every_service
def test_nothing_of_production_is_set(audit: Audit, service: str) -> None:
    """§9 Configuration Audit: no further variable or secret file is of a kind that the specification excludes (F35)."""
    audit.require_no_unwanted(service)


@pytest.mark.about("audit.shared", "detail {service} {name}")
@each("service, name", audit_entries.apart_from_production)
def test_production_is_not_shared(audit: Audit, service: str, name: str) -> None:
    """§6 Data Security: no key, database, project or bucket of staging is production's (F35)."""
    audit.require(PRODUCTION, service, name)


@pytest.mark.about("audit.apart", "detail {service} {name}")
@each("service, name", audit_entries.as_in_production)
def test_staging_is_as_production(audit: Audit, service: str, name: str) -> None:
    """§3 Database Dependencies: schema, images and versions of dependencies are the same as in production."""
    audit.require(PRODUCTION, service, name)
