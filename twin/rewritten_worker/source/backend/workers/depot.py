"""The files of documents in Supabase Storage."""

from __future__ import annotations

import hashlib
from urllib.parse import quote
from uuid import UUID

from backend.workers.line import Line
from backend.workers.settings import Settings

BUCKET = "files"
SECONDS = 30.0


def text_path(user_id: UUID, document_id: UUID) -> str:
    """Where the text of a document belongs, bucket included."""
    name = hashlib.md5(str(document_id).encode(), usedforsecurity=False).hexdigest()[:8]
    return f"{BUCKET}/user/{user_id}/parsed/{name}.md"


class Depot:
    """Reads and writes by the service's own key."""

    def __init__(self, line: Line, settings: Settings) -> None:
        self._line = line
        self._base = f"{settings.storage_url}/object"
        self._key = {"Authorization": f"Bearer {settings.service_key}", "apikey": settings.service_key}

    async def fetch(self, path: str) -> bytes:
        """The bytes of a file; raises Trouble, with status 404 where there is none that may be read."""
        url = f"{self._base}/{quote(path)}"
        return await self._line.ask("storage.read", SECONDS, lambda reply: reply.content, "GET", url, headers=self._key)

    async def put_text(self, path: str, text: str) -> None:
        """Create or replace a text; raises Trouble."""
        headers = {**self._key, "Content-Type": "text/markdown", "x-upsert": "true"}
        await self._line.ask(
            "storage.write",
            SECONDS,
            lambda reply: reply.json()["Key"],
            "POST",
            f"{self._base}/{quote(path)}",
            headers=headers,
            content=text.encode(),
        )
