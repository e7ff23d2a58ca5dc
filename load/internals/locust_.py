"""Locust: which generators a master still hears, which user classes run, and that its import makes sockets cooperative.

All of it has public names, but no page of Locust promises it; tests/test_load_internals.py says which release changed it.
Only Locust's own processes may import this module: importing Locust changes the whole process.
"""

from __future__ import annotations

from gevent import monkey
from locust import User
from locust.env import Environment
from locust.runners import MasterRunner


def heard_generators(runner: MasterRunner) -> set[str]:
    """Ids of the generators whose heartbeat has not stopped."""
    return {client.id for client in runner.clients.all} - {client.id for client in runner.clients.missing}


def run_only(environment: Environment, user_class: type[User]) -> None:
    """Of all user classes of the file run this one; the runner reads the list when it starts, after the init event."""
    environment.user_classes = [user_class]


def is_cooperative() -> bool:
    """Whether blocking calls of the standard library let other greenlets run, as calls over httpx must."""
    return all(monkey.is_module_patched(name) for name in ("socket", "ssl", "threading", "time", "selectors", "queue"))
