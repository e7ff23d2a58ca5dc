"""The database: restarted, failed over, read-only, without connections, slow."""

from __future__ import annotations

import asyncio
import signal
from urllib.parse import urlsplit

import asyncpg

from twin.control.addresses import ANYONE, SPARE, USUAL
from twin.control.kinds import Wanted
from twin.control.links import Cut, Links
from twin.control.parts import Parts
from twin.control.relay import Effect

NAME = "postgres"
DATABASE = "staging_db"


class Database:
    """Acts on the server; the control's own connections do not go over a link."""

    def __init__(self, parts: Parts, links: Links) -> None:
        self._parts, self._links = parts, links
        self._starting: asyncio.Task[None] | None = None

    async def begin(self, id: str, wanted: Wanted) -> None:
        """Carry out a request of the kind `database`."""
        if wanted.how in ("restart", "failover"):
            await self._end_server(wanted.how, float(wanted.options.get("seconds", 0)))
        elif wanted.how == "read_only":
            await self._execute("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
        elif wanted.how == "connections":
            await self._use_up(int(wanted.options["free"]), drop=bool(wanted.options.get("drop")))
        else:
            self._links.cut(id, Cut(ANYONE, NAME, Effect("slow", float(wanted.options["seconds"]))))

    async def end(self, id: str, wanted: Wanted) -> None:
        """What the request broke is whole again."""
        await self.revive()
        if wanted.how == "read_only":
            await self._execute("ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()")
        elif wanted.how == "connections":
            await self._execute(f"ALTER ROLE {self._user} CONNECTION LIMIT -1")

    def leave(self) -> None:
        """Start no server any more."""
        if self._starting is not None:
            self._starting.cancel()
        self._starting = None

    async def revive(self) -> None:
        """Start the server if it does not run, and wait until it lets clients in."""
        self.leave()
        if self._parts.processes.has_ended(NAME):
            self._parts.postgres.serve(self._parts.settings)
        await (await self._parts.postgres.connect(DATABASE)).close()

    @property
    def _user(self) -> str:
        """The role of the services."""
        return str(urlsplit(self._parts.config.operator_env["DATABASE_URL"]).username)

    async def _end_server(self, how: str, seconds: float) -> None:
        # A failover is no orderly end: the server is gone at once, and its clients with it.
        number = signal.SIGINT if how == "restart" else signal.SIGQUIT
        await self.revive()
        await asyncio.to_thread(self._parts.processes.kill, NAME, number)
        for relay in self._links.of(NAME).values():
            relay.reset()
        host = self._parts.postgres.address[0]
        if how == "failover" and not self._parts.has_line:
            host = SPARE if host == USUAL else USUAL
        self._starting = asyncio.get_running_loop().create_task(self._start_after(seconds, host))

    async def _start_after(self, seconds: float, host: str) -> None:
        await asyncio.sleep(seconds)
        self._parts.postgres.serve(self._parts.settings, host)

    async def _use_up(self, free: int, *, drop: bool) -> None:
        connection = await self._parts.postgres.connect(DATABASE)
        try:
            if drop:
                ended = "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE usename = $1"
                await connection.execute(f"ALTER ROLE {self._user} CONNECTION LIMIT 0")
                await connection.fetch(ended, self._user)
            used = await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE usename = $1", self._user)
            await connection.execute(f"ALTER ROLE {self._user} CONNECTION LIMIT {used + free}")
        finally:
            await connection.close()

    async def _execute(self, *statements: str) -> None:
        connection: asyncpg.Connection = await self._parts.postgres.connect(DATABASE)
        try:
            await connection.execute("SET default_transaction_read_only = off")
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()
