"""Files of the account."""

from __future__ import annotations

import time
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles.openai.errors import RefusedError, missing
from twin.doubles.openai.listing import Kept, new_id, page
from twin.doubles.openai.parameters import unsupported

PURPOSES = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
# What is uploaded for these is not given back.
NOT_GIVEN_BACK = ("assistants", "user_data")
OF_LINES = ("batch", "fine-tune", "evals")


class Files:
    """Files of one account, and their contents."""

    def __init__(self) -> None:
        self._kept = Kept("No such File object: {id}", "id")
        self._contents: dict[str, bytes] = {}

    def add(self, filename: str, content: bytes, purpose: str, expires_at: int | None = None) -> dict[str, Any]:
        """Keep a new file."""
        file = {
            "id": new_id("file", "-"),
            "object": "file",
            "bytes": len(content),
            "created_at": int(time.time()),
            "filename": filename,
            "purpose": purpose,
            "status": "processed",
        }
        if expires_at is not None:
            file["expires_at"] = expires_at
        self._contents[str(file["id"])] = content
        return self._kept.keep(file)

    def content(self, name: str) -> bytes:
        """The bytes of a file; raises RefusedError."""
        return self._contents[self._kept.find(name)["id"]]

    def find(self, name: str) -> dict[str, Any]:
        """A file; raises RefusedError."""
        return self._kept.find(name)

    async def created(self, request: Request) -> Response:
        """A file is uploaded."""
        form = await request.form()
        purpose, file = form.get("purpose"), form.get("file")
        if not isinstance(file, UploadFile):
            raise missing("file")
        if not isinstance(purpose, str):
            raise missing("purpose")
        if purpose not in PURPOSES:
            raise unsupported("purpose", purpose, PURPOSES)
        content = await file.read()
        filename = file.filename or "file"
        if not content:
            raise RefusedError("File is empty.", "file")
        if purpose in OF_LINES and not filename.endswith(".jsonl"):
            message = f"Invalid file format for {purpose}: the file must be in JSON Lines format (.jsonl)."
            raise RefusedError(message, "file", "invalid_file_format")
        seconds = form.get("expires_after[seconds]")
        expires = int(time.time()) + int(seconds) if isinstance(seconds, str) and seconds.isdigit() else None
        return JSONResponse(self.add(filename, content, purpose, expires))

    async def listed(self, request: Request) -> Response:
        """A page of the files, of one purpose if asked."""
        wanted = request.query_params.get("purpose")
        files = [file for file in self._kept.all() if wanted in (None, file["purpose"])]
        return JSONResponse(page(files, request, most=10_000, limit=10_000))

    async def shown(self, request: Request) -> Response:
        """One file."""
        return JSONResponse(self.find(request.path_params["id"]))

    async def read(self, request: Request) -> Response:
        """The bytes of one file."""
        file = self.find(request.path_params["id"])
        if file["purpose"] in NOT_GIVEN_BACK:
            raise RefusedError(f"Not allowed to download files of purpose: {file['purpose']}")
        headers = {"content-disposition": f'attachment; filename="{file["filename"]}"'}
        return Response(self.content(file["id"]), media_type="application/octet-stream", headers=headers)

    async def deleted(self, request: Request) -> Response:
        """One file is removed."""
        file = self._kept.drop(request.path_params["id"])
        return JSONResponse({"object": "file", "deleted": True, "id": file["id"]})
