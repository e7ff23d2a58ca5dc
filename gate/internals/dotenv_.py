"""python-dotenv: its parser, the only part that reports which line it cannot read."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from dotenv.parser import parse_stream


class BrokenLine(ValueError):
    """A line that is no assignment; `number` counts from 1."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"line {number}")


def read_bindings(path: Path) -> dict[str, str]:
    """Variables of an env file; raises BrokenLine, OSError or UnicodeDecodeError."""
    with path.open(encoding="utf-8") as stream:
        return bindings_of(stream, strict=True)


def bindings_of(stream: IO[str], strict: bool = False) -> dict[str, str]:
    """Variables of the text of an env file; a line that is none is left out, unless it is `strict` and raises BrokenLine."""
    values = {}
    for binding in parse_stream(stream):
        if binding.error and not strict:
            continue
        if binding.error:
            text = binding.original.string
            # The parser counts from the empty lines before it.
            raise BrokenLine(binding.original.line + text[: len(text) - len(text.lstrip())].count("\n"))
        if binding.key is not None:
            values[binding.key] = binding.value or ""
    return values
