"""Starts PostgreSQL and the clinic's API, waits until it responds, and stops both."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from twin import certificates
from twin.clinic.plan import DATABASE, ClinicPlan, make
from twin.envfile import base_env
from twin.postgres import Postgres
from twin.running import RunningTwin, any_certificate, uvicorn_command

BOOTSTRAP = Path(__file__).parent / "bootstrap.sql"
APPLIED = "directory.schema_migrations"


class ClinicTwin(RunningTwin):
    """One running twin of the Clinic Directory; nothing in it waits, so the speed-up has no effect."""

    def __init__(
        self, _speedup: float = 1.0, change: Callable[[ClinicPlan], None] | None = None, _drills: bool = False
    ) -> None:
        super().__init__("clinic-twin-")
        try:
            self.plan = make(self.folder)
            if change is not None:
                change(self.plan)
        except BaseException:
            self.stop()
            raise

    @property
    def url(self) -> str:
        """Base URL of the API."""
        return self.plan.url

    @property
    def operator_env(self) -> dict[str, str]:
        """The settings that the gate is given."""
        return self.plan.env | self.plan.harness_env

    def start(self) -> None:
        """Start everything; raises TwinError when a part does not come up."""
        plan = self.plan
        certificates.write(plan.file("ca.pem"), plan.file("cert.pem"), plan.file("key.pem"), plan.certificate)
        postgres = Postgres(self.processes, plan.admin_url, plan.ports["postgres"])
        postgres.start_init()
        postgres.start()
        bootstrap = BOOTSTRAP.read_text().replace("{password}", plan.database_password)
        asyncio.run(postgres.build(DATABASE, bootstrap, plan.source / "migrations", APPLIED, plan.sql))
        files = certificates.of_api(plan.file("cert.pem")), certificates.of_api(plan.file("key.pem"))
        command = [sys.executable, *uvicorn_command(plan.ports["api"], *files), *plan.api_arguments]
        self.processes.spawn("api", command, self._env(), plan.source)
        self.await_response("api", plan.ports["api"], "/version", any_certificate(), plan.may_die)

    def _env(self) -> dict[str, str]:
        return (
            base_env(self.plan.file("ca.pem"))
            | self.plan.env
            | {"RELEASE_COMMIT": self.plan.commit, "PYTHONPATH": str(self.plan.source)}
            | self.plan.extra_env.get("api", {})
        )
