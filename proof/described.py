"""The twin keeps its own description: schemathesis over its openapi.json, with every check that it has.

`python -m proof.described [--variant ID]… [--seeds 1,2,3] [--random N] [--max-examples 20]` starts one twin and asks it as a
signed-in user, a new one for each seed. Exit code 1 when an operation does otherwise than described, or was not really asked.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fixtures.api import Api
from fixtures.supabase import Supabase
from gate.exit_codes import ExitCode
from gate.places import ROOT
from gate.session import Session
from proof.targets import operator_of, running

SEEDS = (1, 2, 3)
MOST_SEEDS = 10**6
EXAMPLES = 20
RUN_SECONDS = 600
TOKEN = "DESCRIBED_TOKEN"
KEY = "DESCRIBED_KEY"
SCHEME = "HTTPBearer"
REPORT = "report.json"
# Refused, and rightly so: no generated request knows a job's secret, or a password.
REFUSED = {"POST /api/upload-pipeline/webhook/llamaparse/{job_id}", "POST /auth/login", "POST /login"}
# Warnings that mean that something was not judged, with what it was.
EMPTY = {
    "missing_auth": "every request was refused as not signed in",
    "unused_openapi_auth": "no operation asks for the token",
    "unsupported_regex": "a pattern cannot be generated from",
    "missing_deserializer": "responses cannot be read",
}
# The token comes from the environment, because the list of processes shows arguments. 413 is the contract's status for a
# document that is too large, which the description excludes. The proxy takes the caller's own keys only.
CONFIG = f"""
hooks = "proof.described_hooks"
suppress-health-check = ["all"]

[auth.openapi.{SCHEME}]
bearer = "${{{TOKEN}}}"

[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429]

[[operations]]
include-path = "/api/upload-pipeline/upload-file-proxy/{{bucket}}/{{key}}"
parameters = {{ "path.bucket" = "files", "path.key" = "${{{KEY}}}" }}
"""


@dataclass(frozen=True)
class Described:
    """What one seed found: the number of requests, a line for each failure, and schemathesis's own report of them."""

    seed: int
    requests: int
    failures: tuple[str, ...]
    text: str


def failures_in(report: Mapping[str, Any]) -> list[str]:
    """One line for each operation and failure of a report, and for everything that was not judged."""
    found = [f"{name}: {kind['title']} ({kind['code']})" for kind in report["failures"] for name in kind["operations"]]
    found += [f"error: {error['title']}" for error in report["errors"]]
    for warning, meaning in EMPTY.items():
        found += [f"{name}: {meaning}" for name in report["warnings"].get(warning, ()) if name not in REFUSED]
    operations = report["operations"]
    if not report["complete"] or operations["tested"] < operations["total"]:
        found.append(f"{operations['tested']} of {operations['total']} operations were asked: {report['stop_reason']}")
    return sorted(found)


def _user(session: Session, seed: int) -> tuple[str, str]:
    """A new user: id and token."""
    auth = Supabase(session).for_operator().auth
    email, password = f"described-{seed}-{os.urandom(3).hex()}@example.org", f"Described-{os.urandom(9).hex()}"
    user = auth.create(email, password, "who asks").object()
    return str(user["id"]), str(auth.sign_in(email, password).object()["access_token"])


def ask(session: Session, seed: int, examples: int) -> Described:
    """Ask everything that the description knows; raises TimeoutExpired when it does not end."""
    user, token = _user(session, seed)
    authority = session.run.values["HARNESS_CA_FILE"]
    env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    env |= {"REQUESTS_CA_BUNDLE": authority, "SSL_CERT_FILE": authority, "PYTHONPATH": str(ROOT)}
    env |= {TOKEN: token, KEY: f"user/{user}/raw/described.pdf"}
    with tempfile.TemporaryDirectory(prefix="described-") as name:
        folder = Path(name)
        (folder / "schemathesis.toml").write_text(CONFIG)
        command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{Api(session).base_url}/openapi.json"]
        command += ["--checks", "all", "--no-color", "--seed", str(seed), "--max-examples", str(examples)]
        command += ["--report", "json", "--report-json-path", REPORT]
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=RUN_SECONDS)
        if not (folder / REPORT).exists():
            return Described(seed, 0, (f"schemathesis: exit code {done.returncode}",), done.stdout + done.stderr)
        report = json.loads((folder / REPORT).read_text())
    text = done.stdout.replace(token, "[token]")
    return Described(seed, report["test_cases"]["generated"], tuple(failures_in(report)), text)


def judge(variants: Sequence[str], seeds: Sequence[int], examples: int) -> list[Described]:
    """Ask one twin, once for each seed; progress goes to the terminal."""
    results = []
    with running([f"--variant={id}" for id in variants]) as target, operator_of(target) as session:
        for seed in seeds:
            results.append(found := ask(session, seed, examples))
            print(f"seed {seed}: {found.requests} requests, {len(found.failures)} failures", flush=True)
            for line in found.failures:
                print(f"  {line}", flush=True)
    return results


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge a twin by its own description."""
    parser = argparse.ArgumentParser(prog="python -m proof.described", description=__doc__)
    parser.add_argument("--variant", action="append", default=[], metavar="ID", help="may be repeated")
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)), help="comma-separated numbers")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="so many further seeds; the lines show them")
    parser.add_argument("--max-examples", type=int, default=EXAMPLES, help="for each operation and phase")
    parser.add_argument("--verbose", action="store_true", help="also what schemathesis prints of each seed that failed")
    options = parser.parse_args(arguments)
    seeds = [int(seed) for seed in options.seeds.split(",")] + [secrets.randbelow(MOST_SEEDS) for _ in range(options.random)]
    results = judge(options.variant, seeds, options.max_examples)
    red = [found for found in results if found.failures]
    if options.verbose:
        print("\n".join(found.text for found in red))
    return ExitCode.FAIL if red else ExitCode.PASS


if __name__ == "__main__":
    sys.exit(main())
