"""Whether a part takes what it is asked with: one gentle request that only reads, for each setting that can be tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

State = Literal["valid", "refused", "unreachable"]
ASK_SECONDS = 6.0
MOST_AT_ONCE = 8


@dataclass(frozen=True)
class Answer:
    """What a part returned to one setting. `detail` is for people, and may hold a secret until it is masked."""

    state: State
    detail: str = ""

    @property
    def is_valid(self) -> bool:
        """Whether the setting works."""
        return self.state == "valid"

    def __str__(self) -> str:
        return f"{self.state} ({self.detail})" if self.detail else self.state


# Tries one setting within so many seconds.
Try = Callable[[float], Answer]


def try_all(tries: Mapping[str, Try], seconds: float = ASK_SECONDS) -> dict[str, Answer]:
    """The answers to all settings, asked at the same time, in the order of the settings."""
    if not tries:
        return {}
    with ThreadPoolExecutor(min(len(tries), MOST_AT_ONCE)) as pool:
        return dict(zip(tries, pool.map(lambda one: one(seconds), tries.values()), strict=True))
