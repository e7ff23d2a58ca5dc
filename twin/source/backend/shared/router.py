"""The service router: a request goes to the first provider that can serve it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from backend.shared.calls import CallError

Route = Literal["primary", "fallback", "none"]


@dataclass(frozen=True)
class Attempt:
    """One provider that was tried; `outcome` is `success` or the problem (calls.Problem)."""

    provider: str
    outcome: str
    seconds: float


@dataclass(frozen=True)
class Routed:
    """An answer, and the way it took."""

    text: str
    provider: str = "none"
    route: Route = "none"
    attempts: list[Attempt] = field(default_factory=list)


@dataclass(frozen=True)
class Provider:
    """One provider: its function returns the answer to a prompt, or raises CallError."""

    name: str
    answer: Callable[[str], Awaitable[str]]


class NoProvider(RuntimeError):
    """No provider returned an answer; the message says of each why."""

    def __init__(self, reasons: Sequence[str], attempts: list[Attempt]) -> None:
        super().__init__("; ".join(reasons))
        self.attempts = attempts


class ServiceRouter:
    """Providers of the same service, the preferred one first; those that are not configured are named with the reason."""

    def __init__(self, providers: Sequence[Provider], not_configured: Sequence[str] = ()) -> None:
        self._providers = providers
        self._not_configured = not_configured

    async def answer(self, prompt: str) -> Routed:
        """The first answer; raises NoProvider. A provider whose circuit is open costs no time."""
        attempts: list[Attempt] = []
        reasons: list[str] = []
        for number, provider in enumerate(self._providers):
            started = time.perf_counter()
            try:
                text = await provider.answer(prompt)
            except CallError as error:
                attempts.append(Attempt(provider.name, str(error.problem), round(time.perf_counter() - started, 6)))
                reasons.append(f"{provider.name}: {error}")
                continue
            attempts.append(Attempt(provider.name, "success", round(time.perf_counter() - started, 6)))
            return Routed(text, provider.name, "fallback" if number else "primary", attempts)
        raise NoProvider([*reasons, *(f"{name}: not configured" for name in self._not_configured)], attempts)
