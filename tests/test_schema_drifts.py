"""Drifts of a database that was right: each is found, as one row that names what was changed, and a right one has none.

A tool that compares migrations is known to miss three of them: an added table, a changed default, a revoked grant.
"""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import pytest

from fixtures.database import Database
from fixtures.schema import Migrated, Schema, Scratch, code_of
from fixtures.source import SourceTree
from fixtures.system import Staging
from gate.run import Run, new_run_id
from gate.session import Session
from spec import load
from tests.conftest import ROOT

pytestmark = pytest.mark.twin
SOURCE = ROOT / "twin" / "source"
SECONDS = 30.0
DATA = tomllib.loads((ROOT / "tests" / "schema_drifts.toml").read_text())
DRIFTS = {drift["name"]: drift for drift in DATA["drift"]}


class OneConnection(Database):
    """A database of which everything is asked over one connection, in a transaction that somebody else rolls back."""

    held: asyncpg.Connection

    @asynccontextmanager
    async def pooled(self) -> AsyncIterator[asyncpg.Connection]:
        """The connection."""
        yield self.held


@dataclass
class Ground:
    """The database of a project that was migrated, and what its migrations make."""

    session: Session
    database: OneConnection
    source: SourceTree
    scratch: Scratch
    migrated: Migrated | None = None

    def run(self, sql: str) -> None:
        """Statements of the superuser."""
        self.session.portal.wait_for(self.database.held.execute(sql), SECONDS)

    def drifted(self, statement: str) -> Schema:
        """The comparison of the database after this statement, which is taken back."""
        schema = Schema(self.database, self.source, self.scratch)
        self.migrated = schema.migrated = self.migrated or schema.migrated
        wait, transaction = self.session.portal.wait_for, self.database.held.transaction()
        wait(transaction.start(), SECONDS)
        try:
            self.run(statement)
            _ = schema.differences
        finally:
            wait(transaction.rollback(), SECONDS)
        return schema


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("drifts")
    migrations = folder / "source" / load().database.migrations_folder
    shutil.copytree(SOURCE / load().database.migrations_folder, migrations)
    (migrations / "20990101000000_more.sql").write_text(DATA["before"])
    values = {"API_BASE_URL": "http://127.0.0.1:9", "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"}
    session = Session(Run(new_run_id(), "live", folder / "run", values), Staging())
    database, scratch = OneConnection(session), Scratch()
    try:
        database.held = session.portal.wait_for(scratch.create("project"), SECONDS)
        found = Ground(session, database, SourceTree(folder / "source"), scratch)
        found.run((ROOT / "twin" / "bootstrap.sql").read_text().replace("{password}", "none"))
        for path in sorted(migrations.glob("*.sql")):
            found.run(path.read_text())
        yield found
        session.portal.wait_for(database.held.close(), SECONDS)
    finally:
        session.close()
        scratch.close()


def test_a_database_that_was_only_migrated_has_no_row(ground: Ground) -> None:
    assert ground.drifted("SELECT 1").differences == []


@pytest.mark.parametrize("name", DRIFTS)
def test_the_drift_is_one_row(ground: Ground, name: str) -> None:
    drift = DRIFTS[name]
    schema = ground.drifted(drift["sql"])
    assert [(schema.subject([row]), row.change) for row in schema.differences] == [(drift["row"], drift["change"])]


def test_there_are_more_than_twenty() -> None:
    assert len({drift["sql"] for drift in DRIFTS.values()}) == len(DATA["drift"]) > 20


@pytest.mark.parametrize(
    ("name", "code"),
    [("granted too much", "schema.access"), ("added table", "schema.extra"), ("changed type", "schema.differs")],
)
def test_what_opens_access_has_a_code_of_its_own(ground: Ground, name: str, code: str) -> None:
    assert code_of(ground.drifted(DRIFTS[name]["sql"]).differences) == code
