"""Supabase Storage as the services use it."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable
from typing import TypeVar
from uuid import UUID

from storage3.exceptions import StorageApiError

from backend.shared.vendors import Vendors

BUCKET = "files"
T = TypeVar("T")


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


async def _done(action: str, call: Awaitable[T]) -> T:
    """The result of a call; raises StorageError."""
    try:
        return await call
    except StorageApiError as error:
        status = str(error.status)
        raise StorageError(action, int(status) if status.isdigit() else 500, error.message) from error


class Storage:
    """The calls that the pipeline needs, with the service-role key."""

    def __init__(self, client: Vendors) -> None:
        self._files = client.storage.from_(BUCKET)

    async def read(self, key: str) -> bytes:
        """The object's bytes; raises StorageError."""
        return await _done("read", self._files.download(key))

    async def write(self, key: str, body: bytes, mime: str) -> None:
        """Store or replace an object; raises StorageError."""
        await _done("write", self._files.upload(key, body, {"content-type": mime, "upsert": "true"}))

    async def create(self, key: str, body: bytes, mime: str) -> None:
        """Store a new object; raises StorageError."""
        await _done("write", self._files.upload(key, body, {"content-type": mime}))

    async def create_signed_upload(self, key: str) -> str:
        """Absolute URL that accepts one PUT of this object; raises StorageError."""
        return (await _done("sign", self._files.create_signed_upload_url(key)))["signed_url"]
