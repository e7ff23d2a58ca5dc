"""The API and the workers: killed, stopped, restarted, started."""

from __future__ import annotations

import asyncio
import signal
from functools import partial

from twin.control.armed import Armed
from twin.control.kinds import Unknown, Wanted
from twin.control.links import Links
from twin.control.parts import Parts
from twin.processes import START_SECONDS

PROBE_SECONDS = 0.02
# A worker that cannot start is not waited for longer.
WORKER_SECONDS = 10.0


class Services:
    """Acts on services by name, together with the host that takes care of them."""

    def __init__(self, parts: Parts, links: Links) -> None:
        self._parts, self._links = parts, links
        self._stopped: dict[str, int] = {}
        self._armed: dict[str, Armed] = {}
        # Services that the host leaves as they are, by the disturbance.
        self._held: dict[str, set[str]] = {}
        # Set when the twin ends: what is under way comes to its end soon.
        self.is_over = False

    def names(self) -> tuple[str, ...]:
        """The services that there are."""
        return tuple(self._parts.services)

    async def begin(self, id: str, wanted: Wanted) -> dict[str, str]:
        """Carry out a request of the kinds `process` and `clock`; returns what is to be said of it."""
        name = wanted.target
        if wanted.kind == "clock":
            self._parts.clocks[name] = float(wanted.options["seconds"])
            await self._start_again(name)
        elif "when_status" in wanted.options:
            await self._arm(id, wanted)
        elif wanted.how == "kill":
            await self.kill(id, name, hold=bool(wanted.options.get("hold")))
        elif wanted.how == "stop":
            self._stopped[id] = self._parts.processes.pid(name)
            self._hold(id, name)
            self._parts.processes.send(name, signal.SIGSTOP)
        elif wanted.how == "restart":
            await self._start_again(name)
        else:
            name = await self.start_another(name)
        return {"process": name}

    async def end(self, id: str, wanted: Wanted, name: str) -> None:
        """What the request broke is whole again, as far as this process goes."""
        host, processes = self._parts.host, self._parts.processes
        if name not in self._parts.services:
            # A worker that was started by a disturbance which has ended before this one.
            return
        if wanted.how == "start":
            host.forget(name)
            self._parts.services.remove(name)
            await asyncio.to_thread(processes.end, name)
            return
        if (armed := self._armed.pop(id, None)) is not None:
            await armed.end()
        if id in self._stopped:
            del self._stopped[id]
            processes.send(name, signal.SIGCONT)
        if wanted.kind == "clock" and self._parts.clocks.pop(name, None) is not None:
            await self.restart(name)
        held = {name, *self._held.pop(id, ())}
        for other in held.difference(*self._held.values()):
            host.release(other)

    async def _arm(self, id: str, wanted: Wanted) -> None:
        if wanted.how != "kill" or not wanted.target.startswith("worker"):
            raise Unknown("when_status: only a worker is killed while it works on a job")
        if self._armed:
            raise Unknown("when_status: one such disturbance holds already")
        hold = bool(wanted.options.get("hold"))
        self._armed[id] = Armed(id, wanted, self._parts, self._links, partial(self.kill, id, hold=hold))
        await self._armed[id].begin()

    async def kill(self, id: str, name: str, *, hold: bool) -> None:
        """End a process as a machine does that fails; with `hold` the host does not start it again."""
        if hold:
            self._hold(id, name)
        if not self._parts.processes.has(name):
            raise Unknown(f"process: {name} does not run")
        await asyncio.to_thread(self._parts.processes.kill, name, signal.SIGKILL)

    def _hold(self, id: str, name: str) -> None:
        self._held.setdefault(id, set()).add(name)
        self._parts.host.hold(name)

    async def restart(self, name: str) -> None:
        """End a process as a host does before it starts the next one, start that, and wait until it is ready."""
        made = self._links.of("postgres")[name].made
        await self._start_again(name)
        if name == "api":
            await self.responds(name)
        else:
            await self._uses_database(name, made)

    async def _start_again(self, name: str) -> None:
        self._parts.host.hold(name)
        try:
            await asyncio.to_thread(self._parts.processes.end, name)
            if not self.is_over:
                self._parts.start(name)
        finally:
            self._parts.host.release(name)

    async def start_another(self, wanted: str) -> str:
        """Start a worker beside the others, by this name if it is free; returns its name."""
        if not wanted.startswith("worker"):
            raise Unknown("process: only another worker can be started")
        taken = self.names()
        name = wanted if wanted not in taken else next(f"worker{n}" for n in range(2, 1000) if f"worker{n}" not in taken)
        self._links.open(name)
        self._parts.start(name)
        self._parts.services.append(name)
        self._parts.host.watch(name)
        for armed in self._armed.values():
            armed.watch()
        return name

    def kill_stopped(self) -> None:
        """End the processes that no other signal would end."""
        for name in set().union(*self._held.values()):
            if self._parts.processes.has(name):
                self._parts.processes.send(name, signal.SIGKILL)

    async def responds(self, name: str) -> None:
        """Wait until the API lets clients in, or has ended again; a worker gives no such sign."""
        for _ in range(int(START_SECONDS / PROBE_SECONDS) if name == "api" else 0):
            if self.is_over:
                return
            if not self._parts.processes.has(name):
                # Another disturbance has ended it, and starts it again.
                await asyncio.sleep(PROBE_SECONDS)
                continue
            if self._parts.processes.has_ended(name):
                return
            try:
                _, writer = await asyncio.open_connection(*self._parts.behind("api"))
            except OSError:
                await asyncio.sleep(PROBE_SECONDS)
                continue
            writer.close()
            return

    async def _uses_database(self, name: str, made: int) -> None:
        """Wait until a connection to the database was made beyond so many."""
        relay = self._links.of("postgres")[name]
        for _ in range(int(WORKER_SECONDS / PROBE_SECONDS)):
            if self.is_over or relay.made > made:
                return
            await asyncio.sleep(PROBE_SECONDS)
