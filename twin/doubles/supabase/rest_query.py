"""What a query of PostgREST asks of one table and of those that are embedded in it."""

from __future__ import annotations

from dataclasses import dataclass, field

from twin.doubles.supabase.rest_errors import RestError


@dataclass(frozen=True)
class Field:
    """A column, or a part of a JSON column."""

    name: str
    path: tuple[tuple[str, str], ...] = ()

    @property
    def label(self) -> str:
        """The name of its value in the result."""
        texts = [key for _, key in self.path if not key.lstrip("-").isdigit()]
        return texts[-1] if texts else self.name


@dataclass(frozen=True)
class Picked:
    """A selected column."""

    field: Field
    alias: str | None = None
    cast: str | None = None


@dataclass
class Embedded:
    """A related table in the result."""

    target: str
    alias: str | None
    hints: tuple[str, ...]
    inner: bool
    spread: bool
    query: Query

    @property
    def label(self) -> str:
        """The name of its value in the result."""
        return self.alias or self.target


@dataclass(frozen=True)
class Condition:
    """One filter."""

    field: Field
    operator: str
    value: str
    negated: bool = False
    extra: str | None = None


@dataclass
class Group:
    """Filters of which all, or any, must hold."""

    word: str
    members: list[Condition | Group]
    negated: bool = False


@dataclass(frozen=True)
class Ordering:
    """One term of an order; `relation` when it is a column of a related table."""

    field: Field
    descending: bool
    nulls: str | None
    relation: str | None = None


@dataclass
class Query:
    """What is asked of one table."""

    picked: list[Picked] = field(default_factory=list)
    embedded: list[Embedded] = field(default_factory=list)
    filters: list[Condition | Group] = field(default_factory=list)
    order: list[Ordering] = field(default_factory=list)
    limit: int | None = None
    offset: int = 0

    def below(self, path: list[str]) -> Query:
        """The query of an embedded table; raises RestError when it is not embedded."""
        query = self
        for name in path:
            found = next((item for item in query.embedded if name in (item.alias, item.target)), None)
            if found is None:
                hint = f"Verify that '{name}' is included in the 'select' query parameter."
                raise RestError(400, "PGRST108", f"'{name}' is not an embedded resource in this request", hint=hint)
            query = found.query
        return query
