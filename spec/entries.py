"""Entries of a specification that checks are made for, one check each: `@each("name", entries.open_reads)`."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from spec.model import Case, Index, Specification, Table

READING = ("GET", "HEAD")
# What takes the place of a wildcard in a host.
ANY_HOST = "gate"


def open_reads(spec: Specification) -> Iterator[str]:
    """Endpoints that need no token and change nothing."""
    return (e.name for e in spec.endpoints if e.auth == "none" and e.method in READING)


def described(spec: Specification) -> Iterator[str]:
    """Endpoints that only openapi.json shows without a token."""
    open_ = set(open_reads(spec))
    return (e.name for e in spec.endpoints if e.name not in open_)


def open_pages(spec: Specification) -> Iterator[str]:
    """Endpoints that return a body without a token."""
    return (e.name for e in spec.endpoints if e.auth == "none" and e.method == "GET")


def bearer(spec: Specification) -> Iterator[str]:
    """Endpoints that need a token."""
    return (e.name for e in spec.endpoints if e.auth == "bearer")


def open_paths(spec: Specification) -> Iterator[str]:
    """Paths that may be asked without a token."""
    return (e.path for e in spec.endpoints if e.auth != "bearer")


def own_reads(spec: Specification) -> Iterator[str]:
    """Endpoints that return the caller's own data, without anything to fill in."""
    return (e.name for e in spec.endpoints if e.auth == "bearer" and e.method == "GET" and "{" not in e.path)


def first_own_read(spec: Specification) -> Iterator[str]:
    """One endpoint that returns the caller's own data."""
    return itertools.islice(own_reads(spec), 1)


def timed_open_endpoints(spec: Specification) -> Iterator[str]:
    """Endpoints without a token that are measured."""
    return (e.name for e in spec.endpoints if e.auth == "none" and e.method in READING and e.is_timed)


def timed_own_endpoints(spec: Specification) -> Iterator[str]:
    """Endpoints with the caller's own data that are measured."""
    return (name for name in own_reads(spec) if spec.endpoint(name).is_timed)


def every_endpoint(spec: Specification) -> Iterator[str]:
    """All endpoints."""
    return (e.name for e in spec.endpoints)


def cases(spec: Specification) -> Iterable[Case]:
    """Requests with the statuses that are right for them."""
    return spec.cases


def services(spec: Specification) -> Iterable[str]:
    """All services."""
    return spec.services


def web_services(spec: Specification) -> Iterator[str]:
    """Services that answer HTTP."""
    return (name for name, service in spec.services.items() if service.health_check_path)


def importable(spec: Specification) -> Iterator[str]:
    """Services whose modules can be imported without starting them."""
    return (name for name, service in spec.services.items() if service.import_module)


def variables(spec: Specification) -> Iterator[tuple[str, str]]:
    """Each service with each of its variables."""
    return ((service, name) for service in spec.services for name in spec.variables_of(service))


def shared_variables(spec: Specification) -> Iterator[str]:
    """Variables that have the same value in all services."""
    return (name for name, variable in spec.variables.items() if variable.shared)


def included_paths(spec: Specification) -> Iterator[tuple[str, str]]:
    """Each service with each path whose change triggers its build."""
    return ((service, path) for service, entry in spec.services.items() for path in entry.included_paths)


def platform_details(spec: Specification) -> Iterator[tuple[str, str]]:
    """Each service with each detail that the host describes and the specification states."""
    return (
        (name, detail)
        for name, service in spec.services.items()
        for detail in spec.platform.details
        if getattr(service, detail) is not None
    )


def tables(spec: Specification) -> Iterable[Table]:
    """All tables."""
    return spec.database.tables


def columns(spec: Specification) -> Iterator[tuple[Table, str]]:
    """Each table with each of its columns."""
    return ((table, column) for table in spec.database.tables for column in table.columns)


def keyed_tables(spec: Specification) -> Iterator[Table]:
    """Tables with a primary key."""
    return (table for table in spec.database.tables if table.primary_key)


def unique_keys(spec: Specification) -> Iterator[tuple[Table, list[str]]]:
    """Each table with each of its unique keys."""
    return ((table, key) for table in spec.database.tables for key in table.unique)


def foreign_keys(spec: Specification) -> Iterator[tuple[Table, str]]:
    """Each table with each column that refers to another table."""
    return ((table, column) for table in spec.database.tables for column in table.foreign_keys)


def checked_columns(spec: Specification) -> Iterator[tuple[Table, str]]:
    """Each table with each column that a CHECK constraint bounds."""
    return ((table, column) for table in spec.database.tables for column in table.checks)


def indexes(spec: Specification) -> Iterator[tuple[Table, Index]]:
    """Each table with each of its indexes."""
    return ((table, index) for table in spec.database.tables for index in table.indexes)


def row_secured_roles(spec: Specification) -> Iterable[str]:
    """Roles that row-level security holds for."""
    return (spec.roles.user, spec.roles.anonymous)


def roles(spec: Specification) -> Iterable[str]:
    """Roles that row-level security distinguishes."""
    return (spec.roles.service, spec.roles.user, spec.roles.anonymous)


def named_tables(spec: Specification) -> Iterable[str]:
    """Tables that the specification itself names (§3)."""
    return spec.database.named_tables


def job_statuses(spec: Specification) -> Iterable[str]:
    """Statuses that a job may have."""
    return spec.database.table(spec.pipeline.jobs_table).checks["status"]


def dependencies(spec: Specification) -> Iterable[str]:
    """Dependencies that the health body names."""
    return spec.health.required_services


def documents_that(outcome: str) -> DocumentNames:
    """Names of the run's documents that must end this way."""
    return DocumentNames(outcome)


class DocumentNames:
    """Documents of one expected outcome."""

    def __init__(self, outcome: str) -> None:
        self._outcome = outcome

    def __call__(self, spec: Specification) -> Iterator[str]:
        """Their names."""
        return (name for name, kind in spec.documents.items() if kind.outcome == self._outcome)


def optional_chat_fields(spec: Specification) -> Iterable[str]:
    """Fields that a question may carry beside its text."""
    return spec.endpoint("chat").optional


def callback_results(spec: Specification) -> Iterable[str]:
    """Names of the forms in which a parse may be delivered."""
    return spec.webhook.results


def other_embedding_models(spec: Specification) -> Iterable[str]:
    """Models that questions may be embedded with by mistake."""
    return spec.pipeline.other_embed_models


def fact_numbers(spec: Specification) -> Iterable[int]:
    """Numbers of the facts in every policy."""
    return range(len(spec.facts))


def allowed_origins(spec: Specification) -> Iterable[str]:
    """Origins of the front end."""
    return spec.networking.cors_origins


def foreign_origins(spec: Specification) -> Iterable[str]:
    """Origins that are not the front end's."""
    return spec.networking.foreign_origins


def cors_methods(spec: Specification) -> Iterable[str]:
    """Methods that the front end uses."""
    return spec.networking.cors_methods


def trusted_hosts(spec: Specification) -> Iterator[str]:
    """Hosts whose requests are accepted, a wildcard filled in."""
    return (host.replace("*", ANY_HOST) for host in spec.networking.trusted_hosts)


def foreign_hosts(spec: Specification) -> Iterable[str]:
    """Hosts that are not this system's."""
    return spec.networking.foreign_hosts


def refused_tls_versions(spec: Specification) -> Iterable[str]:
    """Old protocols."""
    return spec.networking.refused_tls_versions


def debug_paths(spec: Specification) -> Iterable[str]:
    """Paths of pages that belong to no release."""
    return spec.security.debug_paths


def hostile_names(spec: Specification) -> Iterable[str]:
    """Labels of the hostile file names."""
    return spec.security.hostile_names


def later_stages(spec: Specification) -> Iterable[str]:
    """Statuses of a job after its first."""
    return spec.pipeline.stages[1:]


def load_tasks(spec: Specification) -> Iterable[str]:
    """Tasks of the load."""
    return spec.load.tasks


def compared_tasks(spec: Specification) -> Iterable[str]:
    """Tasks that releases are compared by."""
    return spec.load.profiles[spec.load.regression.profile].tasks
