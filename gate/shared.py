"""What the processes of one run share: one folder, readable by its owner only, and what lies in it.

run.json           the run's facts (gate/run.py)
unavailable/NAME   why a prerequisite is unavailable (gate/prerequisites.py)
trouble/NAME       the kind of that reason, for the diagnosis (gate/prerequisites.py)
budget.json        what was used so far (gate/budget.py)
journal-PID.jsonl  what a process created (gate/journal.py)
unsent.json        the document whose file never comes (fixtures/unsent.py)
documents/         document runs and their state (fixtures/document_runs.py)
samples/           measured response times (fixtures/measure.py)
audit.json         the configuration audit (fixtures/audit.py)
access/            cells of the access matrix as they were asked (fixtures/access/matrix.py)
figures/           figures of the platform and the database with their bounds (fixtures/figures.py)
drills/lock        held by the one check of the drills' suite that runs (fixtures/drills/resources.py)
recoveries/        how soon all was normal after each drill (fixtures/drills/recovery_times.py)
interrupted        somebody pressed Ctrl-C
observed-PID.jsonl what a process saw under a name, passed or not (gate/observations.py)
observers/         what the observers of each process noted (gate/observers/notes.py)
observers.json     the observers' checks, which are judged last (gate/observers/plugin.py)
silent/            endpoints that did not answer, a byte for each request (gate/silence.py)
planted/           what is secret or belongs to one user (fixtures/observers/planted.py)
release            commit or version that the target names as its own (fixtures/identity.py)
said-release/      the same, by source: version, commit, platform (fixtures/identity.py)
"""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

INTERRUPTED = "interrupted"
RELEASE = "release"
SAID_RELEASE = "said-release"
FIGURES = "figures"
ACCESS = "access"
RECOVERIES = "recoveries"
# Who says which release is live: the version and the commit that the service names, and the platform.
RELEASE_SOURCES = ("version", "commit", "platform")


class SharedFolder:
    """The folder of one run; every process of the run has the same."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def below(self, name: str) -> Path:
        """A folder in it, made where it is not there."""
        folder = self.path / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def write(self, name: str, text: str) -> None:
        """Put a file in its place in one step, readable by the owner only, so that no reader sees half of it."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f"{target.name}.{os.getpid()}-{threading.get_ident()}.part")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        draft.replace(target)

    def append(self, name: str, line: str) -> None:
        """Add a line to a file, readable by the owner only."""
        self.path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(line + "\n")

    def read(self, name: str) -> str | None:
        """Content of a file, or None where there is none."""
        try:
            return (self.path / name).read_text()
        except FileNotFoundError:
            return None

    def note_interrupted(self) -> None:
        """Make the run's other processes stop waiting."""
        self.write(INTERRUPTED, "")

    @property
    def was_interrupted(self) -> bool:
        """Whether somebody pressed Ctrl-C."""
        return (self.path / INTERRUPTED).exists()

    def remove(self) -> None:
        """Remove the folder, and the one above it when this was the last run."""
        shutil.rmtree(self.path, ignore_errors=True)
        try:
            self.path.parent.rmdir()
        except OSError:
            return
