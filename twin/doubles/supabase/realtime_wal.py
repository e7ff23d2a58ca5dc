"""The database's log of changes, decoded: what PostgreSQL's own output plugin says of the published tables."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
PUBLICATIONS = "supabase_realtime,supabase_realtime_messages_publication"
READ = "SELECT data FROM pg_logical_slot_get_binary_changes($1, NULL, NULL, 'proto_version', '1', 'publication_names', $2)"
ACTIONS = {"I": "INSERT", "U": "UPDATE", "D": "DELETE"}
# A row as text: None for NULL; a column whose stored value did not change is left out.
Row = dict[str, str | None]


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    type_oid: int
    is_key: bool


@dataclass(frozen=True)
class Table:
    """A table as the log describes it."""

    schema: str
    name: str
    columns: tuple[Column, ...]

    @property
    def keys(self) -> list[str]:
        """Columns that identify a row."""
        return [column.name for column in self.columns if column.is_key]


@dataclass(frozen=True)
class Change:
    """One row that was inserted, updated or deleted."""

    table: Table
    action: str
    at: datetime
    # Where in the log its transaction was committed.
    place: int
    new: Row
    old: Row


@dataclass
class _Reader:
    data: bytes
    at: int = 0

    def take(self, form: str) -> Any:
        """The next value of a fixed form."""
        values = struct.unpack_from(f">{form}", self.data, self.at)
        self.at += struct.calcsize(f">{form}")
        return values[0]

    def letter(self) -> str:
        """The next byte as a letter."""
        return chr(self.take("B"))

    def text(self) -> str:
        """The next string that ends with a zero."""
        end = self.data.index(0, self.at)
        found = self.data[self.at : end].decode()
        self.at = end + 1
        return found

    def row(self, columns: tuple[Column, ...]) -> Row:
        """The next row."""
        found: Row = {}
        for column in columns[: self.take("h")]:
            kind = self.letter()
            if kind == "n":
                found[column.name] = None
            elif kind == "t":
                size = self.take("i")
                found[column.name] = self.data[self.at : self.at + size].decode()
                self.at += size
        return found


@dataclass
class Decoder:
    """Turns the log's messages into changes."""

    tables: dict[int, Table] = field(default_factory=dict)
    at: datetime = EPOCH
    place: int = 0

    def decode(self, message: bytes) -> Change | None:
        """The change that a message holds, if any."""
        reader = _Reader(message)
        kind = reader.letter()
        if kind == "B":
            self.place = reader.take("q")
            self.at = EPOCH + timedelta(microseconds=reader.take("q"))
        elif kind == "R":
            self._learn(reader)
        elif kind in ACTIONS:
            return self._change(ACTIONS[kind], reader)
        return None

    def _learn(self, reader: _Reader) -> None:
        oid, schema, name = reader.take("i"), reader.text(), reader.text()
        reader.take("B")
        columns = []
        for _ in range(reader.take("h")):
            is_key, column, type_oid = bool(reader.take("B") & 1), reader.text(), reader.take("i")
            reader.take("i")
            columns.append(Column(column, type_oid, is_key))
        self.tables[oid] = Table(schema, name, tuple(columns))

    def _change(self, action: str, reader: _Reader) -> Change:
        table = self.tables[reader.take("i")]
        new: Row = {}
        old: Row = {}
        while reader.at < len(reader.data):
            kind = reader.letter()
            row = reader.row(table.columns)
            if kind == "N":
                new = row
            else:
                old = row if kind == "O" else {name: row.get(name) for name in table.keys}
        if action == "UPDATE" and not old:
            old = {name: new.get(name) for name in table.keys}
        return Change(table, action, self.at, self.place, new, old)
