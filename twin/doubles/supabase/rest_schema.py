"""What the exposed schemas hold: tables, their columns and keys, and functions."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from twin.doubles.supabase.project import Project
from twin.doubles.supabase.rest_errors import RestError

EXPOSED = ("public", "graphql_public", "upload_pipeline")
SECONDS = 5.0
COLUMNS = """
    SELECT n.nspname AS schema, c.relname AS "table", a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
           pg_get_expr(d.adbin, d.adrelid) AS "default", a.attnotnull AS required, a.attgenerated <> '' AS generated,
           a.attidentity AS identity
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE n.nspname = ANY($1) AND c.relkind IN ('r', 'v', 'm', 'f', 'p') ORDER BY n.nspname, c.relname, a.attnum"""
KEYS = """
    SELECT k.conname AS name, k.contype::text AS kind, n.nspname AS schema, c.relname AS "table",
           fn.nspname AS ref_schema, f.relname AS ref_table,
           ARRAY(SELECT attname::text FROM unnest(k.conkey) WITH ORDINALITY u(num, place)
                 JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num ORDER BY place) AS columns,
           ARRAY(SELECT attname::text FROM unnest(k.confkey) WITH ORDINALITY u(num, place)
                 JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num ORDER BY place) AS ref_columns
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_class f ON f.oid = k.confrelid LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
    WHERE n.nspname = ANY($1) AND k.contype IN ('p', 'u', 'f')"""
FUNCTIONS = """
    SELECT n.nspname AS schema, p.proname AS name, p.pronargs AS inputs, p.pronargdefaults AS defaults, p.proretset AS many,
           coalesce(p.proargnames, '{}') AS names, p.proargmodes::text[] AS modes, p.provolatile::text AS volatility,
           ARRAY(SELECT format_type(t, NULL) FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) t) AS types,
           t.typtype::text AS kind, t.typname::text AS returns, rn.nspname AS ref_schema, rc.relname AS ref_table
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_type t ON t.oid = p.prorettype
    LEFT JOIN pg_class rc ON rc.oid = t.typrelid LEFT JOIN pg_namespace rn ON rn.oid = rc.relnamespace
    WHERE n.nspname = ANY($1) AND p.prokind = 'f' AND t.typname <> 'trigger'
      AND NOT EXISTS (SELECT 1 FROM pg_depend x WHERE x.objid = p.oid AND x.deptype = 'e')"""


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    type: str
    default: str | None = None
    required: bool = False
    generated: bool = False


@dataclass(frozen=True)
class ForeignKey:
    """A reference from one table to another of the same schema."""

    name: str
    table: str
    columns: tuple[str, ...]
    ref_table: str
    ref_columns: tuple[str, ...]


@dataclass
class Table:
    """A table or view."""

    schema: str
    name: str
    columns: dict[str, Column] = field(default_factory=dict)
    primary_key: tuple[str, ...] = ()
    unique: list[frozenset[str]] = field(default_factory=list)


@dataclass(frozen=True)
class Function:
    """A function; `inputs` are the names and types of its parameters, of which the last `defaults` may be left out."""

    schema: str
    name: str
    inputs: tuple[tuple[str, str], ...]
    defaults: int
    many: bool
    returns: str
    row_of: str | None
    outputs: tuple[tuple[str, str], ...]
    read_only: bool

    @property
    def needed(self) -> set[str]:
        """Parameters without a default."""
        return {name for name, _ in self.inputs[: len(self.inputs) - self.defaults]}

    @property
    def gives_rows(self) -> bool:
        """Whether it returns rows with columns, instead of single values."""
        return bool(self.row_of or self.outputs or self.returns == "record")


@dataclass
class Schema:
    """One exposed schema."""

    name: str
    tables: dict[str, Table] = field(default_factory=dict)
    keys: list[ForeignKey] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)

    def table(self, name: str) -> Table:
        """A table; raises RestError."""
        if name not in self.tables:
            hint = next((known for known in self.tables if known in name or name in known), None)
            shown = f"Perhaps you meant the table '{self.name}.{hint}'" if hint else None
            message = f"Could not find the table '{self.name}.{name}' in the schema cache"
            raise RestError(404, "PGRST205", message, hint=shown)
        return self.tables[name]


class Schemas:
    """The exposed schemas of a project, read anew after a while."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._known: dict[str, Schema] = {}
        self._read_at = 0.0

    async def get(self, name: str) -> Schema:
        """One schema; raises RestError when it is not exposed."""
        if name not in EXPOSED:
            hint = f"Only the following schemas are exposed: {', '.join(EXPOSED)}"
            raise RestError(406, "PGRST106", f"Invalid schema: {name}", hint=hint)
        if time.monotonic() - self._read_at > SECONDS:
            self._known = await self._read()
            self._read_at = time.monotonic()
        return self._known[name]

    async def _read(self) -> dict[str, Schema]:
        found = {name: Schema(name) for name in EXPOSED}
        async with self._project.pool.acquire() as connection:
            for row in await connection.fetch(COLUMNS, EXPOSED):
                table = found[row["schema"]].tables.setdefault(row["table"], Table(row["schema"], row["table"]))
                column = Column(row["name"], row["type"], row["default"], row["required"], row["generated"])
                table.columns[column.name] = column
            for row in await connection.fetch(KEYS, EXPOSED):
                _add_key(found[row["schema"]], row)
            for row in await connection.fetch(FUNCTIONS, EXPOSED):
                found[row["schema"]].functions.append(_function(row))
        return found


def _add_key(schema: Schema, row: Any) -> None:
    table, columns = schema.tables[row["table"]], tuple(row["columns"])
    if row["kind"] == "f":
        if row["ref_schema"] == schema.name:
            schema.keys.append(ForeignKey(row["name"], row["table"], columns, row["ref_table"], tuple(row["ref_columns"])))
        return
    table.unique.append(frozenset(columns))
    if row["kind"] == "p":
        table.primary_key = columns


def _function(row: Any) -> Function:
    modes = row["modes"] or ["i"] * row["inputs"]
    names = list(row["names"]) + [""] * (len(modes) - len(row["names"]))
    parameters = list(zip(modes, names, row["types"], strict=True))
    return Function(
        row["schema"],
        row["name"],
        tuple((name, kind) for mode, name, kind in parameters if mode in "ibv"),
        row["defaults"],
        row["many"],
        row["returns"],
        row["ref_table"] if row["kind"] == "c" and row["ref_schema"] == row["schema"] else None,
        tuple((name, kind) for mode, name, kind in parameters if mode in "obt"),
        row["volatility"] in "is",
    )
