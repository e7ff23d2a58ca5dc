"""Documents that are followed at the same time share their looks at the rows of their jobs."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from fixtures.pipeline import Pipeline
from fixtures.shared_looks import SharedLooks
from gate.failures import Blocked


class Rows:
    """Rows of jobs that count how often they are asked for; the first questions may fail."""

    def __init__(self, known: Iterable[str], failures: int = 0) -> None:
        self.asked: list[set[UUID]] = []
        self._known, self._failures = {UUID(id) for id in known}, failures

    def jobs(self, wanted: Iterable[UUID]) -> list[Mapping[str, Any]]:
        self.asked.append(set(wanted))
        if len(self.asked) <= self._failures:
            raise Blocked("database", "no connection")
        return [{"job_id": id} for id in self.asked[-1] & self._known]

    def job(self, job_id: str) -> Mapping[str, Any] | None:
        return next(iter(self.jobs([UUID(job_id)])), None)


def looks(rows: Rows) -> SharedLooks:
    return SharedLooks(cast("Pipeline", rows), threading.Event())


def test_those_who_look_at_the_same_time_share_a_query() -> None:
    ids = [str(uuid4()) for _ in range(8)]
    rows = Rows(ids)
    shared, together = looks(rows), threading.Barrier(len(ids))

    def one(job_id: str) -> Mapping[str, Any] | None:
        together.wait()
        return shared.job(job_id)

    with ThreadPoolExecutor(len(ids)) as pool:
        found = list(pool.map(one, ids))
    assert [str(row["job_id"]) for row in found if row] == ids
    assert len(rows.asked) < len(ids)


def test_a_job_without_a_row_is_none() -> None:
    assert looks(Rows([])).job(str(uuid4())) is None


def test_each_look_asks_anew() -> None:
    job_id = str(uuid4())
    rows = Rows([job_id])
    shared = looks(rows)
    assert shared.job(job_id)
    assert shared.job(job_id)
    assert len(rows.asked) == 2


def test_a_failure_reaches_who_asked_and_no_later_look() -> None:
    job_id = str(uuid4())
    shared = looks(Rows([job_id], failures=1))
    with pytest.raises(Blocked):
        shared.job(job_id)
    assert shared.job(job_id)
