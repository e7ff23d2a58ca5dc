"""Entries of a specification's measured retrieval that checks are made for, one check each."""

from __future__ import annotations

from collections.abc import Iterable

from spec.model import Specification


def retrieval_trials(spec: Specification) -> Iterable[str]:
    """Questions around which passages are planted."""
    return [trial.name for trial in spec.retrieval.trials]


def answered_trials(spec: Specification) -> Iterable[str]:
    """Those of them whose passages hold a fact that the answer has to hold."""
    threshold = spec.chat.similarity_threshold
    held = (t.name for t in spec.retrieval.trials if t.fact and any(p.similarity > threshold for p in t.passages))
    return list(held)


def unanswered_trials(spec: Specification) -> Iterable[str]:
    """Those of them without a passage above the threshold."""
    threshold = spec.chat.similarity_threshold
    return [t.name for t in spec.retrieval.trials if all(p.similarity < threshold for p in t.passages)]


def alias_trials(spec: Specification) -> Iterable[str]:
    """Names of the trials whose questions the chat's alias is asked as well."""
    return spec.retrieval.by_alias
