"""Makes `descriptions/`: the operations that the cases use, out of the vendors' full descriptions.

`python -m proof.conformance.extract FOLDER`
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

from proof.conformance.recorded import DESCRIPTIONS

# Each description's operations; None takes all of them.
WANTED: dict[str, tuple[str, ...] | None] = {
    "supabase-auth": None,
    "openai": (
        "/models",
        "/embeddings",
        "/chat/completions",
        "/completions",
        "/moderations",
        "/files",
        "/responses",
        "/batches",
    ),
}
PROSE = frozenset({"description", "summary", "example", "examples", "externalDocs", "tags", "servers", "security"})


def _bare(value: Any, inside: str = "") -> Any:
    """Without prose and extensions; names of properties and responses are kept, whatever they are."""
    if isinstance(value, list):
        return [_bare(item) for item in value]
    if not isinstance(value, dict):
        return value
    named = inside in ("properties", "responses", "paths", "schemas", "patternProperties", "parameters")
    kept = {key: item for key, item in value.items() if named or (key not in PROSE and not str(key).startswith("x-"))}
    bare = {str(key): _bare(item, "" if named else str(key)) for key, item in kept.items()}
    # A response must have one.
    return bare | {"description": ""} if isinstance(value.get("content"), dict) or set(value) == {"description"} else bare


def _references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(_references, value.values()))
    return set().union(*map(_references, value)) if isinstance(value, list) else set()


def extract(document: dict[str, Any], wanted: tuple[str, ...] | None) -> dict[str, Any]:
    """The description of some paths (with those below them), and of all that they refer to."""
    paths = {
        path: item
        for path, item in document["paths"].items()
        if wanted is None or any(path == name or path.startswith(f"{name}/") for name in wanted)
    }
    found: dict[str, Any] = {"openapi": document["openapi"], "info": {"title": document["info"]["title"], "version": "extract"}}
    found["paths"] = _bare(paths, "paths")
    pending, components = _references(found["paths"]), dict[str, Any]()
    while pending:
        reference = pending.pop()
        _, _, kind, name = reference.split("/")
        if name not in components.setdefault(kind, {}):
            components[kind][name] = _bare(document["components"][kind][name])
            pending |= _references(components[kind][name])
    return found | {"components": components}


def main(folder: Path) -> int:
    """Write the extracts, each with its licence beside it."""
    for name, wanted in WANTED.items():
        text = (folder / f"{name}.openapi.yaml").read_text()
        document = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        (DESCRIPTIONS / f"{name}.json").write_text(json.dumps(extract(document, wanted), separators=(",", ":")) + "\n")
        shutil.copyfile(folder / f"{name}.LICENSE", DESCRIPTIONS / f"{name}.LICENSE")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
