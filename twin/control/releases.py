"""What the host of the twin does when a release goes live, and what Supabase does when it restores: for their doubles.

A service runs what it was deployed with: a source tree, a commit and an environment, in the place of the plan's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.control.kinds import Unknown
from twin.control.links import Links
from twin.control.parts import Parts
from twin.control.services import Services

NAME = "postgres"
DATABASE = "staging_db"
# A worker that ends at once is seen within this time.
STEADY_SECONDS = 0.5


@dataclass(frozen=True)
class Running:
    """What a service runs in the place of what the plan has for it."""

    tree: Path
    commit: str
    env: dict[str, str]


class Releases:
    """Carries out what the doubles of the host and of Supabase accepted."""

    def __init__(self, parts: Parts, links: Links, services: Services) -> None:
        self._parts, self._links, self._services = parts, links, services

    async def deploy(self, body: Any) -> dict[str, bool]:
        """Run a service with another release; whether all its processes are up. Raises Unknown."""
        try:
            service = str(body["service"])
            found = Running(Path(body["tree"]), str(body["commit"]), {str(k): str(v) for k, v in body["env"].items()})
        except (KeyError, TypeError, AttributeError) as error:
            raise Unknown(f"release: {type(error).__name__}: {error}") from error
        if not found.tree.is_dir():
            raise Unknown(f"release: {found.tree} is no folder")
        self._parts.running[service] = found
        return await self.restart(body)

    async def restart(self, body: Any) -> dict[str, bool]:
        """Restart the processes of a service; whether all of them are up. Raises Unknown."""
        service = str(body.get("service"))
        names = [name for name in self._services.names() if name.startswith(service)]
        if not names:
            raise Unknown(f"release: there is no service {service}")
        for name in names:
            await self._services.restart(name)
        return {"up": await self._stay_up(names)}

    async def _stay_up(self, names: Iterable[str]) -> bool:
        await asyncio.sleep(STEADY_SECONDS)
        return not any(self._parts.processes.has_ended(name) for name in names)

    async def restore(self, body: Any) -> dict[str, bool]:
        """Take the whole server back to a moment, in seconds since 1970; raises Unknown."""
        try:
            moment = float(body["to"])
        except (KeyError, TypeError, ValueError) as error:
            raise Unknown(f"restore: {type(error).__name__}: {error}") from error
        await self._parts.postgres.restore(moment, self._parts.settings, self._reset_links)
        return {"restored": True}

    def _reset_links(self) -> None:
        for relay in self._links.of(NAME).values():
            relay.reset()
