"""The one way to make pages of templates: everything that is put into them is text, never markup."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape


def templates_in(folder: Path) -> Environment:
    """The templates of a folder, with everything escaped that is put into them."""
    return Environment(
        loader=FileSystemLoader(folder), autoescape=select_autoescape(default=True), trim_blocks=True, lstrip_blocks=True
    )
