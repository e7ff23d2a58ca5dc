"""Reading a table: rows, their number, and the range that is shown."""

from __future__ import annotations

import copy
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from twin.doubles.supabase.project import Project
from twin.doubles.supabase.rest_query import Query
from twin.doubles.supabase.rest_request import MAX_ROWS, Preferences, media_of, query_of, schema_of
from twin.doubles.supabase.rest_result import (
    body_of_rows,
    check_offset,
    check_single,
    content_range,
    respond,
    run,
    transaction,
)
from twin.doubles.supabase.rest_schema import Schema, Schemas
from twin.doubles.supabase.rest_sql import Builder, quoted


def _statement(schema: Schema, table: str, query: Query) -> tuple[str, list[Any]]:
    builder = Builder(schema)
    source = builder.source(table)
    sql = builder.select(source, query, f"{quoted(schema.name)}.{quoted(table)}")
    return sql, builder.values.items


async def total_of(connection: Any, schema: Schema, table: str, query: Query, how: str | None) -> int | None:
    """How many rows a query has without its limit, counted or estimated as the caller prefers."""
    if how is None:
        return None
    whole = copy.copy(query)
    whole.limit, whole.offset, whole.order = None, 0, []
    sql, values = _statement(schema, table, whole)
    if how != "exact":
        plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *values)
        found = json.loads(plan) if isinstance(plan, str) else plan
        estimate = int(found[0]["Plan"]["Plan Rows"])
        if how == "planned" or estimate > MAX_ROWS:
            return estimate
    return int(await connection.fetchval(f"SELECT count(*) FROM ({sql}) q", *values))


class Reading:
    """GET and HEAD on the tables of one project."""

    def __init__(self, project: Project, schemas: Schemas) -> None:
        self.project = project
        self.schemas = schemas

    async def rows(self, request: Request) -> Response:
        """Rows of one table that the caller may see."""
        schema = await self.schemas.get(schema_of(request))
        table = schema.table(request.path_params["table"]).name
        preferences, query = Preferences.of(request), query_of(request)
        media, stripped = media_of(request)
        sql, values = _statement(schema, table, query)
        async with transaction(self.project, request) as connection:
            result = await run(connection, f"pgrst_source AS ({sql})", values, body_of_rows(media, stripped=stripped))
            total = await total_of(connection, schema, table, query, preferences.count)
        check_offset(query.offset, total)
        check_single(media, result.count)
        status = 206 if total is not None and result.count < total else 200
        location = f"/{table}" + (f"?{request.url.query}" if request.url.query else "")
        headers = {"Content-Range": content_range(query.offset, result.count, total), "Content-Location": location}
        return respond(request, status, result.body, headers, preferences)
