"""One row of the fault matrix: a fault, a suite, and what the gate concluded."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gate.exit_codes import ExitCode
from gate.places import ROOT
from proof.drill_pairs import only_drills, seen_in
from proof.gate_run import run_gate
from proof.measured_in import MEASURED_IN
from proof.named import names
from proof.pages import results
from proof.scrambled import both
from proof.targets import NAVIGATOR, spec_of
from reports import records
from reports.records import FILE as FACTS
from reports.rules import load_rules
from spec import load

SUITES = ("predeploy", "postdeploy", "performance", "contract", "maintenance", "resilience")
RUN_SECONDS = 600
HEALTHY = "healthy"
# The guard stops this one before anything is written.
REFUSED = ("F35",)
# Nothing is wrong with the target: what could not be judged is said, and no cause is named.
UNJUDGED = ("G78",)
# A regression inside the target shows against an earlier release only.
COMPARED = ("F31",)

# Seconds to the verdict where there is no earlier matrix.
USUAL_SECONDS = {
    "predeploy": 12.0,
    "postdeploy": 30.0,
    "performance": 120.0,
    "contract": 30.0,
    "maintenance": 30.0,
    "resilience": 40.0,
}


NO_MODE = "-"


@dataclass(frozen=True)
class Known:
    """A fault as the twin lists it: `mode` is the failure mode that it is, `subject` a pattern of what must be named.

    A slash in `component`, and a bar in `mode` and `subject`, separate what is equally right. `log` is a pattern of the line of
    a service's log that tells the cause, by suite.
    """

    id: str
    component: str
    suites: tuple[str, ...]
    title: str
    mode: str = NO_MODE
    subject: str = "*"
    log: dict[str, str] = field(default_factory=dict)


@dataclass
class Row:
    """One fault in one suite. `seconds` is the time to the verdict; `modes` are those of all findings, in their order.

    `named` is what the top finding names: its title and its subjects, `quoted` the line of a log that it quotes (None: not
    asked for). `blocked` are the checks that could not run.
    """

    fault: str
    suite: str
    title: str
    component: str
    exit_code: int
    seconds: float
    right_mode: str = NO_MODE
    right_subject: str = "*"
    right_log: str = ""
    found: str = ""
    mode: str | None = None
    summary: str = ""
    evidence: str = ""
    findings: int = 0
    named: list[str] = field(default_factory=list)
    modes: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    red: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    quoted: str | None = None
    needs_words: bool = False
    not_judged: int = 0

    @property
    def is_red(self) -> bool:
        """Whether the gate did not stay green."""
        return self.exit_code != ExitCode.PASS

    @property
    def was_refused(self) -> bool:
        """Whether the run was refused before its start, which names the variable."""
        return self.exit_code == ExitCode.USAGE and self.fault in REFUSED

    @property
    def has_component(self) -> bool:
        """Whether the top finding names a part that is right."""
        return self.was_refused or self.found in self.component.split("/")

    @property
    def has_subject(self) -> bool:
        """Whether the top finding names what is broken."""
        return self.was_refused or names(self.right_subject, self.named)

    @property
    def has_mode(self) -> bool:
        """Whether the top finding has the right failure mode, which may be none."""
        return self.was_refused or (self.mode or NO_MODE) in self.right_mode.split("|")

    @property
    def has_quote(self) -> bool:
        """Whether the top finding quotes the line that tells the cause, where a service logs one and it was asked for."""
        return not self.right_log or self.quoted is None or names(self.right_log, [self.quoted])

    @property
    def wrong_modes(self) -> list[str]:
        """Failure modes that any finding of the row has wrongly."""
        return [mode for mode in self.modes if mode not in self.right_mode.split("|")]

    @property
    def is_named(self) -> bool:
        """Whether the top finding has the right part, subject and failure mode, and no finding a wrong failure mode."""
        return self.has_component and self.has_subject and self.has_mode and not self.wrong_modes

    @property
    def is_right(self) -> bool:
        """Whether the gate did what it should: red and named with a fault, green without."""
        if self.fault in UNJUDGED:
            return not self.is_red and not self.findings and self.not_judged > 0
        return not self.is_red if self.fault == HEALTHY else self.is_red and self.is_named and self.has_quote

    @property
    def problems(self) -> str:
        """What is not right, in a few words."""
        judged = {
            "component": self.has_component,
            "subject": self.has_subject,
            "failure mode": self.has_mode,
            "quote": self.has_quote,
            f"wrong {', '.join(self.wrong_modes)}": not self.wrong_modes,
        }
        return ", ".join(name for name, is_right in judged.items() if not is_right)

    @property
    def conclusion(self) -> str:
        """The top finding, or how the run ended without one."""
        if self.findings:
            return f"{self.found}{f' [{self.mode}]' if self.mode else ''}: {self.summary}"
        if self.exit_code == ExitCode.USAGE:
            return "refused before the start, exit code 4"
        return f"no finding, exit code {self.exit_code}" if self.is_red else "**green: not caught**"


def known_faults(system: str = NAVIGATOR) -> list[Known]:
    """All faults of a system, asked from its twin as a stranger asks."""
    command = [sys.executable, "-m", "twin", "faults", "--json", "--system", system]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [Known(**{**entry, "suites": tuple(entry["suites"])}) for entry in json.loads(done.stdout)]


def judge(fault: Known | None, suite: str, system: str = NAVIGATOR, variant: str = "") -> Row:
    """Run one suite on a twin with this fault (None: a healthy one), limited to the modules that can see it."""
    with tempfile.TemporaryDirectory(prefix="fault-") as folder:
        arguments = ["--target", "twin", f"--spec={spec_of(system)}", *(["--fault", fault.id] if fault else [])]
        arguments += ["--variant", variant] if variant else []
        modules: Sequence[str] = ()
        if fault and suite == "performance":
            modules = MEASURED_IN.get(fault.id, ())
        elif fault and suite == "resilience":
            modules = seen_in(fault.id)
            arguments += only_drills(fault.id)
        if fault and fault.id in COMPARED:
            arguments += [f"--baseline={_healthy_runs(Path(folder))}"]
        done = run_gate(suite, Path(folder), arguments, RUN_SECONDS, modules)
        needs_words = keep_facts(Path(folder), f"{fault.id if fault else HEALTHY}-{suite}{variant}", system)
    row = Row(
        fault.id if fault else HEALTHY, suite, fault.title if fault else "", fault.component if fault else "",
        done.exit_code, round(done.seconds, 1), fault.mode if fault else NO_MODE, fault.subject if fault else "*",
        findings=len(done.verdict.findings), red=done.verdict.named("failed"), blocked=done.verdict.named("blocked"),
    )  # fmt: skip
    row.needs_words, row.not_judged = needs_words, done.verdict.counts.get("not_judged", 0)
    row.modes = [finding.failure_mode for finding in done.verdict.findings if finding.failure_mode]
    row.titles = [str(finding) for finding in done.verdict.findings]
    row.checks = [check.id for check in done.verdict.checks if check.status != "skipped"]
    if (top := done.top) is not None:
        row.found, row.mode, row.summary, row.evidence = top.component, top.failure_mode, top.title, top.evidence
        row.named, row.quoted = [str(top), *top.subjects], top.quote
        row.right_log = fault.log.get(suite, "") if fault and not variant else ""
    elif row.is_red:
        row.evidence = done.tail
    return row


def keep_facts(out: Path, name: str, system: str) -> bool:
    """Keep what the checks of a run found; whether its findings change when every text is replaced by nonsense."""
    if not (out / FACTS).exists():
        return False
    kept = results(f"facts/{name}.json")
    kept.parent.mkdir(exist_ok=True)
    shutil.copy(out / FACTS, kept)
    file = ROOT / spec_of(system)
    spec = load(file)
    plain, nonsense = both(records.read(kept), load_rules(file, spec), spec, records.unavailable(kept))
    return plain != nonsense


def _healthy_runs(folder: Path) -> Path:
    """Stored load runs of a healthy twin, as the last release's."""
    history = folder / "loads.jsonl"
    command = [sys.executable, "-m", "load", "--profile", "compare", "--target", "twin", "--history", str(history)]
    subprocess.run([*command, "--out", str(folder)], cwd=ROOT, capture_output=True, timeout=RUN_SECONDS)
    return history


def file_of(system: str) -> Path:
    """Where the rows of a system's last matrix are kept."""
    return results("fault-matrix.json" if system == NAVIGATOR else f"fault-matrix-{system}.json")


def read_rows(system: str = NAVIGATOR) -> list[Row]:
    """Rows of the last matrix; none where there was none."""
    file = file_of(system)
    return [Row(**row) for row in json.loads(file.read_text())["rows"]] if file.exists() else []


def unproven(rows: Sequence[Row]) -> list[str]:
    """Checks that a healthy twin passes and that no fault turned red."""
    known = {name for row in rows if row.fault == HEALTHY for name in row.checks}
    return sorted(known - {name for row in rows if row.fault != HEALTHY for name in row.red})


def write_rows(rows: Sequence[Row], system: str = NAVIGATOR) -> None:
    """Keep the rows for the page, for the mutations and for the next matrix's order."""
    data = {"rows": [asdict(row) for row in rows], "unproven": unproven(rows)}
    file_of(system).write_text(json.dumps(data, indent=1) + "\n")
