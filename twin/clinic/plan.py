"""The clinic's twin before it starts: environment and source tree, which changes may modify."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.changes import UsageError
from twin.ports import free_ports
from twin.release import Release, copy_source

SOURCE = Path(__file__).parent / "source"
DATABASE = "clinic_staging"
USER = "directory_app"
PARTS = ("api", "postgres")


@dataclass(kw_only=True)
class ClinicPlan(Release):
    """The plan of one Clinic Directory twin. `env` is declared to both the service and the gate."""

    folder: Path
    ports: dict[str, int]
    admin_url: str
    commit: str
    env: dict[str, str]
    harness_env: dict[str, str]

    @property
    def behaviour(self) -> dict[str, Any]:
        """This system has no doubles; raises UsageError."""
        raise UsageError("--behaviour: the clinic has no doubles")

    def set_variable(self, service: str, name: str, value: str) -> None:
        """Set a variable of `api`; raises ValueError for another service."""
        if service != "api":
            raise ValueError(f"there is no service {service!r}: expected api")
        self.env[name] = value

    def file(self, name: str) -> str:
        """Path of a file in the twin's folder."""
        return str(self.folder / name)

    @property
    def url(self) -> str:
        """Base URL of the API."""
        return f"https://localhost:{self.ports['api']}"


def make(folder: Path) -> ClinicPlan:
    """A healthy twin in this folder."""
    ports = dict(zip(PARTS, free_ports(len(PARTS)), strict=True))
    password, commit = secrets.token_hex(16), secrets.token_hex(20)
    source = copy_source(SOURCE, folder)
    plan = ClinicPlan(
        source=source,
        database_password=password,
        folder=folder,
        ports=ports,
        admin_url=f"postgresql://postgres:{secrets.token_hex(16)}@127.0.0.1:{ports['postgres']}/{DATABASE}",
        commit=commit,
        env={},
        harness_env={
            "HARNESS_TARGET_NAME": "clinic-twin",
            "HARNESS_CA_FILE": str(folder / "ca.pem"),
            "HARNESS_SOURCE_TREE": str(source),
            "HARNESS_EXPECTED_COMMIT": commit,
        },
    )
    plan.env |= {
        "APP_ENV": "staging",
        "RELEASE_VERSION": "2.4.0",
        "API_BASE_URL": plan.url,
        "DATABASE_URL": f"postgresql://{USER}:{password}@localhost:{ports['postgres']}/{DATABASE}",
        "DB_SCHEMA": "directory",
        "DIRECTORY_API_TOKEN": f"staging-directory-{secrets.token_hex(20)}",
        "ALLOWED_ORIGINS": "https://staging.clinics.example,https://desk.staging.clinics.example",
        "ALLOWED_HOSTS": "staging.clinics.example,api.staging.clinics.example",
        "MAX_PAGE_SIZE": "50",
        "REQUEST_LIMIT_BYTES": "16384",
        "LOG_FORMAT": "json",
    }
    return plan
