"""What the project's own tests share: a session on a target that exists nowhere, and pytest as a stranger calls it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.system import Staging
from gate import places
from gate.arguments import joined
from gate.run import Run, new_run_id
from gate.session import Session

ROOT = places.ROOT
# Fixtures and modules that start a twin or a process of the gate: their tests are marked `twin`.
TWIN_FIXTURES = frozenset({"attacked", "collected", "gate", "healthy", "pytest_by_hand", "target", "targets", "twin"})
TWIN_MODULES = frozenset({"test_acting_runs.py", "test_interrupts.py", "test_twin_control.py"})
Pytest = Callable[..., "subprocess.CompletedProcess[str]"]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Every warning is an error in tests/, and only there; whoever starts a twin is marked so."""
    # In front of the test's own marks, which may allow one.
    item.add_marker(pytest.mark.filterwarnings("error"), append=False)
    if item.path.name in TWIN_MODULES or TWIN_FIXTURES.intersection(getattr(item, "fixturenames", ())):
        item.add_marker(pytest.mark.twin)


@pytest.fixture
def values() -> dict[str, str]:
    """Settings of a target that exists nowhere."""
    return {
        "API_BASE_URL": "http://127.0.0.1:9",
        "DATABASE_URL": "postgresql://staging_user:a-long-password@127.0.0.1:9/staging_db",
        "SUPABASE_URL": "http://127.0.0.1:9",
        "SUPABASE_DB_PASSWORD": "a-long-password",
    }


@pytest.fixture
def run(tmp_path: Path, values: dict[str, str]) -> Run:
    """The facts of a run on that target."""
    return Run(new_run_id(), "live", tmp_path / "run", values)


@pytest.fixture
def session(run: Run) -> Iterator[Session]:
    """A session on that target; nothing is asked of it."""
    found = Session(run, Staging())
    yield found
    found.close()


def with_values(session: Session, **values: str) -> Session:
    """Another session of the same run, whose settings are these besides; whoever makes it closes it."""
    return Session(replace(session.run, values=session.run.values | values), session.system)


def without_settings() -> dict[str, str]:
    """This process's environment without any setting of a target."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}


def gate_in(folder: Path) -> Pytest:
    """Calls the gate in a process of its own, without any setting of this process; results go to `out` in the folder."""

    def call(*arguments: str, seconds: float = 240) -> "subprocess.CompletedProcess[str]":
        # As `release_gate.pth` joins them where the checkout has an environment of its own.
        command = [sys.executable, "-m", "pytest", f"--out={folder / 'out'}", *joined(list(arguments))]
        return subprocess.run(command, cwd=ROOT, env=without_settings(), capture_output=True, text=True, timeout=seconds)

    return call


@pytest.fixture
def gate(tmp_path: Path) -> Pytest:
    """The gate with its results in the test's own folder."""
    return gate_in(tmp_path)
