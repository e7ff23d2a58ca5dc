"""Variants of the navigator's twin: different systems that are also correct."""

from __future__ import annotations

from collections.abc import Callable

from twin.changes import Variant, register
from twin.plan import Plan

FAMILIES = (
    "access",
    "aimed_access",
    "aimed_answers",
    "aimed_build",
    "aimed_configuration",
    "aimed_database",
    "aimed_network",
    "aimed_worker",
    "api",
    "bodies",
    "build",
    "build_worker",
    "company",
    "database",
    "errors",
    "keys",
    "live_transport",
    "network",
    "platform",
    "rewritten",
    "rewritten_worker",
    "shapes",
    "stranger_eleventh",
    "stranger_eleventh_chat",
    "stranger_eleventh_more",
    "stranger_fifteenth",
    "stranger_fifteenth_api",
    "stranger_fifteenth_chat",
    "stranger_fifteenth_chunks",
    "stranger_fifteenth_data",
    "stranger_fifteenth_health",
    "stranger_fifteenth_vendors",
    "stranger_fifteenth_worker",
    "stranger_fourteenth",
    "stranger_fourteenth_callbacks",
    "stranger_fourteenth_data",
    "stranger_fourteenth_intake",
    "stranger_fourteenth_surface",
    "stranger_fourteenth_worker",
    "stranger_honest",
    "stranger_honest_inside",
    "stranger_honest_more",
    "stranger_ninth",
    "stranger_ninth_chat",
    "stranger_ninth_inside",
    "stranger_ninth_more",
    "stranger_tenth",
    "stranger_tenth_more",
    "stranger_thirteenth",
    "stranger_thirteenth_api",
    "stranger_thirteenth_data",
    "stranger_thirteenth_more",
    "stranger_thirteenth_rest",
    "stranger_thirteenth_split",
    "stranger_twelfth",
    "stranger_twelfth_api",
    "stranger_twelfth_data",
    "stranger_twelfth_more",
    "stranger_twelfth_vendors",
    "surroundings",
    "tolerated",
    "transport",
    "uploads",
    "worker",
)
REGISTRY: dict[str, Variant[Plan]] = {}


def variant(id: str, title: str) -> Callable[[Callable[[Plan], None]], None]:
    """Register the decorated function as a variant; raises CatalogueError when it is malformed."""

    def decorate(apply: Callable[[Plan], None]) -> None:
        apply.__doc__ = f"{title}."
        register(REGISTRY, Variant(id, title, apply))

    return decorate
