"""The story of one run: who sends and asks what when, and what is broken when. A pure function of the seed and the options."""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from spec.model import Chaos, RandomBreak

PLACES = 2
Way = Literal["signed_url", "proxy"]


@dataclass(frozen=True)
class Upload:
    """A document that a user sends; `kind` is the number of its kind in the specification."""

    number: int
    user: int
    at: float
    kind: int
    by: Way


@dataclass(frozen=True)
class Question:
    """A question that a user asks about the documents that are theirs."""

    number: int
    user: int
    at: float


@dataclass(frozen=True)
class Planned:
    """A disturbance, from `at` on for so many seconds; `asked` is what the control is asked for."""

    number: int
    part: str
    at: float
    seconds: float
    asked: Mapping[str, Any]

    @property
    def until(self) -> float:
        """When it ends."""
        return round(self.at + self.seconds, PLACES)

    @property
    def kind(self) -> str:
        """Its kind."""
        return str(self.asked["kind"])

    def __str__(self) -> str:
        named = (self.asked.get(name) for name in ("source", "target", "how", "when_status"))
        return " ".join([self.kind, *(str(word) for word in named if word)])


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    documents: int
    minutes: float
    users: int
    workers: int

    @classmethod
    def of(cls, rule: Chaos, documents: int | None = None, minutes: float | None = None, users: int | None = None) -> Options:
        """The options that are given, and the specification's for the others."""
        count = documents or rule.documents
        return cls(count, float(minutes or rule.minutes), users or math.ceil(count / rule.documents_a_user), rule.workers)

    @property
    def seconds(self) -> float:
        """How long parts are disturbed."""
        return self.minutes * 60


@dataclass(frozen=True)
class Story:
    """What is to happen; seconds count from the beginning of the run."""

    seed: int
    options: Options
    uploads: tuple[Upload, ...]
    questions: tuple[Question, ...]
    disturbances: tuple[Planned, ...]

    def as_data(self) -> dict[str, Any]:
        """For story.json."""
        return {"story": self.id, **asdict(self)}

    @property
    def id(self) -> str:
        """The same for the same story, and for no other."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def tell(rule: Chaos, options: Options, seed: int) -> Story:
    """The story of a seed."""
    return Story(
        seed,
        options,
        tuple(_uploads(rule, options, random.Random(f"{seed} uploads"))),
        tuple(_questions(rule, options, random.Random(f"{seed} questions"))),
        tuple(_disturbances(rule, options, random.Random(f"{seed} disturbances"))),
    )


def _uploads(rule: Chaos, options: Options, chance: random.Random) -> Iterator[Upload]:
    kinds, weights = range(len(rule.sent)), [sent.weight for sent in rule.sent]
    times = sorted(round(chance.uniform(0, options.seconds - rule.last_seconds), PLACES) for _ in range(options.documents))
    # Everybody in turn, in an order of its own each time, so that no user sends more than the limits allow.
    order: list[int] = []
    for number, at in enumerate(times):
        order = order or chance.sample(range(options.users), options.users)
        by: Way = "proxy" if chance.random() < rule.proxy_share else "signed_url"
        yield Upload(number, order.pop(), at, chance.choices(kinds, weights)[0], by)


def _questions(rule: Chaos, options: Options, chance: random.Random) -> Iterator[Question]:
    count = round(rule.questions_a_document * options.documents)
    times = sorted(round(chance.uniform(0, options.seconds), PLACES) for _ in range(count))
    for number, at in enumerate(times):
        yield Question(number, chance.randrange(options.users), at)


def _disturbances(rule: Chaos, options: Options, chance: random.Random) -> Iterator[Planned]:
    at, end, number = rule.calm_seconds, options.seconds - rule.last_seconds, 0
    held: dict[str, float] = {}
    while at < end:
        busy = {part for part, until in held.items() if until > at}
        free = [one for one in rule.disturbance if one.part not in busy]
        if free and len(busy) < rule.at_once:
            one = chance.choices(free, [each.weight for each in free])[0]
            planned = _planned(one, number, at, options.seconds, chance)
            held[one.part], number = planned.until, number + 1
            yield planned
        at = round(at + chance.uniform(*rule.pause), PLACES)


def _planned(one: RandomBreak, number: int, at: float, end: float, chance: random.Random) -> Planned:
    seconds = round(min(chance.uniform(*one.seconds), end - at), PLACES)
    return Planned(number, one.part, round(at, PLACES), seconds, one.disturb.options(speedup=1))
