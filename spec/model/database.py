"""§3 Database Dependencies; contract: Database."""

from __future__ import annotations

from pydantic import Field, model_validator

from spec.model.base import Entry, Sectioned


class Index(Entry):
    """An index that must exist."""

    columns: list[str] = Field(min_length=1)
    partial: bool
    # Whether it is over unfinished jobs: it holds each of them, and none that is complete.
    unfinished: bool = False

    @property
    def name(self) -> str:
        """Its columns, as a name."""
        return "+".join(self.columns)


class Table(Sectioned):
    """contract: Database; one table."""

    name: str
    primary_key: list[str]
    unique: list[list[str]]
    indexes: list[Index]
    service_grants: list[str] = []
    columns: dict[str, str]
    foreign_keys: dict[str, str] = {}
    checks: dict[str, list[str]] = {}
    vector_index: str | None = None


class Database(Sectioned):
    """§3 Database Dependencies; contract: Database."""

    # `schema` is taken by pydantic.
    schema_name: str = Field(alias="schema")
    minimum_server_version: int
    migrations_table: str
    # Folder of the release's migrations in its source tree.
    migrations_folder: str
    connections: int = Field(gt=0)
    # Sessions that may be idle inside a transaction for longer than these seconds while no document of the run is worked on.
    most_idle_transactions: int = Field(default=2, ge=0)
    idle_transaction_seconds: float = Field(default=5, gt=0)
    named_tables: list[str]
    # Name of a kind of type → types that are right where a column names the kind, whatever their length or precision.
    kinds: dict[str, list[str]] = {}
    tables: list[Table] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_exist(self) -> Database:
        if unknown := set(self.named_tables) - {table.name for table in self.tables}:
            raise ValueError(f"named_tables names {', '.join(sorted(unknown))}, which is no table")
        return self

    def table(self, name: str) -> Table:
        """The table of this name; raises KeyError."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)


class Vectors(Sectioned):
    """contract: Database (pgvector)."""

    extension: str
    dimension: int = Field(gt=0)
    index_methods: list[str] = Field(min_length=1)
    # The first is the usual one; with the others the embedding is compared with less precision.
    operator_classes: list[str] = Field(min_length=1)
    # Schemas in which the extension may be.
    schemas: list[str] = Field(min_length=1)


class Roles(Sectioned):
    """contract: Database (row-level security): the roles that the policies distinguish."""

    service: str
    user: str
    anonymous: str
