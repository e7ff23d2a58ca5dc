"""§9 Configuration Audit: what is held against what, and what staging and production may and may not share."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from spec.model.base import Entry, Sectioned
from spec.model.services import Platform


class Reported(Entry):
    """A variable that a service shows of itself: the endpoint, and the field of its body (dotted)."""

    service: str
    variable: str
    endpoint: str
    field: str
    # What a failure is about, where the check of the endpoint calls it something else than the variable.
    subject: str | None = None


class Production(Sectioned):
    """Staging beside production: what must not be shared, and what must not differ."""

    # The services of production at the host, by the names of staging's.
    services: dict[str, str] = {}
    # Variables whose values must differ; and those that name the database and the project, which must.
    differ: list[str] = []
    database: str | None = None
    project: str | None = None
    buckets: list[str] = []
    # Variables and details of services that must be the same.
    equal: list[str] = []
    equal_details: list[str] = []
    # Whether the images' bases, the versions of dependencies, and the schema must be the same.
    base_image: bool = False
    dependencies: bool = False
    schema_: bool = Field(default=False, alias="schema")


class Audit(Sectioned):
    """Every setting of every service: specified, at the host, in the env file, and as the service reports it."""

    # Host's description in the release's source tree, read where no key is given.
    blueprint: str = "render.yaml"
    # Dotted path of each detail in the host's description; by default those of [platform.details].
    details: dict[str, str] = {}
    # Further settings by service: dotted path in the host's description → accepted values, as text.
    expected: dict[str, dict[str, list[str]]] = {}
    # Secret files of each service; and names of secret files that hold variables (patterns).
    secret_files: dict[str, list[str]] = {}
    env_files: list[str] = [".env", ".env.*", "*.env"]
    # Parts of the host's description that are no settings (patterns of dotted paths).
    ignored: list[str] = []
    # Names of variables and secret files that no staging service may have besides those specified (regular expressions).
    unwanted: list[str] = []
    reported: list[Reported] = []
    production: Production | None = None

    def detail_paths(self, platform: Platform | None) -> dict[str, str]:
        """Dotted path of each detail in the host's description."""
        return self.details or (platform.details if platform is not None else {})

    def expected_names(self, service: str) -> dict[str, str]:
        """Dotted paths of the further settings of a service by their names: the last part that is no number."""
        return {_name_of(path): path for path in self.expected.get(service, {})}

    @field_validator("unwanted")
    @classmethod
    def _compiles(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            re.compile(pattern)
        return patterns


def _name_of(path: str) -> str:
    parts = path.split(".")
    return f"{parts[-3]}.{parts[-1]}" if len(parts) > 2 and parts[-2].isdigit() else parts[-1]
