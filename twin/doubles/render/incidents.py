"""Events of instances: one that ended by itself or broke its limit of memory, and the one that took its place."""

from __future__ import annotations

import datetime
from pathlib import Path

from twin.doubles.render.answers import Json, written
from twin.doubles.render.sampler import Instance, instances

MEBIBYTE = 1024 * 1024


def of(folder: Path, service_id: str) -> list[Json]:
    """What happened to the instances of a service, the oldest first."""
    found, has_failed = [], False
    for instance in instances(folder, service_id):
        if has_failed:
            found.append(_event(service_id, instance, instance.started, "server_available", {}))
        if instance.ended:
            details = {"instanceID": instance.id, "reason": _reason(instance)}
            found.append(_event(service_id, instance, instance.ended, "server_failed", details))
            has_failed = True
    return found


def _reason(instance: Instance) -> Json:
    if instance.memory_limit:
        return {"evicted": False, "oomKilled": {"memoryLimit": f"{instance.memory_limit / MEBIBYTE:.0f}Mi"}}
    if instance.code == 0:
        return {"evicted": False, "earlyExit": True}
    # A shell shows the end by a signal as 128 and its number.
    return {"evicted": False, "nonZeroExit": instance.code if instance.code > 0 else 128 - instance.code}


def _event(service_id: str, instance: Instance, at: float, kind: str, details: Json) -> Json:
    time = written(datetime.datetime.fromtimestamp(at, datetime.UTC))
    identifier = f"evt-{service_id[4:]}{instance.pid}{kind.removeprefix('server_')}"
    return {"id": identifier, "timestamp": time, "serviceId": service_id, "type": kind, "details": details}
