"""The twin's PostgreSQL: a data folder and a server in the twin's folder."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from twin.installation import programs, server_user
from twin.processes import START_SECONDS, Processes, TwinError, path_only

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "64MB",
    "max_connections": "100",
    # Realtime decodes the log of changes.
    "wal_level": "logical",
    "timezone": "UTC",
}
NOTHING: Mapping[str, str] = {}
# A copy of the data folder, and what has the server go on from it to a moment.
BASE = "postgres.base"
RECOVERY = {"restore_command": "false", "recovery_target_action": "promote", "recovery_target_timeline": "latest"}
# The whole log since the copy is kept.
KEEPS_LOG = {"wal_keep_size": "8GB"}


class Postgres:
    """One server in the twin's folder, on a loopback port; `admin_url` is the superuser's connection string."""

    def __init__(self, processes: Processes, admin_url: str, port: int, host: str = "127.0.0.1") -> None:
        self._processes = processes
        self._data = processes.folder / "postgres"
        self._admin_url = urlsplit(admin_url)
        self._port = port
        self._host = host
        self._user = server_user()
        self._programs = programs(processes.folder)

    @property
    def address(self) -> tuple[str, int]:
        """Where the server listens."""
        return self._host, self._port

    def start_init(self) -> None:
        """Start creating the data folder; raises TwinError when the system refuses to."""
        password = self._data.with_name("postgres.pw")
        descriptor = os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(self._admin_url.password or "")
        self._data.mkdir(mode=0o700)
        for path, mode in ((password, 0o600), (self._data, 0o700)):
            path.chmod(mode)
            self._change_owner(path)
        # A run opens a hundred connections, each of which would work for 15 ms on a password that lives for a minute.
        options = [
            "--set=scram_iterations=256",
            "--auth=scram-sha-256",
            "--encoding=utf8",
            "--locale=C",
            "--no-sync",
            "--no-instructions",
            "-U",
            "postgres",
        ]
        command = [str(self._programs / "initdb"), "-D", str(self._data), f"--pwfile={password}", *options]
        self._processes.spawn("initdb", command, path_only(), user=self._user)

    def _change_owner(self, path: Path) -> None:
        if self._user is not None:
            try:
                os.chown(path, self._user.pw_uid, self._user.pw_gid)
            except OSError as error:
                raise TwinError(f"the owner of PostgreSQL's files cannot be {self._user.pw_name!r}: {error}") from error

    def start(self, settings: Mapping[str, str] = NOTHING) -> None:
        """Start the server once its data folder is complete, with these settings beside its own; raises TwinError."""
        self._processes.finish("initdb", START_SECONDS)
        self.serve(settings)

    def serve(self, settings: Mapping[str, str] = NOTHING, host: str = "") -> None:
        """Start a server on the data folder, which no other one uses any more, at another address if one is given."""
        self._host = host or self._host
        own = SETTINGS | {"listen_addresses": self._host, "port": str(self._port)}
        command = [str(self._programs / "postgres"), "-D", str(self._data)]
        for name, value in (own | dict(settings)).items():
            command += ["-c", f"{name}={value}"]
        self._processes.spawn("postgres", command, path_only(), user=self._user, death=signal.SIGQUIT)

    async def keep_base(self) -> None:
        """Keep a copy of the data folder, from which the server can be taken to any later moment."""
        connection = await self.connect("postgres")
        try:
            await connection.execute("SELECT pg_backup_start('base', true)")
            base = self._data.with_name(BASE)
            await asyncio.to_thread(_copy, self._data, base)
            for name in ("postmaster.pid", "postmaster.opts"):
                (base / name).unlink(missing_ok=True)
            label = base / "backup_label"
            label.write_text(await connection.fetchval("SELECT labelfile FROM pg_backup_stop()"))
            self._change_owner(label)
        finally:
            await connection.close()

    async def restore(self, moment: float, settings: Mapping[str, str], ended: Callable[[], None]) -> None:
        """Take the server to an earlier moment (seconds since 1970) by its log; raises TwinError.

        `ended` is called when the server has ended: its clients' connections are of no use any more.
        """
        connection = await self.connect("postgres")
        # Recovery stops before the first transaction after the moment, so there must be one.
        await connection.execute("SELECT pg_current_xact_id()")
        await connection.close()
        await asyncio.to_thread(self._processes.kill, "postgres", signal.SIGINT)
        ended()
        await asyncio.to_thread(self._put_base)
        at = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
        self.serve(dict(settings) | RECOVERY | {"recovery_target_time": at})
        connection = await self.connect("postgres")
        while await connection.fetchval("SELECT pg_is_in_recovery()"):
            await asyncio.sleep(0.05)
        await connection.close()

    def _put_base(self) -> None:
        """The copy in the place of the data folder, with the log that was written since."""
        old = self._data.with_name(f"{self._data.name}.before")
        shutil.rmtree(old, ignore_errors=True)
        self._data.rename(old)
        _copy(old.with_name(BASE), self._data)
        shutil.rmtree(self._data / "pg_wal")
        _copy(old / "pg_wal", self._data / "pg_wal")
        signal_file = self._data / "recovery.signal"
        signal_file.touch(mode=0o600)
        self._change_owner(signal_file)
        shutil.rmtree(old, ignore_errors=True)

    async def connect(self, database: str) -> asyncpg.Connection:
        """A connection of the superuser, as soon as the server accepts one; raises TwinError when it does not start."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return await asyncpg.connect(
                    host=self._host,
                    port=self._port,
                    user=self._admin_url.username,
                    password=self._admin_url.password,
                    database=database,
                    ssl=False,
                    timeout=5,
                )
            except (OSError, asyncpg.CannotConnectNowError) as error:
                if time.monotonic() > deadline or self._processes.has_ended("postgres"):
                    raise TwinError(f"postgres did not start: {self._processes.tail('postgres')}") from error
                await asyncio.sleep(0.02)

    async def build(self, database: str, bootstrap: str, migrations: Path, applied: str, statements: Iterable[str]) -> None:
        """Create a database, run the bootstrap and the migrations, then the statements.

        `applied` is the table of migrations (version, name), which the bootstrap or a migration creates.
        """
        first = await self.connect("postgres")
        await first.execute(f"CREATE DATABASE {database}")
        await first.close()
        admin = await self.connect(database)
        await admin.execute(bootstrap)
        for file in sorted(migrations.glob("*.sql")):
            await admin.execute(file.read_text())
            version, _, name = file.stem.partition("_")
            await admin.execute(f"INSERT INTO {applied} (version, name) VALUES ($1, $2)", version, name)
        for statement in statements:
            await admin.execute(statement)
        await admin.close()


def _copy(source: Path, target: Path) -> None:
    """Copy a folder with its owners."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True, stdin=subprocess.DEVNULL, capture_output=True)
