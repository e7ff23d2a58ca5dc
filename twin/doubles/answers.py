"""Answers of the language models' doubles: the sentences of the passages that match the question best."""

from __future__ import annotations

import re

from twin.doubles.vectors import COMMON_WORDS, Vector, features

QUESTION = re.compile(r"Question:\s*(.+)\s*$", re.S)
PASSAGE = re.compile(r"^\[passage \d+\]$", re.M)
# What a question asks for, the pattern of a sentence that contains it, and the bonus for such a sentence.
WANTED = (
    (re.compile(r"phone|telephone"), re.compile(r"\d{3}-\d{3}-\d{4}"), 0.3),
    (re.compile(r"cost|how much|price|premium|deductible|copayment"), re.compile(r"\$\d"), 0.15),
)


def _sentences(text: str) -> list[str]:
    flowing = re.sub(r"\s*\n\s*(?![•◦\[])", " ", text)
    parts = re.split(r"(?<=[.!?])\s+(?=[A-Z•◦\[])|\n", flowing)
    return [part.strip() for part in parts if part.strip()]


def _score(question: str, vector: Vector, sentence: str) -> float:
    bonus = sum(value for asks, holds, value in WANTED if asks.search(question.lower()) and holds.search(sentence))
    return bonus + float(vector @ features(sentence))


def answer(prompt: str) -> str:
    """The three best sentences in the passages of the prompt, best first."""
    match = QUESTION.search(prompt)
    question = match.group(1) if match else prompt
    head = prompt[: match.start()] if match else prompt
    words = set(re.findall(r"[a-z0-9]+", question.lower())) - COMMON_WORDS
    passages = PASSAGE.split(head)[1:]
    candidates = [s for text in passages for s in _sentences(text)]
    candidates = [s for s in dict.fromkeys(candidates) if words & set(re.findall(r"[a-z0-9]+", s.lower()))]
    if not candidates:
        return "The documents do not contain the answer."
    vector = features(question)
    best = sorted(candidates, key=lambda s: _score(question, vector, s), reverse=True)[:3]
    return "According to your documents: " + " ".join(best)
