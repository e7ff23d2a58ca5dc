"""What the control is given of the twin that it breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twin.config import TwinConfig
from twin.control.addresses import BEHIND, USUAL
from twin.control.relay import Address
from twin.host import Host
from twin.postgres import Postgres
from twin.processes import Processes


@dataclass
class Parts:
    """A twin's processes, and who starts them."""

    config: TwinConfig
    processes: Processes
    host: Host
    postgres: Postgres
    # Starts the API or a worker by its name.
    start: Callable[[str], None]
    # Settings of the database's server.
    settings: dict[str, str]
    services: list[str]
    has_proxy: bool
    # Seconds by which a service's clock is off, by its name.
    clocks: dict[str, float] = field(default_factory=dict)
    # What a service was deployed with while the twin runs (`releases.Running`), by `api` or `worker`.
    running: dict[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The twin's folder."""
        return self.processes.folder

    @property
    def has_line(self) -> bool:
        """Whether something stands in front of the database."""
        return "postgres" in self.config.behaviour

    def behind(self, target: str) -> Address:
        """Where a part listens."""
        if target == "postgres" and not self.has_line:
            return self.postgres.address
        if target == "api" and not self.has_proxy:
            return USUAL, self.config.ports["api_inner"]
        return BEHIND, self.config.ports[target]
