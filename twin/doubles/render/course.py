"""The course of a deploy: what it becomes with its age, and with the processes of the twin that it replaces."""

from __future__ import annotations

import datetime

from twin.doubles.render.account import TRIGGER, Account
from twin.doubles.render.answers import Json, new_id, now, time_of, written

# Seconds after its start at which a deploy enters each state.
COURSE = ((0.0, "build_in_progress"), (1.0, "update_in_progress"), (2.0, "live"))
TAKES = COURSE[-1][0]
RUNNING = ("created", "queued", "build_in_progress", "update_in_progress", "pre_deploy_in_progress")
STATUSES = (*RUNNING, "live", "deactivated", "build_failed", "update_failed", "pre_deploy_failed", "canceled")
FAILED = "update_failed"
EVENT_END = {"succeeded": 2, "failed": 3, "canceled": 4}


def age_of(time: str) -> float:
    return (datetime.datetime.now(datetime.UTC) - time_of(time)).total_seconds()


def started(account: Account, service_id: str, trigger: str, commit: Json | None = None, of: str = "") -> Json:
    """A new deploy of a service; it waits while another one runs."""
    deploys, time = account.deploys[service_id], datetime.datetime.now(datetime.UTC)
    settle(account, service_id)
    if running := [each for each in deploys if each["status"] in RUNNING]:
        last = max(time_of(each["startedAt"]) for each in running)
        time = max(time, last + datetime.timedelta(seconds=TAKES))
    live = next((each for each in deploys if each["status"] == "live"), None)
    known = commit or (live or {}).get("commit") or {"id": "0" * 40, "message": "first"}
    deploy: Json = {
        "id": new_id("dep"),
        "status": "queued" if running else "build_in_progress",
        "commit": dict(known),
        "trigger": trigger,
        "createdAt": now(),
        "startedAt": written(time),
        "updatedAt": now(),
    }
    deploys.insert(0, deploy)
    source = str((live or {}).get("id", "")) if account.has_mishap("rollback_environment", service_id) else of
    before = account.fleet.environment_of(source) if of else None
    account.fleet.remember(deploy["id"], before if before is not None else account.environment_of(service_id))
    more = {"rollback": True, "rollbackTargetDeployId": of} if of else {}
    account.note(service_id, "deploy_started", {"deployId": deploy["id"], "trigger": TRIGGER | more}, deploy["startedAt"])
    return deploy


def settle(account: Account, service_id: str) -> None:
    """Bring the deploys of a service to the state that their age gives them."""
    deploys = account.deploys[service_id]
    for deploy in reversed(deploys):
        if deploy["status"] not in RUNNING:
            continue
        status = _status_of(account, service_id, deploy)
        if status == deploy["status"]:
            continue
        deploy |= {"status": status, "updatedAt": now()}
        if status == "live":
            account.replace_instances(service_id)
            for other in deploys:
                if other is not deploy and other["status"] == "live":
                    other |= {"status": "deactivated", "updatedAt": now()}
            end(account, service_id, deploy, "succeeded")
        elif status == FAILED:
            end(account, service_id, deploy, "failed")
            live = next((each for each in deploys if each["status"] == "live"), None)
            if live is not None and account.fleet.runs(service_id):
                account.fleet.start(service_id, live)


def _status_of(account: Account, service_id: str, deploy: Json) -> str:
    """The state of a deploy that has not ended: by its age, and by the processes that it replaces."""
    age, back = age_of(deploy["startedAt"]), deploy["trigger"] == "rollback"
    status = next((name for after, name in reversed(COURSE) if age >= after), "queued")
    if status in ("queued", "build_in_progress"):
        return status
    if back and account.has_mishap("rollback_stuck", service_id):
        return "update_in_progress"
    if back and account.has_mishap("rollback_fails", service_id):
        return FAILED
    if not account.fleet.runs(service_id):
        return status
    if not account.fleet.state(deploy["id"]):
        account.fleet.start(service_id, deploy)
    if account.fleet.state(deploy["id"]) == "down":
        return FAILED
    return status if account.fleet.state(deploy["id"]) == "up" else "update_in_progress"


def end(account: Account, service_id: str, deploy: Json, outcome: str) -> None:
    deploy["finishedAt"] = now()
    details = {"deployId": deploy["id"], "deployStatus": outcome, "status": EVENT_END[outcome], "reason": {}}
    account.note(service_id, "deploy_ended", details)
