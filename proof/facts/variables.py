"""Variables and keys, in every way in which they can be wrong."""

from __future__ import annotations

from collections.abc import Iterator

from proof.facts.mutation import ENVIRONMENT, KEYS, Mutation
from spec import Specification

SERVICES = ("api", "worker")
# What the specification allows is no mutation of it.
ALLOWED = frozenset({"worker ANTHROPIC_API_KEY missing", "api ANTHROPIC_API_KEY missing"})


def _changed(value: str) -> dict[str, str | None]:
    return {
        "missing": None,
        "empty": "",
        "changed": value[:-1] + ("1" if value[-1:] != "1" else "2") if value else "x",
        "quoted": f'"{value}"',
        "trailing newline": f"{value}\n",
    }


def of_variables(spec: Specification, env: dict[str, dict[str, str]]) -> Iterator[Mutation]:
    """Every variable of both services, in every way in which it can be wrong."""
    for service in SERVICES:
        names = list(spec.variables_of(service))
        for position, name in enumerate(names):
            kinds = _changed(env[service].get(name, ""))
            kinds["swapped"] = env[service].get(names[position - 7], "")
            for kind, value in kinds.items():
                label = f"{service} {name} {kind}"
                if label not in ALLOWED and value != env[service].get(name):
                    yield Mutation(label, "variables", ENVIRONMENT, env={service: {name: value}})


def of_keys(env: dict[str, dict[str, str]]) -> Iterator[Mutation]:
    """Every key, changed or swapped, against the services that it opens."""
    keys = ("OPENAI_API_KEY", "LLAMAPARSE_API_KEY", "ANTHROPIC_API_KEY", "SUPABASE_ANON_KEY", "SUPABASE_SERVICE_ROLE_KEY")
    for name in keys:
        yield Mutation(f"api {name} unknown", "keys", KEYS, env={"api": {name: env["api"][name][:-3] + "xyz"}})
    for name in keys[:2]:
        yield Mutation(f"worker {name} unknown", "keys", KEYS, env={"worker": {name: env["worker"][name][:-3] + "xyz"}})
    anon, service = env["api"]["SUPABASE_ANON_KEY"], env["api"]["SUPABASE_SERVICE_ROLE_KEY"]
    swapped: dict[str, str | None] = {"SUPABASE_ANON_KEY": service, "SUPABASE_SERVICE_ROLE_KEY": anon}
    yield Mutation("anon and service-role key swapped", "keys", KEYS, env={"api": swapped})
    elsewhere: dict[str, str | None] = {"SUPABASE_STORAGE_URL": "https://localhost:9/storage/v1"}
    yield Mutation("storage of another project", "keys", KEYS, env={"api": elsewhere})
