"""Recoveries after drills for people: a strip for each drill on one scale of seconds, and lines for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import TypedDict

from reports.recoveries import ALL
from reports.recovery_schema import RecoveryData, SpreadData

# Room at the end of the scale, so that a mark at its end is seen.
ROOM = 1.04


class RecoveryStrip(TypedDict):
    """Where the figures of one drill stand on the scale, in percent."""

    row: RecoveryData
    limit_at: float
    earlier_at: float
    earlier_width: float
    median_at: float | None
    dots: list[tuple[float, float]]
    text: str
    parts: list[tuple[str, str]]


def strips(recoveries: Sequence[RecoveryData]) -> list[RecoveryStrip]:
    """All drills on the scale of the longest recovery or limit."""
    longest = max((value for entry in recoveries for value in _marks(entry)), default=1.0) * ROOM
    return [_strip(entry, 100 / longest) for entry in recoveries]


def _marks(entry: RecoveryData) -> list[float]:
    found = [entry["limit_s"], *(part["high"] for part in entry["parts"].values())]
    return found + ([entry["earlier"]["high"]] if entry["earlier"] else [])


def _strip(entry: RecoveryData, scale: float) -> RecoveryStrip:
    whole, earlier = entry["parts"].get(ALL), entry["earlier"]
    low, high = (earlier["low"], earlier["high"]) if earlier else (0.0, 0.0)
    return {
        "row": entry,
        "limit_at": entry["limit_s"] * scale,
        "earlier_at": low * scale,
        "earlier_width": max(0.6, (high - low) * scale) if earlier else 0.0,
        "median_at": whole["median"] * scale if whole else None,
        "dots": [(seconds * scale, seconds) for seconds in (whole["seconds"] if whole else [])],
        "text": format_recovery(entry),
        "parts": [(name.replace("_", " "), format_spread(part)) for name, part in entry["parts"].items()],
    }


def format_spread(part: SpreadData) -> str:
    """Median, number and interval of some seconds: "1.2 s (4; the median lies between 0.9 and 1.6 s with 88 %)"."""
    count = len(part["seconds"])
    if count == 1:
        return f"{part['median']:.1f} s (once)"
    low, high = part["interval"]
    covered = f"the median lies between {low:.1f} and {high:.1f} s with {100 * part['coverage']:.0f} %"
    return f"{part['median']:.1f} s ({count} times; {covered})"


def format_recovery(entry: RecoveryData) -> str:
    """A drill's recoveries in one line: their median and range, the limit, and the earlier ones."""
    whole = entry["parts"].get(ALL)
    found = []
    if whole:
        times = len(whole["seconds"])
        several = f", {whole['low']:.1f} to {whole['high']:.1f} s in {times}" if times > 1 else ""
        found.append(f"{whole['median']:.1f} s{several}")
    if entry["unrecovered"]:
        found.append(f"{len(entry['unrecovered'])} without an end")
    found.append(f"limit {entry['limit_s']:.1f} s")
    if earlier := entry["earlier"]:
        slower = f", slower by {entry['slower_s']:.1f} s" if entry["slower_s"] is not None else ""
        found.append(f"{len(earlier['seconds'])} earlier {earlier['median']:.1f} s{slower}")
    return "; ".join(found)


def lines(recoveries: Sequence[RecoveryData]) -> list[tuple[str, str]]:
    """Label and text for the terminal: the drill nearest to its limit, and each that missed it or became slower."""
    if not recoveries:
        return []
    first = recoveries[0]
    found = [("recovery", f"{len(recoveries)} drills; nearest to its limit: {first['drill']} ({format_recovery(first)})")]
    wrong = [entry for entry in recoveries if entry["missed"] or entry["slower_s"] is not None]
    return found + [
        ("too late" if entry["missed"] else "slower", f"{entry['drill']}: {format_recovery(entry)}") for entry in wrong
    ]
