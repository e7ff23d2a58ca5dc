"""How a run behaves towards its target: deadlines, budget, samples, generated requests."""

from __future__ import annotations

from pydantic import Field

from spec.model.base import Entry, Sectioned


class Safety(Sectioned):
    """Deadlines in seconds."""

    request_seconds: float = Field(gt=0)
    patience: int = Field(gt=0)
    impatient_seconds: float = Field(gt=0)
    spared_seconds: float = Field(ge=0)
    chat_seconds: float = Field(gt=0)
    concurrent_requests: int = Field(gt=0)
    check_seconds: float = Field(gt=0)
    run_seconds: float = Field(gt=0)
    settle_seconds: float = Field(gt=0)
    unreachable_seconds: float = Field(gt=0)
    interrupt_seconds: float = Field(gt=0)
    again_seconds: float = Field(ge=0)


class BudgetLimits(Entry):
    """What one run may use; money in US cents."""

    requests_per_second: float = Field(gt=0)
    requests: int = Field(gt=0)
    documents: int = Field(gt=0)
    tokens: int = Field(gt=0)
    cents: float = Field(gt=0)


class BudgetPrices(Entry):
    """Estimates of what third parties count and charge; money in US cents."""

    tokens_of_a_page: int = Field(gt=0)
    tokens_of_a_question: int = Field(gt=0)
    cents_for_a_page: float = Field(ge=0)
    cents_for_1000_tokens: float = Field(ge=0)


class Budget(Sectioned):
    """What a run of the gate and a run of the load may use."""

    gate: BudgetLimits
    load: BudgetLimits
    prices: BudgetPrices


class Contract(Sectioned):
    """Requests generated from openapi.json: for how long in all, how many for each operation, and where none are sent."""

    seconds: float = Field(gt=0)
    examples: int = Field(gt=0)
    seed: int
    tagged_paths: list[str]
    never: dict[str, str]


class Sampling(Sectioned):
    """How many samples a percentile needs."""

    beyond: int = Field(gt=0)
    beyond_costly: int = Field(gt=0)
    mean_minimum: int = Field(gt=0)
    documents: int = Field(gt=0)
    rounds: int = Field(gt=0)
    batches: int = Field(gt=0)
    batch_texts: int = Field(gt=0)
    vendor_documents: int = Field(gt=0)
    claim_grace_seconds: float = Field(ge=0)
    cache_ratio: float = Field(ge=0, le=1)


class Target(Sectioned):
    """contract: Response-time targets; upper bounds in milliseconds, `max_ratio` as a fraction."""

    p95_ms: float | None = Field(default=None, gt=0)
    median_ms: float | None = Field(default=None, gt=0)
    mean_ms: float | None = Field(default=None, gt=0)
    max_ms: float | None = Field(default=None, gt=0)
    max_ratio: float | None = Field(default=None, ge=0, le=1)
