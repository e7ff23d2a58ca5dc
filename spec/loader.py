"""Reads a specification file and fills in its references; every error is one line with file, key and expectation."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from spec.model import Specification
from spec.references import UnknownReference, resolve
from spec.specification_error import SpecError

__all__ = ["DEFAULT", "SpecError", "load"]

DEFAULT = Path(__file__).parent / "navigator" / "staging.toml"
# Sections of a system's specification that stand in files of their own beside it, by their names.
BESIDE = ("access", "chaos", "drills", "retrieval")


def load(path: Path = DEFAULT) -> Specification:
    """The specification in this file; raises SpecError naming file, key and what was expected."""
    data = _read(path)
    for name in BESIDE:
        if (beside := path.with_name(f"{name}.toml")).exists():
            data[name] = _read(beside)
    try:
        return Specification.model_validate(resolve(data))
    except UnknownReference as error:
        raise SpecError(f"{path.name}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "(file)"
        raise SpecError(f"{path.name}: {key}: {first['msg']}") from error


def _read(path: Path) -> dict[str, Any]:
    """The data of one file; raises SpecError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(f"{path.name}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SpecError(f"{path.name}: not TOML: {error}") from error
