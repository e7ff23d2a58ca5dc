"""Faults of TLS, CORS and hosts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from twin.clinic.changes import fault
from twin.clinic.plan import ClinicPlan

APPLICATION = "directory/application.py"


@fault("C17", "every CORS origin is allowed", "network", "postdeploy", mode="-", about="*origin *|*web pages*")
def every_origin(plan: ClinicPlan) -> None:
    plan.replace_in_source(APPLICATION, "allow_origins=list(settings.origins)", 'allow_origin_regex=".*"')


@fault("C18", "the Host header is not checked", "network", "postdeploy", mode="-", about="*host *|*foreign hosts*")
def any_host(plan: ClinicPlan) -> None:
    plan.replace_in_source(APPLICATION, "allowed_hosts=[*settings.hosts, own_host]", 'allowed_hosts=["*"]')


@fault("C19", "the TLS certificate is expired", "network", "postdeploy", mode="-", about="*certificate*")
def expired_certificate(plan: ClinicPlan) -> None:
    now = datetime.now(UTC)
    plan.certificate = lambda ca: ca.issue_cert(
        "localhost", "127.0.0.1", not_before=now - timedelta(days=60), not_after=now - timedelta(days=1)
    )
