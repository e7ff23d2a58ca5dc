"""Entries of the queue's checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from spec.model import Invariant, Pipeline, Specification

# When a row was made, as PostgreSQL reads it.
MADE = {"created_at": "now", "updated_at": "now"}


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
    """Stages of jobs in a state, where only a check changes them: one in work is at any of them, and no worker takes it."""
    return rule.stages[:-1] if state == rule.states.working else rule.stages[:1]


def in_groups(stages: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """The stages, so many at a time."""
    return (stages[at : at + size] for at in range(0, len(stages), size))


def unfinished_jobs(spec: Specification) -> list[dict[str, object]]:
    """Rows of jobs at every stage before the last, in every state of one that is not finished."""
    rule = spec.pipeline
    return [_job(spec, status, state) for status in rule.stages[:-1] for state in rule.states.unfinished]


def complete_jobs(spec: Specification) -> list[dict[str, object]]:
    """Rows of jobs that no worker looks for."""
    return [_job(spec, spec.pipeline.final_status, spec.pipeline.final_state)]


def _job(spec: Specification, status: str, state: str) -> dict[str, object]:
    ids = dict.fromkeys(("job_id", "document_id"), spec.probes.unknown_id)
    return {**ids, **MADE, "status": status, "state": state, "progress": {}, "retry_count": 0}


def embedded_chunks(spec: Specification) -> list[dict[str, object]]:
    """Rows of chunks with their vectors: the first of a document, and a later one."""
    rule, dimension = spec.pipeline, spec.vectors.dimension
    ids = dict.fromkeys(("chunk_id", "document_id"), spec.probes.unknown_id)
    text = {"chunker_name": rule.chunker, "chunker_version": rule.chunker_version, "text": "x", "chunk_sha": "0" * 64}
    versions = {"embed_model": rule.embed_model, "embed_version": rule.embed_version, "vector_dim": dimension}
    embedding = str([1.0] + [0.0] * (dimension - 1))
    return [{**ids, **MADE, **text, **versions, "chunk_ord": number, "embedding": embedding} for number in (0, 1)]
