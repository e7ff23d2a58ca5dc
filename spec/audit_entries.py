"""Settings that the configuration audit is held to, one check each: `@each("service, name", audit_entries.audited_details)`."""

from __future__ import annotations

from collections.abc import Iterator

from spec.model import Specification


def audited_details(spec: Specification) -> Iterator[tuple[str, str]]:
    """Each service with each detail that the audit holds it to."""
    paths = spec.audit.detail_paths(spec.platform_section)
    for service, entry in spec.services.items():
        yield from ((service, name) for name in paths if getattr(entry, name) is not None)
        yield from ((service, name) for name in spec.audit.expected_names(service))


def secret_files(spec: Specification) -> Iterator[tuple[str, str]]:
    """Each service with each of its secret files."""
    return ((service, name) for service, names in spec.audit.secret_files.items() for name in names)


def apart_from_production(spec: Specification) -> Iterator[tuple[str, str]]:
    """What staging must not share with production: the service that has it, and its name."""
    rule = spec.audit.production
    if rule is None:
        return
    yield from ((spec.variables[name].services[0], name) for name in rule.differ)
    if rule.database is not None:
        yield spec.variables[rule.database].services[0], "database"
    if rule.project is not None:
        service = spec.variables[rule.project].services[0]
        yield service, "project"
        yield from ((service, f"bucket {bucket}") for bucket in rule.buckets)


def as_in_production(spec: Specification) -> Iterator[tuple[str, str]]:
    """What must be the same in staging and production: the service that has it, and its name."""
    rule = spec.audit.production
    if rule is None:
        return
    yield from ((spec.variables[name].services[0], name) for name in rule.equal)
    of_trees = [
        name for name, is_compared in (("base image", rule.base_image), ("dependencies", rule.dependencies)) if is_compared
    ]
    for service in spec.services:
        yield from ((service, name) for name in (*rule.equal_details, *of_trees))
    if rule.schema_:
        yield spec.service, "schema"
