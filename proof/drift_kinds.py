"""Single drifts of a configuration, made of a specification file: each changes one setting in one place at the host.

A drift is how the double of Render differs (`twin.doubles.render`), and the row that must show it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spec import Specification, audit_entries, entries

# The services' identifiers at the double.
IDS = {"api": "srv-twinapi", "worker": "srv-twinworker"}
Behaviour = Mapping[str, Any]
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Drift:
    """One change of one setting; `key` is kind, service and name of the row that tells it."""

    way: str
    key: Key
    behaviour: Behaviour

    def __str__(self) -> str:
        kind, service, name = self.key
        return f"{self.way}: {kind} {name} of the {service}"


# Another value for each detail, and where it stands at the double.
OTHER: Mapping[str, object] = {
    "type": "private_service",
    "auto_deploy": "yes",
    "runtime": "python",
    "region": "frankfurt",
    "plan": "pro_plus",
    "build_plan": "performance",
    "dockerfile_path": "./deploy/Dockerfile",
    "docker_context": "./deploy",
    "health_check_path": "/ready",
}
FURTHER: Mapping[str, object] = {
    "suspended": "suspended",
    "openPorts.port": [{"port": 10000, "protocol": "TCP"}],
    "dockerCommand": "sleep 3600",
}


def _details(spec: Specification) -> Iterator[Drift]:
    """Every detail of every service with another value."""
    for service, name in audit_entries.audited_details(spec):
        path = spec.platform.details.get(name) or spec.audit.expected_names(service)[name]
        agreed = getattr(spec.services[service], name, None)
        value = _without_one(agreed) if isinstance(agreed, list) else OTHER.get(name, FURTHER.get(name))
        # The double's overrides name keys, and no places of a list.
        path = path.partition(".0.")[0]
        yield Drift("changed", ("detail", service, name), {"render": {f"{IDS[service]}.{path}": value}})


def _without_one(paths: list[str]) -> list[str]:
    return paths[1:] if paths else ["tests/**"]


def _changed(spec: Specification, service: str, name: str) -> Behaviour:
    return {"render_variables": {IDS[service]: {name: _other(spec, service, name)}}}


def _removed(spec: Specification, service: str, name: str) -> Behaviour:
    return {"render_variables": {IDS[service]: {name: None}}}


def _of_a_group(spec: Specification, service: str, name: str) -> Behaviour:
    """Moved to a group that has another value."""
    group = {"services": [IDS[service]], "keys": [name], "values": {name: _other(spec, service, name)}}
    return {"render_groups": {"staging-shared": group}}


def _of_a_file(spec: Specification, service: str, name: str) -> Behaviour:
    """Moved to a secret file of variables that has another value."""
    content = f"{name}='{_other(spec, service, name)}'\n"
    return {"render_variables": {IDS[service]: {name: None}}, "render_files": {IDS[service]: {".env": content}}}


def _of_an_unlinked_group(spec: Specification, service: str, name: str) -> Behaviour:
    """Moved to a group that is linked to no service."""
    group: Behaviour = {"services": [], "keys": [], "values": {name: _other(spec, service, name)}}
    return {"render_variables": {IDS[service]: {name: None}}, "render_groups": {"staging-unlinked": group}}


WAYS: Mapping[str, Callable[[Specification, str, str], Behaviour]] = {
    "changed": _changed,
    "removed": _removed,
    "another value in a group": _of_a_group,
    "another value in a secret file": _of_a_file,
    "in a group without a link": _of_an_unlinked_group,
}


def _other(spec: Specification, service: str, name: str) -> str:
    """Another value of the same form as the right one, so that nothing but the comparison tells it."""
    variable = spec.variables[name]
    if variable.kind == "fixed":
        value = variable.value or ""
        if value in ("true", "false"):
            return "true" if value == "false" else "false"
        return str(float(value) * 2) if _is_number(value) else f"{value}-2"
    forms = {
        "DATABASE_URL": "postgresql://staging_user:another-word@pooler.staging.example:6543/staging_db",
        "API_BASE_URL": "https://another.staging.example",
        "SUPABASE_URL": "https://another-staging.example",
    }
    return forms.get(name, f"another-{'x9' * 30}"[: max(variable.min_length or 20, 20)].replace("xx", "yz"))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _variables(spec: Specification, chance: random.Random) -> Iterator[Drift]:
    """Every variable of every service in one of the ways, drawn."""
    for service, name in entries.variables(spec):
        ways = [
            way
            for way in WAYS
            if not spec.variables[name].may_lack(service) or way not in ("removed", "in a group without a link")
        ]
        way = chance.choice(ways)
        yield Drift(way, ("variable", service, name), WAYS[way](spec, service, name))


def _extras() -> Iterator[Drift]:
    """What looks like production's: a variable, one of a group, a secret file, and one of a group."""
    for service, identifier in IDS.items():
        name = "PROD_DATABASE_URL"
        values = {name: "postgresql://reader:word@production-db.example:5432/navigator"}
        yield Drift("added", ("variable", service, name), {"render_variables": {identifier: values}})
        group: Behaviour = {"services": [identifier], "keys": [], "values": values}
        yield Drift("added to a group", ("variable", service, name), {"render_groups": {"staging-shared": group}})
        file = {"production-account.json": '{"type": "service_account"}'}
        yield Drift("added", ("secret file", service, "production-account.json"), {"render_files": {identifier: file}})
        held: Behaviour = {"services": [identifier], "keys": [], "files": file}
        yield Drift(
            "added to a group", ("secret file", service, "production-account.json"), {"render_groups": {"staging-files": held}}
        )


def _services() -> Iterator[Drift]:
    """A service that is gone."""
    return (Drift("gone", ("service", name, name), {"render_gone": [identifier]}) for name, identifier in IDS.items())


def all_drifts(spec: Specification, seed: int) -> list[Drift]:
    """Every detail, variable, extra and service once; the ways in which variables drift are drawn by the seed."""
    chance = random.Random(seed)
    return [*_details(spec), *_variables(spec, chance), *_extras(), *_services()]


def single_drifts(spec: Specification, seed: int, count: int = 60) -> list[Drift]:
    """So many of them: of each kind of setting of each service in turn, drawn by the seed."""
    chance, kinds = random.Random(seed), dict[tuple[str, ...], list[Drift]]()
    for drift in all_drifts(spec, seed):
        kind, service, name = drift.key
        # Each detail is a kind of its own.
        kinds.setdefault((kind, service, drift.way, name if kind == "detail" else ""), []).append(drift)
    for drifts in kinds.values():
        chance.shuffle(drifts)
    found: list[Drift] = []
    while len(found) < count and any(kinds.values()):
        for drifts in kinds.values():
            if drifts and len(found) < count:
                found.append(drifts.pop())
    return found
