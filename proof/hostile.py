"""No hang: the gate against servers that misbehave in the API's place, and in the place of the whole target.

`python -m proof.hostile [--only NAME] [--page]` measures time to verdict, exit code, top finding and memory for each, and
with --page writes them into docs/safety.md. Exit code 1 when one hangs, is misnamed, or takes too much memory.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gate.exit_codes import ExitCode
from gate.places import ROOT
from proof.figures import Share
from proof.gate_run import DID_NOT_END, command, read_verdict
from proof.pages import SAFETY, put
from proof.targets import running, specification, write_env
from twin import hostile
from twin.hostile import Kind, Server

PLACES = ("API", "whole target")
# Parts that may rightly be named, by the place of the server.
NAMED = {"API": {"api", "network", "auth"}, "whole target": {"target", "api", "network", "supabase", "database"}}
MOST_BYTES = 500 * 1024 * 1024
PROBE_SECONDS = 0.1


@dataclass
class Outcome:
    """One run. `seconds` until it ended, `peak` bytes of memory at most."""

    kind: str
    place: str
    exit_code: int
    seconds: float
    peak: int
    found: str = ""
    summary: str = ""
    limit: float = 0.0

    @property
    def is_good(self) -> bool:
        """Ended in time with a verdict that names the right part, in bounded memory."""
        in_time = 0 < self.seconds <= self.limit
        is_named = self.found in NAMED[self.place]
        return in_time and is_named and self.peak < MOST_BYTES and self.exit_code in (ExitCode.FAIL, ExitCode.BLOCKED)


def measure(kind: Kind, place: str, values: Mapping[str, str], folder: Path) -> Outcome:
    """Run the post-deploy suite against this server in this place."""
    limit = specification().safety.unreachable_seconds
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        server = stack.enter_context(Server(kind, folder))
        path, out = folder / "target.env", folder / "out"
        write_env(path, _settings(values, server, place))
        called = command("postdeploy", out, ["--target", "live", f"--env-file={path}"])
        started = time.monotonic()
        log = stack.enter_context((folder / "log").open("wb"))
        process = subprocess.Popen(called, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        code, peak = _wait(process, started + limit * 2)
        outcome = Outcome(kind.name, place, code, time.monotonic() - started, peak, limit=limit)
    if findings := read_verdict(out).findings:
        outcome.found, outcome.summary = findings[0].component, findings[0].title
    return outcome


def _wait(process: subprocess.Popen[bytes], deadline: float) -> tuple[int, int]:
    """Exit code and peak memory (bytes); what does not end by the deadline is killed and counts as DID_NOT_END."""
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage.ru_maxrss * 1024
        if time.monotonic() > deadline:
            process.kill()
            _, _, usage = os.wait4(process.pid, 0)
            process.returncode = DID_NOT_END
            return DID_NOT_END, usage.ru_maxrss * 1024
        time.sleep(PROBE_SECONDS)  # os.wait4 takes no timeout


def _settings(values: Mapping[str, str], server: Server, place: str) -> dict[str, str]:
    """The twin's settings with the server in the place of a part, and both authorities trusted."""
    both = server.folder / "both.pem"
    both.write_text(Path(values["HARNESS_CA_FILE"]).read_text() + server.authority.read_text())
    there = f"https://localhost:{server.port}"
    changed = {"HARNESS_CA_FILE": str(both), "API_BASE_URL": there}
    if place != "API":
        database = urlsplit(values["DATABASE_URL"])
        changed["DATABASE_URL"] = values["DATABASE_URL"].replace(f":{database.port}/", f":{server.port}/")
        changed |= {"SUPABASE_URL": there, "SUPABASE_STORAGE_URL": f"{there}/storage/v1", "RENDER_BASE_URL": there}
        changed |= {"OPENAI_BASE_URL": f"{there}/v1", "LLAMAPARSE_BASE_URL": there, "ANTHROPIC_BASE_URL": there}
    return {**values, **changed}


def run_all(only: str) -> Iterator[Outcome]:
    """Every kind in both places; beside them a resetting one before the real API."""
    with running() as target:
        inner = urlsplit(target.values["API_BASE_URL"])
        resetting = Kind("resets every third connection", hostile.resets(("127.0.0.1", inner.port or 0)), "none")
        pairs = [(kind, place) for kind in hostile.KINDS for place in PLACES] + [(resetting, "API")]
        for number, (kind, place) in enumerate(pair for pair in pairs if only in pair[0].name):
            yield measure(kind, place, target.values, target.folder / str(number))


def lines(found: Sequence[Outcome]) -> list[str]:
    """The section."""
    slowest, largest = max(o.seconds for o in found), max(o.peak for o in found)
    return [
        "`python -m proof.hostile --page`: the post-deploy suite against real sockets that misbehave. The stated deadline is",
        f"{found[0].limit:g} s (`unreachable_seconds` of `[safety]`): {Share(sum(o.is_good for o in found), len(found)).above}",
        "end within it, at 95 % confidence, with a verdict that names the right part,",
        f"the slowest after {slowest:.0f} s, with at most {largest / 1024**2:.0f} MB of memory.",
        "",
        "| server | in the place of | ends after | exit code | memory | top finding |",
        "|---|---|---|---|---|---|",
        *(
            f"| {o.kind} | {o.place} | {o.seconds:.0f} s | {o.exit_code} | {o.peak / 1024**2:.0f} MB | {o.found}: {o.summary} |"
            for o in found
        ),
    ]


def main() -> int:
    """Measure, print, and write the page when asked."""
    parser = argparse.ArgumentParser(prog="python -m proof.hostile", description=__doc__)
    parser.add_argument("--only", default="", metavar="NAME", help="kinds whose name holds this")
    parser.add_argument("--page", action="store_true", help=f"write the section into {SAFETY.name}")
    options = parser.parse_args()
    found = []
    for outcome in run_all(options.only):
        found.append(outcome)
        print(
            f"{'ok  ' if outcome.is_good else 'MISS'} {outcome.kind:<30} {outcome.place:<13} {outcome.seconds:5.1f} s  exit"
            f" {outcome.exit_code}  {outcome.peak / 1024**2:.0f} MB  {outcome.found}: {outcome.summary}",
            flush=True,
        )
    if options.page:
        put(SAFETY, "Servers that misbehave", lines(found))
    return ExitCode.PASS if found and all(outcome.is_good for outcome in found) else ExitCode.FAIL


if __name__ == "__main__":
    sys.exit(main())
