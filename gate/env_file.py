"""Writes an env file: in one step, readable by its owner only, with every line that it does not set left as it stands."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from gate.settings import read_env_file

MODE = 0o600
PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]*")
ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=")
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def line_of(name: str, value: str) -> str:
    """One assignment that a shell and python-dotenv read alike, as far as the value allows."""
    if PLAIN.fullmatch(value):
        return f"{name}={value}\n"
    if value.isprintable() and "'" not in value and "\\" not in value:
        return f"{name}='{value}'\n"
    return f'{name}="{value.translate(str.maketrans(ESCAPES))}"\n'


def merged(text: str, old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """An env file's text with these values: a changed one in its old place, a new one at the end, the rest as it stands.

    `old` is what the text holds. A value that stands on several lines is left there, and overruled by one at the end.
    """
    changed = {name: value for name, value in new.items() if old.get(name) != value}
    lines = []
    for line in text.splitlines(keepends=True):
        found = ASSIGNMENT.match(line)
        name = found[1] if found else ""
        if name in changed and line_is_whole(line):
            lines.append(line_of(name, changed.pop(name)))
        else:
            lines.append(line)
    kept = "".join(lines)
    if changed and kept and not kept.endswith("\n"):
        kept += "\n"
    return kept + "".join(line_of(name, value) for name, value in changed.items())


def line_is_whole(line: str) -> bool:
    """Whether an assignment ends on its own line: a quote that is opened there is closed there."""
    value = line.partition("=")[2].strip()
    quote = value[:1]
    return quote not in ("'", '"') or (len(value) > 1 and value.rstrip().endswith(quote))


def mode_of(path: Path) -> int:
    """The permissions of a file."""
    return path.stat().st_mode & 0o777


def write(path: Path, new: Mapping[str, str]) -> bool:
    """Put these values into an env file, made where it is not there; whether its content changed.

    Raises ConfigurationError for a file that cannot be read, OSError for one that cannot be written.
    """
    path = path.resolve()
    exists = path.exists()
    text = path.read_text(encoding="utf-8") if exists else ""
    after = merged(text, read_env_file(path) if exists else {}, new)
    if exists and after == text:
        path.chmod(MODE)
        return False
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return True
