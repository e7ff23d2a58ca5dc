"""Runs that releases are compared by, on the session's target or on twins of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gate.session import Session
from gate.target import Choice
from load.plan import LoadPlan
from load.processes import run_locust
from load.record import LoadRecord
from load.target import on_target


def comparable_runs(session: Session, twin_arguments: Sequence[str] = ()) -> list[LoadRecord]:
    """Several runs of the profile that releases are compared by.

    On the twin each has a new one, broken in the same way, because two starts of one release differ more than two runs after
    one start; and a healthy one beside it, which tells the machine's own changes from the target's.
    """
    rule = session.spec.load.regression
    plan = LoadPlan.of(session.spec, rule.profile)
    if session.run.kind == "live":
        return [run_locust(session, plan) for _ in range(rule.repeats)]
    healthy = Choice("twin", spec_file=session.run.spec_file, twin_arguments=twin_arguments)
    same = replace(healthy, faults=session.run.faults, variants=session.run.variants)
    found = []
    for _ in range(rule.repeats):
        with on_target(same, beside_another=True) as target, on_target(healthy, beside_another=True) as reference:
            found.append(run_locust(target, replace(plan, reference=str(reference.shared.path))))
    return found
