"""What must work before a check can say anything. An unavailable prerequisite blocks the checks that need it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from gate.failures import Blocked, NotConfigured
from gate.settings import Settings
from gate.shared import SharedFolder
from spec.model import Prerequisite

# Prerequisites of the engine itself: that anything of the target answers, and that the run's budget is not used up.
TARGET = "target"
BUDGET = "budget"
OWN = frozenset({TARGET, BUDGET})
PROBE_SECONDS = 10.0
CONFIRM_SECONDS = 3.0
CONFIRM_PROBES = 2
# Of a part whose connections break, which is known at once; one in a few may.
BROKEN = "connection broken"
MOST_PROBES = 5


class Trouble(str):
    """Why a part is unavailable, for people; `error` is the kind of it, for the diagnosis."""

    error: str

    def __new__(cls, text: str, error: str = "") -> Trouble:
        """`error` is the name of the error's type, or a word of ours."""
        found = super().__new__(cls, text)
        found.error = error
        return found


# Asks a part within so many seconds; returns what is wrong, or None.
Probe = Callable[[float], Trouble | None]


def lasting_trouble(probe: Probe, seconds: float, probes: int) -> Trouble | None:
    """What is wrong with a part at each of so many probes, of so many seconds each; None when one of them is answered."""
    reason = None
    for number in range(1, MOST_PROBES + 1):
        reason = probe(seconds)
        if reason is None or (number >= probes and reason.error != BROKEN):
            break
    return reason


class Prerequisites:
    """State of the prerequisites, shared by the run's processes: one that is unavailable is a file with the reason."""

    def __init__(self, shared: SharedFolder, rules: Mapping[str, Prerequisite], settings: Settings) -> None:
        self._shared = shared
        self._rules = rules
        self._settings = settings
        self._probes: Mapping[str, Probe] = {}

    def use(self, probes: Mapping[str, Probe]) -> None:
        """Take the probes of those prerequisites that can be asked."""
        self._probes = probes

    def can_probe(self, name: str) -> bool:
        """Whether this target has a part of this name that can be asked."""
        return name in self._probes

    def unavailable(self, name: str) -> str | None:
        """Why a prerequisite is unavailable, or None while it is not."""
        return self._shared.read(f"unavailable/{name}")

    def note_unavailable(self, name: str, reason: str) -> None:
        """Remember that a prerequisite is unavailable; the first reason stays."""
        if self.unavailable(name) is None:
            if isinstance(reason, Trouble) and reason.error:
                self._shared.write(f"trouble/{name}", reason.error)
            self._shared.write(f"unavailable/{name}", reason)

    def error_of(self, name: str) -> str:
        """The kind of error that made a prerequisite unavailable, or nothing where it is not known."""
        return self._shared.read(f"trouble/{name}") or ""

    def require(self, name: str) -> None:
        """Raises NotConfigured without a setting that it takes, Blocked when it is unavailable."""
        if name not in OWN:
            for setting in self._rules[name].settings:
                if not self._settings.has(setting):
                    raise NotConfigured(setting)
        if reason := self.unavailable(name):
            raise Blocked(name, reason)

    def probe_all(self) -> None:
        """Ask all parts at once, and remember those that do not answer."""
        if not self._probes:
            return
        with ThreadPoolExecutor(len(self._probes)) as pool:
            reasons = pool.map(lambda probe: lasting_trouble(probe, PROBE_SECONDS, 1), self._probes.values())
            for name, reason in zip(self._probes, reasons, strict=True):
                if reason:
                    self.note_unavailable(name, reason)

    def target_is_unavailable(self) -> bool:
        """Whether nothing of the target answers any more."""
        reaching = [name for name in self._probes if self._rules[name].reaches_target]
        return bool(reaching) and all(self.unavailable(name) is not None for name in reaching)

    def confirm(self, name: str) -> str | None:
        """Ask again after a failed call: the reason when the part is unavailable altogether, None when it answers."""
        if (reason := self.unavailable(name)) is not None:
            return reason
        probe = self._probes.get(name)
        if probe is not None and (reason := lasting_trouble(probe, CONFIRM_SECONDS, CONFIRM_PROBES)) is None:
            return None
        self.note_unavailable(name, reason or Trouble("no answer"))
        return reason
