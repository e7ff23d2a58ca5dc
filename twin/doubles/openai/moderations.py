"""Moderations: a few words stand for what a classifier would find."""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles import words
from twin.doubles.openai.errors import RefusedError, missing
from twin.doubles.openai.listing import new_id
from twin.doubles.openai.models import MODERATION, known
from twin.doubles.openai.parameters import Parameters, mistyped, object_of, sized

CATEGORIES = {
    "harassment": r"\b(idiot|stupid|loser|worthless)\b",
    "harassment/threatening": r"\b(kill|hurt|murder|beat) (you|him|her|them)\b",
    "hate": r"\bhate (all )?\w+s\b",
    "hate/threatening": r"\bexterminate\b",
    "illicit": r"\b(bomb|meth|counterfeit)\b",
    "illicit/violent": r"\bbuild a bomb\b",
    "self-harm": r"\b(kill|hurt|harm|cut) myself\b|\bsuicide\b",
    "self-harm/intent": r"\b(want|going) to (kill|hurt|harm) myself\b",
    "self-harm/instructions": r"\bhow to (kill|hurt|harm) myself\b",
    "sexual": r"\b(porn|sexual)\w*\b",
    "sexual/minors": r"$^",
    "violence": r"\b(kill|murder|stab|shoot|slaughter)\w*\b",
    "violence/graphic": r"\b(gore|dismember\w*)\b",
}
OF_IMAGES = ("self-harm", "self-harm/intent", "self-harm/instructions", "sexual", "violence", "violence/graphic")


def _result(text: str, has_image: bool) -> dict[str, Any]:
    flags = {name: bool(re.search(pattern, text, re.I)) for name, pattern in CATEGORIES.items()}
    inputs = {name: ["text", "image"] if has_image and name in OF_IMAGES else ["text"] for name in CATEGORIES}
    return {
        "flagged": any(flags.values()),
        "categories": flags,
        "category_scores": {name: 0.97 if found else 0.00001 for name, found in flags.items()},
        "category_applied_input_types": inputs,
    }


def create(body: dict[str, Any]) -> dict[str, Any]:
    """The moderation of one request; raises RefusedError."""
    given = Parameters(body)
    given.only(("input", "model"))
    model = known(body.get("model") or MODERATION[0])
    if model not in MODERATION:
        raise RefusedError(f"Invalid value for 'model' = {model}. Please check the allowed models and try again.", "model")
    content = body.get("input")
    if content is None:
        raise missing("input")
    if not isinstance(content, (str, list)):
        raise mistyped("input", "a string or an array", content)
    sized("input", content if isinstance(content, list) else ["-"], 1, None)
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        results = [_result(words.text_of(content), any(part.get("type") == "image_url" for part in content))]
    else:
        results = [_result(str(one), False) for one in ([content] if isinstance(content, str) else content)]
    shown = MODERATION[1] if model == MODERATION[0] else model
    return {"id": new_id("modr", "-"), "model": shown, "results": results}


async def created(request: Request) -> Response:
    """A moderation."""
    return JSONResponse(create(await object_of(request)))
