"""Bytes of the objects, what a request uploads, and the headers of a download."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from twin.doubles.supabase.storage_errors import StorageError, invalid

KEY = re.compile(r"[\w/!\-.*'() &$@=;:+,?]+", re.A)
BUCKET = re.compile(r"[\w!\-.*'() &$@=;:+,?]{1,100}", re.A)
RANGE = re.compile(r"bytes=(\d*)-(\d*)")
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)B?", re.I)
UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def check_key(key: str) -> str:
    """The key, when an object may have it; raises StorageError otherwise."""
    if not KEY.fullmatch(key):
        raise StorageError(400, "InvalidKey", f"Invalid key: {key}")
    return key


def check_bucket_name(name: str) -> str:
    """The name, when a bucket may have it; raises StorageError otherwise."""
    if not BUCKET.fullmatch(name) or name != name.strip():
        raise StorageError(400, "Invalid Input", "Bucket name invalid", "InvalidBucketName")
    return name


def bytes_of_limit(value: Any) -> int | None:
    """A size limit as a number of bytes, from a number or from "5MB"; raises StorageError."""
    if value is None or isinstance(value, int):
        return value
    found = SIZE.fullmatch(str(value).strip())
    if found is None:
        message = "Invalid file size format, hint: use 20GB / 20MB / 30KB / 3B"
        raise StorageError(400, "InvalidRequest", message)
    return int(float(found[1]) * 1024 ** UNITS[found[2].upper()])


def fits(mime: str, allowed: list[str] | None) -> bool:
    """Whether a bucket takes files of this type."""
    kind = mime.partition(";")[0].strip().lower()
    group = kind.partition("/")[0]
    return not allowed or any(entry.lower() in (kind, f"{group}/*", "*/*", "*") for entry in allowed)


@dataclass
class Upload:
    """One uploaded file."""

    body: bytes
    mime: str
    cache_control: str
    user_metadata: dict[str, Any] | None

    def metadata(self) -> dict[str, Any]:
        """What is kept of it in the object's row."""
        return {
            "eTag": f'"{hashlib.md5(self.body).hexdigest()}"',
            "size": len(self.body),
            "mimetype": self.mime,
            "cacheControl": self.cache_control,
            "lastModified": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "contentLength": len(self.body),
            "httpStatusCode": 200,
        }


async def uploaded(request: Request) -> Upload:
    """The file of a request, sent as a form or as the bare bytes; raises StorageError."""
    kind = request.headers.get("content-type", "application/octet-stream")
    if not kind.lower().startswith("multipart/form-data"):
        return Upload(await request.body(), kind, request.headers.get("cache-control", "no-cache"), _header_metadata(request))
    async with request.form() as form:
        file = next((value for _, value in form.multi_items() if isinstance(value, UploadFile)), None)
        if file is None:
            raise StorageError(400, "InvalidRequest", "No content provided")
        seconds = form.get("cacheControl")
        return Upload(
            await file.read(),
            file.content_type or "application/octet-stream",
            f"max-age={seconds}" if seconds else "no-cache",
            _metadata(form.get("metadata")),
        )


def _metadata(text: Any) -> dict[str, Any] | None:
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _header_metadata(request: Request) -> dict[str, Any] | None:
    try:
        return _metadata(base64.b64decode(request.headers.get("x-metadata", "")).decode())
    except ValueError:
        return None


class Files:
    """The bytes of a project's objects, in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, bucket: str, key: str) -> Path:
        return self._folder / hashlib.sha256(f"{bucket}/{key}".encode()).hexdigest()

    def write(self, bucket: str, key: str, body: bytes) -> None:
        """Keep the bytes of an object."""
        self._path(bucket, key).write_bytes(body)

    def read(self, bucket: str, key: str) -> bytes | None:
        """The bytes of an object, or None."""
        path = self._path(bucket, key)
        return path.read_bytes() if path.exists() else None

    def remove(self, bucket: str, key: str) -> None:
        """Forget the bytes of an object."""
        self._path(bucket, key).unlink(missing_ok=True)


def etag_of(metadata: dict[str, Any]) -> str:
    """The ETag of an object."""
    return str(metadata.get("eTag", ""))


def download(request: Request, body: bytes, row: Any, *, expires: int | None = None) -> Response:
    """The response with an object's bytes: all of them, a range, or none when the caller has them already."""
    metadata = row["metadata"]
    headers = {
        "ETag": etag_of(metadata),
        "Last-Modified": format_datetime(row["updated_at"].astimezone(UTC), usegmt=True),
        "Cache-Control": metadata.get("cacheControl", "no-cache"),
        "Accept-Ranges": "bytes",
        "Content-Type": _shown(str(metadata.get("mimetype", "application/octet-stream"))),
    }
    if expires is not None:
        headers["Expires"] = format_datetime(datetime.fromtimestamp(expires, UTC), usegmt=True)
    if (name := request.query_params.get("download")) is not None:
        encoded = quote(name, safe="")
        named = f"attachment; filename={encoded}; filename*=UTF-8''{encoded};"
        headers["Content-Disposition"] = named if name else "attachment;"
    if _is_known(request, headers["ETag"], row["updated_at"]):
        return Response(status_code=304, headers=headers)
    status, body = _part(request.headers.get("range", ""), body, headers)
    if request.method == "HEAD":
        headers["Content-Length"] = str(len(body))
        return Response(status_code=status, headers=headers)
    return Response(body, status, headers)


def _shown(mime: str) -> str:
    return "text/plain" if "text/html" in mime else mime


def _is_known(request: Request, etag: str, changed: datetime) -> bool:
    if given := request.headers.get("if-none-match"):
        return etag in [value.strip().removeprefix("W/") for value in given.split(",")] or given.strip() == "*"
    since = request.headers.get("if-modified-since")
    try:
        return since is not None and changed.replace(microsecond=0) <= parsedate_to_datetime(since)
    except (TypeError, ValueError):
        return False


def _part(wanted: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    found = RANGE.fullmatch(wanted)
    if found is None or not (found[1] or found[2]):
        return 200, body
    first = int(found[1]) if found[1] else max(0, len(body) - int(found[2]))
    last = min(int(found[2]), len(body) - 1) if found[1] and found[2] else len(body) - 1
    if first > last:
        raise StorageError(416, "InvalidRange", "The requested range is not satisfiable", "InvalidRange")
    headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
    return 206, body[first : last + 1]


def text_field(body: dict[str, Any], name: str) -> str:
    """A field of the body that must be there; raises StorageError."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(f"body must have required property '{name}'")
    return value
