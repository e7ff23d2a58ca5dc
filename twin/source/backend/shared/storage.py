"""Supabase Storage as the services use it."""

from __future__ import annotations

import hashlib
from uuid import UUID

import httpx

from backend.shared.config import Config

BUCKET = "files"


class StorageError(RuntimeError):
    """Storage refused or failed; carries the HTTP status."""

    def __init__(self, action: str, status: int, text: str) -> None:
        super().__init__(f"storage {action} answered {status}: {text[:200]}")
        self.status = status


def object_key(user_id: UUID, document_id: UUID, kind: str) -> str:
    """Key of the raw PDF or the parsed Markdown of a document, inside the bucket."""
    name = hashlib.md5(str(document_id).encode()).hexdigest()[:8]
    extension = {"raw": "pdf", "parsed": "md"}[kind]
    return f"user/{user_id}/{kind}/{name}.{extension}"


class Storage:
    """The four calls that the pipeline needs, with the service-role key."""

    def __init__(self, config: Config, client: httpx.AsyncClient) -> None:
        self._base = config.storage_url
        self._client = client
        self._headers = {"Authorization": f"Bearer {config.service_key}", "apikey": config.service_key}

    async def read(self, key: str) -> bytes:
        """The object's bytes; raises StorageError."""
        reply = await self._client.get(f"{self._base}/object/{BUCKET}/{key}", headers=self._headers)
        if reply.status_code != 200:
            raise StorageError("read", reply.status_code, reply.text)
        return reply.content

    async def write(self, key: str, body: bytes, mime: str) -> None:
        """Store or replace an object; raises StorageError."""
        reply = await self._client.put(
            f"{self._base}/object/{BUCKET}/{key}",
            content=body,
            headers=self._headers | {"Content-Type": mime, "x-upsert": "true"},
        )
        if reply.status_code not in (200, 201):
            raise StorageError("write", reply.status_code, reply.text)

    async def create_signed_upload(self, key: str) -> str:
        """Absolute URL that accepts one PUT of this object; raises StorageError."""
        reply = await self._client.post(f"{self._base}/object/upload/sign/{BUCKET}/{key}", headers=self._headers, json={})
        if reply.status_code != 200:
            raise StorageError("sign", reply.status_code, reply.text)
        return self._base + str(reply.json()["url"])
