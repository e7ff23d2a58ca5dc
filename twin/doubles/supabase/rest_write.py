"""Changing a table: insert, upsert, update and delete."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from twin.doubles.supabase.project import Project
from twin.doubles.supabase.rest_errors import RestError
from twin.doubles.supabase.rest_query import Query
from twin.doubles.supabase.rest_request import Preferences, media_of, payload_of, query_of, schema_of
from twin.doubles.supabase.rest_result import (
    Result,
    body_of_rows,
    check_affected,
    check_single,
    content_range,
    respond,
    run_changing,
    transaction,
)
from twin.doubles.supabase.rest_schema import Schemas, Table
from twin.doubles.supabase.rest_sql import Builder, quoted
from twin.doubles.supabase.rest_syntax import Reader


def _names(text: str, what: str) -> list[str]:
    reader, found = Reader(text, what), []
    while reader.at < len(text):
        found.append(reader.name())
        if not reader.skip(",") and reader.at < len(text):
            raise reader.bad()
    return found


def _known(table: Table, names: list[str]) -> list[str]:
    for name in names:
        if name not in table.columns:
            message = f"Could not find the '{name}' column of '{table.name}' in the schema cache"
            raise RestError(400, "PGRST204", message)
    return names


def _full(table: Table) -> str:
    return f"{quoted(table.schema)}.{quoted(table.name)}"


@dataclass
class _Change:
    """One statement that changes a table, before what it returns."""

    builder: Builder
    table: Table
    request: Request
    preferences: Preferences
    query: Query

    def insert(self, payload: Any) -> str:
        rows = payload if isinstance(payload, list) else [payload]
        if not all(isinstance(row, dict) for row in rows):
            raise RestError(400, "PGRST102", "All object keys must match")
        columns = self._columns(rows)
        names, table = ", ".join(map(quoted, columns)), _full(self.table)
        if not columns:
            values = "DEFAULT VALUES" if rows else f"SELECT * FROM {table} WHERE false"
            return f"INSERT INTO {table} {values}"
        given = f"CAST({self.builder.values.text(json.dumps(rows))} AS json)"
        if self.preferences.missing_default:
            chosen = ", ".join(self._or_default(name) for name in columns)
            origin = f"json_array_elements({given}) e, LATERAL json_populate_record(NULL::{table}, e.value) pgrst_body"
        else:
            chosen = ", ".join(f"pgrst_body.{quoted(name)}" for name in columns)
            origin = f"json_populate_recordset(NULL::{table}, {given}) pgrst_body"
        return f"INSERT INTO {table} ({names}) SELECT {chosen} FROM {origin}{self._conflict(columns)}"

    def _columns(self, rows: list[dict[str, Any]]) -> list[str]:
        if wanted := self.request.query_params.get("columns"):
            return _known(self.table, _names(wanted, "columns parameter"))
        if any(row.keys() != rows[0].keys() for row in rows):
            raise RestError(400, "PGRST102", "All object keys must match")
        return _known(self.table, list(rows[0]) if rows else [])

    def _or_default(self, name: str) -> str:
        key = self.builder.values.text(name)
        default = self.table.columns[name].default or "NULL"
        return f"CASE WHEN e.value::jsonb ? {key} THEN pgrst_body.{quoted(name)} ELSE {default} END"

    def _conflict(self, columns: list[str]) -> str:
        if self.preferences.resolution is None:
            return ""
        named = self.request.query_params.get("on_conflict")
        keys = _names(named, "on_conflict parameter") if named else list(self.table.primary_key)
        if not keys:
            return ""
        target = ", ".join(map(quoted, keys))
        if self.preferences.resolution == "ignore-duplicates":
            return f" ON CONFLICT ({target}) DO NOTHING"
        changes = ", ".join(f"{quoted(name)} = EXCLUDED.{quoted(name)}" for name in columns)
        return f" ON CONFLICT ({target}) DO UPDATE SET {changes}"

    def _where(self, verb: str) -> str:
        source = self.builder.source(self.table.name)
        found = self.builder.where(source, self.query.filters, {})
        if not found:
            # The platform loads an extension that refuses statements without conditions.
            raise RestError(400, "21000", f"{verb} requires a WHERE clause")
        return f" WHERE {' AND '.join(found)}"

    def update(self, payload: Any) -> str:
        row = payload[0] if isinstance(payload, list) and payload else payload
        if not isinstance(row, dict):
            raise RestError(400, "PGRST102", "Empty or invalid json")
        wanted = self.request.query_params.get("columns")
        columns = _known(self.table, _names(wanted, "columns parameter") if wanted else list(row))
        table = _full(self.table)
        if not columns:
            return f"UPDATE {table} SET {quoted(next(iter(self.table.columns)))} = NULL WHERE false"
        given = f"CAST({self.builder.values.text(json.dumps(row))} AS json)"
        changes = ", ".join(f"{quoted(name)} = pgrst_body.{quoted(name)}" for name in columns)
        origin = f"json_populate_record(NULL::{table}, {given}) pgrst_body"
        return f"UPDATE {table} SET {changes} FROM {origin}{self._where('UPDATE')}"

    def delete(self) -> str:
        return f"DELETE FROM {_full(self.table)}{self._where('DELETE')}"


class Writing:
    """POST, PATCH and DELETE on the tables of one project."""

    def __init__(self, project: Project, schemas: Schemas) -> None:
        self.project = project
        self.schemas = schemas

    async def _change(self, request: Request) -> _Change:
        schema = await self.schemas.get(schema_of(request))
        table = schema.table(request.path_params["table"])
        return _Change(Builder(schema), table, request, Preferences.of(request), query_of(request))

    async def _run(self, change: _Change, statement: str) -> Result:
        media, stripped = media_of(change.request)
        table, builder = change.table, change.builder
        shows = change.preferences.returns == "representation"
        async with transaction(self.project, change.request) as connection:
            if shows:
                returned = f"{quoted(table.name)}.*, ({quoted(table.name)}.xmax = 0) AS pgrst_inserted"
                query = Query(change.query.picked, change.query.embedded, [], change.query.order)
                shown = builder.select(builder.source(table.name), query, f"pgrst_changed AS {quoted(table.name)}")
                ctes = f"pgrst_changed AS ({statement} RETURNING {returned}), pgrst_source AS ({shown})"
                inserted = "(SELECT count(*) FILTER (WHERE pgrst_inserted) FROM pgrst_changed)"
                body = body_of_rows(media, stripped=stripped)
                sent: dict[str, str] = {"counted": "pgrst_changed", "inserted": inserted}
                asked = (ctes, builder.values.items, body)
                result = await run_changing(self.project, change.request, connection, asked, **sent)
                check_single(media, result.count)
            else:
                ctes = f"pgrst_source AS ({statement} RETURNING 1)"
                asked = (ctes, builder.values.items, "''")
                result = await run_changing(self.project, change.request, connection, asked)
            check_affected(change.preferences, result.count)
        return result

    async def insert(self, request: Request) -> Response:
        """Insert rows, or change those that are there already."""
        change = await self._change(request)
        result = await self._run(change, change.insert(await payload_of(request)))
        preferences = change.preferences
        replaced = preferences.returns == "representation" and preferences.resolution == "merge-duplicates"
        status = 200 if replaced and not result.inserted else 201
        headers = {"Content-Range": content_range(0, 0, result.count if preferences.count else None)}
        return respond(request, status, result.body, headers, preferences)

    async def update(self, request: Request) -> Response:
        """Change the rows that the filters select."""
        change = await self._change(request)
        return self._changed(change, await self._run(change, change.update(await payload_of(request))))

    async def delete(self, request: Request) -> Response:
        """Remove the rows that the filters select."""
        change = await self._change(request)
        return self._changed(change, await self._run(change, change.delete()))

    def _changed(self, change: _Change, result: Result) -> Response:
        total = result.count if change.preferences.count else None
        headers = {"Content-Range": content_range(0, result.count, total)}
        status = 200 if change.preferences.returns == "representation" else 204
        return respond(change.request, status, result.body, headers, change.preferences)
