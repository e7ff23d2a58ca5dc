"""Documents that the cases have parsed, and the ways to hand them in."""

from __future__ import annotations

from typing import Any

from fpdf import FPDF
from llama_cloud import LlamaCloud

FAST: dict[str, Any] = {"polling_interval": 0.4, "backoff": "constant", "timeout": 300.0}
TIER: dict[str, Any] = {"tier": "cost_effective", "version": "latest"}


def pdf(*pages: str) -> bytes:
    """A PDF with one line on each page."""
    document = FPDF()
    document.set_font("Helvetica", size=12)
    for text in pages:
        document.add_page()
        document.multi_cell(0, 8, text)
    return bytes(document.output())


def upload(name: str, *pages: str) -> tuple[str, bytes, str]:
    """A PDF as an upload."""
    return name, pdf(*pages), "application/pdf"


def job(client: LlamaCloud, name: str, *pages: str, **more: Any) -> Any:
    """A new parse job of a PDF."""
    return client.parsing.create(upload_file=upload(name, *pages), **(TIER | more))


def text_of(result: Any) -> str:
    """The Markdown of all pages of a result."""
    return "\n".join(page.markdown for page in result.markdown.pages)
