"""Entries of the queue's checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from spec.model import Invariant, Pipeline, Specification


def queued_documents(spec: Specification) -> Iterable[str]:
    """Names of the run's documents, whatever becomes of them."""
    return spec.documents


def invariants_of_a_run(spec: Specification) -> Iterator[Invariant]:
    """What holds of the rows of a run's documents; what a check of its own looks at is left out."""
    return (invariant for invariant in spec.invariants if invariant.name in spec.queue.invariants)


def failures_of(spec: Specification) -> list[str]:
    """Statuses of jobs that have failed, the least usual ones first."""
    rule, known = spec.pipeline, spec.database.table(spec.pipeline.jobs_table).checks["status"]
    failed = [status for status in known if rule.has_failed(status) and status != rule.failed_status]
    return [*failed, rule.failed_status]


def states_before_the_end(spec: Specification) -> Iterable[str]:
    """States of a job that is not finished."""
    return spec.pipeline.states.unfinished


def running_in(rule: Pipeline, state: str) -> list[str]:
    """Stages of jobs in a state, where only a check changes them: those in work may wait for their callback."""
    return [rule.stages[0], *([rule.callback_stage] if state == rule.states.working else [])]
