"""The control of one running twin: its disturbances, and what they are made with, in a thread of its own."""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import uvicorn

from twin.control import board, kinds
from twin.control.addresses import REACHED, USUAL, Addresses
from twin.control.database import Database
from twin.control.links import Cut, Links
from twin.control.parts import Parts
from twin.control.relay import Effect
from twin.control.releases import Releases
from twin.control.server import create_app
from twin.control.services import Services
from twin.processes import START_SECONDS, TwinError

QUIET_SECONDS = 10.0


@dataclass
class Disturbance:
    """One that holds; `more` is what is said of it beside the request."""

    id: str
    wanted: kinds.Wanted
    since: str
    timer: asyncio.TimerHandle
    more: dict[str, Any] = field(default_factory=dict)


class Control:
    """From `start` to `close`; between them `url` and `token` open it."""

    def __init__(self, parts: Parts, addresses: Addresses) -> None:
        self.token = secrets.token_hex(24)
        self._socket = socket.create_server((USUAL, 0))
        self.url = f"http://{USUAL}:{self._socket.getsockname()[1]}"
        self._parts = parts
        self._links = Links(addresses, parts.config.ports, parts.behind)
        self._services = Services(parts, self._links)
        self._database = Database(parts, self._links)
        self._releases = Releases(parts, self._links, self._services)
        self._found: dict[str, Disturbance] = {}
        self._number = 0
        self._busy = asyncio.Lock()
        self._loop = asyncio.new_event_loop()
        self._ready, self._problem = threading.Event(), ""
        self._closing = asyncio.Event()
        # A process gets a signal when the thread that started it ends, so this one lives as long as the twin.
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    def start(self) -> None:
        """Open the links and serve; raises TwinError."""
        board.write(self._parts.folder, [])
        self._thread.start()
        self._ready.wait(START_SECONDS)
        if self._problem:
            raise TwinError(self._problem)

    def quiet(self) -> None:
        """Nothing is disturbed any more; what stands still is ended, so that all can be."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._quieten(), self._loop).result(2 * QUIET_SECONDS)

    def close(self) -> None:
        """End the links and the thread."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._closing.set)
            self._thread.join()
        self._socket.close()

    async def begin(self, body: Any) -> dict[str, Any]:
        """Carry out a request; raises kinds.Unknown where it cannot be."""
        wanted = kinds.read(body, self._services.names())
        async with self._busy:
            if self._services.is_over:
                raise kinds.Unknown("the twin is ending")
            self._number += 1
            id = f"d{self._number}"
            more = await self._carry_out(id, wanted)
            since = datetime.now(UTC).isoformat()
            timer = self._loop.call_later(wanted.seconds_at_most, self._spawn, id)
            self._found[id] = Disturbance(id, wanted, since, timer, more)
            self._publish()
        # Without the lock: a service may not respond before another disturbance is lifted.
        if wanted.how == "restart" or wanted.kind == "clock":
            await self._await_service(more)
        return {"id": id, "since": since, **more}

    async def lift(self, id: str) -> bool:
        """End a disturbance; False where it has ended before."""
        async with self._busy:
            if (found := self._found.pop(id, None)) is None:
                return False
            found.timer.cancel()
            self._publish()
            self._links.mend(id)
            if found.wanted.kind in ("process", "clock"):
                await self._services.end(id, found.wanted, found.more["process"])
            elif found.wanted.kind == "database":
                await self._database.end(id, found.wanted)
        await self._await_service(found.more)
        return True

    async def _await_service(self, more: dict[str, Any]) -> None:
        """Wait until the service that a disturbance is about responds, where it is about one."""
        if (name := more.get("process")) is not None:
            await self._services.responds(name)

    async def lift_all(self) -> None:
        """End all of them, the last one first, and start what does not run."""
        for id in reversed(list(self._found)):
            await self.lift(id)
        await self._database.revive()
        for name in self._services.names():
            if self._parts.processes.has_ended(name):
                self._parts.host.release(name)

    async def carry_out(self, what: str, body: Any) -> dict[str, bool]:
        """A release, a restart or a restore that the host's double or Supabase's accepted; raises kinds.Unknown."""
        work = {"releases": self._releases.deploy, "restarts": self._releases.restart, "restores": self._releases.restore}[what]
        async with self._busy:
            if self._services.is_over:
                raise kinds.Unknown("the twin is ending")
            return await work(body)

    def overview(self) -> dict[str, Any]:
        """Processes, links and disturbances."""
        return {
            "processes": self._parts.processes.overview(),
            "links": [{"source": source, "target": target} for source, target in self._links.pairs()],
            "disturbances": [self.described(id) for id in self._found],
        }

    def described(self, id: str) -> dict[str, Any]:
        """What is known of a disturbance, also of one that has ended; raises KeyError where there was none."""
        if id not in {f"d{number}" for number in range(1, self._number + 1)}:
            raise KeyError(id)
        seen = board.noted(self._parts.folder, id)
        if (found := self._found.get(id)) is None:
            return {"id": id, "ended": True, "seen": seen}
        return {"id": id, "since": found.since, **found.wanted.as_data(), **found.more, "ended": False, "seen": seen}

    async def _carry_out(self, id: str, wanted: kinds.Wanted) -> dict[str, Any]:
        if wanted.kind == "link":
            effect = Effect(wanted.how, float(wanted.options.get("seconds", 0)))
            self._links.cut(id, Cut(wanted.source, wanted.target, effect))
        elif wanted.kind in ("process", "clock"):
            return dict(await self._services.begin(id, wanted))
        elif wanted.kind == "database":
            await self._database.begin(id, wanted)
        return {}

    def _publish(self) -> None:
        told = [{"id": id, **one.wanted.as_data()} for id, one in self._found.items() if one.wanted.kind in board.KINDS]
        board.write(self._parts.folder, told)

    def _spawn(self, id: str) -> None:
        self._keep(self.lift(id))

    def _keep(self, work: Coroutine[Any, Any, Any]) -> None:
        # The loop itself keeps no strong reference to a task.
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _quieten(self) -> None:
        self._services.is_over = True
        # What is under way still starts processes.
        with suppress(TimeoutError):
            await asyncio.wait_for(self._busy.acquire(), QUIET_SECONDS)
        self._services.kill_stopped()
        self._database.leave()
        self._links.mend_all()
        for found in self._found.values():
            found.timer.cancel()
        self._found.clear()
        self._publish()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except (TwinError, OSError) as error:
            self._problem = str(error)
        finally:
            self._ready.set()
            self._links.close()
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    async def _serve(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        for source in (*(name for name in REACHED if name != "worker"), *self._services.names()):
            self._links.open(source)
        server = uvicorn.Server(uvicorn.Config(create_app(self), log_level="warning", access_log=False, lifespan="off"))
        serving = self._loop.create_task(server.serve(sockets=[self._socket]))
        self._ready.set()
        await self._closing.wait()
        server.should_exit = True
        await serving
