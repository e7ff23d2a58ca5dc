"""Settings of a target in the specification's own variable names, from files and the process environment."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from gate.failures import NotConfigured
from gate.internals.dotenv_ import BrokenLine, read_bindings
from spec import Specification
from spec.model import Setting

HOST = re.compile(r"[A-Za-z0-9.-]+|[0-9A-Fa-f:]+")
SCHEMES = {"web_url": ("https", "http"), "database_url": ("postgresql", "postgres")}


# Production's variables, for the comparison with staging's; nothing else reads them.
PRODUCTION_FILE = "HARNESS_PRODUCTION_ENV_FILE"

# Settings that the engine itself reads, as far as a specification does not describe them.
OWN: Mapping[str, Setting] = {
    "API_BASE_URL": Setting(kind="web_url", target=True, strict="reading"),
    "HARNESS_CA_FILE": Setting(kind="path", must_exist=True),
    "HARNESS_SPEEDUP": Setting(kind="number", default="1"),
    "HARNESS_TARGET_NAME": Setting(kind="text", default="live"),
    "HARNESS_EXPECTED_COMMIT": Setting(kind="text"),
    "HARNESS_COMMIT_RANGE": Setting(kind="text"),
    "HARNESS_SOURCE_TREE": Setting(kind="path"),
    PRODUCTION_FILE: Setting(kind="path", must_exist=True),
}


class ConfigurationError(ValueError):
    """The run cannot start; the message is one line that names the variable or the line."""


class Settings:
    """Settings of a target, checked by the specification's rules; raises ConfigurationError for a wrong value."""

    def __init__(self, rules: Mapping[str, Setting], values: Mapping[str, str]) -> None:
        self._rules = {**OWN, **rules}
        self._values = {name: value for name in self._rules if (value := values.get(name, ""))}
        for name, value in self._values.items():
            if problem := _problem(self._rules[name], value):
                raise ConfigurationError(f"{name}: {problem}")

    def __repr__(self) -> str:
        return f"Settings({', '.join(sorted(self._values))})"

    def has(self, name: str) -> bool:
        """Whether a setting was given a value."""
        self._rule(name)
        return name in self._values

    def text(self, name: str) -> str:
        """A setting's value, its default, or an empty string. What is a secret must not be shown."""
        return self._values.get(name, self._rule(name).default or "")

    def url(self, name: str) -> str:
        """A URL without a slash at its end, or an empty string."""
        return self.text(name).rstrip("/")

    def number(self, name: str) -> float:
        """A number; 0 where nothing is set."""
        return float(self.text(name) or 0)

    def path(self, name: str) -> Path | None:
        """A path, or None."""
        text = self.text(name)
        return Path(text) if text else None

    def needed(self, name: str) -> str:
        """A setting's value; raises NotConfigured without one."""
        if found := self.text(name):
            return found
        raise NotConfigured(name)

    def missing_files(self) -> list[str]:
        """Settings that name a file which is not there, a line each."""
        named = [(name, self.path(name)) for name, rule in self._rules.items() if rule.must_exist]
        return [f"{name}: there is no file {path}" for name, path in named if path and not path.is_file()]

    def _rule(self, name: str) -> Setting:
        return self._rules[name]


def _problem(rule: Setting, value: str) -> str | None:
    if rule.kind in SCHEMES and not _is_url(value, SCHEMES[rule.kind]):
        return f"not a URL of the form {SCHEMES[rule.kind][0]}://host[:port]"
    if rule.kind == "number" and not _is_number(value):
        return "not a number"
    return None


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(text)
        valid = parts.scheme in schemes and bool(HOST.fullmatch(parts.hostname or "")) and parts.port != 0
    except ValueError:
        return False
    return valid and not any(c.isspace() for c in text)


def _is_number(text: str) -> bool:
    try:
        return float(text) > 0
    except ValueError:
        return False


def read_env_file(path: Path) -> dict[str, str]:
    """Variables of an env file; raises ConfigurationError naming the file and the line."""
    try:
        return read_bindings(path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.__class__.__name__})") from error
    except BrokenLine as error:
        raise ConfigurationError(f"{path}, line {error.number}: not of the form NAME=value") from error


def from_process(spec: Specification) -> dict[str, str]:
    """The process environment's values of the variables that the specification names."""
    names: Iterable[str] = spec.variables.keys() | spec.harness.settings.keys() | OWN.keys()
    return {name: os.environ[name] for name in names if name in os.environ}


def live_values(path: Path | None, spec: Specification) -> dict[str, str]:
    """Settings of a live target: those of the env file, where there is one, and the process environment's over them."""
    return (read_env_file(path) if path is not None else {}) | from_process(spec)


def build(spec: Specification, values: Mapping[str, str]) -> Settings:
    """Settings by the specification's rules; raises ConfigurationError naming the first wrong variable, never its value."""
    if not values.get("API_BASE_URL"):
        raise ConfigurationError("API_BASE_URL is missing: set it in the env file or the environment")
    return Settings(spec.harness.settings, values)


def production_markers(values: Mapping[str, str], spec: Specification) -> list[str]:
    """Names of the watched variables whose value looks like production (§6 Data Security); credentials do not count."""
    found = []
    for name in spec.identity.watched_variables:
        value = re.sub(r"(?<=://)([^:@/]*):[^@/]*@", r"\1@", values.get(name, ""))
        if any(re.search(pattern, value) for pattern in spec.identity.production_patterns):
            found.append(name)
    return found
