"""No false alarm: the gate again and again on a healthy twin that is slow to reach, while all cores are busy.

`python -m proof.soak --runs 50` writes reports/out/soak.json; exit code 1 when any run was not green.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from proof.gate_run import run_gate
from proof.mutations import twin

RUN_SECONDS = 300
LATENCY_SECONDS = 0.2
JSON_FILE = Path("reports/out/soak.json")
BUSY = "while True: pass"


@contextmanager
def busy_cores() -> Iterator[None]:
    """Keep every core busy; the processes end with the block."""
    burners = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def one_run(env_file: Path, worker_file: Path) -> dict[str, Any]:
    """One gate; what failed, and how long it took."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        arguments = ["--target=live", "--strict", "-n", "4", f"--env-file={env_file}", f"--worker-env-file={worker_file}"]
        done = run_gate("predeploy or postdeploy", Path(folder) / "out", arguments, RUN_SECONDS)
    result: dict[str, Any] = {"exit_code": done.exit_code, "seconds": round(done.seconds, 1), "bad": []}
    if done.exit_code == 0 and done.verdict:
        result["flaky"] = done.verdict["counts"]["flaky"]
    else:
        result["tail"] = done.tail
        bad = [check for check in done.checks if check["status"] in ("failed", "blocked")]
        result["bad"] = [(check["id"], check["status"], check["observed"]) for check in bad]
    return result


def main() -> int:
    """Run the soak; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m proof.soak", description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    options = parser.parse_args()
    latency = ["--behaviour", 'proxy.kind="latency"', "--behaviour", f"proxy.seconds={LATENCY_SECONDS}"]
    results = []
    with twin(latency) as (env_file, worker_file), busy_cores():
        for number in range(1, options.runs + 1):
            result = one_run(env_file, worker_file)
            results.append(result)
            names = ", ".join(name.rpartition("::")[2] for name, _, _ in result["bad"]) or "green"
            print(f"[{number}/{options.runs}] exit {result['exit_code']} in {result['seconds']} s  {names}", flush=True)
    JSON_FILE.parent.mkdir(parents=True, exist_ok=True)
    bad = Counter(name for result in results for name, _, _ in result["bad"])
    flaky = sum(result.get("flaky", 0) for result in results)
    median = statistics.median(result["seconds"] for result in results)
    JSON_FILE.write_text(json.dumps({"runs": results, "bad": bad, "flaky": flaky}, indent=1) + "\n")
    failed = sum(result["exit_code"] != 0 for result in results)
    print(f"{flaky} flaky checks, median {median:.0f} s a run")
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed or flaky else 0


if __name__ == "__main__":
    sys.exit(main())
