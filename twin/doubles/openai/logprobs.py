"""Log probabilities of the tokens of a text, as certain as a deterministic model is."""

from __future__ import annotations

from typing import Any

from twin.doubles import words

CERTAIN = -0.0001
WORDS = ("the", "a", "and", "of", "to", "in", "is", "it", "for", "on", "as", "at", "by", "or", "an")
OTHERS = (*".,:!?-", *(f" {word}" for word in WORDS))


def _one(token: str, value: float) -> dict[str, Any]:
    return {"token": token, "logprob": value, "bytes": list(token.encode())}


def logprobs_of(text: str, most: int) -> dict[str, Any]:
    """The log probabilities of each token, with so many of the most likely ones."""
    content = []
    for token in words.tokens(text):
        others = [_one(other, -9.0 - number) for number, other in enumerate(OTHERS) if other != token]
        content.append({**_one(token, CERTAIN), "top_logprobs": [_one(token, CERTAIN), *others][:most]})
    return {"content": content, "refusal": None}
