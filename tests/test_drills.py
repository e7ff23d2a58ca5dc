"""The drills: their data, the engine with a control that breaks nothing, the judges, and each drill with its faults."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast, get_args

import pytest

from fixtures.documents import Document
from fixtures.drills.control import Control
from fixtures.drills.engine import Drills, Steady
from fixtures.drills.judges import JUDGES
from fixtures.drills.judging import Judged
from fixtures.drills.observed import Followed, Look, Record, Request, Step, Strike
from fixtures.drills.world import World
from fixtures.users import User
from gate.failures import Blocked, Failure, NotConfigured
from gate.session import Session
from proof.drill_pairs import drills_by_fault, faults_by_drill, only_drills, pairs, seen_in
from spec import load
from spec.model import Break, Drill, Promise
from spec.model.drills import Kept
from tests.conftest import ROOT
from twin import catalogue, faults

SPEC = load()
DRILLS = {drill.id: drill for drill in SPEC.drills.drill}
MODULES = {path.stem.removeprefix("test_") for path in (ROOT / "acceptance" / "resilience").glob("test_*.py")}
SUITE = "resilience"


# ── The data ─────────────────────────────────────────────────────────────────────────────────────────────
def test_each_family_has_a_module_of_its_own() -> None:
    assert set(SPEC.drills.families) <= MODULES


def test_each_kind_of_promise_has_a_judge_and_is_made() -> None:
    assert set(get_args(Kept)) == set(JUDGES)
    assert {promise.kept for drill in DRILLS.values() for promise in drill.promises} == set(JUDGES)


def test_each_drill_names_parts_and_stages_that_there_are() -> None:
    parts = SPEC.harness.parts
    assert not [drill.id for drill in DRILLS.values() if drill.component not in parts]
    named = {promise.component for drill in DRILLS.values() for promise in drill.promises} - {""}
    assert named <= parts.keys()
    stages = {one.when_status for drill in DRILLS.values() for one in drill.disturb} - {None}
    assert stages <= set(SPEC.pipeline.stages)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"safe": True}, "is safe, and disturbs the target"),
        ({"disturb": []}, "disturbs nothing, and so is safe"),
        ({"promises": [{"kept": "complete"}], "before": [], "meanwhile": []}, "promises 'complete', and no action shows it"),
    ],
)
def test_a_drill_that_contradicts_itself_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Drill.model_validate(DRILLS["openai_down"].model_dump() | change)


def test_a_twin_divides_seconds_but_those_of_a_clock() -> None:
    assert Break(kind="vendor", target="openai", how="slow", seconds=60, pause=5).options(30) == {
        "kind": "vendor",
        "target": "openai",
        "how": "slow",
        "seconds": 2,
    }
    assert Break(kind="clock", target="api", seconds=60).options(30)["seconds"] == 60


# ── Each drill with the faults that it must see ────────────────────────────────────────────────────────────
def test_each_drill_sees_a_fault() -> None:
    assert not [drill for drill, seen in faults_by_drill().items() if not seen]


def test_each_fault_of_the_suite_is_seen_by_drills_or_checks_that_there_are() -> None:
    catalogue.load()
    known = {fault.id for fault in faults.REGISTRY.values() if SUITE in fault.suites}
    seen = [*drills_by_fault(), *(fault for module in pairs().modules.values() for fault in module)]
    assert sorted(seen) == sorted(known)
    assert not [fault for fault, drills in drills_by_fault().items() if not drills or not set(drills) <= DRILLS.keys()]
    assert set(pairs().modules) <= MODULES


def test_a_fault_is_run_with_those_that_see_it() -> None:
    assert (seen_in("R25"), only_drills("R25")) == (["acceptance/resilience/test_what_is_shown.py"], [])
    assert (seen_in("R11"), only_drills("R11")) == ([], ["-k", "[webhook_stranger] or [webhook_forged]"])


# ── The engine ───────────────────────────────────────────────────────────────────────────────────────────
@dataclass
class FakeControl:
    """Notes what it was asked for."""

    said: list[str] = field(default_factory=list)
    starts: int = 1

    @contextmanager
    def disturbed(self, **asked: Any) -> Iterator[None]:
        self.said.append(f"begin {asked['how']}")
        yield
        self.said.append(f"lift {asked['how']}")

    def look(self, _: Any) -> SimpleNamespace:
        return SimpleNamespace(seen=[{"method": "POST"}])

    def lift_all(self) -> None:
        self.said.append("lift all")

    def processes(self) -> dict[str, SimpleNamespace]:
        return {"worker": SimpleNamespace(starts=self.starts)}


@dataclass
class FakeSteady:
    """Not normal for the first so many looks."""

    bad_looks: int = 0
    recovers: bool = True

    def problems(self) -> list[str]:
        self.bad_looks -= 1
        return ["health broken"] if self.bad_looks >= 0 else []

    def recover(self, record: Record) -> list[Failure]:
        return [] if self.recovers else [Failure("recovery.missed", "drill example", observed="chat broken")]

    def violations(self, record: Record) -> list[Failure]:
        return []


class FakeWorld:
    """A target on which actions are only noted."""

    def __init__(self, said: list[str], error: type[BaseException] | None = None) -> None:
        self.said, self.error = said, error
        self.reader = SimpleNamespace(fact="$11", document_id="d")

    def prepare(self, drill: Drill) -> list[Followed]:
        return []

    @contextmanager
    def watch(self, record: Record) -> Iterator[Any]:
        yield SimpleNamespace(
            is_open=lambda _: False, is_closed=lambda _: True, shows_any=lambda _: True, until=lambda *_: True
        )

    def actions(self, record: Record, watch: Any, waiting: Any) -> Any:
        def do(action: Any) -> None:
            self.said.append(action.do)
            if self.error is not None:
                raise self.error("broken")

        return SimpleNamespace(do=do, send_again=lambda: self.said.append("send again"), question=lambda: None)

    def has_ended(self, document: Followed) -> bool:
        return True

    def finish(self, record: Record) -> None:
        self.said.append("finish")


DRILL = Drill.model_validate(
    {
        "section": "§3",
        "id": "example",
        "family": "openai",
        "title": "OpenAI is down",
        "component": "chat",
        "disturb": [{"kind": "vendor", "target": "openai", "how": "down"}, {"kind": "database", "how": "slow", "seconds": 1}],
        "before": [{"do": "documents"}],
        "meanwhile": [{"do": "ask"}],
        "after": [{"do": "sign_in"}],
        "promises": [{"kept": "stays_up"}],
        "recovery": "openai",
    }
)


def engine(
    session: Session, control: FakeControl | None, steady: FakeSteady | None = None, *, error: type[BaseException] | None = None
) -> Drills:
    """The engine with these fakes; a live target may be drilled."""
    world = FakeWorld(control.said if control else [], error)
    given = cast(Control, control) if control else None
    return Drills(session, given, cast(Steady, steady or FakeSteady()), cast(World, world), allowed=True)


def test_a_drill_has_its_order(session: Session) -> None:
    control = FakeControl()
    engine(session, control).require(DRILL)
    expected = ["documents", "begin down", "begin slow", "ask", "lift slow", "lift down", "send again", "sign_in", "lift all"]
    assert control.said == [*expected, "finish"]


def test_what_was_not_steady_before_is_mended_and_else_blocks_the_drill(session: Session) -> None:
    control = FakeControl()
    engine(session, control, FakeSteady(bad_looks=1)).require(DRILL)
    assert control.said[0] == "lift all"
    with pytest.raises(Blocked, match="not normal before the drill example: health broken"):
        engine(session, FakeControl(), FakeSteady(bad_looks=2)).require(DRILL)


def test_a_drill_that_breaks_off_leaves_nothing_broken(session: Session) -> None:
    control = FakeControl()
    with pytest.raises(KeyboardInterrupt):
        engine(session, control, error=KeyboardInterrupt).require(DRILL)
    assert control.said[-1] == "lift all"


def test_what_is_not_normal_again_is_a_failure_of_the_drill(session: Session) -> None:
    with pytest.raises(Failure) as caught:
        engine(session, FakeControl(), FakeSteady(recovers=False)).require(DRILL)
    assert (caught.value.code, caught.value.subject) == ("recovery.missed", "drill example")


def test_a_live_target_is_drilled_only_where_that_is_allowed_and_safe(session: Session) -> None:
    steady, world = cast(Steady, FakeSteady()), cast(World, FakeWorld([]))
    with pytest.raises(NotConfigured, match="--allow-drills"):
        Drills(session, None, steady, world, allowed=False).require(DRILL)
    with pytest.raises(NotConfigured, match="needs a target that can be broken on purpose") as caught:
        Drills(session, None, steady, world, allowed=True).require(DRILL)
    assert caught.value.setting == "HARNESS_DRILL_URL"
    safe = DRILL.model_copy(update={"safe": True, "disturb": []})
    Drills(session, None, steady, world, allowed=True).require(safe)


# ── The judges ───────────────────────────────────────────────────────────────────────────────────────────
def followed(*steps: tuple[float, str, str], events: tuple[str, ...] = (), retries: int = 0, sent: bool = True) -> Followed:
    """A document whose job's row has shown this."""
    found = Followed(User("u", "e", "n", "p", "t"), Document("a.pdf", b""), "j", "d", sent=sent)
    found.steps = [Step(*step) for step in steps]
    found.events, found.retries = list(events), retries
    return found


def record(**more: Any) -> Record:
    """A drill that disturbed from second 10 to second 20."""
    return replace(Record(DRILL, began=0, disturbed=10, lifted=20), **more)


def strikes(*methods: str, every: float = 1) -> list[Strike]:
    """Requests with these methods that met the first disturbance, the first of them at second 12."""
    return [Strike(12 + number * every, method) for number, method in enumerate(methods)]


def codes(promise: Promise, found: Record, speedup: float = 1) -> list[str]:
    """What a promise's judge finds."""
    return [failure.code for failure in JUDGES[promise.kept](Judged(found, promise, SPEC, speedup, "$11", "d"))]


def looks(*states: tuple[float, str]) -> list[Look]:
    """Looks at the health body with these states of OpenAI's circuit."""
    return [Look(at, 200, "degraded", {"openai": state}, ("openai",)) for at, state in states]


def test_a_circuit_that_never_opens_is_seen() -> None:
    promise = Promise(kept="circuit_opens", service="openai", count=5)
    assert codes(promise, record(looks=looks((11, "closed"), (19, "closed")))) == ["drill.circuit_not_opened"]
    assert codes(promise, record()) == ["drill.circuit_not_opened"]
    assert codes(promise, record(looks=looks((11, "closed"), (12, "open")))) == []


def test_a_circuit_that_stays_open_is_seen() -> None:
    promise = Promise(kept="circuit_closes", service="openai", seconds=30)
    opened = looks((12, "open"))
    assert codes(promise, record(looks=[*opened, *looks((49, "closed"))])) == []
    assert codes(promise, record(looks=[*opened, *looks((49, "half_open"), (90, "closed"))])) == ["drill.circuit_not_closed"]
    assert codes(promise, record(looks=opened)) == ["drill.circuit_not_closed"]
    assert codes(promise, record(looks=[*opened, *looks((25, "closed"))]), speedup=30) == ["drill.circuit_not_closed"]


def test_waiting_for_an_open_circuit_and_without_a_deadline_is_seen() -> None:
    slow, quick = Request("ask", "q", 13, 6.0), Request("ask", "q", 14, 0.1)
    at_once = Promise(kept="refuses_at_once", service="openai", seconds=1)
    assert codes(at_once, record(looks=looks((12, "open")), requests=[slow])) == ["drill.waits"]
    assert codes(at_once, record(looks=looks((12, "open")), requests=[slow, quick])) == []
    in_time = Promise(kept="ends_in_time", seconds=15)
    assert codes(in_time, record(requests=[slow]), speedup=30) == ["drill.no_deadline"]
    assert codes(in_time, record(requests=[slow])) == []


def test_a_document_that_is_lost_failed_or_late_is_seen() -> None:
    promise, done = Promise(kept="complete", seconds=5), ("complete", "done")
    assert codes(promise, record(documents=[followed((22, *done))])) == []
    assert codes(promise, record(documents=[followed((40, *done))])) == ["drill.late"]
    assert codes(promise, record(documents=[followed((12, "parsed", "working"))])) == ["drill.lost"]
    assert codes(promise, record(documents=[followed((12, "failed_parse", "deadletter"))])) == ["drill.failed"]
    assert codes(promise, record(documents=[followed(sent=False)])) == []
    assert codes(Promise(kept="accepted"), record(documents=[followed(sent=False)])) == ["drill.not_accepted"]


def test_work_that_is_done_twice_or_undone_is_seen() -> None:
    promise = Promise(kept="once")
    assert codes(promise, record(documents=[followed(events=("parsed", "parse_queued", "parse_queued"))])) == []
    assert codes(promise, record(documents=[followed(events=("parsed", "parsed"))])) == ["drill.twice"]
    back = followed((1, "complete", "done"), (2, "parsed", "queued"))
    assert codes(promise, record(documents=[back])) == ["drill.undone"]
    whole = followed((1, "complete", "done"))
    whole.document, whole.text = Document("a.pdf", b"", ("First  line.\nLast line.",)), "First line. And then the\nLast line."
    assert codes(Promise(kept="own_text"), record(documents=[whole])) == []
    whole.text = "This text was forged."
    assert codes(Promise(kept="own_text"), record(documents=[whole])) == ["drill.replaced"]
    assert codes(Promise(kept="attempts_unused"), record(documents=[followed(retries=1)])) == ["drill.attempts_used"]
    assert codes(Promise(kept="leaves_alone", count=1), record(strikes=strikes("GET", "POST"))) == []
    assert codes(Promise(kept="leaves_alone", count=1), record(strikes=strikes("POST", "POST"))) == ["drill.pressed"]
    assert codes(Promise(kept="no_flood", count=1), record(documents=[followed(events=("a", "b"))])) == ["drill.flood"]


def test_a_poisoned_job_that_never_ends_or_holds_up_others_is_seen() -> None:
    dead, whole = followed((1, "failed_chunking", "deadletter")), followed((2, "complete", "done"))
    dead.last_error = {"reason": "the worker died"}
    stuck = followed((3, "parsed", "working"))
    promise = Promise(kept="gives_up", seconds=5)
    assert codes(promise, record(documents=[dead, whole])) == []
    assert codes(promise, record(documents=[stuck, whole])) == ["drill.never_ends"]
    assert codes(promise, record(documents=[dead, stuck])) == ["drill.starved"]


def test_a_service_that_ends_with_another_part_is_seen() -> None:
    promise = Promise(kept="stays_up")
    assert codes(promise, record(starts={"worker": (1, 1)})) == []
    assert codes(promise, record(starts={"worker": (1, 2)})) == ["drill.crashed"]


def test_a_circuit_that_opens_without_a_row_or_lets_many_through_is_seen() -> None:
    steady = Promise(kept="circuit_stays_closed", service="openai", count=5)
    assert codes(steady, record(looks=looks((11, "closed"), (25, "open")))) == []
    assert codes(steady, record(looks=looks((11, "open")))) == ["drill.circuit_opened"]
    trial, half = Promise(kept="one_trial", service="openai", seconds=3), looks((11, "half_open"))
    assert codes(trial, record(looks=half, strikes=strikes("POST", "POST", every=4))) == []
    assert codes(trial, record(looks=half, strikes=strikes("POST", "POST"))) == ["drill.trials"]
    assert codes(trial, record(looks=looks((11, "open")), strikes=strikes("POST", "POST"))) == []


def test_pressing_without_a_pause_and_handing_over_twice_is_seen() -> None:
    backs_off = Promise(kept="backs_off", seconds=4)
    grows = [Strike(at, "POST") for at in (11, 12, 14, 18)]
    assert codes(backs_off, record(strikes=grows)) == []
    assert codes(backs_off, record(strikes=strikes(*["POST"] * 4))) == ["drill.no_back_off"]
    reads = Promise(kept="leaves_alone", count=1, reading=True)
    assert codes(reads, record(strikes=strikes("GET", "GET"))) == ["drill.pressed"]
    twice = record(documents=[followed(events=("parse_queued", "parsed", "parse_queued"))])
    assert codes(Promise(kept="handed_over_once", count=1), twice) == ["drill.twice"]


def test_a_call_that_is_not_given_back_is_seen() -> None:
    whole, late = followed((15, "complete", "done")), followed((21, "complete", "done"))
    assert codes(Promise(kept="not_held_up"), record(over=20, documents=[whole])) == []
    assert codes(Promise(kept="not_held_up"), record(over=20, documents=[whole, late])) == ["drill.no_deadline"]
    uploads = Promise(kept="uploads_end_in_time", seconds=3)
    assert codes(uploads, record(requests=[Request("upload", "u", 12, 2)])) == []
    assert codes(uploads, record(requests=[Request("upload", "u", 12, 8)])) == ["drill.no_deadline"]


def test_what_the_health_body_says_of_capabilities_is_held_against_circuits() -> None:
    def said(word: str, **degraded: str) -> Record:
        return record(looks=[Look(12, 200, word, {"openai": "open"}, (), degraded)])

    relies = Promise(kept="capability", service="openai", names=["chat"], level="fallback")
    assert codes(relies, said("degraded", chat="fallback")) == []
    assert codes(relies, said("healthy")) == ["drill.hidden"]
    assert codes(relies, record(looks=looks((12, "open")))) == []
    does_not = Promise(kept="capability", service="openai", names=["chat"])
    assert codes(does_not, said("healthy")) == []
    assert codes(does_not, said("degraded", chat="fallback")) == ["drill.false_alarm"]


def test_what_the_health_body_hides_is_seen() -> None:
    promise = Promise(kept="says_degraded", names=["openai"])
    assert codes(promise, record(looks=looks((12, "open")))) == []
    assert codes(promise, record(looks=[Look(12, 200, "healthy")])) == ["drill.hidden"]
    assert codes(promise, record(looks=[Look(12, 200, "degraded", {}, ("rag",))])) == ["drill.hidden"]


def test_the_worst_harm_comes_first(session: Session) -> None:
    late = Failure("recovery.missed", "drill example")
    found = record(documents=[followed((12, "parsed", "working"))], afterwards=[late])
    found.drill = DRILL.model_copy(update={"promises": [Promise(kept="complete")]})
    assert [failure.code for failure in engine(session, None).judge(found)] == ["drill.lost", "recovery.missed"]


def test_a_service_that_ends_explains_the_rest(session: Session) -> None:
    found = record(documents=[followed((12, "parsed", "working"))], starts={"worker": (1, 2)})
    found.drill = DRILL.model_copy(update={"promises": [Promise(kept="complete"), Promise(kept="stays_up")]})
    assert [failure.code for failure in engine(session, None).judge(found)] == ["drill.crashed", "drill.lost"]


def test_time_is_waited_only_between_disturbances(session: Session) -> None:
    began = time.monotonic()
    engine(session, FakeControl()).require(DRILL)
    assert time.monotonic() - began < 5


def test_the_pairs_are_a_file_of_the_proof(tmp_path: Path) -> None:
    file = tmp_path / "drills.toml"
    file.write_text('[faults]\nR01 = ["openai_down"]\n')
    assert faults_by_drill(file)["openai_down"] == ["R01"]
