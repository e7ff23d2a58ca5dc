"""python-dotenv: its parser, the only part that reports which line it cannot read."""

from __future__ import annotations

from pathlib import Path

from dotenv.parser import parse_stream


class BrokenLine(ValueError):
    """A line that is no assignment; `number` counts from 1."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"line {number}")


def read_bindings(path: Path) -> dict[str, str]:
    """Variables of an env file; raises BrokenLine, OSError or UnicodeDecodeError."""
    with path.open(encoding="utf-8") as stream:
        bindings = list(parse_stream(stream))
    values = {}
    for binding in bindings:
        if binding.error:
            text = binding.original.string
            # The parser counts from the empty lines before it.
            raise BrokenLine(binding.original.line + text[: len(text) - len(text.lstrip())].count("\n"))
        if binding.key is not None:
            values[binding.key] = binding.value or ""
    return values
