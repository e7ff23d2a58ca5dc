"""The facts of one run: its target, its id, and what its processes must know to take part in it."""

from __future__ import annotations

import calendar
import json
import os
import secrets
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gate.places import STATE
from gate.shared import SharedFolder
from spec import DEFAULT

FILE = "run.json"
# A run's id begins with the time (UTC).
TIME_FORM, TIME_CHARACTERS = "%y%m%d%H%M%S", 12


def new_run_id() -> str:
    """Sortable by time, unique, and safe in an e-mail address, a file name and a URL."""
    return f"{time.strftime(TIME_FORM, time.gmtime())}{secrets.token_hex(3)}"


@dataclass(frozen=True)
class Run:
    """What every process of one run knows.

    `values` are the settings and the raw variables of the service that answers HTTP; `environments` holds those of services
    that have variables of their own.
    """

    run_id: str
    kind: Literal["twin", "live"]
    folder: Path
    values: dict[str, str] = field(repr=False)
    environments: dict[str, dict[str, str]] = field(repr=False, default_factory=dict)
    strict: bool = False
    faults: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    read_only: bool = False
    purpose: Literal["gate", "load"] = "gate"
    spec_file: Path = DEFAULT

    @property
    def started(self) -> float:
        """When the run began, in seconds since 1970, as its id says it."""
        return float(calendar.timegm(time.strptime(self.run_id[:TIME_CHARACTERS], TIME_FORM)))

    def environment_of(self, service: str) -> dict[str, str]:
        """Variables of a service as declared."""
        return self.environments.get(service, self.values)

    def all_environments(self) -> list[dict[str, str]]:
        """Every set of variables: that of the service that answers HTTP first, then the others."""
        return [self.values, *self.environments.values()]

    def save(self) -> None:
        """Write for the run's other processes; readable by the owner only."""
        data = {
            "run_id": self.run_id,
            "kind": self.kind,
            "strict": self.strict,
            "values": self.values,
            "environments": self.environments,
            "faults": list(self.faults),
            "variants": list(self.variants),
            "read_only": self.read_only,
            "purpose": self.purpose,
            "spec_file": str(self.spec_file),
            "pid": os.getpid(),
        }
        SharedFolder(self.folder).write(FILE, json.dumps(data))

    @classmethod
    def read(cls, folder: Path) -> Run:
        """The run that another process saved."""
        data = json.loads((folder / FILE).read_text())
        del data["pid"]
        data |= {"faults": tuple(data["faults"]), "variants": tuple(data["variants"]), "spec_file": Path(data["spec_file"])}
        return cls(folder=folder, **data)


def checkout_commit() -> str:
    """The commit of this checkout, or `unknown`."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, cwd=STATE.parent)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


@dataclass(frozen=True)
class DeadRun:
    """A run whose process has ended without removing its folder."""

    folder: Path
    run_id: str
    kind: str
    api_base_url: str
    pid: int


def dead_runs(state: Path = STATE) -> list[DeadRun]:
    """Runs whose process has ended, by the folders that they left."""
    found = []
    for folder in state.glob("*/"):
        try:
            data = json.loads((folder / FILE).read_text())
            dead = DeadRun(folder, data["run_id"], data["kind"], data["values"].get("API_BASE_URL", ""), int(data["pid"]))
            os.kill(dead.pid, 0)
        except ProcessLookupError:
            found.append(dead)
        except (OSError, ValueError, KeyError):
            continue
    return found


def forget_dead_twins(state: Path = STATE) -> None:
    """Remove the folders of runs that were killed together with their twin: nothing of theirs exists any more."""
    for dead in dead_runs(state):
        if dead.kind == "twin":
            shutil.rmtree(dead.folder, ignore_errors=True)


def forget_dead_runs(api_base_url: str, state: Path = STATE) -> None:
    """Remove the folders of dead runs on this target, when everything that they had created is removed."""
    for dead in dead_runs(state):
        if dead.api_base_url == api_base_url:
            shutil.rmtree(dead.folder, ignore_errors=True)
