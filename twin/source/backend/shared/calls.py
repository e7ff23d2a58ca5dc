"""Calls to external services: each has a deadline, goes through its circuit, and fails in one way."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any

from backend.shared.breaker import OPEN_SECONDS, Circuit, worst

# Between services nothing is faster than this, however impatient a deployment is.
LEAST_SECONDS = 3.0
# What reading an answer of an unexpected form raises.
UNREADABLE = (ValueError, AttributeError, TypeError, LookupError)
# Errors by their names: the vendors' clients do not agree on one package, and none is imported for its errors alone.
TIMED_OUT = {"TimeoutException", "APITimeoutError"}
UNCONNECTED = {"HTTPError", "APIConnectionError"}


class Problem(StrEnum):
    """Why a call failed."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    SERVER_ERROR = "server_error"
    RATE_LIMITED = "rate_limited"
    UNREADABLE = "unreadable"
    REFUSED = "refused"
    CIRCUIT_OPEN = "circuit_open"


class CallError(RuntimeError):
    """A call to an external service failed; `retry_after` is the service's own wish, in seconds."""

    def __init__(
        self, service: str, problem: Problem, text: str, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(text)
        self.service = service
        self.problem = problem
        self.status = status
        self.retry_after = retry_after
        # The circuit that the call went through.
        self.circuit = service

    @property
    def is_outage(self) -> bool:
        """Whether the service failed, and did not refuse this request."""
        return self.problem not in (Problem.REFUSED, Problem.CIRCUIT_OPEN)


def problem_of(status: int) -> Problem:
    """What a status that is no success means."""
    if status == 429:
        return Problem.RATE_LIMITED
    if status < 400:
        return Problem.UNREADABLE
    return Problem.SERVER_ERROR if status >= 500 else Problem.REFUSED


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that Retry-After asks for; None without one, or where it is a date."""
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def translated(service: str, error: Exception) -> CallError | None:
    """What an exception of a vendor's client means; None where it is not about the call.

    The clients' errors of a status carry it as `status_code`; those of a connection have an error of httpx, or of the package
    that followed it, as their cause.
    """
    if isinstance(error, CallError):
        return error
    response = getattr(error, "response", None)
    status = getattr(error, "status_code", getattr(response, "status_code", None))
    if isinstance(status, int):
        headers = getattr(response, "headers", {})
        return CallError(service, problem_of(status), f"{service} answered {status}", status, retry_after(headers))
    kinds = {kind.__name__ for one in (error, error.__cause__) for kind in type(one).__mro__}
    if isinstance(error, TimeoutError) or kinds & TIMED_OUT:
        return CallError(service, Problem.TIMEOUT, f"{service} unreachable: {type(error).__name__}")
    if kinds & UNCONNECTED:
        return CallError(service, Problem.UNREACHABLE, f"{service} unreachable: {type(error).__name__}")
    if isinstance(error, UNREADABLE):
        return CallError(service, Problem.UNREADABLE, f"{service} unreadable: {type(error).__name__}")
    return None


class Calls:
    """The calls of one process. A circuit is named `service` or `service.operation`, and made when it is first used.

    Operations have circuits of their own where one may work while the other does not.
    """

    def __init__(self, seconds: float, speedup: float = 1.0, patience_speedup: float = 1.0) -> None:
        self._seconds = seconds
        self._patience_speedup = patience_speedup
        self._open_seconds = OPEN_SECONDS / speedup
        self._circuits: dict[str, Circuit] = {}

    def circuit(self, name: str) -> Circuit:
        """The circuit of this name."""
        return self._circuits.setdefault(name, Circuit(name, open_seconds=self._open_seconds))

    def deadline(self, seconds: float) -> float:
        """Seconds that a call may take which should take at most so many."""
        return max(seconds / self._patience_speedup, min(seconds, LEAST_SECONDS))

    @asynccontextmanager
    async def to(self, name: str, seconds: float = 0.0) -> AsyncIterator[None]:
        """Make a call in the body; raises CallError when the circuit is open, the deadline passes or the service fails."""
        service, circuit = name.partition(".")[0], self.circuit(name)
        if not circuit.admit():
            text = f"{service} is not called: circuit {name} is open"
            refusal = CallError(service, Problem.CIRCUIT_OPEN, text, retry_after=circuit.seconds_left)
            refusal.circuit = name
            raise refusal
        try:
            async with asyncio.timeout(self.deadline(seconds or self._seconds)):
                yield
        except Exception as error:
            failure = translated(service, error)
            if failure is None:
                circuit.abandoned()
                raise
            failure.circuit = name
            if failure.is_outage:
                circuit.failed(str(failure))
            else:
                circuit.succeeded()
            if failure is error:
                raise
            raise failure from error
        except BaseException:
            circuit.abandoned()
            raise
        circuit.succeeded()

    def shown(self) -> dict[str, dict[str, Any]]:
        """Each service with the state of its circuit, the worst one where its operations have several."""
        by_service: dict[str, list[Circuit]] = {}
        for name, circuit in sorted(self._circuits.items()):
            by_service.setdefault(name.partition(".")[0], []).append(circuit)
        return {service: worst(circuits).as_data() for service, circuits in by_service.items()}
