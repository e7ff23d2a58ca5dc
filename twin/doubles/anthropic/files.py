"""Files that messages refer to."""

from __future__ import annotations

import mimetypes
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles.anthropic.errors import RefusedError, missing
from twin.doubles.anthropic.listing import limit_of, new_id, page

FORBIDDEN = frozenset('<>:"|?*\\/')
LONGEST = 255


class Files:
    """Files of one account."""

    def __init__(self) -> None:
        self._files: dict[str, dict[str, Any]] = {}

    async def created(self, request: Request) -> Response:
        """A file is uploaded."""
        form = await request.form()
        file, seconds = form.get("file"), form.get("expires_in_seconds")
        if not isinstance(file, UploadFile):
            raise missing("file")
        name = file.filename or "file"
        if len(name) > LONGEST or FORBIDDEN & set(name):
            raise RefusedError("file: Invalid filename: it is too long or contains forbidden characters")
        content = await file.read()
        now = datetime.now(UTC)
        thing = {
            "id": new_id("file"),
            "type": "file",
            "filename": name,
            "mime_type": file.content_type or mimetypes.guess_type(name)[0] or "application/octet-stream",
            "size_bytes": len(content),
            "created_at": now.isoformat().replace("+00:00", "Z"),
            "downloadable": False,
            "expires_at": None,
        }
        if isinstance(seconds, str) and seconds.isdigit():
            thing["expires_at"] = (now + timedelta(seconds=int(seconds))).isoformat().replace("+00:00", "Z")
        self._files[str(thing["id"])] = thing
        return JSONResponse(thing)

    async def listed(self, request: Request) -> Response:
        """A page of the files, newest first; the beta of this API pages by ids."""
        files = list(reversed(self._files.values()))
        if "before_id" in request.query_params or "after_id" in request.query_params or "beta" in request.query_params:
            return JSONResponse(page(files, request))
        if wanted := request.query_params.getlist("ids[]"):
            files = [file for file in files if file["id"] in wanted]
        limit, cursor = limit_of(request), request.query_params.get("page", "page_0").removeprefix("page_")
        if not cursor.isdigit():
            raise RefusedError("page: Invalid page token")
        start, end = int(cursor), int(cursor) + limit
        return JSONResponse({"data": files[start:end], "next_page": f"page_{end}" if end < len(files) else None})

    async def shown(self, request: Request) -> Response:
        """One file."""
        return JSONResponse(self._find(request))

    async def read(self, request: Request) -> Response:
        """Only what tools made is given back."""
        self._find(request)
        message = "Only files created by skills or the code execution tool can be downloaded."
        raise RefusedError(message, code="file_not_downloadable")

    async def deleted(self, request: Request) -> Response:
        """One file is removed."""
        name = self._find(request)["id"]
        del self._files[name]
        return JSONResponse({"id": name, "type": "file_deleted"})

    def _find(self, request: Request) -> dict[str, Any]:
        name = request.path_params["id"]
        if name not in self._files:
            raise RefusedError(f"File not found: {name}", 404)
        return self._files[name]
