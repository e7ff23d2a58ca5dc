"""The templates of the project's pages: one way to load and to escape them."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape


def environment(folder: Path) -> Environment:
    """Templates of this folder; whatever is put into them is shown as text."""
    return Environment(
        loader=FileSystemLoader(folder), autoescape=select_autoescape(default=True), trim_blocks=True, lstrip_blocks=True
    )
