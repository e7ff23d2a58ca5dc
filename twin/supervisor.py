"""Starts the twin's processes, waits until all of them answer, and takes everything down again."""

from __future__ import annotations

import asyncio
import os
import shutil
import ssl
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.client import HTTPException, HTTPSConnection
from pathlib import Path

import trustme

from twin.config import CONFIG_VARIABLE
from twin.plan import Plan, make, write_env
from twin.postgres import Postgres, make_folder
from twin.processes import Processes, TwinError

START_SECONDS = 30.0
DOUBLES = ("openai", "llamaparse", "anthropic", "render")
PROBES = {
    "api": "/",
    "supabase": "/auth/v1/health",
    "openai": "/v1/models",
    "llamaparse": "/api/v1/projects",
    "anthropic": "/v1/models",
    "render": "/v1/services",
}


class Twin:
    """One running twin; use as a context manager."""

    def __init__(self, speedup: float = 60.0, change: Callable[[Plan], None] | None = None) -> None:
        self.folder = make_folder("navigator-twin-")
        self.processes = Processes(self.folder)
        try:
            self.plan = make(self.folder, speedup)
            if change is not None:
                change(self.plan)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self.config = self.plan.config

    def __enter__(self) -> Twin:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything; raises TwinError when a part does not come up."""
        self._certificates()
        config_file = self.folder / "twin.json"
        self.config.save(config_file)
        write_env(self.folder / "worker.env", self.config.worker_env)
        postgres = Postgres(self.processes, self.config.database_admin_url, self._postgres_port)
        postgres.start_init()
        for name in DOUBLES:
            self._start_double(name)
        postgres.start()
        asyncio.run(self._build_database(postgres))
        if "postgres" in self.config.behaviour:
            self._start_double("line")
        self._start_double("supabase")
        self._start_services()
        expected = [*DOUBLES, "supabase", *(name for name in self.plan.processes if name in PROBES)]
        for name in expected:
            self._await_answer(name)

    def stop(self) -> None:
        """End what was started, by pid, and remove the folder."""
        self.processes.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _certificates(self) -> None:
        ca = trustme.CA()
        leaf = (
            self.plan.certificate(ca)
            if self.plan.certificate
            else ca.issue_cert("localhost", "127.0.0.1", not_after=datetime.now(UTC) + timedelta(days=30))
        )
        good = ca.issue_cert("localhost", "127.0.0.1")
        ca.cert_pem.write_to_path(self.config.ca_file)
        for certificate, suffix in ((good, ""), (leaf, "-api")):
            certificate.private_key_pem.write_to_path(self.config.key_file.replace("key.pem", f"key{suffix}.pem"))
            Path(self.config.key_file.replace("key.pem", f"key{suffix}.pem")).chmod(0o600)
            chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
            Path(self.config.cert_file.replace("cert.pem", f"cert{suffix}.pem")).write_bytes(chain)

    def _base_env(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        # The twin's services reach only the twin, so its own authority is the only one they trust.
        return kept | {"SSL_CERT_FILE": self.config.ca_file, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}

    def _start_double(self, name: str) -> None:
        env = self._base_env() | {
            CONFIG_VARIABLE: str(self.folder / "twin.json"),
            "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
        }
        self.processes.spawn(name, [sys.executable, "-m", "twin.serve", name], env)

    @property
    def _postgres_port(self) -> int:
        # A slow line stands between the public port and the server.
        return self.config.ports["postgres_inner" if "postgres" in self.config.behaviour else "postgres"]

    async def _build_database(self, postgres: Postgres) -> None:
        first = await postgres.connect("postgres")
        await first.execute("CREATE DATABASE staging_db")
        await first.close()
        admin = await postgres.connect("staging_db")
        bootstrap = (Path(__file__).parent / "bootstrap.sql").read_text()
        await admin.execute(bootstrap.replace("{password}", self.plan.database_password))
        for file in sorted((self.plan.source / "supabase/migrations").glob("*.sql")):
            await admin.execute(file.read_text())
            version, _, name = file.stem.partition("_")
            await admin.execute(
                "INSERT INTO supabase_migrations.schema_migrations (version, name) VALUES ($1, $2)", version, name
            )
        for statement in self.plan.sql:
            await admin.execute(statement)
        await admin.close()

    def _service_env(self, name: str, declared: dict[str, str]) -> dict[str, str]:
        return (
            self._base_env()
            | declared
            | {"TWIN_SPEEDUP": f"{self.config.speedup:g}", "RENDER_GIT_COMMIT": self.config.commit}
            | self.plan.extra_env.get(name, {})
        )

    @property
    def _has_proxy(self) -> bool:
        return "proxy" in self.config.behaviour

    def _start_services(self) -> None:
        if self._has_proxy:
            self._start_double("proxy")
        source = self.plan.source
        python_path = {"PYTHONPATH": str(source)}
        if "api" in self.plan.processes:
            command = [sys.executable, "-m", "uvicorn", "main:app", "--host", "127.0.0.1"]
            command += [
                "--port",
                str(self.config.ports["api_inner" if self._has_proxy else "api"]),
                "--timeout-keep-alive",
                "75",
            ]
            command += ["--ssl-certfile", self.config.cert_file.replace("cert.pem", "cert-api.pem")]
            command += ["--ssl-keyfile", self.config.key_file.replace("key.pem", "key-api.pem")]
            command += ["--no-access-log", "--timeout-graceful-shutdown", "1", *self.plan.api_arguments]
            self.processes.spawn("api", command, self._service_env("api", self.config.api_env) | python_path, source)
        if "worker" in self.plan.processes:
            command = [sys.executable, "backend/workers/enhanced_runner.py"]
            self.processes.spawn("worker", command, self._service_env("worker", self.config.worker_env) | python_path, source)

    def _await_answer(self, name: str) -> None:
        context = ssl.create_default_context(cafile=self.config.ca_file)
        if name == "api":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                connection = HTTPSConnection("127.0.0.1", self.config.ports[name], timeout=10, context=context)
                connection.request("GET", PROBES[name], headers={"Host": f"localhost:{self.config.ports[name]}"})
                connection.getresponse().read()
                connection.close()
                return
            except (TimeoutError, OSError, HTTPException) as error:
                if self.processes.has_ended(name):
                    if self.plan.may_die:
                        return
                    raise TwinError(f"{name} ended at start-up: {self.processes.tail(name)}") from error
                if time.monotonic() > deadline:
                    raise TwinError(f"{name} did not answer: {self.processes.tail(name)}") from error
                time.sleep(0.03)
