"""Runs the statements of PostgREST and turns their results into responses."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
from starlette.requests import Request
from starlette.responses import Response

from twin.doubles.supabase.project import Project
from twin.doubles.supabase.rest_errors import RestError
from twin.doubles.supabase.rest_request import CSV, OBJECT, Preferences, media_of, schema_of

CSV_BODY = """
    (SELECT coalesce(string_agg(quote, ','), '') FROM (SELECT json_object_keys(r) AS quote FROM
        (SELECT row_to_json(h) AS r FROM pgrst_source h LIMIT 1) s) k)
    || E'\\n' || coalesce(string_agg(substring(t::text, 2, length(t::text) - 2), E'\\n'), '')"""


@dataclass(frozen=True)
class Result:
    """Rows of a statement: how many there are, and the body that shows them."""

    count: int
    body: str
    inserted: int = 0


@asynccontextmanager
async def transaction(project: Project, request: Request) -> AsyncIterator[Any]:
    """A transaction of the request's caller, in which functions can ask for the request; GET changes nothing."""
    async with project.acting_as(request.state.claims) as connection:
        await connection.execute(
            """SELECT set_config('request.method', $1, true), set_config('request.path', $2, true),
                      set_config('request.headers', $3, true), set_config('request.cookies', $4, true)""",
            *(request.method, request.url.path.removeprefix("/rest/v1"), json.dumps(dict(request.headers))),
            json.dumps(request.cookies),
        )
        if request.method in ("GET", "HEAD"):
            await connection.execute("SET TRANSACTION READ ONLY")
        yield connection


def body_of_rows(media: str, *, stripped: bool, row: str = "t") -> str:
    """The expression that makes a body of rows."""
    shown = f"json_strip_nulls(to_json({row}))" if stripped else row
    if media == CSV:
        return CSV_BODY
    if media == OBJECT:
        return f"coalesce((json_agg({shown})->0)::text, 'null')"
    return f"coalesce(json_agg({shown}), '[]')::text"


class _Undo(Exception):
    """Takes back what was tried again only for its error."""


async def _raise_in_full(project: Project, error: asyncpg.PostgresError, sql: str, values: list[Any]) -> None:
    # The database keeps the details of an error from roles that policies apply to. The service role of a real project is
    # none of them: the statement is tried again without any role, fails again or is taken back.
    with contextlib.suppress(_Undo):
        async with project.pool.acquire() as connection, connection.transaction():
            try:
                await connection.fetchrow(sql, *values)
            except asyncpg.PostgresError as again:
                if again.sqlstate == error.sqlstate:
                    raise again from error
            raise _Undo


async def run_changing(
    project: Project, request: Request, connection: Any, statement: tuple[str, list[Any], str], **sent: str
) -> Result:
    """As `run`, with the details of an error that the service role may know."""
    ctes, values, body = statement
    try:
        return await run(connection, ctes, values, body, **sent)
    except asyncpg.IntegrityConstraintViolationError as error:
        if request.state.claims.get("role") == "service_role":
            await _raise_in_full(project, error, _sql(ctes, body, **sent), values)
        raise


def _sql(ctes: str, body: str, *, counted: str = "", inserted: str = "") -> str:
    number = f"(SELECT count(*) FROM {counted})" if counted else "count(*)"
    shown = f"{number} AS n, {body} AS body, {inserted or 0} AS inserted"
    return f"WITH {ctes} SELECT {shown} FROM (SELECT * FROM pgrst_source) t"


async def run(connection: Any, ctes: str, values: list[Any], body: str, *, counted: str = "", inserted: str = "") -> Result:
    """Run a statement whose rows are in `pgrst_source`; `counted` is another source of their number."""
    row = await connection.fetchrow(_sql(ctes, body, counted=counted, inserted=inserted), *values)
    return Result(row["n"], row["body"], row["inserted"] or 0)


def check_single(media: str, count: int) -> None:
    """Raise RestError unless there is exactly one row, when exactly one is wanted."""
    if media == OBJECT and count != 1:
        message = "Cannot coerce the result to a single JSON object"
        raise RestError(406, "PGRST116", message, f"The result contains {count} rows")


def check_affected(preferences: Preferences, count: int) -> None:
    """Raise RestError when more rows are affected than the caller allows."""
    if preferences.max_affected is not None and count > preferences.max_affected:
        message = "Query result exceeds max-affected preference constraint"
        raise RestError(400, "PGRST124", message, f"The query affects {count} rows")


def content_range(first: int, count: int, total: int | None) -> str:
    """The `Content-Range` of rows."""
    shown = f"{first}-{first + count - 1}" if count else "*"
    return f"{shown}/{'*' if total is None else total}"


def check_offset(first: int, total: int | None) -> None:
    """Raise RestError for an offset beyond the last row."""
    if total is not None and first > total:
        details = f"An offset of {first} was requested, but there are only {total} rows."
        raise RestError(416, "PGRST103", "Requested range not satisfiable", details, Content_Range=f"*/{total}")


def respond(request: Request, status: int, body: str, headers: dict[str, str], preferences: Preferences) -> Response:
    """A response with the headers that every one has."""
    media, stripped = media_of(request)
    kept = dict(headers) | {"Content-Profile": schema_of(request)}
    if preferences.applied:
        kept["Preference-Applied"] = ", ".join(preferences.applied)
    if status == 204:
        return Response(status_code=204, headers=kept)
    kept["Content-Type"] = f"{media}{';nulls=stripped' if stripped and media == OBJECT else ''}; charset=utf-8"
    if request.method == "HEAD":
        return Response(status_code=status, headers=kept)
    return Response(body, status, kept)
