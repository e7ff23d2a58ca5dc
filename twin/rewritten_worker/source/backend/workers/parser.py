"""LlamaParse: hands in documents, and asks after those whose callback did not come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
from backend.workers.line import Line, ResultT
from backend.workers.settings import Settings

SUBMIT_SECONDS = 60.0
ASK_SECONDS = 30.0
OVER = {"SUCCESS", "PARTIAL_SUCCESS", "COMPLETED"}
LOST = {"ERROR", "FAILED", "CANCELED", "CANCELLED"}
LONGEST_REASON = 200


@dataclass(frozen=True)
class Verdict:
    """What the vendor says of a document: it is ready, it failed with a reason, or neither so far."""

    is_ready: bool
    reason: str


class Parser:
    """The vendor by its first API."""

    def __init__(self, line: Line, settings: Settings) -> None:
        self._line = line
        self._base = f"{settings.llamaparse_url}/api/parsing"
        self._callback = f"{settings.callback_base}/api/upload-pipeline/webhook/llamaparse"
        self._key = {"Authorization": f"Bearer {settings.llamaparse_key or 'not-configured'}"}

    async def submit(self, job_id: UUID, document: bytes, secret: str) -> str:
        """Hand in a PDF; returns the vendor's id of it. Raises Trouble."""
        # What the owner called the file is nobody else's business.
        file = {"file": (f"{job_id}.pdf", document, "application/pdf")}
        wishes = {"result_type": "markdown", "webhook_url": f"{self._callback}/{job_id}", "webhook_secret": secret}
        url = f"{self._base}/upload"
        return await self._ask("llamaparse.upload", SUBMIT_SECONDS, _id_of, "POST", url, files=file, data=wishes)

    async def verdict(self, parse_id: str) -> Verdict:
        """How far a document is; raises Trouble, with status 404 where the vendor does not know it."""
        return await self._ask("llamaparse.job", ASK_SECONDS, _verdict_of, "GET", f"{self._base}/job/{parse_id}")

    async def text(self, parse_id: str) -> str:
        """The Markdown of a document that is ready; raises Trouble."""
        url = f"{self._base}/job/{parse_id}/result/markdown"
        return await self._ask("llamaparse.job", ASK_SECONDS, _text_of, "GET", url)

    async def _ask(
        self, who: str, seconds: float, read: Callable[[httpx.Response], ResultT], method: str, url: str, **content: Any
    ) -> ResultT:
        return await self._line.ask(who, seconds, read, method, url, headers=self._key, **content)


def _id_of(reply: httpx.Response) -> str:
    found = reply.json()["id"]
    if not isinstance(found, str) or not found:
        raise ValueError("no id")
    return found


def _verdict_of(reply: httpx.Response) -> Verdict:
    found = reply.json()
    status = str(found["status"]).upper()
    if status not in LOST:
        return Verdict(status in OVER, "")
    return Verdict(False, str(found.get("error_message") or status.lower())[:LONGEST_REASON])


def _text_of(reply: httpx.Response) -> str:
    found = reply.json()["markdown"]
    if not isinstance(found, str):
        raise ValueError("no text")
    return found
