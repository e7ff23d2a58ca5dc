"""Drifts of a database that was right: each is found, as one row that names what was changed, and a right one has none.

A tool that compares migrations is known to miss three of them: an added table, a changed default, a revoked grant.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fixtures.database import Database
from fixtures.schema import Schema, Scratch, code_of
from fixtures.source import SourceTree
from fixtures.system import Staging
from gate.run import Run, new_run_id
from gate.session import Session
from spec import load
from tests.conftest import ROOT

pytestmark = pytest.mark.twin
SOURCE = ROOT / "twin" / "source"
DATA = tomllib.loads((ROOT / "tests" / "schema_drifts.toml").read_text())
DRIFTS = {drift["name"]: drift for drift in DATA["drift"]}


@dataclass
class Ground:
    """One server: the database of a project that was migrated, and what its migrations make."""

    scratch: Scratch
    folder: Path
    source: SourceTree
    made: object = None
    count: int = 0

    def drifted(self, statement: str) -> Schema:
        """The comparison of a copy of the database that this statement changed."""
        self.count += 1
        name = f"copy_{self.count}"

        async def change() -> None:
            admin = await self.scratch.server().connect("postgres")
            await admin.execute(f"CREATE DATABASE {name} TEMPLATE project")
            await admin.close()
            copy = await self.scratch.server().connect(name)
            await copy.execute(statement)
            await copy.close()

        values = {"API_BASE_URL": "http://127.0.0.1:9", "DATABASE_URL": self.scratch.server().url(name)}
        session = Session(Run(new_run_id(), "live", self.folder / name, values), Staging())
        session.portal.wait_for(change(), 20)
        schema = Schema(Database(session), self.source, self.scratch)
        if self.made is None:
            self.made = schema.made
        schema.__dict__["made"] = self.made
        _ = schema.differences
        session.close()
        return schema


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("drifts")
    source, migrations = folder / "source", folder / "source" / load().database.migrations_folder
    migrations.mkdir(parents=True)
    for path in sorted((SOURCE / load().database.migrations_folder).glob("*.sql")):
        (migrations / path.name).write_text(path.read_text())
    (migrations / "20990101000000_more.sql").write_text(DATA["before"])
    scratch = Scratch()
    found = Ground(scratch, folder, SourceTree(source))

    async def build() -> None:
        project = await scratch.create("project")
        await project.execute((ROOT / "twin" / "bootstrap.sql").read_text().replace("{password}", "none"))
        for path in sorted(migrations.glob("*.sql")):
            await project.execute(path.read_text())
        await project.close()

    values = {"API_BASE_URL": "http://127.0.0.1:9"}
    session = Session(Run(new_run_id(), "live", folder / "run", values), Staging())
    try:
        session.portal.wait_for(build(), 30)
        yield found
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
