"""Routes of buckets."""

from __future__ import annotations

from typing import Any

import asyncpg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles.supabase.project import Project
from twin.doubles.supabase.storage_errors import StorageError, denied, invalid, no_bucket, taken
from twin.doubles.supabase.storage_files import bytes_of_limit, check_bucket_name, text_field
from twin.doubles.supabase.storage_rows import Rows, caller_of, owner_id, owner_of
from twin.doubles.web import body_of

MAX_BYTES = 50 * 1024**2
SHOWN = ("id", "name", "public", "file_size_limit", "allowed_mime_types", "type")
SORTED = {"id": "id", "name": "name", "created_at": "created_at", "updated_at": "updated_at"}


def _view(row: Any) -> dict[str, Any]:
    times = {name: row[name].isoformat() for name in ("created_at", "updated_at")}
    return {name: row[name] for name in SHOWN} | {"owner": str(row["owner"] or "")} | times


def _limits(body: dict[str, Any]) -> tuple[int | None, list[str] | None]:
    limit, mimes = bytes_of_limit(body.get("file_size_limit")), body.get("allowed_mime_types")
    if limit is not None and limit > MAX_BYTES:
        message = "The object exceeded the maximum allowed size"
        raise StorageError(413, "Payload too large", message, "EntityTooLarge")
    if mimes is not None and not (isinstance(mimes, list) and all(isinstance(mime, str) for mime in mimes)):
        raise invalid("body/allowed_mime_types must be array")
    if wrong := next((mime for mime in mimes or () if "/" not in mime and mime != "*"), None):
        raise StorageError(415, "invalid_mime_type", f"mime type {wrong} is not supported", "InvalidMimeType")
    return limit, mimes


class Buckets:
    """Handlers of one project's buckets."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.rows = Rows(project)

    async def listing(self, request: Request) -> Response:
        """The buckets that the caller may see."""
        query = request.query_params
        column = SORTED.get(query.get("sortColumn", "name"), "name")
        order = "DESC" if query.get("sortOrder") == "desc" else "ASC"
        async with self.project.acting_as(caller_of(self.project, request)) as connection:
            rows = await connection.fetch(
                f"""SELECT * FROM storage.buckets WHERE strpos(lower(name), lower($1)) > 0 OR $1 = ''
                    ORDER BY {column} {order} LIMIT $2 OFFSET $3""",
                *(query.get("search", ""), int(query.get("limit") or 1000), int(query.get("offset") or 0)),
            )
        return JSONResponse([_view(row) for row in rows])

    async def one(self, request: Request) -> Response:
        """Description of a bucket."""
        return JSONResponse(_view(await self.rows.bucket(request.path_params["bucket"], caller_of(self.project, request))))

    async def create(self, request: Request) -> Response:
        """Create a bucket, if the policies allow it."""
        claims, body = caller_of(self.project, request), await body_of(request)
        name = check_bucket_name(text_field(body, "name"))
        bucket, owner = str(body.get("id") or name), owner_of(claims)
        limit, mimes = _limits(body)
        try:
            async with self.project.acting_as(claims) as connection:
                await connection.execute(
                    """INSERT INTO storage.buckets (id, name, public, file_size_limit, allowed_mime_types, owner, owner_id)
                       VALUES ($1, $2, $3, $4, $5, $6, $7)""",
                    *(bucket, name, bool(body.get("public")), limit, mimes, owner_id(owner), owner),
                )
        except asyncpg.UniqueViolationError as error:
            raise taken("BucketAlreadyExists") from error
        return JSONResponse({"name": bucket})

    async def update(self, request: Request) -> Response:
        """Change a bucket's limits, or whether it is public; what is not named stays."""
        claims, body, name = caller_of(self.project, request), await body_of(request), request.path_params["bucket"]
        row = await self.rows.bucket(name, claims)
        limit, mimes = _limits(body)
        async with self.project.acting_as(claims) as connection:
            done = await connection.execute(
                """UPDATE storage.buckets SET public = $2, file_size_limit = $3, allowed_mime_types = $4, updated_at = now()
                   WHERE id = $1""",
                name,
                bool(body.get("public", row["public"])),
                limit if "file_size_limit" in body else row["file_size_limit"],
                mimes if "allowed_mime_types" in body else row["allowed_mime_types"],
            )
        if done == "UPDATE 0":
            raise denied()
        return JSONResponse({"message": "Successfully updated"})

    async def empty(self, request: Request) -> Response:
        """Remove every object of a bucket."""
        claims, name = caller_of(self.project, request), request.path_params["bucket"]
        await self.rows.bucket(name, claims)
        async with self.project.acting_as(claims) as connection:
            rows = await connection.fetch("DELETE FROM storage.objects WHERE bucket_id = $1 RETURNING name", name)
        for row in rows:
            self.rows.files.remove(name, row["name"])
        return JSONResponse({"message": "Successfully emptied"})

    async def remove(self, request: Request) -> Response:
        """Remove an empty bucket."""
        claims, name = caller_of(self.project, request), request.path_params["bucket"]
        await self.rows.bucket(name, claims)
        try:
            async with self.project.acting_as(claims) as connection:
                done = await connection.execute("DELETE FROM storage.buckets WHERE id = $1", name)
        except asyncpg.ForeignKeyViolationError as error:
            message = "The bucket you tried to delete is not empty"
            raise StorageError(409, "InvalidRequest", message, "ResourceNotEmpty") from error
        if done == "DELETE 0":
            raise no_bucket()
        return JSONResponse({"message": "Successfully deleted"})
