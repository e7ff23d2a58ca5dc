"""Routes of objects: upload, download, information, move, copy, removal."""

from __future__ import annotations

from typing import Any

import asyncpg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles.supabase.project import Project, key_of
from twin.doubles.supabase.storage_errors import StorageError, denied, invalid, no_bucket, no_object, taken
from twin.doubles.supabase.storage_files import check_key, download, etag_of, text_field, uploaded
from twin.doubles.supabase.storage_rows import ONE, Place, Rows, caller_of, owner_of
from twin.doubles.web import bearer, body_of

DELETED = {"message": "Successfully deleted"}


def place_of(request: Request) -> Place:
    """The object that a path names; raises StorageError for a key that no object may have."""
    return Place(request.path_params["bucket"], check_key(request.path_params["key"]))


def json_row(row: Any) -> dict[str, Any]:
    """A row of `storage.objects` as JSON."""
    times = {name: row[name].isoformat() for name in ("created_at", "updated_at", "last_accessed_at")}
    texts = {name: str(row[name]) if row[name] is not None else None for name in ("id", "owner")}
    kept = ("name", "bucket_id", "owner_id", "version", "metadata", "user_metadata")
    return texts | {name: row[name] for name in kept} | times


class Objects:
    """Handlers of one project's objects."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.rows = Rows(project)

    async def write(self, request: Request) -> Response:
        """POST creates, PUT creates or replaces."""
        claims, place = caller_of(self.project, request), place_of(request)
        upsert = request.method == "PUT" or request.headers.get("x-upsert") == "true"
        stored = await self.rows.store(place, await uploaded(request), claims, owner_of(claims), upsert=upsert)
        return JSONResponse({"Key": place.full, "Id": stored})

    async def _send(self, request: Request, place: Place, claims: dict[str, Any] | None) -> Response:
        row = await self.rows.find(place, claims)
        body = self.rows.files.read(place.bucket, place.key)
        if body is None:
            raise no_object()
        return download(request, body, row)

    async def read(self, request: Request) -> Response:
        """Bytes of an object that the caller may see."""
        place = place_of(request)
        try:
            return await self._send(request, place, await self._reader(request, place))
        except StorageError:
            if request.method == "HEAD":
                return Response(status_code=400)
            raise

    async def read_public(self, request: Request) -> Response:
        """Bytes without any key, from a public bucket only."""
        place = place_of(request)
        await self._public(place)
        return await self._send(request, place, None)

    async def _reader(self, request: Request, place: Place) -> dict[str, Any] | None:
        # A public bucket is open to everybody, whoever they say that they are.
        anonymous = not (key_of(request) or bearer(request))
        claims = None if anonymous else caller_of(self.project, request)
        if (await self.rows.bucket(place.bucket))["public"]:
            return None
        if claims is None:
            raise no_bucket()
        return claims

    async def _public(self, place: Place) -> None:
        if not (await self.rows.bucket(place.bucket))["public"]:
            raise no_bucket()

    async def info(self, request: Request) -> Response:
        """What is known of an object that the caller may see."""
        place = place_of(request)
        return await self._info(place, await self._reader(request, place))

    async def info_public(self, request: Request) -> Response:
        """What is known of an object of a public bucket."""
        place = place_of(request)
        await self._public(place)
        return await self._info(place, None)

    async def _info(self, place: Place, claims: dict[str, Any] | None) -> Response:
        row = await self.rows.find(place, claims)
        known = row["metadata"]
        return JSONResponse(
            {
                "id": str(row["id"]),
                "name": row["name"],
                "bucket_id": row["bucket_id"],
                "version": row["version"],
                "size": known.get("size"),
                "content_type": known.get("mimetype"),
                "cache_control": known.get("cacheControl"),
                "etag": etag_of(known),
                "metadata": row["user_metadata"] or {},
                "last_modified": row["updated_at"].isoformat(),
                "created_at": row["created_at"].isoformat(),
            }
        )

    @property
    def _keeps(self) -> bool:
        return bool(self.project.behaviour.get("keeps") == "files")

    async def remove(self, request: Request) -> Response:
        """Remove one object."""
        claims, place = caller_of(self.project, request), place_of(request)
        if self._keeps:
            return JSONResponse(DELETED)
        if not await self._delete(claims, place.bucket, [place.key]):
            raise no_object()
        return JSONResponse(DELETED)

    async def remove_many(self, request: Request) -> Response:
        """Remove objects by their keys; returns those that were removed."""
        claims, bucket = caller_of(self.project, request), request.path_params["bucket"]
        keys = (await body_of(request)).get("prefixes")
        if not isinstance(keys, list) or not keys:
            raise invalid("body must have required property 'prefixes'")
        if self._keeps:
            return JSONResponse([{"bucket_id": bucket, "name": key} for key in keys])
        return JSONResponse([json_row(row) for row in await self._delete(claims, bucket, [str(key) for key in keys])])

    async def _delete(self, claims: dict[str, Any], bucket: str, keys: list[str]) -> list[Any]:
        async with self.project.acting_as(claims) as connection:
            rows: list[Any] = await connection.fetch(
                "DELETE FROM storage.objects WHERE bucket_id = $1 AND name = ANY($2) RETURNING *", bucket, keys
            )
        for row in rows:
            self.rows.files.remove(bucket, row["name"])
        return rows

    async def _transfer(self, request: Request) -> tuple[dict[str, Any], Place, Place, dict[str, Any]]:
        claims, body = caller_of(self.project, request), await body_of(request)
        bucket = text_field(body, "bucketId")
        source = Place(bucket, text_field(body, "sourceKey"))
        target = Place(str(body.get("destinationBucket") or bucket), check_key(text_field(body, "destinationKey")))
        return claims, source, target, body

    async def move(self, request: Request) -> Response:
        """Give an object another key."""
        claims, source, target, _ = await self._transfer(request)
        await self.rows.find(source, claims)
        try:
            async with self.project.acting_as(claims) as connection:
                done = await connection.execute(
                    f"UPDATE storage.objects SET bucket_id = $3, name = $4, updated_at = now() WHERE {ONE}",
                    *(source.bucket, source.key, target.bucket, target.key),
                )
        except asyncpg.UniqueViolationError as error:
            raise taken() from error
        except asyncpg.ForeignKeyViolationError as error:
            raise no_bucket() from error
        if done == "UPDATE 0":
            raise denied()
        self._carry(source, target)
        if source != target:
            self.rows.files.remove(source.bucket, source.key)
        row = await self.rows.find(target, None)
        return JSONResponse({"message": "Successfully moved", "Id": str(row["id"]), "Key": target.full})

    def _carry(self, source: Place, target: Place) -> None:
        self.rows.files.write(target.bucket, target.key, self.rows.files.read(source.bucket, source.key) or b"")

    async def copy(self, request: Request) -> Response:
        """Make a second object of the same bytes."""
        claims, source, target, body = await self._transfer(request)
        row = await self.rows.find(source, claims)
        keeps_metadata = body.get("copyMetadata", True)
        metadata = dict(row["metadata"]) if keeps_metadata else dict(row["metadata"]) | (body.get("metadata") or {})
        upsert = request.headers.get("x-upsert") == "true"
        async with self.project.acting_as(claims) as connection:
            sent = (connection, target, metadata, row["user_metadata"], owner_of(claims))
            await self.rows.put(*sent, upsert=upsert)
        self._carry(source, target)
        made = await self.rows.find(target, None)
        return JSONResponse({"Key": target.full, "Id": str(made["id"])} | json_row(made))

    async def image(self, request: Request) -> Response:
        """Transformed images are a paid feature, which this project does not have."""
        message = "feature not enabled for this tenant"
        raise StorageError(403, "FeatureNotEnabled", message, "FeatureNotEnabled", sent=403)
