"""Runs the benchmarks one after another and writes docs/benchmarks.md; exit code 1 when the figures are not good enough.

`python -m load.bench [--quick]`. Accuracy: a server that freezes, seen by open arrivals and by plain Locust; the truth comes
from the schedule and the server's own log. Cost: how many requests a generator can send, side by side with plain Locust and
wrk. Comparison: fifty A/B trials with a true slow-down and fifty without (load/trials.py).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection
from typing import Any

from load import trials
from load.bench import at_percents
from twin.plan import free_ports

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
MARKDOWN_FILE = ROOT / "docs" / "benchmarks.md"
START_SECONDS = 20.0
ERROR_AT_MOST, ON_TIME_AT_LEAST, RATE_AT_LEAST, TWO_AT_LEAST = 0.05, 0.99, 0.7, 1.7
NGINX = """
worker_processes {processes}; daemon off; error_log stderr crit; pid {folder}/nginx.pid;
events {{ worker_connections 8192; }}
http {{ access_log off; keepalive_requests 1000000; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ return 200 "ok"; }} }} }}
"""


@dataclass(frozen=True)
class Experiment:
    """A server of this pace that freezes: pairs of seconds after the first request."""

    title: str
    freezes: list[tuple[float, float]]


EXPERIMENTS = (
    Experiment("frozen 6 s of 15 s", [(5.0, 11.0)]),
    Experiment("frozen 200 ms every 2 s", [(n + 1.0, n + 1.2) for n in range(0, 14, 2)]),
)
WORK_SECONDS, RATE, SECONDS = 0.02, 100, 15


@contextmanager
def running(command: list[str], port: int, env: dict[str, str], cwd: Path = ROOT) -> Iterator[None]:
    """A server as a process, from its first answer on; raises RuntimeError when it does not start."""
    process = subprocess.Popen(command, cwd=cwd, env=os.environ | env, stdin=subprocess.DEVNULL)
    deadline = time.monotonic() + START_SECONDS
    try:
        while True:
            try:
                create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command[0]} did not start") from None
                time.sleep(0.05)  # a port gives no other sign
        yield
    finally:
        process.terminate()
        process.wait()


def asgi(port: int, core: int | None = None) -> list[str]:
    """Command of the bare ASGI server."""
    command = [sys.executable, "-m", "uvicorn", "load.bench.server:app", "--port", str(port), "--log-level", "error"]
    return [*on_core(core), *command, "--backlog", "4096"]


def on_core(core: int | None) -> list[str]:
    """Prefix of a command that may use one core only."""
    return ["taskset", "-c", str(core)] if core is not None and shutil.which("taskset") and (os.cpu_count() or 1) > core else []


def locust(file: str, port: int, arguments: list[str], core: int | None = None) -> list[str]:
    """Command of a headless Locust run with one of the bench's locustfiles."""
    return [*on_core(core), sys.executable, "-m", "locust", "-f", str(HERE / file), "--host", f"http://127.0.0.1:{port}",
            "--only-summary", "--stop-timeout", "10", *arguments]  # fmt: skip


def result(command: list[str], env: dict[str, str]) -> dict[str, Any]:
    """What a locustfile of the bench printed; raises RuntimeError with its last words."""
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)} | env, cwd=ROOT)
    found = next((line for line in done.stdout.splitlines() if line.startswith("RESULT")), None)
    if found is None:
        raise RuntimeError(f"no result: {done.stderr[-500:]}")
    parsed: dict[str, Any] = json.loads(found.removeprefix("RESULT"))
    return parsed


def open_run(port: int, rate: float, seconds: float, core: int | None = None, workers: int = 1, **more: str) -> dict[str, Any]:
    """Open arrivals in one process, or in a master and workers (each on a core of its own, where there are enough)."""
    env = {"BENCH_RATE": str(rate), "BENCH_SECONDS": str(seconds)} | more
    if workers == 1:
        return result(locust("open_arrivals.py", port, ["--headless", "-u", "1"], core), env)
    bus = str(free_ports(1)[0])
    started = [
        subprocess.Popen(
            locust("open_arrivals.py", port, ["--worker", "--master-port", bus], core=number),
            env=os.environ | {"PYTHONPATH": str(ROOT)} | env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for number in range(workers)
    ]  # fmt: skip
    master = ["--headless", "--master", "--master-bind-port", bus, "--expect-workers", str(workers)]
    try:
        return result(locust("open_arrivals.py", port, [*master, "-u", str(workers), "-r", str(workers)]), env)
    finally:
        for process in started:
            process.terminate()
            process.wait()


def closed_run(port: int, client: str, users: int, seconds: float, core: int | None = None, pace: float = 0) -> dict[str, Any]:
    """Plain Locust."""
    env = {"BENCH_CLIENT": client, "BENCH_THROUGHPUT": str(pace)}
    arguments = ["--headless", "-u", str(users), "-r", str(users), "-t", f"{seconds:g}s"]
    return result(locust("closed_loop.py", port, arguments, core), env)


# ── accuracy ─────────────────────────────────────────────────────────────────────────────────────────────


def accuracy(lines: list[str]) -> float:
    """Both experiments; answers the largest relative error of open arrivals."""
    worst = 0.0
    for experiment in EXPERIMENTS:
        found = _measured(experiment)
        truth = found["truth"]
        lines += ["", f"### {experiment.title}", "", "| | p50 | p90 | p95 | p99 |", "|---|---|---|---|---|"]
        lines.append(f"| truth | {' | '.join(f'{value:.0f} ms' for value in truth)} |")
        lines.append(_row("open arrivals, response time", found["response"], truth))
        lines.append(_row("open arrivals, service time", found["service"], truth))
        for client in ("FastHttpUser", "HttpUser"):
            lines.append(_row(f"plain Locust, {client}", _closed(experiment, client)["response"], truth))
        lines += ["", f"{found['count']} requests; 99 % of them started within {found['lag_p99']:.1f} ms of their schedule."]
        worst = max([worst, *(abs(v / t - 1) for v, t in zip(found["response"], truth, strict=True))])
    return worst


def _measured(experiment: Experiment) -> dict[str, Any]:
    port = free_ports(1)[0]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        log = Path(folder) / "server.log"
        with running(asgi(port), port, _server_env(experiment) | {"LOG": str(log)}):
            found = open_run(port, RATE, SECONDS, BENCH_NUMBERED="1")
        ended = dict(line.split() for line in log.read_text().splitlines() if line[0].isdigit())
    true = sorted((float(ended[number]) - due) * 1000 for number, due in found["due"].items())
    found["truth"] = at_percents(true)
    return found


def _closed(experiment: Experiment, client: str) -> dict[str, Any]:
    port = free_ports(1)[0]
    with running(asgi(port), port, _server_env(experiment)):
        subprocess.run([sys.executable, "-c", f"import urllib.request as u; u.urlopen('http://127.0.0.1:{port}/begin').read()"])
        return closed_run(port, client, users=10, seconds=SECONDS, pace=RATE / 10)


def _server_env(experiment: Experiment) -> dict[str, str]:
    return {"FREEZES": json.dumps(experiment.freezes), "WORK_SECONDS": str(WORK_SECONDS)}


def _row(name: str, values: list[float], truth: list[float]) -> str:
    cells = [f"{value:.0f} ms ({(value / true - 1) * 100:+.1f} %)" for value, true in zip(values, truth, strict=True)]
    return f"| {name} | {' | '.join(cells)} |"


# ── cost ─────────────────────────────────────────────────────────────────────────────────────────────────


def punctuality(lines: list[str], seconds: float) -> float:
    """500 requests a second on one core; answers the share that started within 5 ms."""
    port = free_ports(1)[0]
    with running(asgi(port, core=1), port, {}):
        found = open_run(port, 500, seconds, core=0)
    share = 1 - float(found["late_5ms_share"])
    lines += ["", f"At 500 requests a second on one core for {seconds:g} s, {share:.2%} of {found['count']} requests started",
              f"within 5 ms of their schedule (99 % within {found['lag_p99']:.2f} ms), {found['errors']} failed."]  # fmt: skip
    return share


def sustained(port: int, seconds: float, core: int | None, top: float, workers: int = 1) -> float:
    """The highest rate, from `top` downwards, at which open arrivals keep their schedule; 0 where half of it is too much."""
    for step in range(13):
        rate = top * (1 - 0.04 * step)
        found = open_run(port, rate, seconds, core, workers)
        if not found["dropped"] and not found["errors"] and found["late_share"] <= 0.01:
            return rate
    return 0.0


def capacity(lines: list[str], seconds: float) -> tuple[float, float]:
    """Rates side by side; answers open arrivals over plain FastHttpUser, and two workers over one."""
    port = free_ports(1)[0]
    with running(asgi(port, core=1), port, {}):
        lines += ["", "Requests a second on one core, one after another on a bare ASGI server on the other core:", ""]
        lines += _rates(port, seconds)[0]
    if shutil.which("nginx") is None:
        lines += ["", "nginx is not installed: the rates below are limited by the server. (Debian: nginx-light)"]
        return 0.0, 0.0
    port = free_ports(1)[0]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        config = Path(folder) / "nginx.conf"
        config.write_text(NGINX.format(folder=folder, port=port, processes=1))
        with running([*on_core(1), "nginx", "-c", str(config), "-p", folder], port, {}):
            lines += ["", "The same on nginx, which is not the limit:", ""]
            rows, rates = _rates(port, seconds)
            lines += rows
        one = _with_its_target(config, folder, port, seconds, rates[1], workers=1)
        two = _with_its_target(config, folder, port, seconds, 2.0 * one, workers=2)
        pairs = _plain_twice(config, folder, port, seconds)
    plain, alone = rates
    lines += [
        "",
        f"Open arrivals keep a rate of {alone / plain:.0%} of what plain FastHttpUser brings through in a closed loop.",
        f"One generator and its target on one core keep {one:,.0f} a second; two generators and their target on two",
        f"cores keep {two:,.0f}, {two / one:.2f} times as many. Two plain Locust processes, which share nothing,",
        f"bring {pairs:.2f} times what one brings: with {os.cpu_count()} cores each generator shares its core with the target.",
    ]
    return alone / plain, two / one


def _with_its_target(config: Path, folder: str, port: int, seconds: float, top: float, workers: int) -> float:
    """The rate that generators keep, each on a core that it shares with a process of the target."""
    config.write_text(NGINX.format(folder=folder, port=port, processes=workers))
    with running([*on_core(0 if workers == 1 else None), "nginx", "-c", str(config), "-p", folder], port, {}):
        return sustained(port, seconds, 0, top, workers)


def _plain_twice(config: Path, folder: str, port: int, seconds: float) -> float:
    """Two independent plain Locust processes over one, each with its target on its core: what this machine gives at best."""
    config.write_text(NGINX.format(folder=folder, port=port, processes=1))
    with running([*on_core(0), "nginx", "-c", str(config), "-p", folder], port, {}):
        one = float(closed_run(port, "FastHttpUser", 50, seconds, core=0)["rate"])
    config.write_text(NGINX.format(folder=folder, port=port, processes=2))
    with running(["nginx", "-c", str(config), "-p", folder], port, {}), ThreadPoolExecutor(2) as pool:
        both = pool.map(lambda core: float(closed_run(port, "FastHttpUser", 50, seconds, core=core)["rate"]), (0, 1))
        return sum(both) / one


def _rates(port: int, seconds: float) -> tuple[list[str], tuple[float, float]]:
    lines = ["| generator | requests a second | against FastHttpUser |", "|---|---|---|"]
    plain = float(closed_run(port, "FastHttpUser", 50, seconds, core=0)["rate"])
    one = sustained(port, seconds, 0, 0.92 * plain)
    found = {
        "plain Locust, FastHttpUser, closed loop": plain,
        "plain Locust, HttpUser, closed loop": float(closed_run(port, "HttpUser", 50, seconds, core=0)["rate"]),
        "open arrivals, schedule kept": one,
    }
    if wrk := shutil.which("wrk"):
        done = subprocess.run([*on_core(0), wrk, "-t1", "-c50", f"-d{seconds:g}s", f"http://127.0.0.1:{port}/"],
                              capture_output=True, text=True)  # fmt: skip
        if match := re.search(r"Requests/sec:\s*([\d.]+)", done.stdout):
            found["wrk, closed loop"] = float(match[1])
    lines += [f"| {name} | {rate:,.0f} | {rate / plain:.2f} |" for name, rate in found.items()]
    return lines, (plain, one)


def main() -> int:
    """Run everything and write the page."""
    parser = argparse.ArgumentParser(prog="python -m load.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter runs and ten trials; the page is not written")
    parser.add_argument("--no-trials", action="store_true", help="keep the page's A/B trials of an earlier run")
    options = parser.parse_args()
    lines = [
        "# Benchmarks",
        "",
        "Produced by `make bench` on one machine; what is compared was measured in one run, one after another.",
        "",
        "## Accuracy",
        "",
        f"A bare ASGI server on loopback that answers after {WORK_SECONDS * 1000:.0f} ms and freezes; {RATE} requests a second",
        f"for {SECONDS} s. The truth comes from the schedule and the server's own log. In brackets: the error against it.",
    ]
    worst = accuracy(lines)
    lines += ["", f"Largest error of open arrivals: {worst:.1%}.", "", "## Cost"]
    share = punctuality(lines, 10 if options.quick else 30)
    ratio, two = capacity(lines, 3 if options.quick else 5)
    good = worst <= ERROR_AT_MOST and share >= ON_TIME_AT_LEAST and ratio >= RATE_AT_LEAST and two >= TWO_AT_LEAST
    print("\n".join(lines), flush=True)
    kept = trials.section_of(MARKDOWN_FILE)
    if not options.no_trials:
        found = trials.run_trials(10 if options.quick else 50)
        kept = trials.section(found)
        good = good and trials.summary(found)[1]
        print(kept)
    if not options.quick:
        MARKDOWN_FILE.write_text("\n".join(lines) + "\n\n" + kept)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
