"""Processor time and memory of processes, from /proc."""

from __future__ import annotations

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
# Of /proc/PID/stat, counted behind the name in parentheses: user and system time.
USER, SYSTEM = 11, 12


def usage(pid: int) -> tuple[float, int] | None:
    """Seconds of processor time and bytes of memory of a process and its children; None where it has ended."""
    own = _own(pid)
    if own is None:
        return None
    found = [own, *(used for child in _children(pid) if (used := usage(child)) is not None)]
    return sum(seconds for seconds, _ in found), sum(memory for _, memory in found)


def _own(pid: int) -> tuple[float, int] | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return None
    return (int(fields[USER]) + int(fields[SYSTEM])) / TICKS, pages * PAGE


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
