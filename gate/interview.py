"""Questions on a terminal; what is secret is neither echoed nor shown."""

from __future__ import annotations

import getpass

from gate.masking import Masking


class Interview:
    """Asks where somebody is there to reply, and shows everything masked."""

    def __init__(self, is_possible: bool) -> None:
        self.is_possible = is_possible
        self._masking = Masking()

    def learn(self, name: str, value: str) -> None:
        """Never show this value."""
        self._masking.learn(name, value)

    def mask(self, text: str) -> str:
        """A text without any known secret."""
        return self._masking.mask(text)

    def say(self, text: str) -> None:
        """Print a line."""
        print(self.mask(text), flush=True)

    def ask(self, question: str, is_secret: bool) -> str:
        """The reply, without what surrounds it; empty to go on without."""
        reply = getpass.getpass(f"{question}: ") if is_secret else input(f"{question}: ")
        return reply.strip()

    def confirm(self, question: str) -> bool:
        """Whether the reply is yes."""
        return input(f"{question} [y/N] ").strip().casefold() in ("y", "yes")
