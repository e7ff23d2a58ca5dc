"""What a subscriber wants to see of the changes: schema, table, event and a filter on columns."""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass
from typing import Any

FILTER = re.compile(r"(?P<column>[^=]+)=(?P<negated>not\.)?(?P<operator>[a-z]+)\.(?P<value>.*)", re.S)
OPERATORS = {"eq": "=", "neq": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">=", "isdistinct": "IS DISTINCT FROM"}
OPERATORS |= {"like": "LIKE", "ilike": "ILIKE", "match": "~", "imatch": "~*"}
TRUTHS = {"null": "NULL", "true": "TRUE", "false": "FALSE", "unknown": "UNKNOWN"}


class BadFilter(ValueError):
    """A filter that the service does not understand."""


def quoted(name: str) -> str:
    """An identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True)
class Condition:
    """One condition on one column."""

    column: str
    operator: str
    value: str
    negated: bool

    def sql(self, number: int, type_name: str) -> tuple[str, Any]:
        """The condition on the row `r`, and the value of its parameter."""
        column = f"r.{quoted(self.column)}"
        text: Any = self.value
        if self.operator == "is":
            shown, text = f"{column} IS {TRUTHS[self.value]} AND ${number}::text IS NOT NULL", ""
        elif self.operator == "in":
            shown = f"{column} = ANY (CAST(${number}::text[] AS {type_name}[]))"
            text = [value.strip().strip('"') for value in self.value.strip("()").split(",")]
        elif self.operator in ("like", "ilike", "match", "imatch"):
            shown = f"{column}::text {OPERATORS[self.operator]} ${number}::text"
        else:
            shown = f"{column} {OPERATORS[self.operator]} CAST(${number}::text AS {type_name})"
        return (f"NOT ({shown})" if self.negated else f"({shown})"), text


def conditions_of(text: str) -> tuple[Condition, ...]:
    """The conditions of a filter, which must all hold; raises BadFilter."""
    found = []
    for part in re.split(r",(?=[^,()]+=(?:not\.)?[a-z]+\.)", text):
        match = FILTER.fullmatch(part.strip())
        if match is None:
            raise BadFilter(f"Error parsing `filter` params: {text!r}")
        condition = Condition(match["column"], match["operator"], match["value"], bool(match["negated"]))
        if condition.operator not in (*OPERATORS, "in", "is") or (condition.operator == "is" and condition.value not in TRUTHS):
            raise BadFilter(f"Error parsing `filter` params: {text!r}")
        found.append(condition)
    return tuple(found)


@dataclass(frozen=True)
class Wanted:
    """One entry of `postgres_changes`; `shown` is what the client sent, with the id that the service gave it."""

    id: int
    event: str
    schema: str
    table: str
    conditions: tuple[Condition, ...]
    columns: tuple[str, ...]
    shown: dict[str, Any]

    @classmethod
    def of(cls, entry: dict[str, Any]) -> Wanted:
        """From the client's entry; raises BadFilter."""
        number = zlib.crc32(json.dumps(entry, sort_keys=True).encode()) or 1
        return cls(
            number,
            str(entry.get("event") or "*").upper(),
            str(entry.get("schema") or "public"),
            str(entry.get("table") or "*"),
            conditions_of(entry["filter"]) if entry.get("filter") else (),
            tuple(map(str, entry.get("select") or ())),
            entry | {"id": number},
        )

    def covers(self, schema: str, table: str, action: str) -> bool:
        """Whether a change of this kind is wanted, before any filter."""
        return self.schema in ("*", schema) and self.table in ("*", table) and self.event in ("*", action)

    def described(self) -> str:
        """The parameters as the service names them in its messages."""
        text = self.shown.get("filter")
        filters = f"[{text!r}]" if text else "[]"
        return f"[event: {self.event}, schema: {self.schema}, table: {self.table}, filters: {filters}]"
