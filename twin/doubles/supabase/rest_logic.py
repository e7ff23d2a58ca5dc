"""The filters of PostgREST's query language."""

from __future__ import annotations

import re

from twin.doubles.supabase.rest_errors import unparsable
from twin.doubles.supabase.rest_query import Condition, Field, Group
from twin.doubles.supabase.rest_syntax import Reader

OPERATOR = re.compile(
    r"(?P<negated>not\.)?(?P<name>eq|neq|gte|gt|lte|lt|like|ilike|match|imatch|in|is|isdistinct|cs|cd|ov|sl|sr|nxr|nxl|adj"
    r"|plfts|phfts|wfts|fts)(?:\((?P<extra>[\w -]+)\))?\."
)
LOGIC = re.compile(r"(not\.)?(and|or)\(")
LIST = re.compile(r'\((?:"(?:[^"\\]|\\.)*"|[^"()])*\)')
BRACES = re.compile(r"[{\[](?:\"(?:[^\"\\]|\\.)*\"|[^\"{}\[\]])*[}\]]")
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"(?=[,)])')
PLAIN = re.compile(r"[^,)]*")

ELEMENT = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,]*))\s*(,|$)')


def parse_condition(column: Field, text: str) -> Condition:
    """The value of a filter parameter; raises RestError."""
    found = OPERATOR.match(text)
    if found is None:
        raise unparsable("filter", text)
    return Condition(column, found["name"], text[found.end() :], bool(found["negated"]), found["extra"])


def parse_group(word: str, text: str, *, negated: bool) -> Group:
    """The value of an `and` or `or` parameter; raises RestError."""
    reader = Reader(text, "logic tree")
    if not reader.skip("("):
        raise reader.bad()
    group = Group(word, _members(reader), negated)
    if reader.at < len(text):
        raise reader.bad()
    return group


def _members(reader: Reader) -> list[Condition | Group]:
    members: list[Condition | Group] = []
    while True:
        if logic := reader.match(LOGIC):
            members.append(Group(logic[2], _members(reader), bool(logic[1])))
        else:
            members.append(_member(reader))
        if reader.skip(")"):
            return members
        if not reader.skip(","):
            raise reader.bad()


def _member(reader: Reader) -> Condition:
    column = reader.field()
    operator = reader.match(OPERATOR) if reader.skip(".") else None
    if operator is None:
        raise reader.bad()
    if quoted := reader.match(QUOTED):
        value = re.sub(r"\\(.)", r"\1", quoted[1])
    else:
        found = reader.match(LIST) or reader.match(BRACES) or reader.match(PLAIN)
        value = found[0] if found else ""
    return Condition(column, operator["name"], value, bool(operator["negated"]), operator["extra"])


def elements(text: str) -> list[str]:
    """The members of a list in parentheses; raises RestError."""
    if not (text.startswith("(") and text.endswith(")")):
        raise unparsable("filter", f"in.{text}", 3)
    inside, found, at = text[1:-1], [], 0
    while inside and (match := ELEMENT.match(inside, at)):
        found.append(re.sub(r"\\(.)", r"\1", match[1]) if match[1] is not None else match[2])
        at = match.end()
        if not match[3]:
            break
    return found
