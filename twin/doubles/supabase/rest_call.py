"""Calling a function of the database."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from twin.doubles.supabase.project import Project
from twin.doubles.supabase.rest_errors import RestError
from twin.doubles.supabase.rest_query import Query
from twin.doubles.supabase.rest_request import OBJECT, Preferences, media_of, payload_of, query_of, schema_of
from twin.doubles.supabase.rest_result import (
    body_of_rows,
    check_affected,
    check_offset,
    check_single,
    content_range,
    respond,
    run,
    transaction,
)
from twin.doubles.supabase.rest_schema import Function, Schema, Schemas
from twin.doubles.supabase.rest_sql import Builder, Source, quoted

JSON_TYPES = ("json", "jsonb")


def _unknown(schema: Schema, name: str, given: list[str]) -> RestError:
    listed = ", ".join(given)
    shown = f"({listed})" if given else " without parameters"
    many = "s" if len(given) > 1 else ""
    by = f" with parameter{many} {listed} or with a single unnamed json/jsonb parameter" if given else " without parameters"
    near = next((known.name for known in schema.functions if known.name in name or name in known.name), None)
    hint = f"Perhaps you meant to call the function {schema.name}.{near}" if near else None
    details = f"Searched for the function {schema.name}.{name}{by}, but no matches were found in the schema cache."
    message = f"Could not find the function {schema.name}.{name}{shown} in the schema cache"
    return RestError(404, "PGRST202", message, details, hint)


def find(schema: Schema, name: str, given: list[str]) -> Function:
    """The function that takes these parameters; raises RestError for none and for several."""
    named = [known for known in schema.functions if known.name == name]
    fitting = [known for known in named if known.needed <= set(given) <= {key for key, _ in known.inputs}]
    if not fitting:
        fitting = [
            known for known in named if len(known.inputs) == 1 and known.inputs[0] in (("", kind) for kind in JSON_TYPES)
        ]
    if not fitting:
        raise _unknown(schema, name, given)
    if len(fitting) > 1:
        calls = (", ".join(f"{key} => {kind}" for key, kind in known.inputs) for known in fitting)
        listed = ", ".join(f"{schema.name}.{name}({call})" for call in calls)
        hint = "Try renaming the parameters or the function itself in the database so function overloading can be resolved"
        raise RestError(300, "PGRST203", f"Could not choose the best candidate function between: {listed}", hint=hint)
    return fitting[0]


def _origin(builder: Builder, function: Function, arguments: Any, alias: str) -> str:
    called = f"{quoted(function.schema)}.{quoted(function.name)}"
    given = f"CAST({builder.values.text(json.dumps(arguments))} AS json)"
    if function.inputs and function.inputs[0][0] == "":
        return f"{called}(CAST({given} AS {function.inputs[0][1]})) AS {alias}"
    kinds = [(name, kind) for name, kind in function.inputs if name in arguments]
    if not kinds:
        return f"(SELECT {given}) pgrst_none, LATERAL {called}() AS {alias}"
    declared = ", ".join(f"{quoted(name)} {kind}" for name, kind in kinds)
    passed = ", ".join(f"{quoted(name)} := pgrst_args.{quoted(name)}" for name, _ in kinds)
    return f"json_to_record({given}) AS pgrst_args({declared}), LATERAL {called}({passed}) AS {alias}"


class Calling:
    """POST, GET and HEAD on the functions of one project."""

    def __init__(self, project: Project, schemas: Schemas) -> None:
        self.project = project
        self.schemas = schemas

    async def call(self, request: Request) -> Response:
        """Call a function."""
        schema = await self.schemas.get(schema_of(request))
        name, preferences = request.path_params["function"], Preferences.of(request)
        if request.method == "POST":
            arguments = await payload_of(request) if await request.body() else {}
            function = find(schema, name, list(arguments) if isinstance(arguments, dict) else [])
            query = query_of(request)
        else:
            function, arguments = self._from_query(schema, name, request)
            query = query_of(request, frozenset(arguments))
        return await self._answer(request, schema, function, arguments, query, preferences)

    def _from_query(self, schema: Schema, name: str, request: Request) -> tuple[Function, dict[str, Any]]:
        known = {key for function in schema.functions if function.name == name for key, _ in function.inputs}
        given = {key: value for key, value in request.query_params.items() if key in known}
        function = find(schema, name, list(given))
        kinds = dict(function.inputs)
        try:
            return function, {key: json.loads(text) if kinds[key] in JSON_TYPES else text for key, text in given.items()}
        except ValueError as error:
            raise RestError(400, "22P02", "invalid input syntax for type json") from error

    def _source(self, builder: Builder, function: Function, arguments: Any, query: Query) -> str:
        if not function.gives_rows:
            origin = _origin(builder, function, arguments, "pgrst_call(pgrst_scalar)")
            if not function.many:
                return f"SELECT pgrst_scalar FROM {origin}"
            limit = builder.values.text(str(query.limit))
            return f"SELECT pgrst_scalar FROM {origin} LIMIT CAST({limit} AS bigint) OFFSET {query.offset:d}"
        origin = _origin(builder, function, arguments, quoted(function.name))
        if function.row_of:
            source = builder.source(function.row_of, function.name)
        else:
            source = Source(function.name, function.name, dict(function.outputs))
        return builder.select(source, query, origin)

    async def _answer(
        self, request: Request, schema: Schema, function: Function, arguments: Any, query: Query, preferences: Preferences
    ) -> Response:
        media, stripped = media_of(request)
        builder = Builder(schema)
        sql = self._source(builder, function, arguments, query)
        kind = media if function.many else OBJECT if media == "application/json" else media
        body = body_of_rows(kind, stripped=stripped, row="t" if function.gives_rows else "t.pgrst_scalar")
        async with transaction(self.project, request) as connection:
            result = await run(connection, f"pgrst_source AS ({sql})", builder.values.items, body)
            check_affected(preferences, result.count)
            if function.many:
                check_single(media, result.count)
            total = await self._total(connection, schema, function, arguments, query) if preferences.count else None
        if function.returns == "void" and not function.many:
            return respond(request, 204, "", {}, preferences)
        check_offset(query.offset, total)
        status = 206 if total is not None and result.count < total else 200
        headers = {"Content-Range": content_range(query.offset, result.count, total)}
        return respond(request, status, result.body, headers, preferences)

    async def _total(self, connection: Any, schema: Schema, function: Function, arguments: Any, query: Query) -> int:
        builder = Builder(schema)
        whole = Query(query.picked, query.embedded, query.filters, [], 2**31)
        sql = self._source(builder, function, arguments, whole)
        return int(await connection.fetchval(f"SELECT count(*) FROM ({sql}) q", *builder.values.items))
