"""Text of a target, made harmless for where it is shown: whoever is judged must not write the report."""

from __future__ import annotations

SLACK = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
MARKDOWN = SLACK | str.maketrans({"|": "&#124;", "`": "&#96;", "[": "&#91;", "]": "&#93;", "@": "&#64;", "\n": " "})


def for_markdown(text: str) -> str:
    """As Markdown shows it: as text, in one line, without links, mentions or HTML."""
    return text.translate(MARKDOWN)


def for_slack(text: str) -> str:
    """As Slack shows it: without links and mentions."""
    return text.translate(SLACK)
