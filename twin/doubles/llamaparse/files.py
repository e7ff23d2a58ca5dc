"""Stored files, and the URLs that give contents without a key."""

from __future__ import annotations

import time
import uuid
from pathlib import PurePath
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.doubles.llamaparse.account import Account, page_of
from twin.doubles.llamaparse.errors import Refused, invalid, json_object, missing, unknown_value, whole_number
from twin.doubles.llamaparse.jobs import now
from twin.doubles.llamaparse.results import CONTENTS, body_of
from twin.doubles.web import same

PURPOSES = ["user_data", "parse", "extract", "split", "classify", "sheet", "agent_app"]
ORDERS = ["name", "id", "created_at"]
SIZE, LARGEST = 50, 1000


class Files:
    """Handlers of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def create(self, request: Request) -> Response:
        """Store a file."""
        self._account.admit(request)
        form = await request.form()
        file, purpose = form.get("file"), form.get("purpose")
        if not isinstance(file, UploadFile):
            raise missing(["body", "file"])
        if purpose is None:
            raise missing(["body", "purpose"])
        if purpose not in PURPOSES:
            raise unknown_value(["body", "purpose"], PURPOSES, purpose)
        name, identifier = file.filename or "file", f"dfl-{uuid.uuid4()}"
        external = form.get("external_file_id")
        body = await file.read()
        self._account.files[identifier] = {
            "id": identifier,
            "name": name,
            "project_id": self._account.project["id"],
            "file_type": PurePath(name).suffix.lstrip(".").lower() or None,
            "external_file_id": str(external) if external else name,
            "purpose": purpose,
            "last_modified_at": now(),
            "expires_at": None,
            "download_url": None,
        }
        self._account.contents[identifier] = body
        return JSONResponse(self._account.files[identifier])

    def _file(self, request: Request) -> dict[str, Any]:
        self._account.admit(request)
        file = self._account.files.get(request.path_params["file_id"])
        if file is None:
            raise Refused(404, f"File {request.path_params['file_id']} not found")
        return file

    def _shown(self, file: dict[str, Any], request: Request) -> dict[str, Any]:
        wanted = "download_url" in request.query_params.getlist("expand")
        return file | ({"download_url": self._account.presigned(file["id"])} if wanted else {})

    async def get(self, request: Request) -> Response:
        """One file."""
        return JSONResponse(self._shown(self._file(request), request))

    async def delete(self, request: Request) -> Response:
        """Remove a file."""
        file = self._file(request)
        del self._account.files[file["id"]], self._account.contents[file["id"]]
        return Response(status_code=204)

    async def content(self, request: Request) -> Response:
        """A URL that gives the file."""
        file = self._file(request)
        return JSONResponse(self._account.presigned(file["id"], whole_number(request, "expires_at_seconds", 3600, 7 * 86400)))

    def _found(self, wanted: dict[str, Any], ids: list[str]) -> list[dict[str, Any]]:
        return [
            file
            for file in self._account.files.values()
            if (not ids or file["id"] in ids)
            and wanted.get("file_name") in (None, file["name"])
            and wanted.get("external_file_id") in (None, file["external_file_id"])
        ]

    async def listing(self, request: Request) -> Response:
        """The files that a filter leaves, page by page."""
        self._account.admit(request)
        query = request.query_params
        order = query.get("order_by", "created_at")
        if order not in ORDERS:
            raise unknown_value(["query", "order_by"], ORDERS, order)
        found = [self._shown(file, request) for file in self._found(dict(query), query.getlist("file_ids"))]
        found = found[::-1] if order == "created_at" else sorted(found, key=lambda file: str(file[order]))
        return JSONResponse(page_of(found, whole_number(request, "page_size", SIZE, LARGEST), query.get("page_token")))

    async def query(self, request: Request) -> Response:
        """The same by a body; a page that is too large is made smaller."""
        self._account.admit(request)
        given = await json_object(request)
        wanted = given.get("filter") or {}
        found = self._found(wanted, wanted.get("file_ids") or [])
        field, _, direction = str(given.get("order_by") or "created_at").partition(" ")
        if field not in ORDERS:
            raise invalid(["body", "order_by"], f"Value error, unknown field {field}", given=field)
        if field != "created_at":
            found.sort(key=lambda file: str(file[field]))
        if direction.strip() == "desc":
            found.reverse()
        size = min(int(given.get("page_size") or SIZE), LARGEST)
        return JSONResponse(page_of(found, size, given.get("page_token"), total=True))

    async def presigned(self, request: Request) -> Response:
        """The content behind a presigned URL."""
        name, query = request.path_params["name"], request.query_params
        until = query.get("expires", "")
        expected = self._account.signature(name, until)
        if not same(query.get("signature", ""), expected) or int(until) < time.time():
            return Response("AccessDenied", status_code=403)
        if name in self._account.contents:
            return Response(self._account.contents[name], media_type="application/octet-stream")
        job_id, _, kind = name.partition("/")
        job = self._account.jobs.get(job_id)
        if job is None or kind not in CONTENTS:
            return Response("NoSuchKey", status_code=404)
        return Response(body_of(job, kind), media_type="text/plain" if kind in ("text", "markdown") else "application/json")


def routes(account: Account) -> list[Route]:
    """The routes of files."""
    handlers = Files(account)
    return [
        Route("/api/v1/beta/files", handlers.listing),
        Route("/api/v1/beta/files", handlers.create, methods=["POST"]),
        Route("/api/v1/beta/files/query", handlers.query, methods=["POST"]),
        Route("/api/v1/beta/files/{file_id}", handlers.get),
        Route("/api/v1/beta/files/{file_id}", handlers.delete, methods=["DELETE"]),
        Route("/api/v1/beta/files/{file_id}/content", handlers.content),
        Route("/presigned/{name:path}", handlers.presigned),
    ]
