"""Free ports on loopback."""

from __future__ import annotations

import os
import socket

FIRST_PORT = 20000
PORT_BLOCKS = 1000


def free_ports(count: int) -> list[int]:
    """Loopback ports that are free now; raises RuntimeError when there are none.

    They are below the range that the system uses for outgoing connections, at an offset that depends on the process id,
    so that twins that start at the same moment do not choose the same ones.
    """
    for attempt in range(PORT_BLOCKS):
        first = FIRST_PORT + (os.getpid() + attempt) % PORT_BLOCKS * count
        ports = list(range(first, first + count))
        if all(map(_is_free, ports)):
            return ports
    raise RuntimeError("no free ports on loopback")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
