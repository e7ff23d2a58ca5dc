"""What the locustfiles of the benchmarks print, as their caller reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from pydantic import BaseModel

from load.record import LoadRecord, Part

PERCENTS = (50, 90, 95, 99)
MARK = "RESULT"
TASK = "one"
LATE_MS, BIT_LATE_MS = 50.0, 5.0


def at_percents(ascending: Sequence[float]) -> list[float]:
    """The nearest-rank percentiles that the page shows; raises IndexError for an empty sequence."""
    return [ascending[max(0, -(-len(ascending) * percent // 100) - 1)] for percent in PERCENTS]


class Result(BaseModel):
    """Response times (milliseconds at PERCENTS), requests, and requests a second."""

    response: list[float]
    count: int
    rate: float

    def line(self) -> str:
        """The line that a locustfile prints."""
        return MARK + self.model_dump_json()


class ClosedResult(Result):
    """Of a closed loop."""


class OpenResult(Result):
    """Of open arrivals; `due` is when each numbered request was due (seconds since the epoch)."""

    service: list[float]
    lag_p99: float
    late_share: float
    late_5ms_share: float
    errors: int
    dropped: int
    due: dict[int, float]


R = TypeVar("R", bound=Result)


def printed(kind: type[R], output: str) -> R | None:
    """The result of this kind that a locustfile printed, or None."""
    line = next((line for line in output.splitlines() if line.startswith(MARK)), None)
    return kind.model_validate_json(line.removeprefix(MARK)) if line is not None else None


def open_result(measured: Part, seconds: float, due_at: dict[int, float]) -> OpenResult:
    """The figures of a run of open arrivals."""
    record = LoadRecord(
        run_id="bench", release="", target="", kind="", profile="bench", started_at="", seconds=seconds, block_seconds=1.0,
        **dict(measured),
    )  # fmt: skip
    response, service = record.latencies(TASK), record.latencies(TASK, "service")
    last = max(record.done, default=0)
    return OpenResult(
        response=[response.percentile(percent) for percent in PERCENTS],
        service=[service.percentile(percent) for percent in PERCENTS],
        lag_p99=record.schedule_lag().percentile(99),
        late_share=record.late_share(LATE_MS),
        late_5ms_share=record.late_share(BIT_LATE_MS),
        count=response.count,
        errors=sum(record.errors().values()),
        dropped=record.dropped,
        # The first and the last second are not whole.
        rate=sum(number for second, number in record.done.items() if 0 < second < last) / max(1, last - 1),
        due=due_at,
    )
