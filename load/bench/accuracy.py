"""Accuracy: a server that freezes, seen by open arrivals and by plain Locust.

The truth comes from the schedule and from the server's own log.
"""

from __future__ import annotations

import json
import tempfile
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from load.bench.processes import asgi, closed_run, open_run, running
from load.bench.results import ClosedResult, OpenResult, at_percents
from load.ports import free_port


@dataclass(frozen=True)
class Experiment:
    """A server that freezes: pairs of seconds after the first request."""

    title: str
    freezes: list[tuple[float, float]]


EXPERIMENTS = (
    Experiment("frozen 6 s of 15 s", [(5.0, 11.0)]),
    Experiment("frozen 200 ms every 2 s", [(n + 1.0, n + 1.2) for n in range(0, 14, 2)]),
)
WORK_SECONDS, RATE, SECONDS = 0.02, 100, 15
USERS = 10
CLIENTS = {"FastHttpUser": "Fast", "HttpUser": "Plain"}


def accuracy() -> tuple[list[str], float]:
    """Both experiments as lines of the page, and the largest relative error of open arrivals."""
    lines: list[str] = []
    worst = 0.0
    for experiment in EXPERIMENTS:
        found, truth = _measured(experiment)
        lines += ["", f"### {experiment.title}", "", "| | p50 | p90 | p95 | p99 |", "|---|---|---|---|---|"]
        lines.append(f"| truth | {' | '.join(f'{value:.0f} ms' for value in truth)} |")
        lines.append(_row("open arrivals, response time", found.response, truth))
        lines.append(_row("open arrivals, service time", found.service, truth))
        for client, user in CLIENTS.items():
            lines.append(_row(f"plain Locust, {client}", _closed(experiment, user).response, truth))
        lines += ["", f"{found.count} requests; 99 % of them started within {found.lag_p99:.1f} ms of their schedule."]
        worst = max([worst, *(abs(v / t - 1) for v, t in zip(found.response, truth, strict=True))])
    return lines, worst


def _measured(experiment: Experiment) -> tuple[OpenResult, list[float]]:
    """What open arrivals measured, and the true response times (milliseconds)."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        log = Path(folder) / "server.log"
        with running(asgi(port, arguments=[*_pace(experiment), "--log", str(log)]), port):
            found = open_run(port, RATE, SECONDS, numbered=True)
        ended = dict(line.split() for line in log.read_text().splitlines() if line[0].isdigit())
    return found, at_percents(sorted((float(ended[str(number)]) - due) * 1000 for number, due in found.due.items()))


def _closed(experiment: Experiment, user: str) -> ClosedResult:
    port = free_port()
    with running(asgi(port, arguments=_pace(experiment)), port):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/begin").read()
        return closed_run(port, user, USERS, SECONDS, pace=RATE / USERS)


def _pace(experiment: Experiment) -> list[str]:
    return ["--freezes", json.dumps(experiment.freezes), "--work-seconds", str(WORK_SECONDS)]


def _row(name: str, values: Sequence[float], truth: Sequence[float]) -> str:
    cells = [f"{value:.0f} ms ({(value / true - 1) * 100:+.1f} %)" for value, true in zip(values, truth, strict=True)]
    return f"| {name} | {' | '.join(cells)} |"
