"""What came of a run, for people: a few lines for the terminal and the page, and what is written beside the story."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gate.failures import Failure
from proof.chaos.happened import ASK, SEND, SIGN_IN, UPLOAD, Happened
from proof.chaos.judging import COMPLETE, FAILED, MISSING, UNFINISHED, outcome_of
from proof.chaos.run import Outcome
from proof.chaos.story import Planned, Story
from spec.codes import declared
from spec.model import Pipeline

STORY, EVENTS = "story.json", "events.json"
WIDTH = 14


def calm_recoveries(story: Story, happened: Happened, healthy: str) -> list[tuple[float, Planned]]:
    """How soon the health body said that all is well after a disturbance, where no other one held until then."""
    found = []
    for one in happened.begun:
        later = [other for other in happened.begun if other is not one and other.ended > one.ended]
        until = min([other.began for other in later], default=happened.lifted)
        well = (look.at for look in happened.looks if one.ended <= look.at < until and look.word == healthy and not look.unwell)
        if until > one.ended and (at := next(well, None)) is not None:
            found.append((round(at - one.ended, 1), story.disturbances[one.number]))
    return found


def describe(story: Story) -> str:
    """The story in one line."""
    options = story.options
    return (
        f"seed {story.seed}, story {story.id}: {options.documents} documents of {options.users} users in {options.minutes:g}"
        f" minutes, {options.workers} workers, {len(story.disturbances)} disturbances"
    )


def lines(outcome: Outcome, pipeline: Pipeline, healthy: str) -> Iterator[tuple[str, str]]:
    """Label and text of each line."""
    happened = outcome.happened
    ends = Counter(outcome_of(one, pipeline) for one in outcome.stored)
    planned = sum(outcome_of(one, pipeline) == FAILED and not one.is_readable for one in outcome.stored)
    yield (
        "documents",
        f"{ends[COMPLETE]} complete, {ends[FAILED]} failed with a reason ({planned} of them cannot be read), "
        f"{ends[UNFINISHED]} unfinished, {ends[MISSING]} never accepted",
    )
    yield "uploads", ", ".join(_counted(happened, what) for what in (UPLOAD, SEND, SIGN_IN))
    yield "answers", f"{len(happened.of(ASK))} questions: " + ", ".join(f"{n} {kind}" for kind, n in outcome.answers.items())
    yield "disturbances", _disturbances(outcome)
    yield "recovery", _recovery(outcome, healthy)
    charged = sum(len(one.charged) for one in outcome.stored)
    yield "charged", f"{charged} calls of the parser for {len(outcome.stored)} documents, {outcome.repeated} of them repeats"
    for name, reason in outcome.not_judged.items():
        yield "not judged", f"{name}: {reason}"
    for text in happened.problems[:3]:
        yield "problem", text


def _counted(happened: Happened, what: str) -> str:
    sent = happened.of(what)
    failed = Counter(one.status for one in sent if not one.is_success)
    refused = ", ".join(f"{n} × {status or 'no response'}" for status, n in sorted(failed.items()))
    return f"{what} {len(sent)} requests" + (f" ({refused})" if refused else "")


def _disturbances(outcome: Outcome) -> str:
    happened = outcome.happened
    kinds = Counter(outcome.story.disturbances[one.number].kind for one in happened.begun)
    counted = ", ".join(f"{kind} {number}" for kind, number in kinds.most_common())
    refused = len(happened.struck) - len(happened.begun)
    text = f"{len(happened.begun)} survived: {counted}" + (f"; {refused} could not be carried out" if refused else "")
    anew = [f"{name} {starts - 1} times" for name, starts in outcome.starts.items() if starts > 1]
    return text + (f"; started anew: {', '.join(anew)}" if anew else "")


def _recovery(outcome: Outcome, healthy: str) -> str:
    recovery, slow = outcome.recovery, max(calm_recoveries(outcome.story, outcome.happened, healthy), default=None, key=_first)
    calm = f"; the slowest in between: {slow[0]:.1f} s after {slow[1]}" if slow else ""
    if recovery is None or recovery.total is None:
        return f"not normal within {outcome.limit:.1f} s: {recovery}{calm}"
    last = max(recovery.seconds, key=lambda name: recovery.seconds[name])
    return f"all normal {recovery.total:.1f} s after the last (target {outcome.limit:.1f} s), {last} last{calm}"


def _first(one: tuple[float, Planned]) -> float:
    return one[0]


def finding(failure: Failure) -> str:
    """A finding in one line."""
    title = declared().codes[failure.code].title.partition(" in drill")[0].partition(":")[0].partition(" after drill")[0]
    observed = " · ".join(str(failure.observed[name]) for name in ("value", "detail") if failure.observed.get(name))
    return f"{failure.code} at {failure.component}: {title}; expected {failure.expected}; {observed}"


def write(folder: Path, outcome: Outcome, mask: Callable[[str], str]) -> None:
    """The story as it was told, and what happened beside it."""
    write_story(folder, outcome.story)
    data: dict[str, Any] = {
        "story": outcome.story.id,
        "seed": outcome.story.seed,
        "lifted": outcome.happened.lifted,
        "recovery": asdict(outcome.recovery) | {"remaining": list(outcome.recovery.remaining)} if outcome.recovery else None,
        "findings": [failure.as_data() for failure in outcome.failures],
        "documents": [asdict(one) | {"sentences": len(one.sentences), "texts": len(one.texts)} for one in outcome.stored],
        "starts": outcome.starts,
        "events": list(outcome.happened.as_data()),
        "problems": outcome.happened.problems,
    }
    (folder / EVENTS).write_text(mask(json.dumps(data, indent=1, default=str)) + "\n")


def write_story(folder: Path, story: Story) -> None:
    """The story alone, before it is carried out."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / STORY).write_text(json.dumps(story.as_data(), indent=1) + "\n")
