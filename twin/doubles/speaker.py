"""The text of the language models' doubles: from passages, by plain instructions, or an acknowledgement."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from twin.doubles.answers import answer

VERB = r"\b(?:say|reply|respond|answer|repeat|output|return|write|print)\b"
BETWEEN = r"(?: (?:back|only|exactly|just|with|the|this|single|one|word|words|phrase|text|sentence|after me|nothing but|in))*"
ONLY = re.compile(VERB + BETWEEN + r"[:\s]+[\"'“‘`]([^\"'”’`]+)[\"'”’`]", re.I)
BARE_BETWEEN = r"(?: (?:back|only|exactly|just|with|the|single|one|word|words|phrase|text|after me|nothing but))*:? "
BARE = re.compile(
    VERB.replace("|return|write", "") + BARE_BETWEEN + r"([\w-]+(?: [\w-]+){0,3}?)(?: and nothing else| only)?[.!]?\s*$", re.I
)
# What follows a colon at the end is to be repeated: "Repeat exactly, and nothing else: ONE TWO".
AFTER_COLON = re.compile(VERB + r"[^:\n]{0,80}:\s+(\S.{0,400})$", re.I | re.S)
COUNTING = re.compile(r"\bcount\b.*?\b(?:from (\d+) )?(?:up )?to (\d+)", re.I | re.S)
SUM = re.compile(r"(-?\d+)\s*(\+|plus|-|minus|\*|×|x|times|multiplied by)\s*(-?\d+)", re.I)
LONG = re.compile(r"\b(write|tell|story|essay|poem|explain|describe|list|long|detail|paragraph|summar|haiku|joke)", re.I)
CAPITALS = {"france": "Paris", "germany": "Berlin", "italy": "Rome", "spain": "Madrid", "japan": "Tokyo", "england": "London"}
STEPS: dict[str, Callable[[int, int], int]] = {
    **dict.fromkeys(("+", "plus"), lambda a, b: a + b),
    **dict.fromkeys(("-", "minus"), lambda a, b: a - b),
    **dict.fromkeys(("*", "×", "x", "times", "multiplied by"), lambda a, b: a * b),
}
FILLING = (
    "It began with a plain question, and in the small town by the river no one had a ready reply to it.",
    "Some went through old papers, others walked along the water and talked it over with their neighbours.",
    "By the evening three ideas were left, each of them simple, and each with something to be said for it.",
    "They tried the first one on Monday, learned why it could not work, and wrote down what they had learned.",
    "The second did better, and what was missing in it turned out to be exactly what the third could give.",
    "So in the end they put the two together, tested the whole with care, and were content with the result.",
)


def speak(system: str, said: Sequence[tuple[str, str]]) -> str:
    """The next message of a conversation of (role, text), oldest first."""
    question = next((text for role, text in reversed(said) if role in ("user", "tool")), "")
    if "[passage " in question or "Question:" in question:
        return answer(question)
    if said and said[-1][0] == "tool":
        return f"Here is what the tool returned: {said[-1][1].strip()}"
    followed = _instructed(question) or _instructed(system) or _known(question)
    return followed or _acknowledged(question, said)


def _instructed(text: str) -> str | None:
    if match := ONLY.search(text) or BARE.search(text) or AFTER_COLON.search(text):
        return match.group(1).strip()
    if match := COUNTING.search(text):
        first, last = int(match.group(1) or 1), int(match.group(2))
        return ", ".join(map(str, range(first, min(last, first + 999) + 1)))
    return None


def _known(question: str) -> str | None:
    if match := SUM.search(question):
        return str(STEPS[match.group(2).lower()](int(match.group(1)), int(match.group(3))))
    if "capital" in question.lower():
        found = (f"The capital of {land.title()} is {town}." for land, town in CAPITALS.items() if land in question.lower())
        return next(found, None)
    return None


def _acknowledged(question: str, said: Sequence[tuple[str, str]]) -> str:
    if LONG.search(question):
        return " ".join(FILLING)
    earlier = [text.strip() for role, text in said if role == "user" and text.strip()][:-1]
    if earlier:
        # A language model knows what was said before, and shows it when asked.
        return "You told me before: " + " ".join(f"“{text[:400]}”" for text in earlier)
    return "The documents do not contain the answer." if "document" in question.lower() else "Hello! How can I help you today?"
