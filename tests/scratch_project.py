"""A target of the harness's own for tests: a scratch server that holds a project with the twin's migrations and some rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fixtures.database import Database
from fixtures.recovery import project
from fixtures.recovery.project import Surroundings
from fixtures.schema import Scratch
from fixtures.system import Staging
from gate.run import Run, new_run_id
from gate.session import Session
from tests.conftest import ROOT

SOURCE = ROOT / "twin" / "source"
TARGET = "target"
SECONDS = 60.0
AROUND = Surroundings({"vector": "public"}, ["anon", "authenticated", "service_role"])
CHUNKS = """INSERT INTO upload_pipeline.document_chunks (chunk_id, document_id, chunker_name, chunker_version, chunk_ord, text,
        chunk_sha, vector_dim, embedding)
    SELECT gen_random_uuid(), d.document_id, 'test', '1', n, 'text ' || n, md5(n::text), 1536,
        (SELECT array_agg(sin(n * 7 + i) + 0.1 * cos(i * i + n) ORDER BY i) FROM generate_series(1, 1536) i)::vector
    FROM (SELECT document_id FROM upload_pipeline.documents LIMIT 1) d, generate_series(1, 60) n"""


@dataclass
class Target:
    """A project in a scratch server, and a session that takes it for the target."""

    session: Session
    database: Database
    scratch: Scratch

    def run(self, sql: str, name: str = TARGET) -> list[Any]:
        """Rows of statements that the superuser runs in a database of the server."""

        async def work() -> list[Any]:
            connection = await self.scratch.server().connect(name)
            try:
                return (
                    list(await connection.fetch(sql)) if sql.lstrip().startswith("SELECT") else [await connection.execute(sql)]
                )
            finally:
                await connection.close()

        return self.session.portal.wait_for(work(), SECONDS)


@contextmanager
def a_target(folder: Path, kind: Any = "twin", **settings: str) -> Iterator[Target]:
    """A target with rows in each table, and with vectors."""
    scratch = Scratch()
    url = scratch.server().url(TARGET)
    values = {"API_BASE_URL": "http://127.0.0.1:9", "DATABASE_URL": url, "HARNESS_BACKUP_DATABASE_URL": url} | settings
    session = Session(Run(new_run_id(), kind, folder / "run", values), Staging())
    session.at_close(scratch.close)
    target = Target(session, Database(session), scratch)

    async def fill() -> None:
        await project.make(session, scratch, TARGET, AROUND, sorted((SOURCE / "supabase" / "migrations").glob("*.sql")))
        connection = await scratch.server().connect(TARGET)
        try:
            await project.seed(session, connection)
            await connection.execute(CHUNKS)
        finally:
            await connection.close()

    try:
        session.portal.wait_for(fill(), SECONDS)
        yield target
    finally:
        session.close()
