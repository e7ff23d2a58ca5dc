"""What a gate run needs of this machine: one probe of each thing, bounded, changing nothing."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

from gate.env_file import MODE, mode_of
from gate.places import ROOT, STATE
from gate.run import dead_runs

State = Literal["ok", "no", "--"]
OLDEST_PYTHON = (3, 11)
DEPENDENCIES = "gate"
NEEDED_MEGABYTES = 500
TOOL_SECONDS = 5.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ALLURE = ROOT / "node_modules" / ".bin" / "allure"


@dataclass(frozen=True)
class Symptom:
    """One line: `ok`, `no` for what a run would fail on, `--` for what is missing and not needed for the verdict."""

    state: State
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.state}  {self.name:<11} {self.text}"


Probe = Callable[[], Iterable[Symptom]]


def python() -> Iterable[Symptom]:
    """The interpreter, and the libraries of the gate in the versions that pyproject.toml allows."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    wanted = [Requirement(line) for line in groups[DEPENDENCIES] if isinstance(line, str)]
    wrong = [found for one in wanted if (found := _not_satisfied(one))]
    named = f"{sys.version_info[0]}.{sys.version_info[1]}.{sys.version_info[2]}"
    if sys.version_info < OLDEST_PYTHON:
        yield Symptom("no", "Python", f"{named} is too old: {'.'.join(map(str, OLDEST_PYTHON))} or newer")
    elif wrong:
        yield Symptom("no", "Python", f"{named}, but {'; '.join(wrong[:3])}: run `make` again")
    else:
        yield Symptom("ok", "Python", f"{named} with all {len(wanted)} libraries")


def _not_satisfied(one: Requirement) -> str:
    try:
        found = version(one.name)
    except PackageNotFoundError:
        return f"{one.name} is missing"
    return "" if one.specifier.contains(found, prereleases=True) else f"{one.name} {found} is not {one.specifier}"


def tools() -> Iterable[Symptom]:
    """make, git, Node with allure, and a browser: none of them is needed for a verdict."""
    missing = [name for name in ("make", "git") if shutil.which(name) is None]
    yield Symptom("--" if missing else "ok", "tools", f"missing: {', '.join(missing)}" if missing else "make, git")
    if shutil.which("node") is None or shutil.which("npm") is None:
        yield Symptom("--", "Node", "missing: no Allure report (Node 20 or newer); everything else is in reports/out")
    else:
        found = _output(["node", "--version"])
        yield Symptom("ok", "Node", f"{found}, allure {'installed' if ALLURE.exists() else 'is installed by `make report`'}")
    browser = next((name for name in BROWSERS if shutil.which(name)), None)
    absent = "missing: the summary page is not tested (`make test` only)"
    yield Symptom("ok" if browser else "--", "browser", browser or absent)


def database_server(is_needed: bool) -> Iterable[Symptom]:
    """PostgreSQL as the twin starts it."""
    command = [sys.executable, "-m", "twin.database_alone"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TOOL_SECONDS + 2)
    except subprocess.TimeoutExpired:
        # A busy machine; a run waits longer.
        yield Symptom(
            "--", "PostgreSQL", f"the embedded server did not start within {TOOL_SECONDS + 2:g} s; a run waits longer"
        )
        return
    lines = (done.stdout or done.stderr).strip().splitlines() or ["the embedded server did not start"]
    bad: State = "no" if is_needed else "--"
    yield Symptom("ok" if done.returncode == 0 else bad, "PostgreSQL", f"{lines[-1]} (embedded, for the twin)")


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=TOOL_SECONDS).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return "does not start"


def disk() -> Iterable[Symptom]:
    """Room for results, and for the twin's database."""
    free = {path: shutil.disk_usage(path).free // 2**20 for path in (ROOT, Path("/tmp") if Path("/tmp").is_dir() else ROOT)}
    least = min(free, key=free.__getitem__)
    state: State = "ok" if free[least] >= NEEDED_MEGABYTES else "no"
    yield Symptom(state, "disk", f"{free[least]:,} MB free in {least} (at least {NEEDED_MEGABYTES})")


def left_overs() -> Iterable[Symptom]:
    """Folders of runs that were killed."""
    dead = [run for run in dead_runs(STATE) if run.kind == "live"]
    if dead:
        yield Symptom("--", "left-overs", f"{len(dead)} killed runs; the next run removes what they left, or `make sweep`")
    else:
        yield Symptom("ok", "left-overs", "none of killed runs")


def env_file(path: Path | None) -> Iterable[Symptom]:
    """The env file, and who may read it."""
    if path is None:
        yield Symptom("--", "env file", "none: the process environment alone (`python -m gate.setup` writes one)")
    elif not path.is_file():
        yield Symptom("no", "env file", f"there is no file {path}: `python -m gate.setup --env-file {path}` writes it")
    elif (mode := mode_of(path)) & 0o077:
        yield Symptom("--", "env file", f"{path} has mode {mode:o}: others may read it; chmod {MODE:o} {path}")
    else:
        yield Symptom("ok", "env file", f"{path}, mode {mode:o}")


def names(hosts: Iterable[tuple[str, int]]) -> Iterable[Symptom]:
    """Whether the hosts have addresses that this machine has a way to."""
    unknown, closed, known = [], [], 0
    for host, port in hosts:
        try:
            families = {found[0] for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
        except (OSError, UnicodeError):
            unknown.append(host)
            continue
        known += 1
        if families == {socket.AF_INET6} and not _has_ipv6():
            closed.append(host)
    if unknown:
        yield Symptom("no", "names", f"no address for {', '.join(unknown)}: is the name right, and DNS reachable?")
    if closed:
        where = ", ".join(closed)
        yield Symptom("no", "names", f"{where} has IPv6 addresses only, and this machine has no IPv6: use the pooler's host")
    if not unknown and not closed:
        yield Symptom(
            "ok", "names", f"{known} hosts have addresses; IPv6 {'works' if _has_ipv6() else 'is not available'} here"
        )


def _has_ipv6() -> bool:
    """Whether there is a route to the IPv6 internet; nothing is sent."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.connect(("2001:4860:4860::8888", 53))
    except OSError:
        return False
    return True
