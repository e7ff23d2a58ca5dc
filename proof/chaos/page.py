"""docs/chaos.md: the measured seeds, a section each."""

from __future__ import annotations

from collections.abc import Iterable

from proof.chaos.story import Story
from proof.pages import DOCS, put

PAGE = DOCS / "chaos.md"


def put_section(story: Story, command: str, lines: Iterable[tuple[str, str]], verdict: str) -> None:
    """The section of one seed, in the place of the one before."""
    rows = [f"| {label} | {text} |" for label, text in (*lines, ("verdict", f"**{verdict}**"))]
    options = story.options
    heading = f"Seed {story.seed}, {options.documents} documents, {options.minutes:g} minutes"
    put(PAGE, heading, [f"`{command}`: story `{story.id}`.", "", "| what | measured |", "|---|---|", *rows])
