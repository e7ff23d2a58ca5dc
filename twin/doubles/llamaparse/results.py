"""Results of a finished job in the second version: what `expand` asks for."""

from __future__ import annotations

import json
from typing import Any

from twin.doubles.llamaparse.account import Account
from twin.doubles.llamaparse.jobs import COMPLETED, Job

WIDTH, HEIGHT = 612.0, 792.0
LINE_HEIGHT = 12.0
SEPARATOR = "\n\n---\n\n"
CONTENTS = ("text", "markdown", "items", "metadata", "forms")
STORED = tuple(f"{name}_content_metadata" for name in CONTENTS)
# Artifacts that are made only where the job asked for them; this double makes none.
OTHERS = (
    "raw_words_content_metadata",
    "grounded_items_content_metadata",
    "stripped_markdown_content_metadata",
    "concatenated_stripped_markdown_content_metadata",
    "xlsx_content_metadata",
    "output_pdf_content_metadata",
    "images_content_metadata",
)
EXPANDABLE = frozenset((*CONTENTS, *STORED, *OTHERS, "markdown_full", "text_full", "job_metadata", "usage", "raw_parameters"))


def _item(block: str, y: float) -> dict[str, Any]:
    box = [{"x": 72.0, "y": y, "w": WIDTH - 144.0, "h": LINE_HEIGHT * (block.count("\n") + 1)}]
    marks, _, heading = block.partition(" ")
    if marks and set(marks) == {"#"} and len(marks) <= 6:
        return {"type": "heading", "md": block, "value": heading, "level": len(marks), "bbox": box}
    return {"type": "text", "md": block, "value": block, "bbox": box}


def _items(text: str) -> list[dict[str, Any]]:
    found, y = [], 72.0
    for block in (part.strip() for part in text.split("\n\n")):
        if block:
            found.append(_item(block, y))
            y += LINE_HEIGHT * (block.count("\n") + 2)
    return found


def content(job: Job, kind: str) -> dict[str, Any]:
    """One result, page by page."""
    size = {"page_width": WIDTH, "page_height": HEIGHT}
    made: dict[str, Any] = {
        "text": lambda number, text: {"page_number": number, "text": text},
        "markdown": lambda number, text: {"page_number": number, "success": True, "markdown": text, "header": "", "footer": ""},
        "items": lambda number, text: {"page_number": number, "success": True, "items": _items(text), **size},
        "metadata": lambda number, _: {"page_number": number, "confidence": 0.98, "original_orientation_angle": 0},
        "forms": lambda number, _: {"page_number": number, "success": True, "forms": [], "detected_form_types": None, **size},
    }
    pages = [made[kind](number, text) for number, text in job.pages or []]
    return {"pages": pages} | ({"document": None} if kind == "metadata" else {})


def body_of(job: Job, kind: str) -> bytes:
    """One result as it is stored."""
    if kind in ("text", "markdown"):
        return SEPARATOR.join(text for _, text in job.pages or []).encode()
    return json.dumps(content(job, kind)).encode()


def expanded(job: Job, wanted: list[str], account: Account) -> dict[str, Any]:
    """The answer about one job; results only where it is complete."""
    answer: dict[str, Any] = {"job": job.described(usage="usage" in wanted)}
    if "raw_parameters" in wanted:
        answer["raw_parameters"] = job.configuration
    if job.status != COMPLETED:
        return answer
    answer |= {kind: content(job, kind) for kind in CONTENTS if kind in wanted}
    answer |= {f"{kind}_full": body_of(job, kind).decode() for kind in ("text", "markdown") if f"{kind}_full" in wanted}
    if "job_metadata" in wanted:
        answer["job_metadata"] = job.metadata()
    if "images_content_metadata" in wanted:
        answer["images_content_metadata"] = {"images": [], "total_count": 0}
    stored = {
        kind: {
            "size_bytes": len(body_of(job, kind)),
            "exists": True,
            "presigned_url": account.presigned(f"{job.id}/{kind}")["url"],
        }
        for kind in CONTENTS
        if f"{kind}_content_metadata" in wanted
    }
    return answer | ({"result_content_metadata": stored} if stored else {})
