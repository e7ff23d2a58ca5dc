"""Supabase Storage as the services use it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from storage3.exceptions import StorageApiError

from backend.shared.calls import CallError, problem_of, retry_after
from backend.shared.vendors import Vendors

BUCKET = "files"


class StorageError(CallError):
    """Storage refused or failed; carries the HTTP status."""

    status: int

    def __init__(self, action: str, status: int, text: str, seconds: float | None = None) -> None:
        super().__init__("storage", problem_of(status), f"storage {action} answered {status}: {text[:200]}", status, seconds)


def object_key(user_id: UUID, document_id: UUID, kind: str) -> str:
    """Key of the raw PDF or the parsed Markdown of a document, inside the bucket."""
    name = hashlib.md5(str(document_id).encode()).hexdigest()[:8]
    extension = {"raw": "pdf", "parsed": "md"}[kind]
    return f"user/{user_id}/{kind}/{name}.{extension}"


class Storage:
    """The calls that the pipeline needs, with the service-role key."""

    def __init__(self, client: Vendors) -> None:
        self._calls = client.calls
        self._files = client.storage.from_(BUCKET)

    @asynccontextmanager
    async def _call(self, action: str) -> AsyncIterator[None]:
        """Make a call in the body; raises StorageError where storage refused or failed with a status, otherwise CallError."""
        async with self._calls.to(f"storage.{action}"):
            try:
                yield
            except StorageApiError as error:
                status = str(error.status)
                response = getattr(error.__cause__, "response", None)
                seconds = retry_after(response.headers) if response is not None else None
                raise StorageError(action, int(status) if status.isdigit() else 500, error.message, seconds) from error

    async def read(self, key: str) -> bytes:
        """The object's bytes; raises CallError."""
        async with self._call("read"):
            return await self._files.download(key)

    async def write(self, key: str, body: bytes, mime: str) -> None:
        """Store or replace an object; raises CallError."""
        async with self._call("write"):
            await self._files.upload(key, body, {"content-type": mime, "upsert": "true"})

    async def create(self, key: str, body: bytes, mime: str) -> None:
        """Store a new object; raises CallError."""
        async with self._call("write"):
            await self._files.upload(key, body, {"content-type": mime})

    async def create_signed_upload(self, key: str) -> str:
        """Absolute URL that accepts one PUT of this object; raises CallError."""
        async with self._call("sign"):
            return (await self._files.create_signed_upload_url(key))["signed_url"]
