"""The one place that renders templates: every value put into a page is text, never markup."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape


def templates_in(folder: Path) -> Environment:
    """The templates of a folder; every value put into them is escaped."""
    return Environment(
        loader=FileSystemLoader(folder), autoescape=select_autoescape(default=True), trim_blocks=True, lstrip_blocks=True
    )
