"""Single drifts against a twin: each must be one red row of the audit, and one finding of the run.

`python -m proof.drifts [--count 60] [--seed 15] [--only WORD]` runs, for each drift, the checks that see the host's
configuration, on one twin whose Render differs in one setting; the results are in reports/out/drifts.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from gate.exit_codes import ExitCode
from proof.accounts import Account, account
from proof.drift_kinds import Drift, single_drifts
from proof.gate_run import run_gate
from proof.pages import results
from proof.targets import Target, running, specification, write_env
from reports.audit import DATA
from twin.config import TwinConfig

SUITES = "maintenance or predeploy"
# The modules that see what the host holds.
MODULES = (
    "acceptance/maintenance/test_configuration_audit.py",
    "acceptance/predeploy/test_environment_variables.py",
    "acceptance/predeploy/test_service_details.py",
)
RUN_SECONDS = 300
FILE = "drifts.json"


@dataclass(frozen=True)
class Judged:
    """What the gate made of one drift: the red rows of the audit by kind, service and name, and its findings."""

    drift: str
    key: tuple[str, str, str]
    seconds: float
    rows: list[tuple[str, str, str]] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        """Whether it is exactly one row, the right one, and one finding."""
        return self.rows == [self.key] and len(self.findings) == 1

    def __str__(self) -> str:
        seen = f"{len(self.rows)} rows, {len(self.findings)} findings"
        return f"{'right' if self.is_right else 'WRONG'}  {self.drift}: {seen}; {'; '.join(self.findings)}"


def configuration_of(target: Target) -> TwinConfig:
    """How the twin's own doubles are set."""
    file = Path(target.values["HARNESS_CA_FILE"]).with_name("twin.json")
    return TwinConfig(**json.loads(file.read_text()))


def judge(target: Target, config: TwinConfig, render: Account, drift: Drift) -> Judged:
    """Run the checks on the twin while its Render has drifted."""
    render.use(replace(config, behaviour={**config.behaviour, **drift.behaviour}))
    env, out = target.folder / "drifted.env", target.folder / "out"
    write_env(env, target.values | {"RENDER_BASE_URL": render.url})
    done = run_gate(SUITES, out, ["--target", "live", f"--env-file={env}"], RUN_SECONDS, MODULES)
    rows = json.loads((out / DATA).read_text())["rows"] if (out / DATA).exists() else []
    red = [(row["kind"], row["service"], row["name"]) for row in rows if row["code"]]
    return Judged(str(drift), drift.key, round(done.seconds, 1), red, list(map(str, done.verdict.findings)))


def run_all(drifts: Sequence[Drift]) -> list[Judged]:
    """All drifts, one after another on one twin."""
    found = []
    with running() as target:
        config = configuration_of(target)
        with account(config) as render:
            for drift in drifts:
                found.append(judge(target, config, render, drift))
                print(found[-1], flush=True)
    return found


def main() -> ExitCode:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m proof.drifts", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=60, help="how many drifts (default 60)")
    parser.add_argument("--seed", type=int, default=15, help="draws them (default 15)")
    parser.add_argument("--only", default="", metavar="WORD", help="only those whose description holds this")
    options = parser.parse_args()
    drifts = [one for one in single_drifts(specification(), options.seed, options.count) if options.only in str(one)]
    began = time.monotonic()
    found = run_all(drifts)
    right = sum(one.is_right for one in found)
    results(FILE).write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n")
    print(f"drifts     {right} of {len(found)} are one row and one finding, in {time.monotonic() - began:.0f} s")
    return ExitCode.PASS if right == len(found) else ExitCode.FAIL


if __name__ == "__main__":
    sys.exit(main())
