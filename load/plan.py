"""What one load run is going to do, shared by its processes."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

from gate.settings import ConfigurationError
from gate.shared import SharedFolder
from load.arrivals import schedule
from spec.model import Profile, Specification

MOST_BLOCKS = 240
FILE = "load-plan.json"


@dataclass(frozen=True)
class LoadPlan:
    """A profile, stretched to a length and scaled to a rate; every other request goes to the `reference`, where there is one.

    After the last arrival answers are waited for `patience_seconds` (None: as long as a question to chat may take).
    The reference is the folder of a run on a healthy twin beside the target: what it slows down by is the machine's doing.
    """

    name: str
    profile: Profile
    weights: dict[str, int]
    seed: int
    block_seconds: float
    reference: str = ""
    patience_seconds: float | None = None

    @classmethod
    def of(cls, spec: Specification, name: str, seconds: float | None = None, rate: float = 1.0) -> LoadPlan:
        """The plan for a profile of the specification; raises ConfigurationError when there is none of this name."""
        load = spec.load
        if name not in load.profiles:
            raise ConfigurationError(f"profile {name!r}: not one of {', '.join((*load.profiles, 'stress', 'worker'))}")
        if (seconds is not None and seconds <= 0) or rate <= 0:
            raise ConfigurationError("duration and rate must be above 0")
        profile = load.profiles[name].scaled(seconds, rate)
        return cls(name, profile, load.weights(profile), load.seed, max(load.block_seconds, profile.seconds / MOST_BLOCKS))

    def due(self, share: int = 0, of: int = 1) -> list[float]:
        """Seconds after zero at which the requests of one of `of` generators fall due."""
        return list(schedule(self.profile.segments, self.seed, share, of))

    def due_by_block(self) -> dict[int, int]:
        """How many requests fall due in each block."""
        return dict(Counter(int(moment // self.block_seconds) for moment in self.due()))

    def save(self, shared: SharedFolder) -> None:
        """Write for the run's other processes."""
        shared.write(FILE, json.dumps(vars(self) | {"profile": self.profile.model_dump()}))

    @classmethod
    def read(cls, shared: SharedFolder) -> LoadPlan:
        """The plan that another process saved; raises ConfigurationError where there is none."""
        text = shared.read(FILE)
        if text is None:
            raise ConfigurationError(f"{shared.path}: no load run was planned in this folder")
        data = json.loads(text)
        return cls(**{**data, "profile": Profile.model_validate(data["profile"])})
