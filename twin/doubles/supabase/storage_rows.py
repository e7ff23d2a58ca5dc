"""The rows of `storage.objects` and `storage.buckets`, read and written under the caller's role."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import asyncpg
from starlette.requests import Request

from twin.doubles.supabase.project import Project, key_of
from twin.doubles.supabase.storage_errors import StorageError, denied, invalid, no_bucket, no_object, taken
from twin.doubles.supabase.storage_files import Files, Upload, fits
from twin.doubles.web import bearer

ONE = "bucket_id = $1 AND name = $2"


def caller_of(project: Project, request: Request) -> dict[str, Any]:
    """The claims of a request, whose key may stand in `Authorization` alone; raises StorageError or Refused."""
    if key_of(request):
        return project.identity(request)
    token = bearer(request)
    if not token:
        raise invalid("headers must have required property 'authorization'")
    role = project.role_of_bearer(token, "")
    return {"role": role} if role else project.claims(token)


def owner_of(claims: dict[str, Any]) -> str | None:
    """The user who owns what these claims store."""
    return claims.get("sub")


def owner_id(owner: str | None) -> uuid.UUID | None:
    """The owner as the column `owner` holds it: only a UUID."""
    try:
        return uuid.UUID(owner) if owner else None
    except ValueError:
        return None


@dataclass(frozen=True)
class Place:
    """Where an object is."""

    bucket: str
    key: str

    @property
    def full(self) -> str:
        """Bucket and key."""
        return f"{self.bucket}/{self.key}"


class Rows:
    """Objects of one project. Methods that take `claims` are decided by the policies; `None` passes by them."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.files = Files(project.files)

    async def bucket(self, name: str, claims: dict[str, Any] | None = None) -> Any:
        """A bucket; raises StorageError."""
        sql = "SELECT * FROM storage.buckets WHERE id = $1"
        row = await self._row(claims, sql, name)
        if row is None:
            raise no_bucket()
        return row

    async def find(self, place: Place, claims: dict[str, Any] | None) -> Any:
        """An object that the caller may see; raises StorageError."""
        row = await self._row(claims, f"SELECT * FROM storage.objects WHERE {ONE}", place.bucket, place.key)
        if row is None:
            raise no_object()
        return row

    async def _row(self, claims: dict[str, Any] | None, sql: str, *values: Any) -> Any:
        if claims is None:
            return await self.project.pool.fetchrow(sql, *values)
        async with self.project.acting_as(claims) as connection:
            return await connection.fetchrow(sql, *values)

    async def check_limits(self, bucket: str, upload: Upload) -> None:
        """Raise StorageError for a file that the bucket does not take."""
        row = await self.bucket(bucket)
        if not fits(upload.mime, row["allowed_mime_types"]):
            raise StorageError(415, "invalid_mime_type", f"mime type {upload.mime} is not supported", "InvalidMimeType")
        if row["file_size_limit"] and len(upload.body) > row["file_size_limit"]:
            message = "The object exceeded the maximum allowed size"
            raise StorageError(413, "Payload too large", message, "EntityTooLarge")

    async def may_store(self, place: Place, claims: dict[str, Any], *, upsert: bool) -> None:
        """Raise what storing would raise, without storing: as for a signed upload."""
        async with self.project.acting_as(claims) as connection, _undone(connection):
            await self.put(connection, place, {}, None, owner_of(claims), upsert=upsert)

    async def store(
        self, place: Place, upload: Upload, claims: dict[str, Any] | None, owner: str | None, *, upsert: bool
    ) -> str:
        """Keep a file; returns the object's id. Raises StorageError."""
        await self.check_limits(place.bucket, upload)
        sent = (place, upload.metadata(), upload.user_metadata, owner)
        if claims is None:
            async with self.project.pool.acquire() as connection, connection.transaction():
                stored = await self.put(connection, *sent, upsert=upsert)
        else:
            async with self.project.acting_as(claims) as connection:
                stored = await self.put(connection, *sent, upsert=upsert)
        self.files.write(place.bucket, place.key, upload.body)
        return stored

    async def put(
        self, connection: Any, place: Place, metadata: Any, user_metadata: Any, owner: str | None, *, upsert: bool
    ) -> str:
        """Write an object's row on a connection; returns its id. Raises StorageError."""
        known = await self.project.pool.fetchval(f"SELECT id FROM storage.objects WHERE {ONE}", place.bucket, place.key)
        if known and upsert:
            done = await connection.execute(
                f"""UPDATE storage.objects SET metadata = $3, user_metadata = $4, version = $5, owner = $6, owner_id = $7,
                    updated_at = now() WHERE {ONE}""",
                *(place.bucket, place.key, metadata, user_metadata, str(uuid.uuid4()), owner_id(owner), owner),
            )
            if done == "UPDATE 0":
                raise denied()
            return str(known)
        object_id = uuid.uuid4()
        try:
            await connection.execute(
                """INSERT INTO storage.objects (id, bucket_id, name, metadata, user_metadata, version, owner, owner_id)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
                *(object_id, place.bucket, place.key, metadata, user_metadata, str(uuid.uuid4()), owner_id(owner), owner),
            )
        except asyncpg.UniqueViolationError as error:
            raise taken() from error
        except asyncpg.ForeignKeyViolationError as error:
            raise no_bucket() from error
        return str(object_id)


class _Undone:
    """A savepoint that is always taken back."""

    def __init__(self, connection: Any) -> None:
        self._transaction = connection.transaction()

    async def __aenter__(self) -> None:
        await self._transaction.start()

    async def __aexit__(self, *_: object) -> None:
        await self._transaction.rollback()


def _undone(connection: Any) -> _Undone:
    return _Undone(connection)
