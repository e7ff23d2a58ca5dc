"""No residue: runs that are killed at random moments, then one sweep; nothing tagged may be left, nothing else touched.

`python -m reports.kills --runs 100` starts a twin, puts a colleague's documents into it, kills that many post-deploy runs with
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
from fixtures.embedded import EmbeddedTwin
from fixtures.loop import close_all
from fixtures.run import STATE, Run, dead_runs, new_run_id
from fixtures.supabase import Supabase
from fixtures.sweep import Sweeper
from reports.sections import SAFETY, put
from spec.model import DocumentKind

COLLEAGUES = 3
LONGEST_SECONDS = 11.0
AT_ONCE = 2
MOST_FILES = 1000
SETTLE_SECONDS = 60.0


def populate(run: Run) -> None:
    """A colleague's users and documents, which carry no tag; waits until the worker is through with them."""
    api, supabase, database = Api(run).silent(), Supabase(run), Database(run)
    supabase.admin.quiet = supabase.anon.quiet = True
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


def fingerprint(run: Run) -> dict[str, str]:
    """Checksums of all rows, users and files."""
    database, supabase = Database(run), Supabase(run)
    supabase.admin.quiet = True
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


def kill_one(number: int, env_file: Path, folder: Path, seconds: float) -> str:
    """Start a run and kill everything of it after so many seconds; says how it ended."""
    command = [sys.executable, "-m", "pytest", "-m", "postdeploy", "--target", "live", f"--env-file={env_file}"]
    process = subprocess.Popen(
        [*command, f"--out={folder / str(number)}", "-n", "2" if number % 2 else "0"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(seconds)
        return "ended before"
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if number % 4 >= 2:
            lose_journal(process.pid)
        return "killed"


def lose_journal(pid: int) -> None:
    """Remove what a killed run wrote on this machine."""
    for folder, data in dead_runs(STATE):
        if data["pid"] == pid:
            shutil.rmtree(folder, ignore_errors=True)


def tagged(run: Run) -> int:
    """Users and documents that carry the tag of any run."""
    sweeper = Sweeper(run)
    return len(sweeper.tagged()) + len(sweeper.orphans(datetime.now(UTC)))


def main() -> int:
    """Kill, sweep, compare; exit code 1 when anything is left or touched."""
    parser = argparse.ArgumentParser(prog="python -m reports.kills", description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--page", action="store_true", help=f"write the section into {SAFETY.name}")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        folder = Path(name)
        twin = EmbeddedTwin(folder / "twin")
        values, worker_env = twin.start()
        try:
            run = Run(new_run_id(), "live", False, folder / "run", values, worker_env)
            run.learn_secrets()
            populate(run)
            before = fingerprint(run)
            env_file = twin.env_file
            moments = [chance.uniform(0.5, LONGEST_SECONDS) for _ in range(options.runs)]
            with ThreadPoolExecutor(AT_ONCE) as pool:
                fates = list(pool.map(lambda n: kill_one(n, env_file, folder, moments[n]), range(options.runs)))
            found = tagged(run)
            sweep = [sys.executable, "-m", "fixtures.sweep", "--older-than", "0s", "--env-file", str(env_file)]
            done = subprocess.run(sweep, capture_output=True, text=True)
            left, after = tagged(run), fingerprint(run)
        finally:
            close_all()
            twin.stop()
    touched = {key: (before[key], after[key]) for key in before if before[key] != after[key]}
    unchanged = f"checksums of {len(before)} tables, users and files are as before the first run"
    lines = [
        f"{fates.count('killed')} of {len(fates)} runs were killed while they ran; {found} tagged users and documents"
        " were left by them.",
        f"The sweep: {(done.stdout.strip() or done.stderr.strip()).removeprefix('sweep: ')}.",
        f"After it: **{left}** tagged; {f'DIFFERENT: {touched}' if touched else unchanged}.",
    ]
    print("\n".join(lines))
    if options.page:
        put(SAFETY, "Killed runs", [f"`python -m reports.kills --runs {options.runs} --page`:", "", *lines])
    return 1 if left or touched or done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
