"""The knee: the highest rate of arrivals that still meets every target. Steps upwards, then halves the gap."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from gate.bounded import BoundedTransport, exchange
from load import finish, page
from load.judge import judge
from load.plan import LoadPlan
from load.session import Session
from spec.model import Profile, Segment, Stress

FAIL, OK = 1, 0
PATIENCE_SECONDS, RECOVERY_SECONDS, QUICK_SECONDS = 6.0, 30.0, 1.0


@dataclass(frozen=True)
class Step:
    """One rate, held for a while: arrivals a second, whether all targets held, and what did not."""

    rate: float
    holds: bool
    why: str
    p95_ms: dict[str, float]


def find_knee(rule: Stress, hold: Callable[[float], Step], has_recovered: Callable[[], bool] = lambda: True) -> list[Step]:
    """Grow the rate until a target breaks, then halve the gap until it is narrow enough; the steps in the order taken.

    A target that does not recover from a step is asked no further: the knee is then known no better than by the last step.
    """
    steps, good, bad, rate = [], 0.0, 0.0, rule.first_rate
    while not bad and rate <= rule.last_rate:
        steps.append(hold(rate))
        good, bad = (rate, bad) if steps[-1].holds else (good, rate)
        rate *= rule.growth
    while good and bad and (bad - good) / good > rule.precision and (steps[-1].holds or has_recovered()):
        middle = round((good + bad) / 2, 1)
        steps.append(hold(middle))
        good, bad = (middle, bad) if steps[-1].holds else (good, middle)
    return steps


def search(session: Session, out: Path) -> int:
    """Find the knee of the session's target and draw it; answers 1 when even the first rate is too much."""
    rule = session.spec.load.stress
    session.upload_policy()

    def hold(rate: float) -> Step:
        step = _step(session, rate, rule.step_seconds)
        print(f"  {rate:7.1f} a second: {'holds' if step.holds else step.why}", flush=True)
        return step

    steps = find_knee(rule, hold, lambda: _has_recovered(session))
    best = max((step.rate for step in steps if step.holds), default=0.0)
    limited = next((step for step in steps if not step.holds), None)
    out.mkdir(parents=True, exist_ok=True)
    (out / "stress.json").write_text(json.dumps([step.__dict__ for step in steps], indent=1))
    path = page.write_stress(session.run, steps, best, out)
    knee = f"{best:g} requests a second hold every target" if best else "no rate that was tried holds every target"
    print(f"verdict    {knee}" + (f"; at {limited.rate:g}: {limited.why}" if limited else "; the search ended before a limit"))
    print(f"report     {path}")
    return OK if best else FAIL


def _has_recovered(session: Session) -> bool:
    """Whether /health answers quickly again within a while."""
    run = session.run
    url = session.settings.url("API_BASE_URL") + session.spec.endpoint("health").path
    deadline = time.monotonic() + RECOVERY_SECONDS
    while time.monotonic() < deadline:
        try:
            with httpx.Client(transport=BoundedTransport(session.tls)) as client:
                if exchange(client, "GET", url, QUICK_SECONDS).status == session.spec.endpoint("health").success:
                    return True
        except httpx.HTTPError:
            time.sleep(QUICK_SECONDS)  # a target that is overrun gives no sign
    print("  the target does not recover; the search ends here", flush=True)
    return False


def _step(session: Session, rate: float, seconds: float) -> Step:
    spec = session.spec
    profile = Profile(segments=[Segment(seconds=seconds, rate=rate)])
    # No uploads: documents of one step would still be worked on in the next.
    weights = {name: weight for name, weight in spec.load.weights(profile).items() if name != "upload"}
    # What has no answer by then has missed its target anyway, and the next step must not meet what is left of this one.
    plan = LoadPlan(finish.STRESS, profile, weights, spec.load.seed, spec.load.block_seconds, patience_seconds=PATIENCE_SECONDS)
    record = session.locust(plan)
    judged = judge(record, spec, [])
    whys = [f"{bound.expected}, observed {bound.seen}" for bound in judged.broken] + judged.problems
    p95 = {task: round(record.latencies(task).percentile(95), 1) for task in record.tasks()}
    return Step(rate, not whys, "; ".join(whys[:2]), p95)
