"""Faults of the third parties."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan

SLOW_SECONDS = 10


@fault("F13", "some callbacks are never sent", "webhook", "postdeploy", about="*callback*|*parse_queued*")
def missing_callbacks(plan: Plan) -> None:
    plan.config.behaviour["llamaparse"] = {"lose": 0.4, "seed": 7}


@fault(
    "F30",
    "each LlamaParse and OpenAI call takes 10 s longer",
    "llamaparse/openai",
    "performance",
    about="*LlamaParse*|*OpenAI*|*parsing*",
)
def slow_vendors(plan: Plan) -> None:
    plan.config.behaviour["llamaparse"] = {"delay": SLOW_SECONDS}
    plan.config.behaviour["openai"] = {"delay": SLOW_SECONDS}


@fault(
    "G19",
    "OpenAI returns 500",
    "openai",
    "predeploy",
    "postdeploy",
    mode="-",
    about="*OpenAI*|*openai*",
    log="*openai answered 500*",
    silent=("predeploy",),
)
def openai_down(plan: Plan) -> None:
    plan.config.behaviour["openai"] = {"status": 500}


@fault(
    "G20",
    "LlamaParse returns 503 for every document",
    "llamaparse",
    "postdeploy",
    mode="-",
    about="*LlamaParse*|*llamaparse*|*/api/parsing/*|*documents fail at*",
    log="*llamaparse answered 503*",
)
def llamaparse_down(plan: Plan) -> None:
    plan.config.behaviour["llamaparse"] = {"status": 503}


@fault(
    "G21",
    "OpenAI's embeddings have another dimension",
    "rag/openai",
    "predeploy",
    "postdeploy",
    mode="-",
    about="*OpenAI*|*vectors *|*embedding*",
    log="*dimensions, expected 1536*",
    silent=("predeploy",),
)
def short_vectors(plan: Plan) -> None:
    plan.config.behaviour["openai"] = {"vectors": "short"}


@fault("G36", "each OpenAI call takes 2.5 s longer", "openai", "performance", mode="F30", about="*OpenAI*")
def slow_openai(plan: Plan) -> None:
    plan.config.behaviour["openai"] = {"delay": 2.5}


@fault("G37", "each Supabase call takes 1 s longer", "supabase/storage/api", "performance", mode="F30|-", about="*Supabase*")
def slow_supabase(plan: Plan) -> None:
    plan.config.behaviour["supabase"] = {"delay": 1.0}


@fault("G38", "each Anthropic call takes 5 s longer", "anthropic", "performance", mode="F30|-", about="*Anthropic*")
def slow_anthropic(plan: Plan) -> None:
    plan.config.behaviour["anthropic"] = {"delay": 5.0}
