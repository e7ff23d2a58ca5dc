"""Reads a policy file; every error is one line with file, key and expectation."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import ValidationError

from spec.model import Specification
from spec.model.policy import Policy, PolicyRule
from spec.specification_error import SpecError

FILE = "policy.toml"
BUILT_IN = "built in"


def built_in() -> Policy:
    """The policy of a system that has none: what nothing counts against is promoted, all else is held."""
    return Policy(rule=[PolicyRule(name="nothing counts against it", action="promote")])


def load_policy(named: Path | None, spec_file: Path, spec: Specification) -> tuple[Policy, str]:
    """The policy in the named file, or beside the specification, or the built-in one; and the name of its source.

    Raises SpecError naming file and key, or line.
    """
    path = named or spec_file.parent / FILE
    if named is None and not path.exists():
        return built_in(), BUILT_IN
    try:
        policy = Policy.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SpecError(f"{path.name}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SpecError(f"{path.name}: not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "(file)"
        raise SpecError(f"{path.name}: {key}: {first['msg'].removeprefix('Value error, ')}") from error
    for number, rule in enumerate(policy.rule):
        if problem := _unknown(rule, spec):
            raise SpecError(f"{path.name}: rule.{number} ({rule.name}): {problem}")
    return policy, path.name


def _unknown(rule: PolicyRule, spec: Specification) -> str | None:
    """The name in a rule that this system does not have, or None."""
    if unknown := [name for name in rule.components if name not in spec.harness.parts]:
        return f"components: {unknown[0]!r} is no part of {spec.meta.name}"
    if unknown := [name for name in rule.failure_modes if name not in spec.failure_modes]:
        return f"failure_modes: {unknown[0]!r} is not known to {spec.meta.name}"
    return None
