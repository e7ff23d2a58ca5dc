"""Mutations of the specification's facts: each must turn at least one check red.

`python -m proof.mutations [--jobs 2] [--only PART]` writes docs/mutations.md and reports/out/mutations.json.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

from gate.exit_codes import ExitCode
from gate.settings import ConfigurationError, read_env_file
from proof.facts.builds import of_builds
from proof.facts.mutation import PARTS, Mutation
from proof.facts.network import of_limits, of_network
from proof.facts.schema import of_schema
from proof.facts.variables import of_keys, of_variables
from proof.figures import Share
from proof.gate_run import DID_NOT_END, run_gate
from proof.mutation_page import markdown
from proof.pages import DOCS, results
from proof.targets import Target, running, specification, write_env
from spec import Specification

RUN_SECONDS = 240
PAGE = DOCS / "mutations.md"
FILE = "mutations.json"
WANTED_SHARE = 0.95


def judge(mutation: Mutation, target: Target) -> Mutation:
    """Run the mutation's checks on a twin and note what turned red; returns the mutation."""
    with tempfile.TemporaryDirectory(prefix="judge-") as folder:
        env = {"api": dict(target.values), "worker": read_env_file(target.worker_file)}
        for service, changes in mutation.env.items():
            for name, value in changes.items():
                env[service].pop(name, None)
                if value is not None:
                    env[service][name] = value
        files = {service: Path(folder) / f"{service}.env" for service in env}
        for service, path in files.items():
            write_env(path, env[service])
        arguments = ["--target=live", f"--env-file={files['api']}", f"--worker-env-file={files['worker']}"]
        done = run_gate(mutation.suite, Path(folder) / "out", arguments, RUN_SECONDS)
    mutation.exit_code, mutation.red = done.exit_code, done.verdict.named("failed")
    return mutation


def _on_one_twin(mutations: Sequence[Mutation]) -> list[Mutation]:
    """Judge mutations that change the twin in the same way, or not at all."""
    try:
        with running(mutations[0].twin) as target:
            return [judge(mutation, target) for mutation in mutations]
    except ConfigurationError as error:
        for mutation in mutations:
            print(f"     {mutation.label}: the twin did not start: {error}", flush=True)
            mutation.exit_code = DID_NOT_END
        return list(mutations)


def of_environment(spec: Specification, target: Target) -> list[Mutation]:
    """What is changed in the declared variables only, so that one twin serves for all."""
    env = {"api": target.values, "worker": read_env_file(target.worker_file)}
    return [*of_variables(spec, env), *of_keys(env)]


def of_twins(spec: Specification, only: str) -> list[list[Mutation]]:
    """What takes a twin of its own, those together that change it in the same way."""
    everything = [*of_schema(spec), *of_network(spec), *of_limits(spec), *of_builds()]
    chosen = [mutation for mutation in everything if only in ("", mutation.part)]
    return [list(group) for _, group in groupby(chosen, key=lambda mutation: mutation.twin)]


def judge_all(only: str, jobs: int) -> Iterator[Mutation]:
    """All mutations, or those of one part, so many twins or runs at a time."""
    spec = specification()
    with ThreadPoolExecutor(jobs) as pool:
        if only in ("", "variables"):
            with running() as target:
                yield from pool.map(lambda mutation: judge(mutation, target), of_environment(spec, target))
        for group in pool.map(_on_one_twin, of_twins(spec, only)):
            yield from group


def run_all(only: str, jobs: int) -> list[Mutation]:
    """Judge them; progress goes to the terminal."""
    done: list[Mutation] = []
    for mutation in judge_all(only, jobs):
        done.append(mutation)
        if not mutation.is_killed:
            print(f"     survived: {mutation.label} (exit code {mutation.exit_code})", flush=True)
        if len(done) % 25 == 0:
            print(f"[{len(done)}] {sum(m.is_killed for m in done)} killed", flush=True)
    return done


def last_results() -> list[Mutation]:
    """What the last run found; raises FileNotFoundError when there was none."""
    return [Mutation(**entry) for entry in json.loads(results(FILE).read_text())]


def main() -> int:
    """Run all mutations; exit code 1 when fewer than 95 % are killed."""
    parser = argparse.ArgumentParser(prog="python -m proof.mutations", description=__doc__)
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="twins at the same time")
    parser.add_argument("--only", default="", choices=("", *PARTS))
    parser.add_argument("--page", action="store_true", help="write the page again from the last results")
    options = parser.parse_args()
    if options.page:
        PAGE.write_text(markdown(last_results()))
        return ExitCode.PASS
    mutations = run_all(options.only, options.jobs)
    if options.only and results(FILE).exists():
        # A part run again takes the place of its earlier results.
        again = {mutation.part for mutation in mutations}
        mutations += [mutation for mutation in last_results() if mutation.part not in again]
    results(FILE).write_text(json.dumps([asdict(m) for m in mutations], indent=1) + "\n")
    if {mutation.part for mutation in mutations} >= set(PARTS):
        PAGE.write_text(markdown(mutations))
    killed = sum(m.is_killed for m in mutations)
    print(f"{killed} passed, {len(mutations) - killed} failed: {Share(killed, len(mutations)).above} killed")
    return ExitCode.PASS if killed >= WANTED_SHARE * len(mutations) else ExitCode.FAIL


if __name__ == "__main__":
    sys.exit(main())
