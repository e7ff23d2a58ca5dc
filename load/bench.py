"""How true the generator's numbers are: a server that freezes, seen by open arrivals and by plain Locust, in one run.

`python -m load.bench` writes docs/benchmarks.md. The truth is computed from the schedule and the server's own log: when
each request was due, and when the server finished it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.plan import free_ports

PERCENTS = (50, 90, 95, 99)
RATE = 100.0
SECONDS = 15.0
START_SECONDS = 20.0
MARKDOWN_FILE = Path("docs/benchmarks.md")
SERVER = """
import os, sys, time, threading
freezes, log = eval(os.environ["FREEZES"]), open(os.environ["LOG"], "a", buffering=1)
zero = [None]
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    now = time.time()
    if zero[0] is None and scope["path"] == "/begin":
        zero[0] = now
    if zero[0] is not None:
        for begin, end in freezes:
            # The whole process stops, as in a garbage collection or a suspended container.
            if begin <= now - zero[0] < end:
                time.sleep(zero[0] + end - now)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
    print(scope["query_string"].decode(), time.time(), file=log)
"""
CLIENT = """
import json, os, sys, time
from gevent import monkey
monkey.patch_all()
from geventhttpclient import HTTPClient
from load.arrivals import schedule
from load.open_loop import OpenLoop
from spec.model import Segment
port, seconds, rate = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
due = list(schedule([Segment(seconds=seconds, rate=rate, arrivals="constant")]))
http = HTTPClient("127.0.0.1", port, concurrency=2000, network_timeout=30, connection_timeout=30)
http.get("/begin").read()
numbers = {}
wall = time.time() - time.perf_counter()
def one(intended):
    numbers[len(numbers)] = wall + intended
    http.get(f"/?{len(numbers) - 1}").read()
measured = OpenLoop(one, 5000).run(due, 30)
r, s, l = measured.response, measured.service, measured.lag
percents = (50, 90, 95, 99)
print(json.dumps({"response": [r.percentile(p) for p in percents], "service": [s.percentile(p) for p in percents],
                  "lag_p99": l.percentile(99), "count": r.count, "valid": measured.is_valid, "due": numbers}))
"""
LOCUST = """
import json, os
from locust import FastHttpUser, HttpUser, constant_throughput, events, task
times = []
class Closed({base}):
    wait_time = constant_throughput(10)
    def on_start(self):
        pass
    @task
    def one(self):
        self.client.get("/")
events.request.add_listener(lambda response_time, **_: times.append(response_time))
def write(environment, **_):
    times.sort()
    at = lambda p: times[max(0, int(len(times) * p / 100 + 0.999999) - 1)]
    print("RESULT" + json.dumps({{"response": [at(p) for p in (50, 90, 95, 99)], "count": len(times)}}))
    environment.process_exit_code = 0
events.quitting.add_listener(write)
"""


@dataclass
class Experiment:
    """A pattern of freezes: pairs of seconds after the first request."""

    title: str
    freezes: list[tuple[float, float]]


EXPERIMENTS = (
    Experiment("frozen 6 s of 15 s", [(5.0, 11.0)]),
    Experiment("frozen 200 ms every 2 s", [(n + 1.0, n + 1.2) for n in range(0, 14, 2)]),
)


@contextmanager
def server(freezes: list[tuple[float, float]], folder: Path) -> Iterator[tuple[int, Path]]:
    """A bare ASGI server that freezes; its port and its log of finished requests."""
    port = free_ports(1)[0]
    (folder / "frozen.py").write_text(SERVER)
    log = folder / f"server-{port}.log"
    log.touch()
    env = os.environ | {"FREEZES": repr(freezes), "LOG": str(log)}
    command = [sys.executable, "-m", "uvicorn", "frozen:app", "--port", str(port), "--log-level", "error"]
    command += ["--backlog", "4096"]
    process = subprocess.Popen(command, cwd=folder, env=env)
    try:
        _await_port(port)
        yield port, log
    finally:
        process.terminate()
        process.wait()


def _await_port(port: int) -> None:
    import socket

    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)  # a port gives no other sign
    raise RuntimeError("the bench's server did not start")


def _open(experiment: Experiment, folder: Path) -> dict[str, Any]:
    with server(experiment.freezes, folder) as (port, log):
        command = [sys.executable, "-c", CLIENT, str(port), str(SECONDS), str(RATE)]
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": "."}, check=True)
        found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        finished = dict(line.split() for line in log.read_text().splitlines() if line[0].isdigit())
    true = sorted((float(finished[number]) - due) * 1000 for number, due in found["due"].items())
    found["truth"] = [true[max(0, -(-len(true) * percent // 100) - 1)] for percent in PERCENTS]
    return found


def _closed(experiment: Experiment, folder: Path, base: str) -> dict[str, Any]:
    file = folder / f"locust_{base}.py"
    file.write_text(LOCUST.replace("{base}", base).replace("{{", "{").replace("}}", "}"))
    with server(experiment.freezes, folder) as (port, _):
        import urllib.request

        urllib.request.urlopen(f"http://127.0.0.1:{port}/begin").read()
        command = [sys.executable, "-m", "locust", "-f", str(file), "--headless", "-u", "10", "-r", "10", "-t", f"{SECONDS:g}s"]
        command += ["--host", f"http://127.0.0.1:{port}", "--only-summary", "--stop-timeout", "10"]
        done = subprocess.run(command, capture_output=True, text=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT"))
    found: dict[str, Any] = json.loads(line.removeprefix("RESULT"))
    return found


def _row(name: str, values: list[float], truth: list[float]) -> str:
    cells = [f"{value:.0f} ms ({(value / true - 1) * 100:+.1f} %)" for value, true in zip(values, truth, strict=True)]
    return f"| {name} | {' | '.join(cells)} |"


def main() -> int:
    """Run both experiments and write the page; exit code 1 when open arrivals are off by more than 5 %."""
    lines = [
        "# Benchmarks",
        "",
        "Produced by `make bench`: a bare ASGI server on loopback, 100 requests a second for 15 s, all in one run on one",
        "machine. The truth comes from the schedule and the server's own log. In brackets: the error against it.",
    ]
    worst = 0.0
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        for experiment in EXPERIMENTS:
            found = _open(experiment, folder)
            truth = found["truth"]
            lines += ["", f"## {experiment.title}", "", "| | p50 | p90 | p95 | p99 |", "|---|---|---|---|---|"]
            lines.append(f"| truth | {' | '.join(f'{value:.0f} ms' for value in truth)} |")
            lines.append(_row("open arrivals, response time", found["response"], truth))
            lines.append(_row("open arrivals, service time", found["service"], truth))
            for base in ("FastHttpUser", "HttpUser"):
                lines.append(_row(f"plain Locust, {base}", _closed(experiment, folder, base)["response"], truth))
            kept = f"99 % of requests started within {found['lag_p99']:.1f} ms of their schedule"
            lines += ["", f"{found['count']} requests; {kept}; run {'valid' if found['valid'] else '**invalid**'}."]
            # What is quicker than a millisecond is noise of the loopback, not of the measurement.
            errors = [abs(v - t) / t for v, t in zip(found["response"], truth, strict=True) if max(v, t) > 10]
            worst = max([worst, *errors])
    lines += ["", f"Largest error of open arrivals on percentiles above 10 ms: {worst * 100:.1f} %."]
    MARKDOWN_FILE.write_text("\n".join(lines) + "\n")
    print("\n".join(lines[4:]))
    return 1 if worst > 0.05 else 0


if __name__ == "__main__":
    sys.exit(main())
