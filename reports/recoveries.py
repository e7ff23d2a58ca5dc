"""Recoveries after drills: by drill and part with their spread, their target, and those of earlier runs beside them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gate.history import KeptRecoveries, Recovered, earlier_totals
from gate.spread import Spread, slower_by, spread
from reports.recovery_schema import RecoveryData, SpreadData
from spec.model import RecoveryTimes

ALL = "all"


def read(folder: Path) -> list[Recovered]:
    """The recoveries of a run, by drill."""
    found: list[Recovered] = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    return sorted(found, key=lambda one: one["drill"])


def conclude(
    now: Sequence[Recovered], runs: Sequence[KeptRecoveries], speedup: float, rule: RecoveryTimes
) -> list[RecoveryData]:
    """One entry for each drill, the one nearest to its limit first; `runs` are the earlier ones."""
    earlier = earlier_totals(runs, speedup)
    drills = {drill: [one for one in now if one["drill"] == drill] for drill in dict.fromkeys(one["drill"] for one in now)}
    found = [_of_drill(ones, earlier.get(drill, []), rule) for drill, ones in drills.items()]
    return sorted(found, key=lambda entry: -nearness(entry))


def nearness(entry: RecoveryData) -> float:
    """How near a drill's slowest recovery came to its limit: 1 is the limit; without an end it is beyond everything."""
    slowest = entry["parts"][ALL]["high"] if ALL in entry["parts"] else 0.0
    return float("inf") if entry["unrecovered"] else slowest / entry["limit_s"]


def _of_drill(ones: Sequence[Recovered], earlier: Sequence[float], rule: RecoveryTimes) -> RecoveryData:
    totals = [one["total"] for one in ones if one["total"] is not None]
    limit = ones[0]["limit"]
    return {
        "drill": ones[0]["drill"],
        "target": ones[0]["target"],
        "limit_s": limit,
        "parts": {name: _data(spread(values, rule.confidence), values) for name, values in _by_part(ones, totals).items()},
        "unrecovered": ["; ".join(one["remaining"].values()) for one in ones if one["total"] is None],
        "missed": len(totals) < len(ones) or max(totals) > limit,
        "earlier": _data(spread(earlier, rule.confidence), earlier) if earlier else None,
        "slower_s": slower_by(earlier, totals, rule),
    }


def _by_part(ones: Iterable[Recovered], totals: list[float]) -> Mapping[str, list[float]]:
    found: dict[str, list[float]] = {}
    for one in ones:
        for name, seconds in one["seconds"].items():
            found.setdefault(name, []).append(seconds)
    return found | ({ALL: totals} if totals else {})


def _data(of: Spread, values: Sequence[float]) -> SpreadData:
    return {
        "seconds": list(values),
        "median": round(of.median, 2),
        "low": of.low,
        "high": of.high,
        "interval": of.interval,
        "coverage": round(of.coverage, 3),
    }
