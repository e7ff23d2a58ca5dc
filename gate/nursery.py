"""Begins to load a twin's libraries while the gate still loads its own, which need a core of their own for as long.

A guess from the command line: where no twin is started after all, the process ends, and nothing has come of it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterable

import pytest

from gate.command import QUIET_OPTIONS, are_tests
from gate.places import DEFAULT_ENV_FILE, ROOT

SCRIPT = ROOT / "twin" / "nursery.py"
# Whoever names one of these is about to judge something else, or needs processes that load by themselves.
OTHER_TARGETS = ("live", "--target=live", "--env-file", "--allow-drills")
# No setting of a target: what is loaded reads none.
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
END_SECONDS = 5.0


class Nursery:
    """A process that loads libraries, and the line to it, which a twin takes over."""

    def __init__(self) -> None:
        self._line, other = socket.socketpair()
        with other:
            self._process = subprocess.Popen(
                [sys.executable, str(SCRIPT), str(other.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in KEPT if name in os.environ} | {"PYTHONDONTWRITEBYTECODE": "1"},
                pass_fds=[other.fileno()],
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def descriptor(self) -> int:
        """That of the line, for the process that takes it over."""
        return self._line.fileno()

    def hand_over(self) -> None:
        """Leave the line to the process that has inherited it; the nursery ends when that one closes it."""
        self._line.close()

    def end(self) -> None:
        """Close the line, and await the end."""
        self._line.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


NURSERY = pytest.StashKey[Nursery]()


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Called as soon as this plugin is registered, before the others are loaded."""
    config = pluginmanager.get_plugin("pytestconfig")
    if isinstance(config, pytest.Config) and expects_a_twin(config.invocation_params.args, config.known_args_namespace):
        nursery = config.stash[NURSERY] = Nursery()
        config.add_cleanup(nursery.end)


def expects_a_twin(words: Iterable[str], known: Namespace) -> bool:
    """Whether this command line is about to start a twin, by its words and by those options that pytest knows itself."""
    is_gate = not are_tests(known.file_or_dir or ()) and "PYTEST_XDIST_WORKER" not in os.environ
    is_quiet = any(getattr(known, name, False) for name in QUIET_OPTIONS)
    named = {word.partition("=")[0] if word.startswith("--env") else word for word in words}
    is_elsewhere = not named.isdisjoint(OTHER_TARGETS) or (ROOT / DEFAULT_ENV_FILE).exists()
    return is_gate and not is_quiet and not is_elsewhere
