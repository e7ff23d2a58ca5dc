"""No residue: runs that are killed at random moments, then one sweep; nothing tagged may be left, nothing else touched.

`python -m proof.crashes --runs 100` starts a twin, puts a colleague's documents into it, kills that many post-deploy runs with
SIGKILL, sweeps once, and compares. Two runs are under way at the same time; every other run is spread over two processes, and
of every second run the journal is lost as well, as on a machine that is gone, so that only the tag is left to go by.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from fixtures.api import Api
from fixtures.database import Database
from fixtures.documents import make
from gate.embedded import EmbeddedTwin
from gate.run import STATE, Run, dead_runs, new_run_id
from fixtures.supabase import Supabase
from fixtures.sweep import Sweeper
from proof.gate_run import command
from proof.pages import SAFETY, put
from spec.model import DocumentKind

COLLEAGUES = 3
LONGEST_SECONDS = 11.0
AT_ONCE = 2
MOST_FILES = 1000
SETTLE_SECONDS = 60.0
GIVE_UP_SECONDS = 60.0


def populate(session: Session) -> None:
    """A colleague's users and documents, which carry no tag; waits until the worker is through with them."""
    api, supabase, database = Api(run).silent(), Supabase(run), Database(run)
    supabase.for_operator()
    jobs = []
    for number in range(COLLEAGUES):
        email, password = f"colleague-{number}@example.org", f"Colleague-{os.urandom(9).hex()}"
        supabase.auth.create(email, password, "a colleague")
        token = str(supabase.auth.sign_in(email, password).object()["access_token"])
        document = make(f"colleague-{number}", DocumentKind(kind="policy", outcome="complete"), "untagged", [])
        reply = api.as_(token).request_upload(document).object()
        api.send(api.absolute(reply["signed_url"]), document.body)
        jobs.append(str(reply["job_id"]))
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline and any(
        (row := database.job(job)) is None or row["state"] != run.spec.pipeline.final_state for job in jobs
    ):
        time.sleep(0.2)  # the job's row is the only sign


def fingerprint(session: Session) -> dict[str, str]:
    """Checksums of all rows, users and files."""
    database, supabase = Database(run), Supabase(run)
    supabase.for_operator()
    found: dict[str, str] = {}
    for table in (table.name for table in run.spec.database.tables):
        rows = database.fetch(f"SELECT t::text AS line FROM {database.schema}.{table} t ORDER BY 1")
        found[table] = f"{len(rows)} rows, {sha256(repr([row['line'] for row in rows]).encode()).hexdigest()[:16]}"
    users = sorted(str(user["email"]) + str(user["id"]) for user in supabase.auth.all_users())
    found["users"] = f"{len(users)}, {sha256(repr(users).encode()).hexdigest()[:16]}"
    found["files"] = _files(supabase)
    return found


def _files(supabase: Supabase) -> str:
    entries = supabase.storage.listing("", limit=MOST_FILES).json()
    names = sorted(str(entry["name"]) for entry in entries)
    return f"{len(names)}, {sha256(repr(names).encode()).hexdigest()[:16]}"


def start_one(number: int, env_file: Path, folder: Path) -> subprocess.Popen[bytes]:
    """A run in a process group of its own; every other one is spread over two processes."""
    arguments = ["--target", "live", f"--env-file={env_file}", "-n", "2" if number % 2 else "0"]
    return subprocess.Popen(
        command("postdeploy", folder / str(number), arguments),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def kill_one(number: int, env_file: Path, folder: Path, seconds: float) -> str:
    """Start a run and kill everything of it after so many seconds; says how it ended."""
    process = start_one(number, env_file, folder)
    try:
        process.wait(seconds)
        return "ended before"
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if number % 4 >= 2:
            lose_journal(process.pid)
        return "killed"


def interrupt_one(number: int, env_file: Path, folder: Path, seconds: float) -> float:
    """Start a run and press Ctrl-C after so many seconds, as a terminal does; answers how long it took to end (seconds)."""
    process = start_one(number, env_file, folder)
    try:
        process.wait(seconds)
        return 0.0
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGINT)
        started = time.monotonic()
        try:
            process.wait(GIVE_UP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        return time.monotonic() - started


def lose_journal(pid: int) -> None:
    """Remove what a killed run wrote on this machine."""
    for folder, data in dead_runs(STATE):
        if data["pid"] == pid:
            shutil.rmtree(folder, ignore_errors=True)


def tagged(session: Session) -> int:
    """Users and documents that carry the tag of any run."""
    sweeper = Sweeper(run)
    return len(sweeper.tagged()) + len(sweeper.orphans(datetime.now(UTC)))


class Shared:
    """A twin that a colleague works on as well, and what it held before the runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._twin = EmbeddedTwin(folder / "twin")

    def __enter__(self) -> Shared:
        values, worker_env = self._twin.start()
        self.env_file = self._twin.env_file
        self.session = Run(new_run_id(), "live", False, self.folder / "run", values, worker_env)
        self.session.learn_secrets()
        populate(self.session)
        self.before = fingerprint(self.session)
        return self

    def __exit__(self, *_: object) -> None:
        close_all()
        self._twin.stop()

    def compare(self) -> str:
        """What differs from before, in words."""
        after = fingerprint(self.session)
        touched = {key: (self.before[key], after[key]) for key in self.before if self.before[key] != after[key]}
        same = f"checksums of {len(self.before)} tables, users and files are as before the first run"
        return f"DIFFERENT: {touched}" if touched else same


def kill_many(shared: Shared, moments: list[float]) -> tuple[bool, list[str]]:
    """Kill runs at these moments, sweep once, compare: whether all is well, and the figures."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        numbers = range(len(moments))
        fates = list(pool.map(lambda n: kill_one(n, shared.env_file, shared.folder, moments[n]), numbers))
    found = tagged(shared.run)
    sweep = [sys.executable, "-m", "fixtures.sweep", "--older-than", "0s", "--env-file", str(shared.env_file)]
    done = subprocess.run(sweep, capture_output=True, text=True)
    left, told = tagged(shared.run), shared.compare()
    return not left and not done.returncode and not told.startswith("DIFFERENT"), [
        f"{fates.count('killed')} of {len(fates)} runs were killed while they ran; {found} tagged users and documents"
        " were left by them.",
        f"The sweep: {(done.stdout.strip() or done.stderr.strip()).removeprefix('sweep: ')}.",
        f"After it: **{left}** tagged; {told}.",
    ]


def interrupt_many(shared: Shared, moments: list[float]) -> tuple[bool, list[str]]:
    """Press Ctrl-C at these moments; no sweep: each run cleans up itself."""
    seconds = [interrupt_one(n, shared.env_file, shared.folder, moment) for n, moment in enumerate(moments)]
    left, told = tagged(shared.run), shared.compare()
    slowest, limit = max(seconds), shared.run.spec.safety.interrupt_seconds
    return slowest <= limit and not left and not told.startswith("DIFFERENT"), [
        f"Ctrl-C in {len(seconds)} runs: the slowest had ended after {slowest:.1f} s (at most {limit:g} s), **{left}** tagged",
        f"users and documents were left without any sweep; {told}.",
    ]


def main() -> int:
    """Kill, sweep, compare, and interrupt; exit code 1 when anything is left or touched, or a run did not end."""
    parser = argparse.ArgumentParser(prog="python -m proof.crashes", description=__doc__)
    parser.add_argument("--runs", type=int, default=100, help="runs to kill (default 100)")
    parser.add_argument("--interrupts", type=int, default=12, help="runs to end with Ctrl-C (default 12)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--page", action="store_true", help=f"write the sections into {SAFETY.name}")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    well = True
    for heading, count, work in (
        ("Killed runs", options.runs, kill_many),
        ("Interrupted runs", options.interrupts, interrupt_many),
    ):
        if not count:
            continue
        with tempfile.TemporaryDirectory(prefix="kills-") as name, Shared(Path(name)) as shared:
            good, lines = work(shared, [chance.uniform(0.5, LONGEST_SECONDS) for _ in range(count)])
        well = well and good
        print("\n".join(lines), flush=True)
        if options.page:
            put(SAFETY, heading, [f"`python -m proof.crashes --runs {options.runs} --interrupts {options.interrupts} --page`:",
                                  "", *lines])  # fmt: skip
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
