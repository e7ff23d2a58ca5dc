"""Queries of PostgREST as SQL: every value is a parameter, every name is quoted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from twin.doubles.supabase.rest_errors import RestError, unparsable
from twin.doubles.supabase.rest_logic import elements
from twin.doubles.supabase.rest_query import Condition, Embedded, Field, Group, Ordering, Picked, Query
from twin.doubles.supabase.rest_relations import Relation, relation
from twin.doubles.supabase.rest_schema import Schema

COMPARED = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "isdistinct": "IS DISTINCT FROM"}
COMPARED |= {"cs": "@>", "cd": "<@", "ov": "&&", "sl": "<<", "sr": ">>", "nxr": "&<", "nxl": "&>", "adj": "-|-"}
MATCHED = {"like": "LIKE", "ilike": "ILIKE", "match": "~", "imatch": "~*"}
SEARCHED = {"fts": "to_tsquery", "plfts": "plainto_tsquery", "phfts": "phraseto_tsquery", "wfts": "websearch_to_tsquery"}
TRUTHS = {"null": "NULL", "not_null": "NOT NULL", "true": "TRUE", "false": "FALSE", "unknown": "UNKNOWN"}


def quoted(name: str) -> str:
    """An identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


@dataclass
class Values:
    """The parameters of one statement, all sent as text."""

    items: list[Any] = field(default_factory=list)

    def text(self, value: str) -> str:
        """A parameter."""
        self.items.append(value)
        return f"${len(self.items)}::text"

    def texts(self, values: list[str]) -> str:
        """A parameter that is a list."""
        self.items.append(values)
        return f"${len(self.items)}::text[]"


@dataclass(frozen=True)
class Source:
    """A table in a statement: its name there, and the types of its columns."""

    alias: str
    table: str
    types: dict[str, str]


@dataclass
class Builder:
    """Builds one statement on one schema."""

    schema: Schema
    values: Values = field(default_factory=Values)
    _count: int = 0

    def source(self, table: str, alias: str | None = None) -> Source:
        """A table of the schema as a source; raises RestError."""
        known = self.schema.table(table)
        return Source(alias or table, table, {column.name: column.type for column in known.columns.values()})

    def column(self, source: Source, column: Field) -> tuple[str, str | None]:
        """A column as SQL, and its type if it is known."""
        shown, kind = f"{quoted(source.alias)}.{quoted(column.name)}", source.types.get(column.name)
        if column.path and kind not in ("json", "jsonb", None):
            shown = f"to_jsonb({shown})"
        for arrow, key in column.path:
            given = self.values.text(key)
            shown += f"{arrow}CAST({given} AS int)" if key.lstrip("-").isdigit() else f"{arrow}{given}"
            kind = "text" if arrow == "->>" else "jsonb"
        return shown, kind

    def where(self, source: Source, filters: list[Condition | Group], embedded: dict[str, str]) -> list[str]:
        """The conditions as SQL. `embedded` are the names of joined tables, which may be asked for being there."""
        return [self._filter(source, item, embedded) for item in filters]

    def _filter(self, source: Source, item: Condition | Group, embedded: dict[str, str]) -> str:
        if isinstance(item, Group):
            parts = [self._filter(source, member, embedded) for member in item.members]
            shown = "(" + f" {item.word.upper()} ".join(parts) + ")"
        elif item.field.name in embedded and item.field.name not in source.types:
            if item.operator != "is" or item.value != "null":
                details = "Only is null or not is null filters are allowed on embedded resources"
                raise RestError(400, "PGRST120", f"Bad operator on the '{item.field.name}' embedded resource", details)
            shown = f"{embedded[item.field.name]} IS NULL"
        else:
            shown = self._condition(*self.column(source, item.field), item)
        return f"NOT {shown}" if item.negated else shown

    def _condition(self, column: str, kind: str | None, item: Condition) -> str:
        cast = f" AS {kind})" if kind else " AS text)"
        if item.operator == "is":
            if item.value.lower() not in TRUTHS:
                raise unparsable("filter", f"is.{item.value}", 3)
            return f"({column} IS {TRUTHS[item.value.lower()]})"
        if item.operator == "in":
            listed = self.values.texts(elements(item.value))
            return f"({column} = ANY (CAST({listed} AS {kind or 'text'}[])))"
        if item.operator in SEARCHED:
            return self._search(column, kind, item)
        text = item.value.replace("*", "%") if item.operator in ("like", "ilike") else item.value
        operator = (COMPARED | MATCHED)[item.operator]
        given = self.values.text(text)
        if item.extra in ("any", "all"):
            inner = "text[]" if item.operator in MATCHED else f"{kind or 'text'}[]"
            return f"({column} {operator} {item.extra.upper()} (CAST({given} AS {inner})))"
        return f"({column} {operator} {given})" if item.operator in MATCHED else f"({column} {operator} CAST({given}{cast})"

    def _search(self, column: str, kind: str | None, item: Condition) -> str:
        config = f"CAST({self.values.text(item.extra)} AS regconfig), " if item.extra else ""
        sought = f"{SEARCHED[item.operator]}({config}{self.values.text(item.value)})"
        return f"({column} @@ {sought})" if kind == "tsvector" else f"(to_tsvector({config}{column}) @@ {sought})"

    def picked(self, source: Source, items: list[Picked]) -> list[str]:
        """The selected columns as SQL."""
        found = []
        for item in items:
            if item.field.name == "*" and not item.field.path:
                # By name, so that what the statement needs for itself is not shown.
                found += [f"{quoted(source.alias)}.{quoted(name)}" for name in source.types] or [f"{quoted(source.alias)}.*"]
                continue
            shown, _ = self.column(source, item.field)
            shown = f"CAST({shown} AS {item.cast})" if item.cast else shown
            found.append(f"{shown} AS {quoted(item.alias or item.field.label)}")
        return found

    def select(self, source: Source, query: Query, origin: str, more: tuple[str, ...] = ()) -> str:
        """A whole query on a source, with the tables that are embedded in it; `origin` is its FROM."""
        chosen, joins, embedded = self.picked(source, query.picked), [], {}
        for item in query.embedded:
            name, join = self._join(source, item)
            joins.append(join)
            embedded[item.label] = f"{name}.j"
            if item.spread:
                chosen.append(f"{name}.*")
            elif item.query.picked or item.query.embedded:
                many = not relation(self.schema, source.table, item).to_one
                chosen.append((f"coalesce({name}.j, '[]')" if many else f"{name}.j") + f" AS {quoted(item.label)}")
        found = [*more, *self.where(source, query.filters, embedded)]
        sql = f"SELECT {', '.join(chosen)} FROM {origin} {' '.join(joins)}"
        if found:
            sql += f" WHERE {' AND '.join(found)}"
        if query.order:
            sql += f" ORDER BY {', '.join(self._order(source, query, term) for term in query.order)}"
        if query.limit is not None:
            sql += f" LIMIT CAST({self.values.text(str(query.limit))} AS bigint)"
        if query.offset:
            sql += f" OFFSET CAST({self.values.text(str(query.offset))} AS bigint)"
        return sql

    def _linked(self, source: Source, way: Relation, alias: str) -> tuple[str, tuple[str, ...]]:
        # FROM and the conditions that lead from a source to the related table under this alias.
        table = f"{quoted(self.schema.name)}.{quoted(way.target)} AS {quoted(alias)}"
        if way.second is None:
            return table, tuple(
                f"{quoted(source.alias)}.{quoted(own)} = {quoted(alias)}.{quoted(other)}" for own, other in way.pairs
            )
        between = f"{alias}_link"
        first = [f"{quoted(source.alias)}.{quoted(own)} = {quoted(between)}.{quoted(other)}" for own, other in way.pairs]
        second = [
            f"{quoted(between)}.{quoted(own)} = {quoted(alias)}.{quoted(other)}"
            for own, other in zip(way.second.columns, way.second.ref_columns, strict=True)
        ]
        table += f", {quoted(self.schema.name)}.{quoted(way.key.table)} AS {quoted(between)}"
        return table, (*first, *second)

    def _join(self, source: Source, item: Embedded) -> tuple[str, str]:
        way = relation(self.schema, source.table, item)
        self._count += 1
        alias = f"{way.target}_{self._count}"
        name = quoted(f"{source.alias}_{item.label}_{self._count}")
        origin, links = self._linked(source, way, alias)
        inside = self.select(self.source(way.target, alias), item.query, origin, links)
        kind = "INNER" if item.inner else "LEFT"
        if item.spread:
            if not way.to_one:
                message = f"'{source.table}' and '{item.target}' do not form a many-to-one or one-to-one relationship"
                raise RestError(400, "PGRST119", f"A spread operation on '{item.target}' is not possible", message)
            return name, f"{kind} JOIN LATERAL ({inside}) AS {name} ON TRUE"
        result = "row_to_json(q)" if way.to_one else "json_agg(q)"
        limit = " LIMIT 1" if way.to_one else ""
        condition = f"{name}.j IS NOT NULL" if item.inner else "TRUE"
        return name, f"{kind} JOIN LATERAL (SELECT {result} AS j FROM ({inside}) q{limit}) AS {name} ON {condition}"

    def _order(self, source: Source, query: Query, term: Ordering) -> str:
        if term.relation is None:
            shown, _ = self.column(source, term.field)
        else:
            query.below([term.relation])
            item = next(item for item in query.embedded if term.relation in (item.alias, item.target))
            way = relation(self.schema, source.table, item)
            if not way.to_one:
                details = f"'{source.table}' and '{item.target}' do not form a many-to-one or one-to-one relationship"
                raise RestError(400, "PGRST118", f"A related order on '{item.target}' is not possible", details)
            self._count += 1
            alias = f"{way.target}_{self._count}"
            origin, links = self._linked(source, way, alias)
            column, _ = self.column(self.source(way.target, alias), term.field)
            shown = f"(SELECT {column} FROM {origin} WHERE {' AND '.join(links)} LIMIT 1)"
        nulls = f" NULLS {term.nulls.removeprefix('nulls').upper()}" if term.nulls else ""
        return f"{shown} {'DESC' if term.descending else 'ASC'}{nulls}"
