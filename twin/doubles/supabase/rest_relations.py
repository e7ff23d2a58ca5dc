"""How the tables of a schema hang together: what may be embedded in what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twin.doubles.supabase.rest_errors import RestError
from twin.doubles.supabase.rest_query import Embedded
from twin.doubles.supabase.rest_schema import ForeignKey, Schema, Table


@dataclass(frozen=True)
class Relation:
    """One way from a table to another: by one foreign key, or by the two of a table between them."""

    origin: str
    target: str
    key: ForeignKey
    to_one: bool
    outward: bool
    second: ForeignKey | None = None

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Columns of the origin and the target (or the table between) that are equal."""
        own = (self.key.columns, self.key.ref_columns) if self.outward else (self.key.ref_columns, self.key.columns)
        return list(zip(*own, strict=True))

    def fits(self, hint: str) -> bool:
        """Whether a hint of the query means this relation."""
        key = self.key
        names = {key.name, key.table} if self.second else {key.name}
        return hint in names or (hint,) in (key.columns, key.ref_columns)

    def described(self) -> dict[str, Any]:
        """The relation as an error about several of them names it."""
        kind = (
            "many-to-many" if self.second else "many-to-one" if self.outward else "one-to-one" if self.to_one else "one-to-many"
        )
        columns, others = (", ".join(names) for names in zip(*self.pairs, strict=True))
        shown = f"{self.key.name} using {self.origin}({columns}) and {self.target}({others})"
        if self.second is not None:
            shown = f"{self.key.table} using {self.key.name}({columns}) and {self.second.name}({others})"
        return {"cardinality": kind, "embedding": f"{self.origin} with {self.target}", "relationship": shown}


def _is_unique(table: Table | None, columns: tuple[str, ...]) -> bool:
    return table is not None and any(known <= set(columns) for known in table.unique)


def _all(schema: Schema, origin: str, target: str) -> list[Relation]:
    found = []
    for key in schema.keys:
        if key.table == origin and (target in (key.ref_table, key.name) or (target,) == key.columns):
            found.append(Relation(origin, key.ref_table, key, to_one=True, outward=True))
        if key.ref_table == origin and target in (key.table, key.name):
            one = _is_unique(schema.tables.get(key.table), key.columns)
            found.append(Relation(origin, key.table, key, to_one=one, outward=False))
        if key.ref_table == origin:
            between = set(schema.tables[key.table].primary_key)
            for second in schema.keys:
                linked = second.table == key.table and second != key and second.ref_table == target
                if linked and between.issuperset((*key.columns, *second.columns)):
                    found.append(Relation(origin, target, key, to_one=False, outward=False, second=second))
    return found


def relation(schema: Schema, origin: str, item: Embedded) -> Relation:
    """The relation that an embedded table means; raises RestError for none and for several."""
    found = [known for known in _all(schema, origin, item.target) if all(known.fits(hint) for hint in item.hints)]
    if not found:
        message = f"Could not find a relationship between '{origin}' and '{item.target}' in the schema cache"
        by = f" using the hint '{item.hints[0]}'" if item.hints else ""
        details = (
            f"Searched for a foreign key relationship between '{origin}' and '{item.target}'{by} "
            f"in the schema '{schema.name}', but no matches were found."
        )
        raise RestError(400, "PGRST200", message, details)
    if len(found) > 1:
        message = f"Could not embed because more than one relationship was found for '{origin}' and '{item.target}'"
        ways = ", ".join(f"'{item.target}!{known.key.table if known.second else known.key.name}'" for known in found)
        hint = (
            f"Try changing '{item.target}' to one of the following: {ways}. Find the desired relationship in the 'details' key."
        )
        raise RestError(300, "PGRST201", message, [known.described() for known in found], hint)
    return found[0]
