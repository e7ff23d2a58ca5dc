"""§1, §2: the deployed services, their variables, and what surrounds them."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, model_validator

from spec.model.base import Entry, Sectioned


class Meta(Entry):
    """What this file describes."""

    name: str
    specification: str
    contract: str
    # Name of the twin that stands in for this system.
    twin: str


class Service(Sectioned):
    """§1, §2: one deployed service."""

    name: str
    type: Literal["web_service", "background_worker"]
    dockerfile_path: str
    requirements: str
    build_command: str
    base_image: str
    start_command: str
    # What the host says of the service; left out where no host is asked.
    runtime: str | None = None
    region: str | None = None
    plan: str | None = None
    build_plan: str | None = None
    auto_deploy: Literal["yes", "no"] | None = None
    docker_context: str | None = None
    ignored_paths: list[str] | None = None
    included_paths: list[str] = []
    # The module that the start command names; what it imports must be importable.
    import_module: str | None = None
    # Setting that names the service's own env file, where it differs from the target's.
    env_file_setting: str | None = None
    health_check_command: str | None = None
    port: int | None = Field(default=None, gt=0, lt=65536)
    health_check_path: str | None = None
    health_check_output: str | None = None


class Variable(Sectioned):
    """§1, §2 Environment Variables: the rule of one variable."""

    services: list[str] = Field(min_length=1)
    kind: Literal["fixed", "pattern", "secret", "equal", "part"]
    value: str | None = None
    pattern: str | None = None
    meaning: str | None = None
    min_length: int | None = Field(default=None, gt=0)
    of: str | None = None
    part: Literal["hostname", "port", "username", "password", "name"] | None = None
    suffix: str = ""
    optional: bool = False
    # Services that may lack it, while others may not.
    optional_in: list[str] = []
    secret: bool = False
    shared: bool = False

    def may_lack(self, service: str) -> bool:
        """Whether a service may do without it."""
        return self.optional or service in self.optional_in

    @property
    def is_secret(self) -> bool:
        """True when the value must never be shown."""
        return self.secret or self.kind == "secret"

    @model_validator(mode="after")
    def _complete(self) -> Variable:
        needed = {"fixed": "value", "pattern": "pattern", "secret": "min_length", "equal": "of", "part": "part"}
        if getattr(self, needed[self.kind]) is None or (self.kind == "part" and self.of is None):
            raise ValueError(f"kind {self.kind!r} needs {needed[self.kind]!r}")
        if self.pattern is not None:
            re.compile(self.pattern)
        return self


class Placeholders(Sectioned):
    """Values that were never filled in."""

    patterns: list[str]


class Networking(Sectioned):
    """§1 Networking Configuration."""

    open_ports: list[str]
    cors_origins: list[str] = Field(min_length=1)
    # What a page of the front end calls: an endpoint, and the methods in use.
    cors_endpoint: str
    cors_methods: list[str] = Field(min_length=1)
    foreign_origins: list[str]
    trusted_hosts: list[str] = Field(min_length=1)
    foreign_hosts: list[str]
    # Headers in which a foreign host says to be a trusted one.
    claimed_host_headers: dict[str, str] = {}
    # Statuses that are right for the pre-flight of an origin of the front end.
    preflight_statuses: list[int] = Field(min_length=1)
    accepted_tls_versions: list[str]
    refused_tls_versions: list[str]
    # Days that a certificate must have left; of a short lifetime, this share of it where that is less.
    certificate_days_left: int
    certificate_share_left: float = Field(default=1, gt=0, le=1)


class Identity(Sectioned):
    """§6 Data Security: how staging and production are distinguished."""

    tag: str = Field(pattern=r"^[a-z]+$")
    mail_domain: str
    environment: str
    # Variable with the version of the release.
    version_variable: str
    # Supabase's names of projects say nothing by themselves: those of staging are listed here.
    projects: list[str]
    staging_pattern: str
    production_patterns: list[str] = Field(min_length=1)
    watched_variables: list[str]

    def is_environment(self, name: object) -> bool:
        """Whether a name is that of the environment, in upper or lower case."""
        return str(name).strip().casefold() == self.environment.casefold()


class Spellings(Entry):
    """Spellings in build files that mean what the specification names; fewer of them make the checks narrower."""

    # Beginnings of an image's name that say nothing.
    image_prefixes: list[str] = []
    # Words before a command that only start it.
    launchers: list[str] = []
    # Other names of programs.
    program_names: dict[str, str] = {}
    # Program → options that change nothing in what it does.
    ignored_options: dict[str, list[str]] = {}
    # Program → short options with their long names.
    long_options: dict[str, dict[str, str]] = {}
    # Names of the machine itself; the first is the one of the specification.
    loopbacks: list[str] = ["localhost"]


class Patience(Entry):
    """How a host is read that limits requests and fails now and then."""

    # The longest that one call waits for a limit on the number of requests.
    seconds: float = Field(default=45, gt=0)
    # The longest that all calls of a process wait for limits together.
    in_all: float = Field(default=120, gt=0)
    # How often a read that failed is sent again, and the first pause before that; each further one is twice as long.
    repeats: int = Field(default=2, ge=0)
    pause: float = Field(default=0.25, ge=0)
    # Calls that are under way at the same time.
    parallel: int = Field(default=6, gt=0)


class Platform(Sectioned):
    """How the host describes a service: where each detail stands in its description, and its words."""

    # Detail of a service in this file → dotted path in the host's description.
    details: dict[str, str] = Field(min_length=1)
    # Details that are paths or patterns of paths: another spelling of the same files is right too.
    paths: list[str] = []
    suspension: str
    not_suspended: str
    live: str
    deploying: list[str]
    build_failed: list[str]
    start_failed: list[str]
    cancelled: list[str] = []
    patience: Patience = Patience()
