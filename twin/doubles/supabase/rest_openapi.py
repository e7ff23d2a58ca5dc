"""The description of the REST view at its root, as PostgREST gives it: tables and functions of one schema."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twin.doubles.supabase.project import Project
from twin.doubles.supabase.rest_request import schema_of
from twin.doubles.supabase.rest_schema import Column, Schema, Schemas

TYPES = {"boolean": "boolean", "smallint": "integer", "integer": "integer", "bigint": "integer", "real": "number"}
TYPES |= {"double precision": "number", "numeric": "number"}
OK = {"200": {"description": "OK"}}


def _property(column: Column, *, is_key: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"format": column.type}
    if column.type.endswith("[]"):
        shown |= {"type": "array", "items": {"type": TYPES.get(column.type[:-2], "string")}}
    elif column.type not in ("json", "jsonb"):
        shown["type"] = TYPES.get(column.type, "string")
    if column.default is not None:
        shown["default"] = column.default
    if is_key:
        shown["description"] = "Note:\nThis is a Primary Key.<pk/>"
    return shown


def _description(schema: Schema, url: str, visible: set[str]) -> dict[str, Any]:
    paths: dict[str, Any] = {"/": {"get": {"tags": ["Introspection"], "responses": OK}}}
    definitions = {}
    for table in schema.tables.values():
        if table.name not in visible:
            continue
        verbs = ("get", "post", "patch", "delete")
        paths[f"/{table.name}"] = {verb: {"tags": [table.name], "responses": OK} for verb in verbs}
        definitions[table.name] = {
            "type": "object",
            "required": [column.name for column in table.columns.values() if column.required],
            "properties": {
                column.name: _property(column, is_key=column.name in table.primary_key) for column in table.columns.values()
            },
        }
    for function in schema.functions:
        paths[f"/rpc/{function.name}"] = {"post": {"tags": [f"(rpc) {function.name}"], "responses": OK}}
    return {
        "swagger": "2.0",
        "info": {"title": "PostgREST API", "description": "", "version": "13.0.5"},
        "host": url.partition("://")[2],
        "basePath": "/",
        "schemes": [url.partition("://")[0]],
        "consumes": ["application/json", "application/vnd.pgrst.object+json", "text/csv"],
        "produces": ["application/json", "application/vnd.pgrst.object+json", "text/csv"],
        "paths": paths,
        "definitions": definitions,
    }


class Description:
    """The root of one project's REST view."""

    def __init__(self, project: Project, schemas: Schemas) -> None:
        self.project = project
        self.schemas = schemas

    async def root(self, request: Request) -> Response:
        """What the caller's role may use."""
        schema = await self.schemas.get(schema_of(request))
        async with self.project.acting_as(request.state.claims) as connection:
            rows = await connection.fetch(
                """SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE n.nspname = $1 AND has_schema_privilege(n.oid, 'USAGE')
                     AND has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE')""",
                schema.name,
            )
        described = _description(schema, self.project.config.url("supabase"), {row["relname"] for row in rows})
        return JSONResponse(described, media_type="application/openapi+json; charset=utf-8")
