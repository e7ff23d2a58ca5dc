"""Who reaches whom, and over which address of the loopback network.

A part with drills listens where only the relays find it. Everybody reaches it at its usual port: the harness at 127.0.0.1, and
each process of the twin at an address of its own, which `localhost` means in that process (`loopback.py`). So URLs and
certificates are as ever, and one link can be cut without another.
"""

from __future__ import annotations

ANYONE = "anyone"
USUAL = "127.0.0.1"
# Where the doubles listen, and where the database's second server does after a failover.
BEHIND, SPARE = "127.0.0.2", "127.0.0.3"
FIRST = 10
TARGETS = ("openai", "llamaparse", "anthropic", "supabase", "postgres", "api")
# Who reaches what; every worker reaches what `worker` does, and `anyone` is also whoever stands outside.
REACHED: dict[str, tuple[str, ...]] = {
    "api": ("openai", "llamaparse", "anthropic", "supabase", "postgres"),
    "worker": ("openai", "llamaparse", "anthropic", "supabase", "postgres", "api"),
    "llamaparse": ("api",),
    "supabase": ("postgres",),
    ANYONE: TARGETS,
}


def kind_of(source: str) -> str:
    """The name in `REACHED` of a source: every worker is one."""
    return "worker" if source.startswith("worker") else source


class Addresses:
    """The address that each source has for itself."""

    def __init__(self) -> None:
        self._given: dict[str, str] = {ANYONE: USUAL}

    def of(self, source: str) -> str:
        """The source's own address, the same each time."""
        return self._given.setdefault(source, f"127.0.0.{FIRST + len(self._given)}")
