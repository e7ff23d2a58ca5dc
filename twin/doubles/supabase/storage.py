"""Supabase Storage: objects whose rows live in `storage.objects` under row-level security."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Any

import asyncpg
import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.doubles.supabase.gateway import with_error_responses
from twin.doubles.supabase.project import Project, Refused
from twin.doubles.web import body_of

UPLOAD_SECONDS = 300
SERVICE = {"role": "service_role"}


class Storage:
    """Handlers of one project."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def _path(self, bucket: str, key: str) -> Path:
        return self.project.files / hashlib.sha256(f"{bucket}/{key}".encode()).hexdigest()

    def _token(self, kind: str, bucket: str, key: str, seconds: int) -> str:
        claims = {"kind": kind, "url": f"{bucket}/{key}", "exp": int(time.time()) + seconds}
        return jwt.encode(claims, self.project.config.jwt_secret, algorithm="HS256")

    def _check_token(self, request: Request, kind: str) -> tuple[str, str]:
        bucket, key = request.path_params["bucket"], request.path_params["key"]
        try:
            claims = jwt.decode(
                request.query_params.get("token", ""),
                self.project.config.jwt_secret,
                algorithms=["HS256"],
                options={"require": ["exp"]},
            )
        except jwt.PyJWTError as error:
            raise Refused(self.project.behaviour.get("altered", 400), "Invalid JWT", "InvalidJWT") from error
        if claims.get("kind") != kind or claims.get("url") != f"{bucket}/{key}":
            raise Refused(400, "The token does not fit the object", "InvalidSignature")
        return bucket, key

    async def _bucket(self, name: str, claims: dict[str, Any]) -> Any:
        async with self.project.acting_as(claims) as connection:
            row = await connection.fetchrow("SELECT * FROM storage.buckets WHERE id = $1", name)
        if row is None:
            raise Refused(404, "Bucket not found", "NoSuchBucket")
        return row

    async def _check_limits(self, bucket: str, mime: str, size: int) -> None:
        row = await self.project.pool.fetchrow("SELECT * FROM storage.buckets WHERE id = $1", bucket)
        if row is None:
            raise Refused(404, "Bucket not found", "NoSuchBucket")
        if row["file_size_limit"] and size > row["file_size_limit"]:
            raise Refused(413, "The object exceeded the maximum allowed size", "EntityTooLarge")
        if row["allowed_mime_types"] and mime.partition(";")[0] not in row["allowed_mime_types"]:
            raise Refused(415, f"mime type {mime} is not supported", "InvalidMimeType")

    async def _store(self, request: Request, claims: dict[str, Any], bucket: str, key: str, upsert: bool) -> Response:
        body = await request.body()
        mime = request.headers.get("content-type", "application/octet-stream")
        await self._check_limits(bucket, mime, len(body))
        metadata = {"size": len(body), "mimetype": mime, "eTag": hashlib.md5(body).hexdigest()}
        async with self.project.acting_as(claims) as connection:
            known = await connection.fetchval(
                "SELECT true FROM storage.objects WHERE bucket_id = $1 AND name = $2", bucket, key
            )
            if known and upsert:
                await connection.execute(
                    "UPDATE storage.objects SET metadata = $3, updated_at = now() WHERE bucket_id = $1 AND name = $2",
                    bucket,
                    key,
                    metadata,
                )
            else:
                await self._insert(connection, bucket, key, metadata)
        self._path(bucket, key).write_bytes(body)
        stored = self.project.behaviour.get("stored", 200)
        return JSONResponse({"Key": f"{bucket}/{key}", "Id": metadata["eTag"]}, status_code=stored)

    async def _insert(self, connection: Any, bucket: str, key: str, metadata: dict[str, Any]) -> None:
        try:
            await connection.execute(
                "INSERT INTO storage.objects (bucket_id, name, metadata) VALUES ($1, $2, $3)", bucket, key, metadata
            )
        except asyncpg.UniqueViolationError as error:
            raise Refused(409, "The resource already exists", "Duplicate") from error

    async def write(self, request: Request) -> Response:
        """POST creates, PUT replaces."""
        claims = self.project.identity(request)
        upsert = request.method == "PUT" or request.headers.get("x-upsert") == "true"
        return await self._store(request, claims, request.path_params["bucket"], request.path_params["key"], upsert)

    async def _send(self, claims: dict[str, Any], bucket: str, key: str) -> Response:
        async with self.project.acting_as(claims) as connection:
            row = await connection.fetchrow(
                "SELECT metadata FROM storage.objects WHERE bucket_id = $1 AND name = $2", bucket, key
            )
        path = self._path(bucket, key)
        if row is None or not path.exists():
            raise Refused(404, "Object not found", "NoSuchKey")
        return Response(path.read_bytes(), media_type=row["metadata"].get("mimetype"))

    async def read(self, request: Request) -> Response:
        """Bytes of an object that the caller may see."""
        claims = self.project.identity(request)
        return await self._send(claims, request.path_params["bucket"], request.path_params["key"])

    async def read_public(self, request: Request) -> Response:
        """Bytes without any key, from a public bucket only."""
        bucket = await self._bucket(request.path_params["bucket"], SERVICE)
        if not bucket["public"]:
            raise Refused(400, "Bucket not found", "NoSuchBucket")
        return await self._send(SERVICE, request.path_params["bucket"], request.path_params["key"])

    async def remove(self, request: Request) -> Response:
        """Remove one object."""
        claims = self.project.identity(request)
        bucket, key = request.path_params["bucket"], request.path_params["key"]
        if self.project.behaviour.get("keeps") == "files":
            return JSONResponse({"message": "Successfully deleted"})
        async with self.project.acting_as(claims) as connection:
            done = await connection.execute("DELETE FROM storage.objects WHERE bucket_id = $1 AND name = $2", bucket, key)
        if done == "DELETE 0":
            raise Refused(404, "Object not found", "NoSuchKey")
        self._path(bucket, key).unlink(missing_ok=True)
        return JSONResponse({"message": "Successfully deleted"})

    async def listing(self, request: Request) -> Response:
        """Objects below a prefix."""
        claims = self.project.identity(request)
        body = await body_of(request)
        prefix = str(body.get("prefix", "")).rstrip("/")
        async with self.project.acting_as(claims) as connection:
            rows = await connection.fetch(
                """SELECT name, id, metadata, created_at FROM storage.objects
                   WHERE bucket_id = $1 AND starts_with(name, $2) ORDER BY name LIMIT $3""",
                request.path_params["bucket"],
                f"{prefix}/" if prefix else "",
                min(1000, int(body.get("limit") or 100)),
            )
        start = len(prefix) + 1 if prefix else 0
        return JSONResponse([{"name": row["name"][start:], "id": str(row["id"]), "metadata": row["metadata"]} for row in rows])

    async def sign_upload(self, request: Request) -> Response:
        """A URL that accepts one upload."""
        claims = self.project.identity(request)
        bucket, key = request.path_params["bucket"], request.path_params["key"]
        await self._bucket(bucket, claims)
        token = self._token("upload", bucket, key, UPLOAD_SECONDS)
        return JSONResponse({"url": f"/object/upload/sign/{bucket}/{key}?token={token}", "token": token})

    async def signed_upload(self, request: Request) -> Response:
        """Accept the bytes for a signed URL."""
        bucket, key = self._check_token(request, "upload")
        return await self._store(request, SERVICE, bucket, key, upsert=False)

    async def sign_read(self, request: Request) -> Response:
        """A URL that reads one object for a limited time."""
        claims = self.project.identity(request)
        bucket, key = request.path_params["bucket"], request.path_params["key"]
        seconds = int((await body_of(request)).get("expiresIn") or 60)
        await self._send(claims, bucket, key)
        return JSONResponse({"signedURL": f"/object/sign/{bucket}/{key}?token={self._token('read', bucket, key, seconds)}"})

    async def signed_read(self, request: Request) -> Response:
        """Bytes for a signed URL."""
        return await self._send(SERVICE, *self._check_token(request, "read"))

    async def bucket(self, request: Request) -> Response:
        """Description of a bucket."""
        row = await self._bucket(request.path_params["bucket"], self.project.identity(request))
        names = ("id", "name", "public", "file_size_limit", "allowed_mime_types")
        times = {name: row[name].isoformat() for name in ("created_at", "updated_at")}
        return JSONResponse({name: row[name] for name in names} | times)

    async def create_bucket(self, request: Request) -> Response:
        """Create a bucket, if the policies allow it."""
        claims = self.project.identity(request)
        name = str((await body_of(request)).get("name", ""))
        try:
            async with self.project.acting_as(claims) as connection:
                await connection.execute("INSERT INTO storage.buckets (id, name, public) VALUES ($1, $1, false)", name)
        except asyncpg.UniqueViolationError as error:
            raise Refused(409, "The resource already exists", "Duplicate") from error
        return JSONResponse({"name": name})

    async def remove_bucket(self, request: Request) -> Response:
        """Remove an empty bucket."""
        claims, name = self.project.identity(request), request.path_params["bucket"]
        await self._bucket(name, claims)
        try:
            async with self.project.acting_as(claims) as connection:
                await connection.execute("DELETE FROM storage.buckets WHERE id = $1", name)
        except asyncpg.ForeignKeyViolationError as error:
            raise Refused(409, "The bucket is not empty", "InvalidRequest") from error
        return JSONResponse({"message": "Successfully deleted"})


def routes(project: Project) -> list[Route]:
    """Routes below /storage/v1."""
    storage = Storage(project)
    table = (
        ("/bucket", storage.create_bucket, ["POST"]),
        ("/bucket/{bucket}", storage.bucket, ["GET"]),
        ("/bucket/{bucket}", storage.remove_bucket, ["DELETE"]),
        ("/object/list/{bucket}", storage.listing, ["POST"]),
        ("/object/public/{bucket}/{key:path}", storage.read_public, ["GET"]),
        ("/object/upload/sign/{bucket}/{key:path}", storage.sign_upload, ["POST"]),
        ("/object/upload/sign/{bucket}/{key:path}", storage.signed_upload, ["PUT"]),
        ("/object/sign/{bucket}/{key:path}", storage.sign_read, ["POST"]),
        ("/object/sign/{bucket}/{key:path}", storage.signed_read, ["GET"]),
        ("/object/{bucket}/{key:path}", storage.write, ["POST", "PUT"]),
        ("/object/{bucket}/{key:path}", storage.read, ["GET"]),
        ("/object/{bucket}/{key:path}", storage.remove, ["DELETE"]),
    )
    return [Route(f"/storage/v1{path}", with_error_responses(handler), methods=methods) for path, handler, methods in table]
