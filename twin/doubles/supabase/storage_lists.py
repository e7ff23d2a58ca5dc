"""Listings of objects: one level at a time, with folders, or all below a prefix."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles.supabase.project import Project
from twin.doubles.supabase.storage_errors import invalid
from twin.doubles.supabase.storage_rows import caller_of
from twin.doubles.web import body_of

COLUMNS = ("name", "created_at", "updated_at", "last_accessed_at")
FIELDS = ("id", "updated_at", "created_at", "last_accessed_at", "metadata")


def _json(row: Any, fields: tuple[str, ...]) -> dict[str, Any]:
    shown = {}
    for field in fields:
        value = row[field]
        shown[field] = value.isoformat() if isinstance(value, datetime) else str(value) if field == "id" else value
    return shown


def _number(body: dict[str, Any], name: str, default: int, least: int) -> int:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise invalid(f"body/{name} must be integer")
    if value < least:
        raise invalid(f"body/{name} must be >= {least}")
    return value


def _order(body: dict[str, Any]) -> tuple[str, bool]:
    order = body.get("sortBy") or {}
    column = order.get("column") or "name"
    return (column if column in COLUMNS else "name"), order.get("order") == "desc"


class Lists:
    """Handlers of one project's listings."""

    def __init__(self, project: Project) -> None:
        self.project = project

    async def _visible(self, request: Request, prefix: str) -> list[Any]:
        async with self.project.acting_as(caller_of(self.project, request)) as connection:
            rows: list[Any] = await connection.fetch(
                """SELECT * FROM storage.objects WHERE bucket_id = $1 AND starts_with(lower(name), lower($2))
                   ORDER BY name COLLATE "C" """,
                *(request.path_params["bucket"], prefix),
            )
        return rows

    async def level(self, request: Request) -> Response:
        """Folders and objects directly below a folder."""
        body = await body_of(request)
        if not isinstance(body.get("prefix"), str):
            raise invalid("body must have required property 'prefix'")
        limit, offset = _number(body, "limit", 100, 1), _number(body, "offset", 0, 0)
        folder = body["prefix"].strip("/") + "/" if body["prefix"].strip("/") else ""
        wanted = str(body.get("search") or "").lower()
        folders: dict[str, None] = {}
        files: list[Any] = []
        for row in await self._visible(request, folder):
            name, slash, _ = row["name"][len(folder) :].partition("/")
            if not name.lower().startswith(wanted):
                continue
            if slash:
                folders[name] = None
            else:
                files.append(row)
        column, descending = _order(body)
        files.sort(key=lambda row: row[column], reverse=descending)
        names = sorted(folders, reverse=descending and column == "name")
        entries = [{"name": name} | dict.fromkeys(FIELDS) for name in names]
        entries += [{"name": row["name"][len(folder) :]} | _json(row, FIELDS) for row in files]
        return JSONResponse(entries[offset : offset + min(limit, 1000)])

    async def all_below(self, request: Request) -> Response:
        """Objects below a prefix, page by page; with a delimiter the folders in place of what is in them."""
        body = await body_of(request)
        prefix, limit = str(body.get("prefix") or ""), min(1000, _number(body, "limit", 1000, 1))
        entries: dict[str, tuple[Any, dict[str, Any]]] = {}
        column, descending = _order(body)
        for row in await self._visible(request, prefix):
            rest, slash, _ = row["name"][len(prefix) :].partition("/")
            if slash and body.get("with_delimiter"):
                name = f"{prefix}{rest}/"
                entries.setdefault(name, (name if column == "name" else row[column], {"name": name, "key": name[:-1]}))
            else:
                shown = {"name": row["name"], "key": row["name"]} | _json(row, FIELDS)
                entries[row["name"]] = (row[column], shown)
        ordered = [shown for _, shown in sorted(entries.values(), key=lambda e: (e[0], e[1]["name"]), reverse=descending)]
        start = _start(body.get("cursor"), ordered)
        page = ordered[start : start + limit]
        more = start + limit < len(ordered)
        answer: dict[str, Any] = {
            "hasNext": more,
            "folders": [entry for entry in page if "id" not in entry],
            "objects": [entry for entry in page if "id" in entry],
        }
        if more:
            answer["nextCursor"] = base64.b64encode(page[-1]["name"].encode()).decode()
        return JSONResponse(answer)


def _start(cursor: Any, ordered: list[dict[str, Any]]) -> int:
    if not cursor:
        return 0
    try:
        last = base64.b64decode(str(cursor), validate=True).decode()
    except ValueError as error:
        raise invalid("Invalid cursor") from error
    names = [entry["name"] for entry in ordered]
    return names.index(last) + 1 if last in names else 0
