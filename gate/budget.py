"""What a run may use: requests a second and in all, documents, tokens and money. Counted by all its processes together."""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property

from gate.failures import Blocked
from gate.prerequisites import BUDGET, Prerequisites
from gate.shared import SharedFolder
from spec.model import Budget as Rule
from spec.model import BudgetLimits

FILE = "budget.json"
# Length of the account's file.
MOST_BYTES = 1024
COUNTED = ("requests", "documents", "tokens", "cents")


@dataclass
class Used:
    """What was used so far. `peak` is the largest number of requests in one second; money is in US cents.

    `tokens` and `cents` are estimates made before each request; what is `metered` was taken from the vendors' own answers.
    """

    requests: int = 0
    documents: int = 0
    tokens: int = 0
    cents: float = 0.0
    peak: int = 0
    second: int = 0
    in_second: int = 0
    metered_tokens: int = 0
    metered_cents: float = 0.0

    def beyond(self, limits: BudgetLimits) -> str | None:
        """The first limit that is exceeded, as a message; None when none is."""
        for name in COUNTED:
            used, limit = getattr(self, name), getattr(limits, name)
            if used > limit:
                return f"{limit:g} {name} are used up"
        return None

    def format_line(self, limits: BudgetLimits) -> str:
        """One line for people."""
        return (
            f"{self.requests:,} of {limits.requests:,} requests (at most {self.peak} of {limits.requests_per_second:g} in a"
            f" second), {self.documents} of {limits.documents} documents, about {self.tokens:,} of {limits.tokens:,} tokens"
            f" and ${self.cents / 100:.2f} of ${limits.cents / 100:.2f}{self._metered}"
        )

    @property
    def _metered(self) -> str:
        if not self.metered_tokens:
            return ""
        money = f"${self.metered_cents / 100:.4f}"
        return f"; the vendors' answers to the gate itself account for {self.metered_tokens:,} tokens and {money}"

    def as_data(self, limits: BudgetLimits) -> dict[str, dict[str, float]]:
        """For verdict.json: what was used and its limit, by name."""
        found = {name: {"used": float(getattr(self, name)), "limit": float(getattr(limits, name))} for name in COUNTED}
        found["tokens"]["metered"], found["cents"]["metered"] = float(self.metered_tokens), self.metered_cents
        return found | {"requests_per_second": {"used": self.peak, "limit": limits.requests_per_second}}


class Budget:
    """The account of one run, in a file that its processes share under a lock."""

    def __init__(self, shared: SharedFolder, rule: Rule, limits: BudgetLimits, prerequisites: Prerequisites) -> None:
        self._shared = shared
        self._rule = rule
        self._prerequisites = prerequisites
        self.limits = limits
        # Threads of one process take turns here: the lock of the file is the process's.
        self._turn = threading.Lock()

    def spend(
        self,
        requests: int = 0,
        documents: int = 0,
        pages: int = 0,
        questions: int = 0,
        tokens: int = 0,
        paced: bool = True,
    ) -> None:
        """Count what is about to be used; waits where a second is full, raises Blocked where a limit is reached.

        `pages` are parsed and embedded, `questions` are answered by a model, `tokens` are sent to one directly. What is not
        `paced` is spread over time by whoever sends it.
        """
        __tracebackhide__ = True
        prices = self._rule.prices
        tokens += pages * prices.tokens_of_a_page + questions * prices.tokens_of_a_question
        cents = pages * prices.cents_for_a_page + tokens / 1000 * prices.cents_for_1000_tokens
        while True:
            used = self._add(requests, documents, tokens, cents, paced)
            if used is not None:
                break
            time.sleep(1 - time.time() % 1)  # until the second that is full is over
        if reason := used.beyond(self.limits):
            message = f"the run's budget: {reason} ([budget] of the specification file)"
            self._prerequisites.note_unavailable(BUDGET, message)
            raise Blocked(BUDGET, message)

    def meter(self, tokens: int, cents: float) -> None:
        """Count what a vendor's answer says that it used; the estimate made before the request is what limits hold."""
        with self._locked():
            used = self._read()
            used.metered_tokens += tokens
            used.metered_cents = round(used.metered_cents + cents, 6)
            self._keep(used)

    @cached_property
    def _file(self) -> int:
        """The account, open as long as the process runs: every request of the run is counted in it."""
        file = os.open(self._shared.below(".") / FILE, os.O_RDWR | os.O_CREAT, 0o600)
        weakref.finalize(self, os.close, file)
        return file

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._turn:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def used(self) -> Used:
        """What was used so far."""
        with self._locked():
            return self._read()

    def _read(self) -> Used:
        text = os.pread(self._file, MOST_BYTES, 0)
        return Used(**json.loads(text)) if text else Used()

    def _keep(self, used: Used) -> None:
        # Blanks take the place of what was longer before.
        os.pwrite(self._file, json.dumps(asdict(used)).ljust(MOST_BYTES).encode(), 0)

    def _add(self, requests: int, documents: int, tokens: int, cents: float, paced: bool) -> Used | None:
        """The account after this, or None where the second has no place for it."""
        with self._locked():
            used = self._read()
            if paced and requests and not self._has_place(used, requests):
                return None
            used.requests, used.documents = used.requests + requests, used.documents + documents
            used.tokens, used.cents = used.tokens + tokens, round(used.cents + cents, 6)
            self._keep(used)
            return used

    def _has_place(self, used: Used, requests: int) -> bool:
        """Whether this second takes so many more; counts them if so."""
        now = int(time.time())
        together = requests + (used.in_second if used.second == now else 0)
        if requests < together > self.limits.requests_per_second:
            return False
        used.second, used.in_second, used.peak = now, together, max(used.peak, together)
        return True
