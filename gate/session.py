"""One run from its beginning to its end; the pytest plugin, the load and the sweep are thin callers of it.

open (gate/target.py) → verify → prepare → start background → checks → stop → clean up → conclude → close
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from gate import observations
from gate.ahead import Ahead
from gate.background import Background, ReleaseSeen, Swept
from gate.bounded import BoundedTransport
from gate.budget import Budget
from gate.credentials import Try
from gate.embedded import EmbeddedTwin
from gate.evidence import Evidence
from gate.failures import Blocked, Failure, NotConfigured
from gate.journal import Journal, read_all
from gate.masking import Masking
from gate.observers import Observer, Observers
from gate.portal import Portal
from gate.prerequisites import Prerequisites, Probe
from gate.run import Run
from gate.settings import ConfigurationError, build
from gate.shared import SharedFolder
from gate.silence import Silence
from gate.traffic import Traffic
from spec import Specification, load

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class System(Protocol):
    """A kind of system that can be judged: how its parts are probed, identified, exercised and cleaned up."""

    # Fixtures of checks that wait for the background.
    waited_for: frozenset[str]
    # Large libraries that the checks of a run use.
    libraries: tuple[str, ...]
    # Setting with the key with which the host of the services shows their variables.
    host_key: str

    def probes(self, session: Session) -> Mapping[str, Probe]:
        """A probe for each prerequisite that can be asked on this target."""

    def credentials(self, session: Session) -> Mapping[str, Try]:
        """For each setting that has a value and can be tried by itself: a request that only reads."""

    def declared(self, session: Session) -> Mapping[str, Mapping[str, str]]:
        """The variables of each service as its host declares them; raises NotConfigured, Failure or Blocked."""

    def verify(self, session: Session, writes: bool) -> None:
        """Ask the parts who they are; raises ConfigurationError when this is not staging."""

    def require_means(self, session: Session, kind: str) -> None:
        """Raises NotConfigured when a thing of this kind could not be removed again."""

    def background(self, session: Session) -> Background | None:
        """The work that the run's checks wait for, or None where there is none."""

    def ahead(self, session: Session, used: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
        """Add the pieces that are done ahead (gate/ahead.py); `used` has the parameters of checks by fixture."""

    def progress(self, session: Session) -> tuple[str, float] | None:
        """State of the background and the seconds that it took so far, or None when nothing is under way."""

    def observers(self, session: Session) -> Sequence[Observer]:
        """What looks at every exchange of the run."""

    def longest_wait(self, session: Session) -> float:
        """Seconds after which the background is waited for no longer."""

    def count_tagged(self, session: Session) -> dict[str, int]:
        """How many things carry this run's tag, by table and bucket."""

    def clean_up(self, session: Session) -> Swept:
        """Remove what the run's journals name, and count what is left; raises Failure, Blocked or NotConfigured."""

    def unfinished(self, session: Session) -> list[str]:
        """What was begun on the target, and would mislead whoever does not know of it; a line for each."""

    def finish_dead_runs(self, session: Session) -> list[str]:
        """Remove what killed runs on the same target left; a line for each."""

    def wait_for_release(self, session: Session, wanted: str, seconds: float, tell: Callable[[str], None]) -> ReleaseSeen:
        """Wait until a commit or version is live, at most so many seconds."""


class Session:
    """One run on one target, and everything that its parts share in this process.

    Nothing of it hangs on a module: two sessions in one process share nothing.
    """

    def __init__(self, run: Run, system: System, spec: Specification | None = None, twin: EmbeddedTwin | None = None) -> None:
        self.run = run
        self.system = system
        self.spec = spec or load(run.spec_file)
        self.settings = build(self.spec, run.values)
        self.shared = SharedFolder(run.folder)
        self.masking = Masking()
        self.evidence = Evidence(self.masking)
        self.portal = Portal()
        self.ahead = Ahead()
        self.silence = Silence(self.spec.safety, self.shared)
        self.traffic = Traffic()
        self.observers = Observers(self.shared, self.masking.mask)
        self.prerequisites = Prerequisites(self.shared, self.spec.harness.prerequisites, self.settings)
        limits = self.spec.budget.load if run.purpose == "load" else self.spec.budget.gate
        self.budget = Budget(self.shared, self.spec.budget, limits, self.prerequisites)
        self.journal = Journal(self.shared, lambda kind: system.require_means(self, kind))
        # What this process learned once about the target.
        self.memo: dict[str, object] = {}
        # What carries the run's tag before it begins, by table and bucket.
        self.tagged_before: dict[str, int] = {}
        self.swept = Swept()
        self.residue = ""
        self._twin = twin
        self._background: Background | None = None
        self._closing = ExitStack()
        # Connections of this process to the target; every call over them ends.
        self.transport = BoundedTransport(self.tls)
        self.at_close(self.transport.close)
        self._learn_secrets()
        self.prerequisites.use(system.probes(self))
        if run.purpose != "load":
            # A load's own measurements would measure the observers as well.
            self.observers.use(system.observers(self))

    @classmethod
    def attach(cls, folder: Path, system: System) -> Session:
        """Take part in a run that another process opened."""
        return cls(Run.read(folder), system)

    # ── what the run is ──────────────────────────────────────────────────────────────────────────────────

    @property
    def tag(self) -> str:
        """What every name that this run makes up begins with: the harness's tag and the run's id."""
        return f"{self.spec.identity.tag}-{self.run.run_id}"

    @property
    def read_only(self) -> bool:
        """Whether nothing may be written to the target."""
        return self.run.read_only

    @property
    def api_url(self) -> str:
        """Base URL of the service that answers HTTP."""
        return self.settings.url("API_BASE_URL")

    @property
    def is_loopback(self) -> bool:
        """Whether that service runs on this machine; elsewhere a shared front end routes by host name."""
        return (urlsplit(self.api_url).hostname or "") in LOOPBACK

    @property
    def speedup(self) -> float:
        """By what the target's waits are divided: 1 on a deployment, more on a twin."""
        return self.settings.number("HARNESS_SPEEDUP")

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """Trust of the system, or of the authority that the target names."""
        authority = self.settings.path("HARNESS_CA_FILE")
        return ssl.create_default_context(cafile=authority if authority and authority.is_file() else None)

    def _learn_secrets(self) -> None:
        for env in self.run.all_environments():
            for name, variable in self.spec.variables.items():
                if variable.is_secret:
                    self.masking.learn(name, env.get(name))
        for name, setting in self.spec.harness.settings.items():
            if setting.is_secret:
                self.masking.learn(name, self.run.values.get(name))

    def observe(self, name: str, value: object) -> None:
        """Note what was seen under a name that is the same in every run; runs of the calendar are compared by it."""
        observations.note(self.shared, name, value)

    # ── its life ─────────────────────────────────────────────────────────────────────────────────────────

    def at_close(self, close: Callable[[], object]) -> None:
        """Have something closed when this process's part of the run is over, last opened first."""
        self._closing.callback(close)

    def verify(self, writes: bool) -> None:
        """Probe the parts and ask them who they are, before the first write.

        Raises ConfigurationError for a missing file, or when this is not staging.
        """
        self.prerequisites.probe_all()
        missing = self.settings.missing_files()
        if missing and not self.prerequisites.target_is_unavailable():
            raise ConfigurationError(missing[0])
        self.system.verify(self, writes)

    def prepare(self) -> list[str]:
        """Clean up after killed runs on the same target, and count what carries this run's tag; a line for each killed run.

        A run that only reads does neither, and nothing is asked of a target that is unavailable.
        """
        if self.read_only or self.prerequisites.target_is_unavailable():
            return []
        lines = self.system.finish_dead_runs(self) if self.run.kind == "live" else []
        try:
            self.tagged_before = self.system.count_tagged(self)
        except (Blocked, Failure, NotConfigured, OSError):
            self.tagged_before = {}
        return lines

    def start_background(self) -> None:
        """Begin the work that checks wait for, such as documents in the pipeline."""
        self._background = self.system.background(self)
        if self._background is not None:
            self._background.start()

    def begin_ahead(self, used: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
        """Begin with what checks of this process will want; `used` has their parameters, by the fixtures that they use."""
        self.system.ahead(self, used)
        self.ahead.start()

    def stop(self, at_once: bool) -> None:
        """Wait for the background, or end it `at_once`; nothing is created any more afterwards."""
        self.ahead.finish()
        if self._background is not None:
            self._background.finish(at_once)
            self._background = None
        self.observers.end()

    def clean_up(self) -> None:
        """Remove what the run created and count what is left; the result is in `swept` and `residue`."""
        try:
            self.swept = self.system.clean_up(self)
            self.residue = "; ".join(self.swept.left)
        except (Blocked, Failure, NotConfigured, OSError) as error:
            # A user without an id was requested, and no response came: nothing is known to be left.
            self.residue = str(error) if any("id" in entry for entry in read_all(self.run.folder)) else ""

    def close(self) -> None:
        """Close what this process opened; the run's folder stays for others."""
        self._closing.close()
        self.portal.close()

    def end(self) -> None:
        """Close, stop the embedded twin, and remove the run's folder unless something was left behind on a live target."""
        self.close()
        if self._twin is not None:
            self._twin.stop()
        if self.run.kind == "twin" or not self.residue:
            self.shared.remove()
