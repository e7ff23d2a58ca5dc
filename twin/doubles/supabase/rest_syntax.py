"""The query language of PostgREST: what is selected, and in which order."""

from __future__ import annotations

import re

from twin.doubles.supabase.rest_errors import RestError, unparsable
from twin.doubles.supabase.rest_query import Embedded, Field, Ordering, Picked, Query

NAME = re.compile(r'"((?:[^"\\]|\\.)*)"|([\w $]+(?:-(?!>)[\w $]+)*)')
JSON_KEY = re.compile(r"(->>?)('?)([^,():>'.]+?)\2(?=->|[,():.]|$)")
CAST = re.compile(r"::([A-Za-z_][\w ]*(?:\(\d+(?:,\d+)?\))?(?:\[\])?)")
AGGREGATE = re.compile(r"\.(?:sum|avg|min|max|count)\(\)|count\(\)")
ORDER = re.compile(r"(?P<field>.+?)(?:\.(?P<way>asc|desc))?(?:\.(?P<nulls>nullsfirst|nullslast))?", re.S)
RELATED = re.compile(r"(?P<relation>[^()]+)\((?P<field>[^()]+)\)")


class Reader:
    """Reads one parameter from the left."""

    def __init__(self, text: str, what: str) -> None:
        self.text = text
        self.what = what
        self.at = 0

    def bad(self) -> RestError:
        """The error for what stands here."""
        return unparsable(self.what, self.text, self.at)

    def skip(self, expected: str) -> bool:
        """Whether the text goes on so, and if it does, go past it."""
        if not self.text.startswith(expected, self.at):
            return False
        self.at += len(expected)
        return True

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What a pattern finds here, going past it."""
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def name(self) -> str:
        """The next name; raises RestError."""
        found = self.match(NAME)
        if found is None:
            raise self.bad()
        return re.sub(r"\\(.)", r"\1", found[1]) if found[1] is not None else found[2].strip()

    def field(self) -> Field:
        """The next column with its path; raises RestError."""
        name, path = self.name(), []
        while found := self.match(JSON_KEY):
            path.append((found[1], found[3]))
        return Field(name, tuple(path))


def parse_select(text: str) -> Query:
    """The `select` parameter; raises RestError."""
    reader = Reader(text, "select parameter")
    query = _items(reader, closed=False)
    if reader.at < len(text):
        raise reader.bad()
    return query


def _items(reader: Reader, *, closed: bool) -> Query:
    query = Query()
    if (closed and reader.skip(")")) or not reader.text:
        return query
    while True:
        _item(reader, query)
        if reader.skip(","):
            continue
        if closed and not reader.skip(")"):
            raise reader.bad()
        return query


def _item(reader: Reader, query: Query) -> None:
    if reader.skip("*"):
        query.picked.append(Picked(Field("*")))
        return
    spread, alias = reader.skip("..."), None
    if AGGREGATE.match(reader.text, reader.at):
        raise RestError(400, "PGRST123", "Use of aggregate functions is not allowed")
    found = reader.field()
    if not found.path and reader.text.startswith(":", reader.at) and not reader.text.startswith("::", reader.at):
        reader.skip(":")
        alias, found = found.name, reader.field()
    hints = []
    while reader.skip("!"):
        hints.append(reader.name())
    if reader.skip("("):
        inner, named = "inner" in hints, tuple(hint for hint in hints if hint not in ("inner", "left"))
        query.embedded.append(Embedded(found.name, alias, named, inner, spread, _items(reader, closed=True)))
        return
    cast = reader.match(CAST)
    if AGGREGATE.match(reader.text, reader.at):
        raise RestError(400, "PGRST123", "Use of aggregate functions is not allowed")
    query.picked.append(Picked(found, alias, cast[1] if cast else None))


def parse_field(text: str, what: str) -> Field:
    """A whole text as a column; raises RestError."""
    reader = Reader(text, what)
    found = reader.field()
    if reader.at < len(text):
        raise reader.bad()
    return found


def parse_order(text: str) -> list[Ordering]:
    """The `order` parameter; raises RestError."""
    terms = []
    for part in filter(None, re.split(r",(?![^(]*\))", text)):
        found = ORDER.fullmatch(part)
        if found is None:
            raise unparsable("order", text)
        related = RELATED.fullmatch(found["field"])
        column = parse_field(related["field"] if related else found["field"], "order")
        relation = related["relation"] if related else None
        terms.append(Ordering(column, found["way"] == "desc", found["nulls"], relation))
    return terms
