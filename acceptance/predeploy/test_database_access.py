"""8.1.1 Verify staging database configuration: who sees which rows (contract: Database, row-level security)."""

from uuid import uuid4

import pytest

from fixtures.catalogue import Catalogue
from fixtures.claims import claims_for
from fixtures.database import Database
from fixtures.foreign_functions import ForeignFunctions
from fixtures.foreign_reads import NAMED, ForeignReads
from fixtures.foreign_writes import ForeignWrites
from fixtures.further_relations import expect_nothing_else
from fixtures.policies import Policies
from fixtures.visible import RowSecurity
from gate.http import expect
from gate.selection import each, promised
from gate.session import Session
from spec import Specification, entries, project_entries
from spec.model import Table

pytestmark = [
    pytest.mark.predeploy,
    pytest.mark.postdeploy,
    pytest.mark.maintenance,
    pytest.mark.checklist("8.1.1"),
    pytest.mark.component("database"),
    pytest.mark.needs("database"),
    promised("database"),
]
every_table = each("table", entries.tables)
SEEING = "SELECT"


@pytest.mark.about("db.open", "table {table}")
@promised("roles")
@every_table
def test_row_level_security_is_on(catalogue: Catalogue, database: Database, table: Table) -> None:
    """contract Database: row-level security on every table (F24)."""
    hint = f"ALTER TABLE {database.schema}.{table.name} ENABLE ROW LEVEL SECURITY"
    expect(catalogue.has_row_level_security(table.name), f"row-level security of {table.name}", hint).equals(True)


@pytest.mark.about("db.hidden", "table {table}")
@promised("roles")
@every_table
def test_the_service_role_may_work(catalogue: Catalogue, spec: Specification, table: Table) -> None:
    """contract Database: service_role sees all rows; it, or the services' own role, changes them."""
    role = spec.roles.service
    # Writing is the services' affair, which connect as a role of their own.
    writers = {role, catalogue.own_role()}
    wanted = {p: {role} if p == SEEING else writers for p in table.service_grants}
    missing = [p for p, roles in wanted.items() if not any(catalogue.may(one, p, table.name) for one in roles)]
    expect(missing, f"privileges that {role} lacks on {table.name}").is_empty()


@pytest.mark.about("db.hidden", "table {table}")
@promised("roles")
@every_table
def test_a_policy_lets_the_service_role_see_all_rows(
    catalogue: Catalogue, policies: Policies, database: Database, spec: Specification, table: Table
) -> None:
    """contract Database: service_role sees all, by a policy or by passing row-level security by."""
    role = spec.roles.service
    catalogue.require_role(role)
    catalogue.require(table.name)
    open_to = [role] if policies.let(role, "SELECT", f"{database.schema}.{table.name}") else []
    expect(open_to, f"roles that see every row of {table.name}").contains(role)


@pytest.mark.about("db.open", "table {table}")
@promised("roles")
@every_table
def test_no_policy_shows_all_rows_to_everybody(
    catalogue: Catalogue, policies: Policies, database: Database, spec: Specification, table: Table
) -> None:
    """contract Database: neither a stranger nor a user sees a row with which they have nothing to do (F24)."""
    catalogue.require(table.name)
    opened = []
    for role, claims in ((spec.roles.anonymous, None), (spec.roles.user, claims_for(str(uuid4()), spec.roles.user))):
        catalogue.require_role(role)
        # Whether row-level security is on, and whether the role obeys it, are other checks.
        bound = catalogue.has_row_level_security(table.name) and not catalogue.rights_beyond_policies(role)
        if bound and policies.let(role, "SELECT", f"{database.schema}.{table.name}", claims=claims):
            opened.append(role)
    expect(opened, f"roles to which a policy shows all rows of {table.name}", f"the policies on {table.name}").is_empty()


@pytest.mark.about("db.open", "table {table}")
@promised("roles")
@every_table
def test_a_stranger_sees_nothing(catalogue: Catalogue, row_security: RowSecurity, spec: Specification, table: Table) -> None:
    """contract Database: anon sees nothing."""
    catalogue.require_role(spec.roles.anonymous)
    rows = row_security.rows_shown(spec.roles.anonymous, None, table.name)
    expect(rows, f"rows of {table.name} that {spec.roles.anonymous} sees").equals(0)


@pytest.mark.about("db.open", "table of another name")
@promised("roles", "pipeline")
def test_nothing_else_shows_the_rows_of_users(
    session: Session, catalogue: Catalogue, row_security: RowSecurity, spec: Specification
) -> None:
    """contract Database: views and further tables show a user no row of others, and anon none (F24)."""
    expect_nothing_else(catalogue, row_security, spec, session.tag)


@pytest.mark.about("db.writable", "table of any name")
@promised("roles", "pipeline", "row_security")
def test_nobody_writes_into_the_rows_of_another_user(database: Database) -> None:
    """contract Database: users see their rows, and write none: nobody else's, by every way, and none of their own (F24)."""
    found = ForeignWrites(database).found
    for name in dict.fromkeys(write.relation for write in found):
        subject = f"table {name.removeprefix(f'{database.schema}.')}"
        ways = [str(write) for write in found if write.relation == name]
        what, hint = f"ways to write rows of {name} that must not be written", f"the policies and privileges of {name}"
        expect(ways, what, hint, subject=subject).is_empty()


@pytest.mark.about("db.open", "table of any name")
@promised("roles", "pipeline", "row_security")
def test_nobody_sees_the_rows_of_another_user_in_any_state(database: Database) -> None:
    """contract Database: users see rows of their own documents, anon none, service_role all: in each state of a job (F24)."""
    for shown in ForeignReads(database).found:
        hidden, foreign = f"rows that {shown.role} has to see, and does not", f"rows of another user that {shown.role} sees"
        whose = hidden if shown.is_own else foreign
        what, hint, code = f"{whose} in {shown.table}", f"the policies on {shown.table}", "db.hidden" if shown.is_own else ""
        named, facts = f"table {shown.table}", {"role": shown.role}
        expect(shown.situations[:NAMED], what, hint, code=code, subject=named, facts=facts).is_empty("in any state of a job")


@pytest.mark.about("db.open", "function of any name")
@promised("roles", "pipeline", "row_security")
def test_no_function_reaches_the_rows_of_another_user(database: Database) -> None:
    """contract Database: what acts with its owner's rights shows and changes no row of another user (F24)."""
    for reached in ForeignFunctions(database).found:
        subject = f"function {reached.name.removeprefix(f'{database.schema}.')}"
        what, code = f"what {reached.name} does with another user's rows", "db.writable" if reached.writes else "db.open"
        expect([str(reached)], what, "its SECURITY DEFINER, and who may call it", code=code, subject=subject).is_empty()


@pytest.mark.about("db.missing", "role {role}")
@promised("roles")
@each("role", entries.roles)
def test_the_role_exists(catalogue: Catalogue, role: str) -> None:
    """contract Database: the roles of row-level security."""
    catalogue.require_role(role)


@pytest.mark.about("db.open", "role {role}")
@promised("roles")
@each("role", entries.row_secured_roles)
def test_the_role_obeys_row_level_security(catalogue: Catalogue, role: str) -> None:
    """contract Database: users and strangers see their own rows only; no right of their role goes around that (F24)."""
    catalogue.require_role(role)
    rights = catalogue.rights_beyond_policies(role)
    expect(rights, f"rights of {role} that go around row-level security", "ALTER ROLE … NOBYPASSRLS").is_empty()


@pytest.mark.checklist("3.1")
@pytest.mark.about("schema.differs", "publication {publication}")
@pytest.mark.component("realtime")
@promised("project")
@each("publication", project_entries.publications)
def test_changes_of_the_agreed_tables_are_published(catalogue: Catalogue, spec: Specification, publication: str) -> None:
    """§3 Supabase (realtime): changes of the agreed tables are published, of every kind and row."""
    found, agreed = catalogue.published(publication), spec.project.published[publication]
    expect([table for table in agreed if table not in found], f"tables that {publication} lacks").is_empty()
    silent = sorted({kind for table in agreed for kind, is_published in found[table].items() if not is_published})
    expect(silent, f"kinds of changes that {publication} leaves out").is_empty()
