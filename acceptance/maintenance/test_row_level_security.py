"""6.3 Data Security: row-level security as a matrix of every table, command and identity, through SQL and the REST view."""

import pytest

from fixtures.rest_matrix import RestMatrix
from fixtures.security_matrix import Cell, SecurityMatrix
from gate.selection import each, promised
from spec import project_entries
from spec.model.supabase import Command, Identity

pytestmark = [
    pytest.mark.maintenance,
    pytest.mark.checklist("6.3"),
    pytest.mark.component("database"),
    pytest.mark.needs("database"),
    promised("database", "roles", "row_security"),
]


@pytest.mark.about("db.open", "table {table}")
@each("table, command, identity", project_entries.secured_cells)
def test_sql_lets_only_the_right_ones(
    security_matrix: SecurityMatrix, table: str, command: Command, identity: Identity
) -> None:
    """§6 Data Security: in the database each identity does what the specification lets it do, and nothing else (F24)."""
    cell = Cell(table, command, identity)
    security_matrix.require(cell, security_matrix.ask(cell), "SQL")


@pytest.mark.about("db.open", "table {table}")
@pytest.mark.needs("users")
@promised("pipeline")
@each("table, command, identity", project_entries.secured_cells)
def test_rest_lets_only_the_right_ones(rest_matrix: RestMatrix, table: str, command: Command, identity: Identity) -> None:
    """§6 Data Security: through the REST view each identity does what the specification lets it do, and nothing else (F24)."""
    cell = Cell(table, command, identity)
    rest_matrix.matrix.require(cell, rest_matrix.ask(cell), "REST")
