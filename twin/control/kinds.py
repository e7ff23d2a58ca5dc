"""The kinds of disturbances: what each one may be asked for, and how a request for one is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SECONDS_AT_MOST = 120.0
LONGEST = 3600.0
SOURCES = ("api", "worker", "llamaparse", "supabase", "anyone")
TARGETS = ("openai", "llamaparse", "anthropic", "supabase", "postgres", "api")
VENDORS = ("openai", "llamaparse", "anthropic", "storage", "auth")
COMMON = frozenset({"kind", "how", "source", "target", "seconds_at_most"})


class Unknown(ValueError):
    """The request cannot be carried out as it stands; the message is one line."""


@dataclass(frozen=True)
class Kind:
    """One kind: its values of `how`, the parts that it may name (empty: any process), and its own options with their types."""

    hows: tuple[str, ...]
    targets: tuple[str, ...] | None = None
    sources: tuple[str, ...] | None = None
    options: Mapping[str, type] = field(default_factory=dict)
    # Options that a `how` does not go without.
    needs: Mapping[str, str] = field(default_factory=dict)


KINDS: Mapping[str, Kind] = {
    "link": Kind(("refuse", "reset", "blackhole", "slow", "half"), TARGETS, SOURCES, {"seconds": float}, {"slow": "seconds"}),
    "vendor": Kind(
        ("down", "rate_limited", "garbage", "half", "slow", "full", "watched"),
        VENDORS,
        None,
        {"seconds": float, "retry_after": float, "only": str, "method": str, "first": int, "every": int, "spared": int},
        {"slow": "seconds"},
    ),
    "callback": Kind(
        ("lost", "late", "twice", "out_of_order", "forged"), None, None, {"seconds": float, "first": int}, {"late": "seconds"}
    ),
    "process": Kind(
        ("kill", "stop", "restart", "start"),
        (),
        None,
        {"when_status": str, "job_id": str, "step": int, "first": int, "hold": bool},
    ),
    "database": Kind(
        ("restart", "failover", "read_only", "connections", "slow"),
        None,
        None,
        {"free": int, "drop": bool, "seconds": float},
        {"slow": "seconds", "connections": "free"},
    ),
    "clock": Kind(("",), (), None, {"seconds": float}, {"": "seconds"}),
}


@dataclass(frozen=True)
class Wanted:
    """A request for a disturbance that can be carried out."""

    kind: str
    how: str
    source: str = ""
    target: str = ""
    seconds_at_most: float = SECONDS_AT_MOST
    options: Mapping[str, Any] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """The request as it was made."""
        named = {"kind": self.kind, "how": self.how, "source": self.source, "target": self.target}
        return {name: value for name, value in named.items() if value} | {
            "seconds_at_most": self.seconds_at_most,
            **self.options,
        }


def _one_of(name: str, given: Any, allowed: tuple[str, ...]) -> str:
    if given not in allowed:
        raise Unknown(f"{name}: expected one of {', '.join(allowed)}; found {given!r}")
    return str(given)


def _number(name: str, given: Any, wanted: type) -> float | int:
    if isinstance(given, bool) or not isinstance(given, int | float) or (wanted is int and int(given) != given):
        raise Unknown(f"{name}: expected a number; found {given!r}")
    return wanted(given)  # type: ignore[no-any-return]


def _value(name: str, given: Any, wanted: type) -> Any:
    if wanted in (int, float):
        found = _number(name, given, wanted)
        # A clock may be behind.
        if found < 0 and name != "seconds":
            raise Unknown(f"{name}: expected no negative number; found {given!r}")
        return found
    if not isinstance(given, wanted):
        raise Unknown(f"{name}: expected {'text' if wanted is str else 'true or false'}; found {given!r}")
    return given


def read(body: Any, processes: tuple[str, ...]) -> Wanted:
    """The request that a body makes; `processes` are those that may be named. Raises Unknown."""
    if not isinstance(body, dict):
        raise Unknown("expected a JSON object")
    name = _one_of("kind", body.get("kind"), tuple(KINDS))
    kind = KINDS[name]
    if unknown := sorted(set(body) - COMMON - set(kind.options)):
        raise Unknown(f"{name}: no option {unknown[0]!r}; it has {', '.join(sorted(kind.options)) or 'none'}")
    how = _one_of("how", body.get("how", ""), kind.hows)
    options = {key: _value(key, body[key], wanted) for key, wanted in kind.options.items() if body.get(key) is not None}
    if (needed := kind.needs.get(how)) and needed not in options:
        raise Unknown(f"{needed}: {name} {how} needs it".replace("  ", " "))
    seconds = float(_number("seconds_at_most", body.get("seconds_at_most", SECONDS_AT_MOST), float))
    if not 0 < seconds <= LONGEST:
        raise Unknown(f"seconds_at_most: expected more than 0 and at most {LONGEST:g}; found {seconds:g}")
    named = {"source": _part("source", body, kind.sources, processes), "target": _part("target", body, kind.targets, processes)}
    return Wanted(name, how, seconds_at_most=seconds, options=options, **named)


def _part(name: str, body: dict[str, Any], allowed: tuple[str, ...] | None, processes: tuple[str, ...]) -> str:
    if allowed is None:
        if body.get(name):
            raise Unknown(f"{body['kind']}: it has no {name}")
        return ""
    if not allowed:
        # Another worker may be started under a name that is not there yet.
        is_worker = str(body.get(name, "")).startswith("worker") and body.get("how") == "start"
        return str(body[name]) if is_worker else _one_of(name, body.get(name), processes)
    workers = tuple(other for other in processes if other.startswith("worker")) if name == "source" else ()
    return _one_of(name, body.get(name), tuple(dict.fromkeys(allowed + workers)))
