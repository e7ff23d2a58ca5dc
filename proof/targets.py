"""Twins as targets of the proofs, and the specifications that they are held to."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fixtures.system import Staging
from gate.embedded import EmbeddedTwin
from gate.places import ROOT
from gate.session import Session
from gate.settings import ConfigurationError
from gate.target import Choice, open_session
from spec import DEFAULT, SpecError, Specification, load

NAVIGATOR = "navigator"
WORKER_FILE = "HARNESS_WORKER_ENV_FILE"


def spec_of(system: str) -> Path:
    """The specification file of a system that has a twin; raises ConfigurationError when there is none."""
    if system == NAVIGATOR:
        return DEFAULT
    for path in sorted((ROOT / "spec").glob("*/*.toml")):
        try:
            if load(path).meta.twin == system:
                return path
        except SpecError:
            continue
    raise ConfigurationError(f"system {system!r}: no specification file names a twin of it")


def write_env(path: Path, values: Mapping[str, str]) -> None:
    """An env file of these values; readable by the owner only."""
    path.touch(0o600)
    path.write_text("".join(f"{name}={json.dumps(value)}\n" for name, value in values.items()))


@dataclass(frozen=True)
class Target:
    """A twin while it runs: its operator's file and values, and the folder that may be written to."""

    folder: Path
    env_file: Path
    values: dict[str, str]

    @property
    def worker_file(self) -> Path:
        """The worker's file."""
        return Path(self.values[WORKER_FILE])


@contextmanager
def running(arguments: Sequence[str] = (), system: str = NAVIGATOR, faults: Sequence[str] = ()) -> Iterator[Target]:
    """A twin as a live target; raises ConfigurationError when it does not start."""
    with tempfile.TemporaryDirectory(prefix="proof-") as name:
        twin = EmbeddedTwin(Path(name) / "twin", system, faults, (), arguments)
        try:
            yield Target(Path(name), twin.env_file, twin.start())
        finally:
            twin.stop()


@contextmanager
def operator_of(target: Target, spec_file: Path = DEFAULT) -> Iterator[Session]:
    """A session of somebody who has all settings of a target; nothing is asked of it yet."""
    session = open_session(Choice("live", target.env_file, spec_file=spec_file), Staging())
    try:
        yield session
    finally:
        session.end()


def specification(system: str = NAVIGATOR) -> Specification:
    """The facts of a system that has a twin."""
    return load(spec_of(system))
