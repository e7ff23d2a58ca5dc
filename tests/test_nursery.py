"""Processes that are forked from one that has loaded the libraries behave as those that Python starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from twin.envfile import base_env
from twin.processes import Processes, TwinError

PATIENCE = 30.0
SAYS = """
import os, signal, sys
print(sys.argv[1:], os.getcwd(), os.environ.get("ONLY"), "PATH" in os.environ, __name__, os.getpgrp() == os.getpid())
print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, "twin" in sys.modules, sys.path[0])
sys.exit(7)
"""


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    processes = Processes(tmp_path_factory.mktemp("nursery"))
    processes.load(base_env(""))
    yield processes
    processes.stop()


def _ended(processes: Processes, name: str) -> int:
    process = processes._running[name]
    return process.wait(PATIENCE)


def test_a_forked_process_is_as_python_would_have_started_it(nursery: Processes, tmp_path: Path) -> None:
    script = tmp_path / "says.py"
    script.write_text(SAYS)
    nursery.fork("says", [str(script), "a", "b"], {"ONLY": "this"}, tmp_path)
    assert _ended(nursery, "says") == 7
    first, second = (nursery.folder / "says.log").read_text().splitlines()
    assert first == f"['a', 'b'] {tmp_path} this False __main__ True"
    assert second == f"True False {tmp_path}"


def test_a_module_is_run_from_the_paths_that_it_is_given(nursery: Processes, tmp_path: Path) -> None:
    (tmp_path / "shown.py").write_text("import sys; print(sys.argv[1:], __name__)")
    nursery.fork("module", ["-m", "shown", "c"], {"PYTHONPATH": str(tmp_path)}, is_service=True)
    assert _ended(nursery, "module") == 0
    assert (nursery.folder / "module.log").read_text().strip() == "['c'] __main__"


def test_what_runs_before_any_import_is_run_so(nursery: Processes, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; print('asyncpg' in sys.modules)")
    (tmp_path / "shown.py").write_text("")
    nursery.fork("early", ["-m", "shown"], {"PYTHONPATH": str(tmp_path)}, is_service=True)
    assert _ended(nursery, "early") == 0
    assert (nursery.folder / "early.log").read_text().strip() == "False"


def test_what_it_raises_ends_it_and_stands_in_its_log(nursery: Processes, tmp_path: Path) -> None:
    script = tmp_path / "breaks.py"
    script.write_text("raise ValueError('broken')")
    nursery.fork("breaks", [str(script)], {})
    assert _ended(nursery, "breaks") == 1
    assert "ValueError: broken" in nursery.tail("breaks")


def test_a_signal_ends_it_and_is_its_code(nursery: Processes, tmp_path: Path) -> None:
    script = tmp_path / "waits.py"
    script.write_text("import signal; signal.pause()")
    nursery.fork("waits", [str(script)], {})
    assert not nursery.has_ended("waits")
    nursery.kill("waits", signal.SIGKILL)
    assert nursery.note_death("waits") is not None
    assert _ended(nursery, "waits") == -signal.SIGKILL


def test_what_is_left_ends_with_the_nursery(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    processes.load(base_env(""))
    script = tmp_path / "stays.py"
    script.write_text("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); signal.pause()")
    processes.fork("stays", [str(script)], {})
    pid = processes.pid("stays")
    processes.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_nursery_that_cannot_begin_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    with pytest.raises(TwinError, match="libraries"):
        Processes(tmp_path).load({})


def test_a_nursery_that_is_gone_is_named(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    processes.load(base_env(""))
    line = processes._nursery
    assert line is not None
    assert line._process is not None
    line._process.kill()
    line._process.wait(PATIENCE)
    with pytest.raises(TwinError, match="late cannot be started"):
        processes.fork("late", ["late.py"], {})
    processes.stop()
    assert isinstance(line._process, subprocess.Popen)
