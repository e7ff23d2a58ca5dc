"""What runs on the twin because of a deploy or a restart: the double tells the twin's control, where there is one.

A deploy runs with the environment that its service had when it began; a rollback with the one that the deploy had which it
goes back to, and the service's settings stay as they are, as the host documents it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Literal

from twin.config import TwinConfig
from twin.doubles.host_calls import Host
from twin.doubles.render.answers import Json
from twin.doubles.render.description import API, WORKER

State = Literal["", "starting", "up", "down"]
NAMES = {API: "api", WORKER: "worker"}
# Where release N+1 lies, as the twin tells the operator.
NEXT_COMMIT, NEXT_TREE, TREE = "HARNESS_NEXT_COMMIT", "HARNESS_NEXT_TREE", "HARNESS_SOURCE_TREE"


class Fleet:
    """The processes of the services, as deploys replace them."""

    def __init__(self, config: TwinConfig) -> None:
        self._host = Host(config)
        given = config.operator_env
        self._trees = {config.commit: given.get(TREE, ""), given.get(NEXT_COMMIT, ""): given.get(NEXT_TREE, "")}
        self._environments: dict[str, dict[str, str]] = {}
        self._states: dict[str, State] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def runs(self, service_id: str) -> bool:
        """Whether processes of the twin stand for a service."""
        return self._host.is_there and service_id in NAMES

    def remember(self, deploy_id: str, environment: dict[str, str]) -> None:
        """Keep the environment that a deploy runs with."""
        self._environments[deploy_id] = dict(environment)

    def environment_of(self, deploy_id: str) -> dict[str, str] | None:
        """The environment of a deploy, where it is known."""
        return self._environments.get(deploy_id)

    def state(self, deploy_id: str) -> State:
        """How far the processes of a deploy are."""
        return self._states.get(deploy_id, "")

    def start(self, service_id: str, deploy: Json) -> None:
        """Have the processes of a service be those of a deploy."""
        if self._states.get(deploy["id"]) == "starting":
            return
        self._states[deploy["id"]] = "starting"
        self._spawn(self._deploy(service_id, deploy))

    def restart(self, service_id: str) -> None:
        """Have the processes of a service begin anew."""
        self._spawn(self._ask("restarts", {"service": NAMES[service_id]}))

    async def _deploy(self, service_id: str, deploy: Json) -> None:
        tree = self._trees.get(deploy["commit"]["id"], "")
        body = {"service": NAMES[service_id], "tree": tree, "commit": deploy["commit"]["id"]}
        found = await self._ask("releases", body | {"env": self._environments.get(deploy["id"], {})})
        self._states[deploy["id"]] = "up" if found.get("up") else "down"

    async def _ask(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            return await self._host.ask(what, body)
        except OSError:
            return {}

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        # The loop itself keeps no strong reference to a task.
        task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
