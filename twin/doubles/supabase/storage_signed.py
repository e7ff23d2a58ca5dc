"""Signed URLs: reading for a while, and one upload."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles.supabase.project import Project
from twin.doubles.supabase.storage_errors import StorageError, bad_token, invalid, no_object, taken
from twin.doubles.supabase.storage_files import check_key, download, uploaded
from twin.doubles.supabase.storage_objects import place_of
from twin.doubles.supabase.storage_rows import Place, Rows, caller_of, owner_of
from twin.doubles.web import body_of

UPLOAD_SECONDS = 2 * 3600
UNSEEN = "Either the object does not exist or you do not have access to it"


class Signed:
    """Handlers of one project's signed URLs."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.rows = Rows(project)

    def _token(self, place: Place, seconds: int, **more: Any) -> str:
        now = int(time.time())
        claims = {"url": place.full, "iat": now, "exp": now + seconds} | more
        return jwt.encode(claims, self.project.config.jwt_secret, algorithm="HS256")

    def _check(self, request: Request, *, upload: bool) -> tuple[Place, dict[str, Any]]:
        place = place_of(request)
        if "token" not in request.query_params:
            raise invalid("querystring must have required property 'token'")
        try:
            claims: dict[str, Any] = jwt.decode(
                request.query_params["token"],
                self.project.config.jwt_secret,
                algorithms=["HS256"],
                options={"require": ["exp"], "verify_aud": False, "verify_exp": self._links != "any time"},
            )
        except jwt.PyJWTError as error:
            raise self._altered(bad_token(error)) from error
        is_own = str(claims.get("url")).split("/")[:3] == place.full.split("/")[:3]
        is_for_it = claims.get("url") == place.full or self._links == "any object" or (self._links == "same user" and is_own)
        if not is_for_it or ("upsert" in claims) != upload:
            raise self._altered(StorageError(400, "InvalidSignature", "Invalid signature"))
        return place, claims

    @property
    def _links(self) -> str:
        """For what links are good beside their own object and time."""
        return str(self.project.behaviour.get("links", ""))

    def _altered(self, error: StorageError) -> StorageError:
        error.sent = self.project.behaviour.get("altered", error.sent)
        return error

    async def sign_upload(self, request: Request) -> Response:
        """A URL that accepts one upload."""
        claims, place = caller_of(self.project, request), place_of(request)
        upsert = request.headers.get("x-upsert") == "true"
        await self.rows.may_store(place, claims, upsert=upsert)
        token = self._token(place, UPLOAD_SECONDS, owner=owner_of(claims), upsert=upsert)
        return JSONResponse({"url": f"/object/upload/sign/{_path(place)}?token={token}", "token": token})

    async def upload(self, request: Request) -> Response:
        """Accept the bytes for a signed URL."""
        place, claims = self._check(request, upload=True)
        try:
            stored = await self.rows.store(
                place, await uploaded(request), None, claims.get("owner"), upsert=bool(claims["upsert"])
            )
        except StorageError as error:
            # The contract's status for a file that is already there, which storage itself has in the body alone.
            raise (taken(sent=409) if error.status == 409 else error) from error
        return JSONResponse({"Key": place.full, "Id": stored}, self.project.behaviour.get("stored", 200))

    async def sign_read(self, request: Request) -> Response:
        """A URL that reads one object for a limited time."""
        claims, place = caller_of(self.project, request), place_of(request)
        seconds = _seconds(await body_of(request))
        await self.rows.find(place, claims)
        return JSONResponse({"signedURL": self._read_url(place, seconds)})

    def _read_url(self, place: Place, seconds: int) -> str:
        return f"/object/sign/{_path(place)}?token={self._token(place, seconds)}"

    async def sign_many(self, request: Request) -> Response:
        """URLs that read objects for a limited time; those that the caller may not see have an error in their place."""
        claims, bucket, body = caller_of(self.project, request), request.path_params["bucket"], await body_of(request)
        seconds, paths = _seconds(body), body.get("paths")
        if not isinstance(paths, list) or not paths:
            raise invalid("body must have required property 'paths'")
        answers = []
        for path in map(str, paths):
            place = Place(bucket, path)
            try:
                await self.rows.find(place, claims)
                answers.append({"error": None, "path": path, "signedURL": self._read_url(place, seconds)})
            except StorageError:
                answers.append({"error": UNSEEN, "path": path, "signedURL": None})
        return JSONResponse(answers)

    async def read(self, request: Request) -> Response:
        """Bytes for a signed URL."""
        place, claims = self._check(request, upload=False)
        row = await self.rows.find(place, None)
        body = self.rows.files.read(place.bucket, place.key)
        if body is None:
            raise no_object()
        return download(request, body, row, expires=int(claims["exp"]))


def _path(place: Place) -> str:
    return quote(f"{place.bucket}/{check_key(place.key)}")


def _seconds(body: dict[str, Any]) -> int:
    value = body.get("expiresIn")
    if value is None:
        raise invalid("body must have required property 'expiresIn'")
    try:
        seconds = int(value)
    except (TypeError, ValueError) as error:
        raise invalid("body/expiresIn must be integer") from error
    if seconds < 1:
        raise invalid("body/expiresIn must be >= 1")
    return seconds
