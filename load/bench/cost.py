"""Cost: how punctually and how many requests a generator can send, side by side with plain Locust and wrk."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from load.bench.processes import asgi, closed_run, on_core, open_run, running
from load.ports import free_port

USERS = 50
PUNCTUAL_RATE = 500
LATE_SHARE = 0.01
STEPS, STEP = 13, 0.04
# Open arrivals are tried from this share of the plain rate downwards.
FIRST_SHARE = 0.92
CONFIG = """
worker_processes {processes}; daemon off; error_log stderr crit; pid {folder}/nginx.pid;
events {{ worker_connections 8192; }}
http {{ access_log off; keepalive_requests 1000000; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 "ok"; }} }} }}
"""


@dataclass(frozen=True)
class Capacity:
    """Rates: open arrivals over plain FastHttpUser, and two workers over one."""

    against_plain: float
    two_over_one: float


@dataclass(frozen=True)
class Nginx:
    """A server that is not the limit, with its files in `folder`."""

    folder: str
    port: int

    def command(self, processes: int, core: int | None = None) -> list[str]:
        """Its command, after its configuration for so many processes was written."""
        config = Path(self.folder) / "nginx.conf"
        config.write_text(CONFIG.format(folder=self.folder, port=self.port, processes=processes))
        return [*on_core(core), "nginx", "-c", str(config), "-p", self.folder]


def punctuality(seconds: float) -> tuple[list[str], float]:
    """500 requests a second on one core: lines of the page, and the share that started within 5 ms."""
    port = free_port()
    with running(asgi(port, core=1), port):
        found = open_run(port, PUNCTUAL_RATE, seconds, core=0)
    share = 1 - found.late_5ms_share
    return [
        "",
        f"At {PUNCTUAL_RATE} requests a second on one core for {seconds:g} s, {share:.2%} of {found.count} requests started",
        f"within 5 ms of their schedule (99 % within {found.lag_p99:.2f} ms), {found.errors} failed.",
    ], share


def _sustained(port: int, seconds: float, core: int | None, top: float, workers: int = 1) -> float:
    """The highest rate, from `top` downwards, at which open arrivals keep their schedule; 0 where half of it is too much."""
    for step in range(STEPS):
        rate = top * (1 - STEP * step)
        found = open_run(port, rate, seconds, core, workers)
        if not found.dropped and not found.errors and found.late_share <= LATE_SHARE:
            return rate
    return 0.0


def capacity(seconds: float) -> tuple[list[str], Capacity]:
    """Rates side by side: lines of the page, and their ratios; 0 where nginx is not installed."""
    port = free_port()
    lines = ["", "Requests a second on one core, one after another on a bare ASGI server on the other core:", ""]
    with running(asgi(port, core=1), port):
        lines += _rates(port, seconds)[0]
    if shutil.which("nginx") is None:
        lines += ["", "nginx is not installed: the rates above are limited by the server. (Debian: nginx-light)"]
        return lines, Capacity(0.0, 0.0)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        nginx = Nginx(folder, free_port())
        with running(nginx.command(1, core=1), nginx.port):
            rows, plain, alone = _rates(nginx.port, seconds)
        lines += ["", "The same on nginx, which is not the limit:", "", *rows]
        one = _with_its_target(nginx, seconds, alone, workers=1)
        two = _with_its_target(nginx, seconds, 2.0 * one, workers=2)
        pairs = _plain_twice(nginx, seconds)
    lines += [
        "",
        f"Open arrivals keep a rate of {alone / plain:.0%} of what plain FastHttpUser brings through in a closed loop.",
        f"One generator and its target on one core keep {one:,.0f} a second; two generators and their target on two",
        f"cores keep {two:,.0f}, {two / one:.2f} times as many. Two plain Locust processes, which share nothing,",
        f"bring {pairs:.2f} times what one brings: with {os.cpu_count()} cores each generator shares its core with the target.",
    ]
    return lines, Capacity(alone / plain, two / one)


def _with_its_target(nginx: Nginx, seconds: float, top: float, workers: int) -> float:
    """The rate that generators keep, each on a core that it shares with a process of the target."""
    with running(nginx.command(workers, core=0 if workers == 1 else None), nginx.port):
        return _sustained(nginx.port, seconds, 0, top, workers)


def _plain_twice(nginx: Nginx, seconds: float) -> float:
    """Two independent plain Locust processes over one, each with its target on its core: what this machine gives at best."""
    with running(nginx.command(1, core=0), nginx.port):
        one = closed_run(nginx.port, "Fast", USERS, seconds, core=0).rate
    with running(nginx.command(2), nginx.port), ThreadPoolExecutor(2) as pool:
        both = pool.map(lambda core: closed_run(nginx.port, "Fast", USERS, seconds, core=core).rate, (0, 1))
        return sum(both) / one


def _rates(port: int, seconds: float) -> tuple[list[str], float, float]:
    """Rows of the page, and the rates of plain FastHttpUser and of open arrivals."""
    plain = closed_run(port, "Fast", USERS, seconds, core=0).rate
    alone = _sustained(port, seconds, 0, FIRST_SHARE * plain)
    found = {
        "plain Locust, FastHttpUser, closed loop": plain,
        "plain Locust, HttpUser, closed loop": closed_run(port, "Plain", USERS, seconds, core=0).rate,
        "open arrivals, schedule kept": alone,
    }
    if (rate := _wrk(port, seconds)) is not None:
        found["wrk, closed loop"] = rate
    lines = ["| generator | requests a second | against FastHttpUser |", "|---|---|---|"]
    return lines + [f"| {name} | {rate:,.0f} | {rate / plain:.2f} |" for name, rate in found.items()], plain, alone


def _wrk(port: int, seconds: float) -> float | None:
    """The rate that wrk brings through, or None where it is not installed."""
    if (wrk := shutil.which("wrk")) is None:
        return None
    command = [*on_core(0), wrk, "-t1", f"-c{USERS}", f"-d{seconds:g}s", f"http://127.0.0.1:{port}/"]
    match = re.search(r"Requests/sec:\s*([\d.]+)", subprocess.run(command, capture_output=True, text=True).stdout)
    return float(match[1]) if match else None
