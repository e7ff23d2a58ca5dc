"""Starts the navigator's processes, waits until all of them respond, and stops them."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import Callable
from pathlib import Path

from twin import certificates, release_next
from twin.config import CONFIG_VARIABLE
from twin.control import site_folder
from twin.control.addresses import BEHIND, REACHED, TARGETS, Addresses, kind_of
from twin.control.control import Control
from twin.control.parts import Parts
from twin.control.releases import Running
from twin.envfile import base_env, write_env
from twin.host import Host
from twin.plan import Plan, make
from twin.postgres import KEEPS_LOG, Postgres
from twin.running import RunningTwin, any_certificate

COMPANY_SECONDS = 60.0
DOUBLES = ("openai", "llamaparse", "anthropic", "render")
PROBES = {
    "api": "/",
    "supabase": "/auth/v1/health",
    "openai": "/v1/models",
    "llamaparse": "/api/v1/projects",
    "anthropic": "/v1/models",
    "render": "/v1/services",
}
BOOTSTRAP = Path(__file__).parent / "bootstrap.sql"
APPLIED = "supabase_migrations.schema_migrations"


class Twin(RunningTwin):
    """One running twin of the navigator."""

    def __init__(self, speedup: float = 60.0, change: Callable[[Plan], None] | None = None, drills: bool = False) -> None:
        super().__init__("navigator-twin-")
        try:
            self.plan = make(self.folder, speedup)
            if change is not None:
                change(self.plan)
        except BaseException:
            self.stop()
            raise
        self.config = self.plan.config
        self._host = Host(self.processes, self.plan.processes if self.plan.restarts else [], self._start_service)
        self._clocks: dict[str, float] = {}
        # What a service was deployed with since the twin started, by `api` or `worker`.
        self._running: dict[str, Running] = {}
        # Services that were started before; a host starts the next process anew.
        self._was_started: set[str] = set()
        self._drills = drills
        if drills:
            # What was acknowledged outlives the server's sudden end.
            self.plan.postgres_settings.setdefault("synchronous_commit", "on")
        self._addresses = Addresses()
        self._control: Control | None = None

    @property
    def url(self) -> str:
        """Base URL of the API."""
        return self.config.url("api")

    @property
    def operator_env(self) -> dict[str, str]:
        """The settings that the gate is given."""
        return self.config.operator_env

    @property
    def worker_env(self) -> dict[str, str]:
        """The worker's environment."""
        return self.config.worker_env

    def start(self) -> None:
        """Start everything; raises TwinError when a part does not come up."""
        files = self.config.ca_file, self.config.cert_file, self.config.key_file
        certificates.write(*files, self.plan.certificate, self.plan.certificates)
        release_next.stand_by(self.plan)
        postgres = Postgres(self.processes, self.config.database_admin_url, self._postgres_port)
        if self._drills:
            self._prepare_drills(postgres)
        self.config.save(self.folder / "twin.json")
        write_env(self.folder / "worker.env", self.config.worker_env)
        postgres.start_init()
        # In a drill every process has links of its own, which it is given when Python starts.
        if not self._drills:
            self.processes.load(base_env(self.config.ca_file))
        for name in DOUBLES:
            self._start_double(name)
        postgres.start(self.plan.postgres_settings)
        bootstrap = BOOTSTRAP.read_text().replace("{password}", self.plan.database_password)
        migrations = self.plan.source / "supabase" / "migrations"
        asyncio.run(postgres.build("staging_db", bootstrap, migrations, APPLIED, self.plan.sql))
        if self._drills:
            asyncio.run(postgres.keep_base())
        if "postgres" in self.config.behaviour:
            self._start_double("line")
        self._start_double("supabase")
        if self._has_proxy:
            self._start_double("proxy")
        if "plain" in self.config.behaviour:
            self._start_double("plain")
        # The services ask for these at once.
        if "postgres" in self.config.behaviour:
            self.await_port("line", self.config.ports["postgres"])
        self._await("supabase")
        self._start_services()
        self._await_all()
        if self.plan.company:
            self._keep_company()
            self._await_all()
        self._host.start()

    def stop(self) -> None:
        """End everything; nothing is started again meanwhile."""
        # Where the plan could not be made, nothing runs.
        if (host := getattr(self, "_host", None)) is not None:
            host.stop()
        control: Control | None = getattr(self, "_control", None)
        if control is not None:
            control.quiet()
        super().stop()
        if control is not None:
            control.close()

    def _prepare_drills(self, postgres: Postgres) -> None:
        """Have every part reach the others over links, and start what can cut them."""
        self.config.behind = dict.fromkeys(TARGETS, BEHIND)
        self.plan.postgres_settings |= KEEPS_LOG
        self.config.database_admin_url = self.config.database_admin_url.replace("@127.0.0.1:", "@localhost:")
        self._site = site_folder.make(self.folder)
        parts = Parts(
            self.config,
            self.processes,
            self._host,
            postgres,
            self._start_service,
            self.plan.postgres_settings,
            list(self.plan.processes),
            self._has_proxy,
            self._clocks,
            self._running,
        )
        self._control = Control(parts, self._addresses)
        self._control.start()
        self.config.operator_env |= {"HARNESS_DRILL_URL": self._control.url, "HARNESS_DRILL_TOKEN": self._control.token}
        self.config.operator_env["HARNESS_NEXT_COMMIT"] = release_next.commit_of(self.plan)

    def _with_links(self, name: str, env: dict[str, str]) -> dict[str, str]:
        """The environment of a process that has links of its own."""
        if not self._drills:
            return env
        own = site_folder.environment(self._site, env["PYTHONPATH"], self._addresses.of(name), self._clocks.get(name, 0.0))
        # Deadlines of calls are divided as well, so that a drill need not wait for them in full.
        return env | own | {"TWIN_PATIENCE_SPEEDUP": f"{self.config.speedup:g}"}

    def _await_all(self) -> None:
        for name in (*DOUBLES, "supabase", *(name for name in self.plan.processes if name in PROBES)):
            self._await(name)
        if "api" in self.plan.processes and self._has_proxy:
            # The proxy responds by itself while the API is still starting.
            self._await("api", "api_inner")

    def _start_double(self, name: str) -> None:
        env = base_env(self.config.ca_file) | {
            CONFIG_VARIABLE: str(self.folder / "twin.json"),
            "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
        }
        if name in REACHED:
            env = self._with_links(name, env)
        if name in self.config.behaviour.get("clock", {}):
            # Its clock is shifted before it imports anything else.
            self.processes.spawn(name, [sys.executable, "-m", "twin.serve", name], env)
        else:
            self.processes.fork(name, ["-m", "twin.serve", name], env)

    @property
    def _postgres_port(self) -> int:
        # A slow line, or a link, takes the public port and forwards to the server.
        is_inner = "postgres" in self.config.behaviour or self._drills
        return self.config.ports["postgres_inner" if is_inner else "postgres"]

    def _service_env(self, name: str, runs: Running) -> dict[str, str]:
        env = (
            base_env(self.config.ca_file)
            | runs.env
            | {"TWIN_SPEEDUP": f"{self.config.speedup:g}", "RENDER_GIT_COMMIT": runs.commit}
            | self.plan.extra_env.get(kind_of(name), {})
            | {"PYTHONPATH": str(runs.tree)}
        )
        return self._with_links(name, env)

    def _runs(self, name: str) -> Running:
        """What a process of a service runs: what was deployed since, or what the plan has."""
        declared = self.config.api_env if name == "api" else self.config.worker_env
        return self._running.get(kind_of(name)) or Running(self.plan.source, self.config.commit, declared)

    @property
    def _has_proxy(self) -> bool:
        behaviour = self.config.behaviour
        return "proxy" in behaviour or any("api" in behaviour.get(what, {}) for what in ("edge", "listen"))

    def _start_services(self) -> None:
        for name in self.plan.processes:
            self._start_service(name)

    def _start_service(self, name: str) -> None:
        """Start the API, or one worker."""
        runs = self._runs(name)
        if name == "api":
            port = self.config.ports["api_inner" if self._has_proxy or self._drills else "api"]
            files = self.config.cert_file, self.config.key_file
            if not self._has_proxy:
                # A proxy presents the API's own certificate; behind it any will do.
                files = certificates.of_api(files[0]), certificates.of_api(files[1])
            command = [*self.plan.api_command(port, *files), *self.plan.api_arguments]
        else:
            command = ["backend/workers/enhanced_runner.py"]
        # What starts further processes of its own starts them as it was started itself.
        if name in self._was_started or "--workers" in command:
            self.processes.spawn(name, [sys.executable, *command], self._service_env(name, runs), runs.tree)
        else:
            self.processes.fork(name, command, self._service_env(name, runs), runs.tree, is_service=True)
        self._was_started.add(name)

    def _keep_company(self) -> None:
        """Let other people use the system."""
        when = self.plan.company
        command = [sys.executable, "-m", "twin.company", self.url, when]
        env = base_env(self.config.ca_file) | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
        self.processes.spawn("company", command, env)
        if when == "before":
            self.processes.finish("company", COMPANY_SECONDS)
            for name in self.plan.processes:
                self.processes.end(name)
            self._start_services()

    def _await(self, name: str, part: str = "") -> None:
        context = any_certificate() if name == "api" else ssl.create_default_context(cafile=self.config.ca_file)
        self.await_response(name, self.config.ports[part or name], PROBES[name], context, self.plan.may_die)
