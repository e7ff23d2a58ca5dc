"""What changed since the last run, in words: for the terminal, the job's summary and a chat; made last, of typed changes."""

from __future__ import annotations

from collections.abc import Iterator

from reports.change_schema import ChangedFactData, ChangesData, ShiftData

# Of one kind; the rest is counted.
MOST = 8
SHORT_RELEASE = 12
DATE = 10
NO_CHANGE = "nothing changed"


def summary(changes: ChangesData) -> str:
    """How much of what changed, in one line."""
    if changes["previous"] is None:
        return "first run of this entry on this target, so there is nothing to compare it with"
    counts = {
        "new": len(changes["new"]),
        "gone": len(changes["gone"]),
        "drifted": len(changes["drifted"]),
        "other values": len(changes["values"]),
        "no longer judged": sum(len(group["checks"]) for group in changes["not_judged"]),
        "judged again": len(changes["judged_again"]),
        "checks added": len(changes["checks_added"]),
        "checks removed": len(changes["checks_removed"]),
        "new shifts": sum(shift["is_new"] for shift in changes["shifts"]),
    }
    said = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or NO_CHANGE
    still = f"; {len(changes['open'])} still open" if changes["open"] else ""
    previous = changes["previous"]
    releases = [release[:SHORT_RELEASE] for release in dict.fromkeys((previous["release"], changes["release"]))]
    return f"{said}{still}, since run {previous['run_id']} of {previous['started_at'][:DATE]} (release {' → '.join(releases)})"


def lines(changes: ChangesData) -> list[tuple[str, str]]:
    """A label and a text for each change, what matters most first; at most so many of one kind."""
    kinds = (
        [("new", _fact(fact, f"now {fact['now']}")) for fact in changes["new"]],
        [("gone", _fact(fact, f"was {fact['before']}")) for fact in changes["gone"]],
        [("drifted", _fact(fact, f"{fact['before']} → {fact['now']}")) for fact in changes["drifted"]],
        [("changed", f"{value['name']}: {value['before']} → {value['now']}") for value in changes["values"]],
        [("shifted", format_shift(shift)) for shift in changes["shifts"]],
        [("open", _open(fact)) for fact in changes["open"]],
        [("not judged", f"{_count(group['checks'])} any more: {group['reason']}") for group in changes["not_judged"]],
        [("judged", f"{_count(changes['judged_again'])} again")] if changes["judged_again"] else [],
        list(_harness(changes)),
    )
    found = []
    for kind in kinds:
        found += kind[:MOST]
        if len(kind) > MOST:
            found.append((kind[0][0], f"and {len(kind) - MOST} more, in verdict.json"))
    return found


def format_shift(shift: ShiftData) -> str:
    """A change point in one line: what, from, to, since when, and the releases around it."""
    direction = "slower" if shift["change"] > 0 else "faster"
    around = " → ".join(release[:SHORT_RELEASE] for release in (shift["last_release"], shift["release"]))
    where = f"between runs {shift['last_run']} and {shift['run_id']}"
    return (
        f"{shift['name']}: {abs(shift['change']):.0%} {direction}, {shift['figure']} {shift['before_ms']:.4g} → "
        f"{shift['now_ms']:.4g} ms since {shift['at'][:DATE]}, {where} (release {around}; p = {shift['p_value']:.1g})"
        f"{', new' if shift['is_new'] else ''}"
    )


def _fact(fact: ChangedFactData, seen: str) -> str:
    return f"{fact['component']}: {fact['title']}; {seen}"


def _open(fact: ChangedFactData) -> str:
    unjudged = "" if fact["judged"] else ", not judged this time"
    return f"{fact['component']}: {fact['title']} (since {fact['since'][:DATE]}, run {fact['since_run']}{unjudged})"


def _harness(changes: ChangesData) -> Iterator[tuple[str, str]]:
    if added := changes["checks_added"]:
        yield "checks", f"{_count(added)} added to the harness or the specification"
    if removed := changes["checks_removed"]:
        yield "checks", f"{_count(removed)} removed from the harness or the specification"


def _count(checks: list[str]) -> str:
    return f"{len(checks)} check{'s' if len(checks) != 1 else ''}"
