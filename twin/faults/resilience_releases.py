"""Faults that show when a release is taken back: of the host, of Supabase, and of whoever left it half done."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

from twin.faults import fault
from twin.plan import Plan

API, WORKER = "srv-twinapi", "srv-twinworker"
SUITE = "resilience"
FOLDER = "rollbacks"


def _mishap(plan: Plan, name: str, *what: str) -> None:
    """Have something go wrong at the host (doubles/render/__init__.py)."""
    plan.behaviour.setdefault("render_mishaps", {})[name] = list(what)


def _restore(plan: Plan, **wrong: Any) -> None:
    """Have a restore go wrong (doubles/supabase/recovery.py)."""
    plan.behaviour.setdefault("supabase", {})["restore"] = wrong


@fault("R85", "the host keeps no build of the earlier release", "render", SUITE, mode="-", about="*service api*")
def build_is_gone(plan: Plan) -> None:
    _mishap(plan, "rollback_gone", API)


@fault("R86", "the rollback of the worker never goes live", "render", SUITE, mode="-", about="*step service*")
def never_live(plan: Plan) -> None:
    _mishap(plan, "rollback_stuck", WORKER)


@fault("R87", "the rollback of the API fails", "render", SUITE, mode="-", about="*service api*")
def rollback_fails(plan: Plan) -> None:
    _mishap(plan, "rollback_fails", API)


@fault(
    "R88",
    "the rollback of the worker puts the later build live again",
    "worker/render",
    SUITE,
    mode="-",
    about="*service worker*",
)
def later_build(plan: Plan) -> None:
    _mishap(plan, "rollback_elsewhere", WORKER)


@fault(
    "R89",
    "a secret of the later release stays at the host",
    "configuration",
    SUITE,
    mode="-",
    about="*variable api OPENAI_API_KEY*",
)
def secret_stays(plan: Plan) -> None:
    _mishap(plan, "variables_kept", "OPENAI_API_KEY")


@fault("R90", "a restart is accepted, and nothing restarts", "render", SUITE, mode="-", about="*step restart*")
def restart_ignored(plan: Plan) -> None:
    _mishap(plan, "restart_ignored", API, WORKER)


@fault(
    "R91",
    "a restore is accepted, and nothing is restored",
    "render/database",
    SUITE,
    mode="-",
    about="*step database*|*migration*",
)
def restore_ignored(plan: Plan) -> None:
    _restore(plan, ignored=True)


@fault("R92", "a restore fails", "supabase", SUITE, mode="-", about="*backup of the project*")
def restore_fails(plan: Plan) -> None:
    _restore(plan, fails=True)


@fault("R93", "a restore is refused", "supabase", SUITE, mode="-", about="*backup of the project*")
def restore_refused(plan: Plan) -> None:
    _restore(plan, refused="A restore of this project is not possible at this time")


@fault(
    "R94",
    "a restore goes back too far: rows of the earlier release are lost",
    "database",
    SUITE,
    mode="-",
    about="*table documents*",
)
def restored_too_far(plan: Plan) -> None:
    _restore(plan, earliest=True)


@fault("R95", "the project has no point-in-time recovery", "supabase", SUITE, mode="-", about="*backup of the project*")
def no_recovery(plan: Plan) -> None:
    _restore(plan, off=True)


@fault("R96", "the restored database has no row security on documents", "database", SUITE, mode="-", about="*table documents*")
def restored_open(plan: Plan) -> None:
    _restore(plan, sql="ALTER TABLE upload_pipeline.documents DISABLE ROW LEVEL SECURITY")


@fault(
    "R97",
    "a rollback runs with the environment of the later release",
    "openai/configuration",
    SUITE,
    mode="-",
    about="*part health*|*part job*",
)
def later_environment(plan: Plan) -> None:
    _mishap(plan, "rollback_environment", API, WORKER)


@fault(
    "R98", "a rollback of the target was begun and not finished", "configuration", "postdeploy", mode="-", about="*rollback*"
)
def half_done(plan: Plan) -> None:
    folder = Path(plan.config.folder) / FOLDER
    folder.mkdir()
    url = plan.config.url("api")
    begun = {"event": "begun", "at": time.time() - 600, "procedure": "rollback", "name": "insurance-navigator-staging-api"}
    begun |= {"release": "0123456789ab", "steps": ["environment", "service", "database"], "target": url, "newest": {}}
    entries = [begun, {"event": "step begun", "at": time.time() - 599, "step": "environment"}]
    entries += [{"event": "sending", "at": time.time() - 598, "step": "environment", "request": "PUT", "why": "it differs"}]
    journal = folder / f"journal-{hashlib.sha256(url.encode()).hexdigest()[:12]}.jsonl"
    journal.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    plan.config.operator_env["HARNESS_ROLLBACK_FOLDER"] = str(folder)


@fault("R99", "automatic deploys cannot be turned off", "render", SUITE, mode="-", about="*service api*")
def deploys_by_itself(plan: Plan) -> None:
    plan.behaviour.setdefault("render", {})[f"{API}.autoDeploy"] = "yes"
    _mishap(plan, "auto_deploy_stays", API)
