"""The search for the knee on a target: each rate is held for a while, and judged by the targets of the specification."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

import httpx

from gate.exchange import exchange
from gate.exit_codes import ExitCode
from gate.session import Session
from load import page
from load.judge import judge
from load.knee import Step, find_knee
from load.plan import LoadPlan
from load.policy import upload_policy
from load.processes import run_locust
from spec.model import Profile, Segment

NAME = "stress"
PATIENCE_SECONDS, RECOVERY_SECONDS, QUICK_SECONDS = 6.0, 30.0, 1.0


def search(session: Session, out: Path) -> int:
    """Find the knee of the session's target and draw it; returns 1 when even the first rate is too much."""
    rule = session.spec.load.stress
    mask = session.masking.mask
    upload_policy(session)

    def hold(rate: float) -> Step:
        step = _step(session, rate, rule.step_seconds)
        print(mask(f"  {rate:7.1f} a second: {'holds' if step.holds else step.why}"), flush=True)
        return step

    steps = find_knee(rule, hold, lambda: _has_recovered(session))
    best = max((step.rate for step in steps if step.holds), default=0.0)
    limited = next((step for step in steps if not step.holds), None)
    out.mkdir(parents=True, exist_ok=True)
    (out / "stress.json").write_text(mask(json.dumps([asdict(step) for step in steps], indent=1)))
    path = page.write_stress(session, steps, best, out)
    knee = f"{best:g} requests a second hold every target" if best else "no rate that was tried holds every target"
    end = f"; at {limited.rate:g}: {limited.why}" if limited else "; the search ended before a limit"
    print(mask(f"verdict    {knee}{end}"))
    print(f"report     {path}")
    return ExitCode.PASS if best else ExitCode.FAIL


def _has_recovered(session: Session) -> bool:
    """Whether /health answers quickly again within a while."""
    endpoint = session.spec.endpoint("health")
    deadline = time.monotonic() + RECOVERY_SECONDS
    client = httpx.Client(transport=session.transport, trust_env=False)
    while time.monotonic() < deadline:
        try:
            if exchange(client, "GET", session.api_url + endpoint.path, QUICK_SECONDS).status == endpoint.success:
                return True
        except httpx.HTTPError:
            pass
        time.sleep(QUICK_SECONDS)  # a target that is overrun gives no sign
    print("  the target does not recover; the search ends here", flush=True)
    return False


def _step(session: Session, rate: float, seconds: float) -> Step:
    spec = session.spec
    profile = Profile(segments=[Segment(seconds=seconds, rate=rate)])
    # No uploads: documents of one step would still be worked on in the next.
    weights = {name: weight for name, weight in spec.load.weights(profile).items() if name != "upload"}
    # What has no answer by then has missed its target anyway, and the next step must not meet what is left of this one.
    plan = LoadPlan(NAME, profile, weights, spec.load.seed, spec.load.block_seconds, patience_seconds=PATIENCE_SECONDS)
    record = run_locust(session, plan)
    judged = judge(record, spec, [])
    whys = [f"{bound.expected}, observed {bound.seen}" for bound in judged.broken] + judged.problems
    p95 = {task: round(record.latencies(task).percentile(95), 1) for task in record.tasks()}
    return Step(rate, not whys, "; ".join(whys[:2]), p95)
