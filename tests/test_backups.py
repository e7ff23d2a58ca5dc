"""Backups: what a dump must hold is compared bit by bit, what a restore loses is found, and no dump is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.recovery.backup import Backup, Restored
from fixtures.recovery.contents import Contents, changed, columns, contents, vectors
from fixtures.recovery.dump import FILE, FOLDER
from fixtures.recovery.verdicts import (
    require_contents,
    require_no_complaint,
    require_numbers,
    require_same_schema,
    require_search,
)
from gate.failures import Failure, NotConfigured
from tests.conftest import ROOT
from tests.scratch_project import Target, a_target

pytestmark = pytest.mark.twin
# The function finds another one by the search path, which a restore does not set.
UNQUALIFIED = """CREATE FUNCTION upload_pipeline.has_length(v vector) RETURNS boolean IMMUTABLE LANGUAGE plpgsql
    AS 'BEGIN RETURN v IS NULL OR vector_norm(v) >= 0; END'"""
HOLDS_A_SERVER = """
import sys, time
from fixtures.schema_server import ScratchServer
server = ScratchServer()
server.start()
(server.folder / "dump").mkdir(mode=0o700)
(server.folder / "dump" / "schema.dump").write_text("rows")
print(server.folder, flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with a_target(tmp_path_factory.mktemp("backups")) as found:
        yield found


@pytest.fixture(scope="module")
def restored(target: Target) -> Restored:
    return Backup(target.database, target.scratch, allowed=False).restored


def test_what_is_restored_is_what_was_dumped(target: Target, restored: Restored) -> None:
    backup = Backup(target.database, target.scratch, allowed=False)
    require_no_complaint(backup, restored)
    require_contents("backup.differs", restored.before.contents, restored.after.contents)
    require_contents("backup.differs", restored.before.vectors, restored.after.vectors)
    require_same_schema("backup.differs", backup.differences(restored))
    require_numbers(restored)
    require_search(restored, target.session.spec.backups)
    assert all(found.rows for found in restored.before.contents.values())
    assert restored.before.vectors.keys() == {"document_chunks"}
    near = restored.before.neighbours["document_chunks"]
    assert (len(near.exact), near.indexes, near.recall > 0.8) == (5, frozenset({"document_chunks_embedding_idx"}), True)


def test_the_dump_is_gone_and_the_target_is_as_it_was(target: Target, restored: Restored) -> None:
    folder = target.scratch.server().folder / FOLDER
    assert restored.dumped.size > 0
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not (folder / FILE).exists()
    assert target.run("SELECT count(*) FROM upload_pipeline.document_chunks")[0][0] >= 60


def test_a_change_of_the_last_bit_of_one_vector_is_seen(target: Target, restored: Restored) -> None:
    before = restored.before.vectors["document_chunks"]
    key = target.run("SELECT chunk_id FROM upload_pipeline.document_chunks WHERE embedding IS NOT NULL LIMIT 1")[0][0]
    found = {}
    own = f"upload_pipeline.document_chunks WHERE chunk_id = '{key}'"
    for name, factor in (("same", "1"), ("next", "1.00000012")):
        target.run(
            f"""CREATE TABLE IF NOT EXISTS public.kept AS SELECT embedding FROM {own};
            UPDATE upload_pipeline.document_chunks SET embedding = (SELECT array_agg(v * {factor}::real ORDER BY n)
                FROM public.kept, unnest(kept.embedding::real[]) WITH ORDINALITY u(v, n))::vector WHERE chunk_id = '{key}'"""
        )
        found[name] = target.session.portal.wait_for(_vectors(target), 30)
    target.run(
        f"UPDATE upload_pipeline.document_chunks SET embedding = (SELECT embedding FROM public.kept) WHERE chunk_id = '{key}'"
    )
    assert found["same"] == {"document_chunks": before}
    assert changed({"document_chunks": before}, found["next"]) == ["document_chunks"]
    with pytest.raises(Failure) as caught:
        require_contents("backup.differs", {"document_chunks": before}, found["next"])
    assert (caught.value.code, caught.value.subject) == ("backup.differs", "table document_chunks")
    assert caught.value.observed["value"] == "other values in as many rows"


async def _vectors(target: Target) -> dict[str, Contents]:
    connection = await target.scratch.server().connect("target")
    try:
        async with connection.transaction():
            tables = await columns(connection, "upload_pipeline")
            return await contents(connection, "upload_pipeline", vectors(tables))
    finally:
        await connection.close()


def test_what_a_restore_loses_is_named(target: Target) -> None:
    target.run(UNQUALIFIED)
    try:
        target.run(
            "ALTER TABLE upload_pipeline.document_chunks ADD CONSTRAINT document_chunks_length_check"
            " CHECK (upload_pipeline.has_length(embedding))"
        )
        backup = Backup(target.database, target.scratch, allowed=False)
        found = backup.restored
        with pytest.raises(Failure) as complained:
            require_no_complaint(backup, found)
        with pytest.raises(Failure) as missed:
            require_contents("backup.differs", found.before.contents, found.after.contents)
        assert complained.value.subject == missed.value.subject == "table document_chunks"
        # PostgreSQL quotes the row that it could not take.
        assert "text 1" not in str(found.restored.complaints)
    finally:
        target.run("DROP FUNCTION upload_pipeline.has_length CASCADE")


# ── What is not dumped ───────────────────────────────────────────────────────────────────────────────────
def test_a_live_target_is_dumped_only_where_that_is_allowed(target: Target) -> None:
    live = replace(target.session.run, kind="live")
    target.session.run, own = live, target.session.run
    try:
        with pytest.raises(NotConfigured, match="--allow-drills"):
            _ = Backup(target.database, target.scratch, allowed=False).restored
    finally:
        target.session.run = own


def test_a_large_database_is_not_judged(target: Target) -> None:
    backup = Backup(target.database, target.scratch, allowed=True)
    backup._rule = backup._rule.model_copy(update={"restore_most_mb": 0.001})
    with pytest.raises(NotConfigured, match="restore_most_mb"):
        _ = backup.restored
    assert not (target.scratch.server().folder / FOLDER / FILE).exists()


def test_a_role_that_does_not_see_every_row_makes_no_backup(target: Target) -> None:
    target.run("CREATE ROLE blind LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA upload_pipeline TO blind")
    target.run("GRANT SELECT ON upload_pipeline.documents TO blind")
    backup = Backup(target.database, target.scratch, allowed=True)
    whole = backup.url
    backup.__dict__["url"] = f"postgresql://blind:x@{whole.partition('@')[2]}"
    with pytest.raises(Failure) as caught:
        backup.require_complete()
    assert caught.value.code == "backup.incomplete"
    assert caught.value.observed["tables"] == ["document_chunks", "documents", "events", "upload_jobs", "webhook_log"]
    with pytest.raises(pytest.skip.Exception, match="check of its own"):
        _ = backup.restored


# ── A crash ──────────────────────────────────────────────────────────────────────────────────────────────
def test_a_killed_run_leaves_no_copy_of_the_database(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDS_A_SERVER]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        assert (folder / FOLDER / FILE).exists()
        os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not folder.exists()
