"""Release N+1 of the navigator: a migration with its way back, and code that uses it, as `releases/next` describes them.

`build` makes its source tree of that of release N. `stand_by` puts it beside a twin that runs release N. `deploy` changes the
plan: that twin runs release N+1 from the beginning. A fault breaks release N+1 by `plan.change_next`.
"""

from __future__ import annotations

import hashlib
import shutil
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path

from twin.plan import Plan

RELEASE = Path(__file__).parent / "releases" / "next"
NEXT_TREE = "HARNESS_NEXT_TREE"
Step = Callable[[Path], None]


def build(source: Path, target: Path, steps: Iterable[Step] = ()) -> Path:
    """The source tree of release N+1 in a folder: that of release N with its changes, then `steps`; raises ValueError by them.

    A rewritten release N does not have the lines that N+1 changes; N+1 is then its migration alone.
    """
    if target != source:
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    shutil.copytree(RELEASE / "files", target, dirs_exist_ok=True)
    for change in changes():
        file = target / change["path"]
        if file.exists():
            file.write_text(file.read_text().replace(change["old"], change["new"]))
    for step in steps:
        step(target)
    return target


def changes() -> list[dict[str, str]]:
    """What release N+1 replaces in the files of release N: `path`, `old`, `new`."""
    found: list[dict[str, str]] = tomllib.loads((RELEASE / "changes.toml").read_text())["change"]
    return found


def commit_of(plan: Plan) -> str:
    """The commit of the release that follows a plan's."""
    return hashlib.sha1(f"next {plan.config.commit}".encode(), usedforsecurity=False).hexdigest()


def stand_by(plan: Plan) -> Path:
    """Put release N+1 beside the plan's own, where the operator knows of it; returns its source tree."""
    tree = build(plan.source, Path(plan.config.folder) / "next", plan.next_steps)
    plan.config.operator_env[NEXT_TREE] = str(tree)
    return tree


def deploy(plan: Plan) -> None:
    """Turn the plan into one of release N+1: its source, its migrations and its commit."""
    plan.config.commit = commit_of(plan)
    build(plan.source, plan.source, plan.next_steps)
    plan.config.operator_env["HARNESS_EXPECTED_COMMIT"] = plan.config.commit
