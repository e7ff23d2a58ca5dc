"""Changed rows as a subscriber may see them: row-level security and column privileges, decided by PostgreSQL."""

from __future__ import annotations

import json
from typing import Any

import asyncpg

from twin.doubles.supabase.project import Project
from twin.doubles.supabase.realtime_filters import Wanted, quoted
from twin.doubles.supabase.realtime_wal import Change, Row, Table

JSON_TYPES = ("json", "jsonb")
UNAUTHORIZED = "Error 401: Unauthorized"


class NotPublished(LookupError):
    """A subscription to what is not published, or to a column that there is not."""


def _sql_name(table: Table) -> str:
    return f"{quoted(table.schema)}.{quoted(table.name)}"


class Rows:
    """Reads the rows of one project."""

    def __init__(self, project: Project) -> None:
        self.project = project

    async def check(self, wanted: Wanted, claims: dict[str, Any]) -> None:
        """Raise NotPublished unless the subscription can be served."""
        tables = await self.project.pool.fetch(
            """SELECT schemaname, tablename FROM pg_publication_tables WHERE pubname = 'supabase_realtime'
               AND ($1 = '*' OR schemaname = $1) AND ($2 = '*' OR tablename = $2)""",
            *(wanted.schema, wanted.table),
        )
        if not tables:
            raise NotPublished(
                "Unable to subscribe to changes with given parameters. "
                f"Please check Realtime is enabled for the given connect parameters: {wanted.described()}"
            )
        for condition in wanted.conditions:
            if not await self._may_read(claims, tables[0]["schemaname"], tables[0]["tablename"], condition.column):
                raise NotPublished(
                    "Unable to subscribe to changes with given parameters. An exception happened so please check your "
                    f"connect parameters: {wanted.described()}. Exception: ERROR P0001 (raise_exception) "
                    f"invalid column for filter {condition.column}"
                )

    async def _may_read(self, claims: dict[str, Any], schema: str, table: str, column: str) -> bool:
        try:
            return bool(
                await self.project.pool.fetchval(
                    "SELECT has_column_privilege($1, format('%I.%I', $2::text, $3::text)::regclass, $4, 'SELECT')",
                    *(str(claims.get("role")), schema, table, column),
                )
            )
        except asyncpg.PostgresError:
            return False

    async def types(self, table: Table) -> dict[str, str]:
        """The names of the columns' types."""
        oids = [column.type_oid for column in table.columns]
        rows = await self.project.pool.fetch("SELECT oid, typname FROM pg_type WHERE oid = ANY($1::oid[])", oids)
        names = {row["oid"]: row["typname"] for row in rows}
        return {column.name: names.get(column.type_oid, "text") for column in table.columns}

    async def typed(self, table: Table, types: dict[str, str], row: Row) -> dict[str, Any]:
        """A row of texts with the types that JSON has for them."""
        if not row:
            return {}
        full = await self.project.pool.fetchval(
            f"SELECT to_jsonb(r) FROM jsonb_populate_record(NULL::{_sql_name(table)}, $1) r", _loose(types, row)
        )
        return {name: full[name] for name in row}

    async def privileges(self, table: Table, role: str) -> set[str]:
        """The columns that a role may select."""
        rows = await self.project.pool.fetch(
            """SELECT attname FROM pg_attribute WHERE attrelid = $2::text::regclass AND attnum > 0 AND NOT attisdropped
               AND has_column_privilege($1, attrelid, attnum, 'SELECT')""",
            *(role, _sql_name(table)),
        )
        readable = {row["attname"] for row in rows}
        schema = await self.project.pool.fetchval("SELECT has_schema_privilege($1, $2, 'USAGE')", role, table.schema)
        return readable if schema else set()

    async def is_secured(self, table: Table) -> bool:
        """Whether the table has row-level security."""
        sql = "SELECT relrowsecurity FROM pg_class WHERE oid = $1::text::regclass"
        return bool(await self.project.pool.fetchval(sql, _sql_name(table)))

    async def is_visible(self, change: Change, types: dict[str, str], claims: dict[str, Any]) -> bool:
        """Whether the policies let these claims see the changed row."""
        name = _sql_name(change.table)
        same = " AND ".join(f"t.{quoted(key)} = r.{quoted(key)}" for key in change.table.keys)
        if not same:
            return False
        keys = {key: change.new.get(key) for key in change.table.keys}
        try:
            async with self.project.acting_as(claims) as connection:
                sql = f"SELECT 1 FROM {name} t, jsonb_populate_record(NULL::{name}, $1) r WHERE {same}"
                return bool(await connection.fetchval(sql, _loose(types, keys)))
        except asyncpg.PostgresError:
            return False

    async def passes(self, change: Change, types: dict[str, str], wanted: Wanted) -> bool:
        """Whether the change passes the subscription's filter."""
        row = change.old if change.action == "DELETE" else change.new
        if any(condition.column not in row for condition in wanted.conditions):
            return False
        name, parts, values = _sql_name(change.table), [], []
        for number, condition in enumerate(wanted.conditions, 2):
            sql, value = condition.sql(number, types[condition.column])
            parts.append(sql)
            values.append(value)
        try:
            return not parts or bool(
                await self.project.pool.fetchval(
                    f"SELECT 1 FROM jsonb_populate_record(NULL::{name}, $1) r WHERE {' AND '.join(parts)}",
                    *(_loose(types, row), *values),
                )
            )
        except asyncpg.PostgresError:
            return False


def _loose(types: dict[str, str], row: Row) -> dict[str, Any]:
    return {
        name: json.loads(text) if text is not None and types.get(name) in JSON_TYPES else text for name, text in row.items()
    }


def data_of(
    change: Change, types: dict[str, str], new: dict[str, Any], old: dict[str, Any], readable: set[str]
) -> dict[str, Any]:
    """The `data` of a message about a change, with the columns that the subscriber may read."""
    shown: dict[str, Any] = {
        "schema": change.table.schema,
        "table": change.table.name,
        "commit_timestamp": change.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "type": change.action,
        "columns": [{"name": name, "type": types[name]} for name in types if name in readable],
        "errors": None,
    }
    if change.action != "DELETE":
        shown["record"] = {name: value for name, value in new.items() if name in readable}
    if change.action != "INSERT":
        shown["old_record"] = {name: value for name, value in old.items() if name in readable}
    return shown


def refusal_of(change: Change) -> dict[str, Any]:
    """The `data` for a subscriber whose role may not read the table at all."""
    table = change.table
    shown = {"schema": table.schema, "table": table.name, "commit_timestamp": None, "type": change.action}
    return shown | {"columns": [], "record": {}, "errors": [UNAUTHORIZED]}
