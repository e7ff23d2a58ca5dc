"""Faults of external APIs that only a review of keys and limits sees: another owner, too many rights, little room."""

from __future__ import annotations

from twin.faults import fault
from twin.plan import Plan


@fault("LE01", "the OpenAI key is of another organisation", "openai", "maintenance", mode="-", about="OPENAI_API_KEY")
def another_organisation(plan: Plan) -> None:
    plan.behaviour["openai"] = {"organization": "org-of-somebody-else"}


@fault("LE02", "the OpenAI key has all rights", "openai", "maintenance", mode="-", about="OPENAI_API_KEY")
def powerful_key(plan: Plan) -> None:
    plan.behaviour["openai"] = {"rights": "all"}


@fault(
    "LE03",
    "others use up OpenAI's limits",
    "openai",
    "postdeploy",
    "maintenance",
    mode="-",
    about="openai requests|openai tokens",
)
def little_room(plan: Plan) -> None:
    plan.behaviour["openai"] = {"used": 0.97}


@fault(
    "LE04",
    "OpenAI's project lost the embedding model",
    "openai",
    "predeploy",
    "maintenance",
    mode="-",
    about="OPENAI_API_KEY|OpenAI|text-embedding-3-small",
)
def model_gone(plan: Plan) -> None:
    plan.behaviour["openai"] = {"lacks": ["text-embedding-3-small"]}


@fault(
    "LE05",
    "OpenAI's embeddings have another dimension, seen by a review",
    "openai",
    "maintenance",
    mode="-",
    about="OpenAI|vectors |embedding",
)
def another_dimension(plan: Plan) -> None:
    plan.behaviour["openai"] = {"vectors": "short"}


@fault("LE06", "no parse at LlamaParse ever ends", "llamaparse", "maintenance", mode="-", about="LlamaParse")
def endless_parse(plan: Plan) -> None:
    plan.behaviour["llamaparse"] = {"stalls": True}


@fault("LE12", "OpenAI's key is an administrator's", "openai", "maintenance", mode="-", about="OPENAI_API_KEY")
def administrators_key(plan: Plan) -> None:
    plan.behaviour["openai"] = {"rights": "admin"}


@fault("LE13", "Anthropic's key is of another organisation", "anthropic", "maintenance", mode="-", about="ANTHROPIC_API_KEY")
def another_anthropic_organisation(plan: Plan) -> None:
    plan.behaviour["anthropic"] = {"organization": "8a2c4e4f-0000-4000-8000-00000000dead"}


@fault("LE14", "others use up Anthropic's limits", "anthropic", "maintenance", mode="-", about="anthropic")
def little_room_at_anthropic(plan: Plan) -> None:
    plan.behaviour["anthropic"] = {"used": 0.97}
