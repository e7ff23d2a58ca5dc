"""What changed from one run of the calendar to the next: of what is wrong, of what was judged, and of what was seen.

Typed facts are compared, by code and subject: never their wording. What no check of the later run could judge is still open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from gate.failures import Value, shorten
from gate.messages import observed_text
from reports.change_schema import ChangedFactData, ChangedValueData, ChangesData, ChecksData, ShiftData
from reports.kept import KeptFact, KeptRun, without_run
from reports.model import Check, Fact, Finding
from reports.wording import Words
from spec.model import History

JUDGED = ("passed", "failed")
HARNESS = "harness"
# The one fact of what was observed as a whole.
VALUE = "value"
Key = tuple[str, str]


def kept_facts(facts: Iterable[Fact], words: Words, run_id: str, started_at: str) -> list[KeptFact]:
    """Facts of a run as they are kept: once for each code and subject, with what each check observed."""
    found: dict[Key, KeptFact] = {}
    for fact in facts:
        subject = str(without_run(fact.subject, run_id))
        kept = found.setdefault(
            (fact.code, subject),
            {
                "code": fact.code,
                "subject": subject,
                "component": fact.component,
                "title": str(without_run(words.title(Finding(fact.component, fact.code, [fact])), run_id)),
                "text": str(without_run(observed_text(fact.observed), run_id)),
                "observed": {},
                "since": started_at,
                "since_run": run_id,
            },
        )
        kept["observed"][fact.check] = {name: without_run(value, run_id) for name, value in fact.observed.items()}
    return [found[key] for key in sorted(found)]


def outcomes(checks: Iterable[Check]) -> tuple[dict[str, str], dict[str, str]]:
    """The outcome of each check, and why those without a judgement have none."""
    found, reasons = {}, {}
    for check in checks:
        found[check.nodeid] = str(check.outcome)
        if check.outcome not in JUDGED:
            reasons[check.nodeid] = check.facts.blocked_by or check.facts.not_judged or check.reason
    return found, reasons


@dataclass
class Comparison:
    """A run and the one before it; `rule` says which differences are none.

    `carried` are facts of the run before that could not be judged now: they stay open, and are kept with the later run.
    """

    before: KeptRun
    now: KeptRun
    rule: History
    carried: list[KeptFact] = field(default_factory=list)

    def changes(self, title: str, runs: int, shifts: Sequence[ShiftData]) -> ChangesData:
        """Everything that changed. Facts that were open before keep the run that first found them."""
        old = {_key(fact): fact for fact in self.before["facts"]}
        new = {_key(fact): fact for fact in self.now["facts"]}
        found = first_changes(self.now, title, runs, shifts)
        found["previous"] = {
            "run_id": self.before["run_id"],
            "started_at": self.before["started_at"],
            "release": self.before["release"],
            "verdict": self.before["verdict"],
        }
        found["new"] = [_changed(fact, "", fact["text"]) for key, fact in new.items() if key not in old]
        for key in sorted(old.keys() & new.keys()):
            new[key]["since"], new[key]["since_run"] = old[key]["since"], old[key]["since_run"]
            kind = found["drifted"] if self._has_drifted(old[key], new[key]) else found["open"]
            kind.append(_changed(new[key], old[key]["text"], new[key]["text"]))
        for key in sorted(old.keys() - new.keys()):
            self._no_longer_found(old[key], found)
        self._compare_checks(found)
        found["values"] = list(self._values())
        return found

    def _compare_checks(self, found: ChangesData) -> None:
        before, now = self.before["checks"], self.now["checks"]
        both = sorted(before.keys() & now.keys())
        lost = [check for check in both if before[check] in JUDGED and now[check] not in JUDGED]
        found["not_judged"] = _by_reason(lost, self.now["reasons"])
        found["judged_again"] = [check for check in both if before[check] not in JUDGED and now[check] in JUDGED]
        found["checks_added"] = sorted(now.keys() - before.keys())
        found["checks_removed"] = sorted(before.keys() - now.keys())

    def _no_longer_found(self, fact: KeptFact, found: ChangesData) -> None:
        """Gone where a check of it was judged; open where all of them could say nothing; else it went with its checks."""
        still = [self.now["checks"][check] for check in fact["observed"] if check in self.now["checks"]]
        own = [check for check in fact["observed"] if check not in self.before["checks"]]
        if any(outcome in JUDGED for outcome in still) or own:
            found["gone"].append(_changed(fact, fact["text"], ""))
        elif still:
            self.carried.append(fact)
            found["open"].append(_changed(fact, fact["text"], "", judged=False))

    def _has_drifted(self, old: KeptFact, new: KeptFact) -> bool:
        # What keeps the harness from judging is no value of the target.
        if new["component"] == HARNESS:
            return False
        shared = old["observed"].keys() & new["observed"].keys()
        return any(not self._alike(old["observed"][check], new["observed"][check]) for check in shared)

    def _alike(self, old: Mapping[str, Value], new: Mapping[str, Value]) -> bool:
        names = (old.keys() | new.keys()) - set(self.rule.prose)
        if any(self._tolerance(name) is not None for name in names):
            # Beside a measured fact, the value is the same once more, for people.
            names -= {VALUE}
        return all(self.same(name, old.get(name), new.get(name)) for name in names)

    def same(self, name: str, old: Value, new: Value) -> bool:
        """Whether two values under a name are no change: equal, or numbers within the tolerance of the name."""
        if old == new:
            return True
        if not isinstance(old, int | float) or not isinstance(new, int | float) or bool in (type(old), type(new)):
            return False
        return abs(new - old) <= (self._tolerance(name) or 0.0) * max(abs(old), abs(new))

    def _tolerance(self, name: str) -> float | None:
        """The widest tolerance that is stated for a name, or None where it must be equal."""
        return max((share for form, share in self.rule.tolerances.items() if fnmatchcase(name, form)), default=None)

    def _values(self) -> Iterator[ChangedValueData]:
        """Observations that both runs made and that differ: a run that did not come to make one says nothing about it."""
        old, new = self.before["values"], self.now["values"]
        for name in sorted(old.keys() & new.keys()):
            if not self.same(name, old.get(name), new.get(name)):
                yield {"name": name, "before": shorten(old[name]), "now": shorten(new[name])}


def first_changes(now: KeptRun, title: str, runs: int, shifts: Sequence[ShiftData]) -> ChangesData:
    """Of a run that has no predecessor: everything that is wrong is open since this run."""
    return {
        "calendar": now["calendar"], "title": title, "runs": runs, "release": now["release"], "previous": None, "new": [],
        "gone": [], "drifted": [], "open": [], "not_judged": [], "judged_again": [], "checks_added": [], "checks_removed": [],
        "values": [], "shifts": list(shifts),
    }  # fmt: skip


def _key(fact: KeptFact) -> Key:
    return fact["code"], fact["subject"]


def _changed(fact: KeptFact, before: str, now: str, judged: bool = True) -> ChangedFactData:
    return {
        "code": fact["code"],
        "subject": fact["subject"],
        "component": fact["component"],
        "title": fact["title"],
        "before": before,
        "now": now,
        "since": fact["since"],
        "since_run": fact["since_run"],
        "judged": judged,
    }


def _by_reason(checks: Iterable[str], reasons: Mapping[str, str]) -> list[ChecksData]:
    groups: dict[str, list[str]] = {}
    for check in sorted(checks):
        groups.setdefault(reasons.get(check, ""), []).append(check)
    return [{"reason": reason, "checks": names} for reason, names in sorted(groups.items())]
