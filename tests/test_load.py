"""The load's logic: schedules, histograms, and a frozen server seen as it is."""

import itertools
import math
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from fixtures.system import Staging
from gate.run import Run, new_run_id
from gate.session import Session
from gate.settings import ConfigurationError
from load import page, processes
from load.arrivals import schedule
from load.compare import Comparer, Comparison, run_spread
from load.histogram import Latencies
from load.judge import judge, problems
from load.knee import Step, find_knee
from load.levels import Level, linearity
from load.observe import Job, documents_of
from load.open_loop import OpenLoop
from load.plan import LoadPlan
from load.record import BESIDE, BlockRecord, Documents, LoadRecord, LostWorker, Part, Parts, Sample, baseline, store
from load.recorder import UNANSWERED, Recorder
from load.target import release_under_test
from spec import load
from spec.model import Segment, Specification


@pytest.fixture(scope="module")
def spec() -> Specification:
    """The Navigator's specification."""
    return load()


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A session on a target that exists nowhere; the release that is expected there is known."""
    values = {"API_BASE_URL": "http://127.0.0.1:9", "HARNESS_EXPECTED_COMMIT": "c" * 40}
    found = Session(Run(new_run_id(), "live", tmp_path / "run", values, purpose="load"), Staging())
    yield found
    found.close()


def test_a_constant_rate_is_even() -> None:
    due = list(schedule([Segment(seconds=2, rate=10, arrivals="constant")]))
    assert due == pytest.approx([n / 10 for n in range(20)])


def test_a_ramp_holds_the_mean_of_its_ends() -> None:
    due = list(schedule([Segment(seconds=10, rate=10, to_rate=30, arrivals="constant")]))
    assert len(due) == 200
    assert sum(moment < 5 for moment in due) == pytest.approx(75, abs=1)
    assert due == sorted(due)


def test_poisson_arrivals_have_their_rate_and_spread() -> None:
    due = list(schedule([Segment(seconds=200, rate=50)], seed=3))
    gaps = [b - a for a, b in itertools.pairwise(due)]
    mean = sum(gaps) / len(gaps)
    spread = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps))
    assert mean == pytest.approx(1 / 50, rel=0.05)
    assert spread == pytest.approx(mean, rel=0.1)


def test_generators_share_one_schedule_exactly() -> None:
    segments = [Segment(seconds=3, rate=20), Segment(seconds=2, rate=20, to_rate=60)]
    whole = list(schedule(segments, seed=5))
    parts = [list(schedule(segments, seed=5, share=n, of=3)) for n in range(3)]
    assert sorted(moment for part in parts for moment in part) == whole


def test_histograms_merge_exactly() -> None:
    one, other, both = Latencies(), Latencies(), Latencies()
    for n in range(1, 2000):
        (one if n % 2 else other).record(n / 7)
        both.record(n / 7)
    one.merge(Latencies(other.encode()))
    assert one.count == both.count
    assert [one.percentile(p) for p in (50, 90, 99, 100)] == [both.percentile(p) for p in (50, 90, 99, 100)]


def measured(request: Callable[[float], None], segment: Segment, in_flight: int, stop_seconds: float) -> tuple[LoadRecord, int]:
    """What the open loop and the recorder make of this request, and how many were never sent."""
    recorder = Recorder(block_seconds=0.5)

    def one(due: float) -> None:
        started = loop.now
        number = recorder.begin("health", due, started)
        request(due)
        recorder.end(number, loop.now, (loop.now - started) * 1000, None)

    loop = OpenLoop(one, in_flight)
    loop.run(schedule([segment]), stop_seconds)
    recorder.abandon(loop.now)
    recorder.dropped = loop.dropped
    parts = Parts()
    parts.add("local", recorder.part())
    return a_record(**dict(parts.whole())), loop.dropped


def test_a_frozen_server_is_seen_from_the_schedule() -> None:
    """A server that freezes for 0.4 of 1 s: the schedule's own arithmetic tells what people would have seen."""
    freeze_from, freeze_to, rate = 0.3, 0.7, 100

    def request(due: float) -> None:
        if freeze_from <= due < freeze_to:
            gevent.sleep(freeze_to - due)

    record, dropped = measured(request, Segment(seconds=1, rate=rate, arrivals="constant"), 500, 2)
    assert record.requests == rate
    assert not dropped
    # A closed loop would have seen one slow request; four in ten arrive during the freeze.
    assert record.latencies("health").percentile(95) > 250


def test_what_has_no_answer_at_the_end_is_a_failure_and_what_found_no_place_makes_the_run_invalid(spec: Specification) -> None:
    record, dropped = measured(lambda _: gevent.sleep(9), Segment(seconds=0.5, rate=100, arrivals="constant"), 5, 0.1)
    assert record.requests == 5
    assert record.errors() == {UNANSWERED: 5}
    assert dropped == 45
    assert any("45 requests were not sent" in problem for problem in problems(record, spec))


def a_record(**fields: Any) -> LoadRecord:
    """A stored run with these fields."""
    usual: dict[str, Any] = {"run_id": "r", "release": "a" * 40, "target": "twin", "kind": "twin", "profile": "compare"}
    usual |= {"started_at": "2026-01-01T00:00:00+00:00", "seconds": 20, "block_seconds": 1.0, "verdict": "pass"}
    return LoadRecord(**(usual | fields))


def drawn(seed: int, factor: float = 1.0, blocks: int = 20, each: int = 40, **fields: Any) -> LoadRecord:
    """A run whose service times are drawn from a skewed distribution around 5 ms."""
    chance = random.Random(seed)
    found = []
    for index in range(blocks):
        times = [factor * chance.lognormvariate(math.log(5), 0.4) for _ in range(each)]
        text = Latencies.of(times).encode()
        found.append(BlockRecord(task="health", block=index, response=text, service=text))
    return a_record(blocks=found, lag=Latencies.of([0.1] * blocks * each).encode(), **fields)


def compare(old: LoadRecord, new: LoadRecord) -> Comparison:
    """Two interleaved runs compared."""
    return Comparer(load().load.regression, seed=1).compare([old], [new])[0]


def test_a_fifth_more_is_slower_and_the_same_is_not() -> None:
    judged = [compare(drawn(n), drawn(n + 100, 1.2)).judgement for n in range(5)]
    assert judged == ["slower"] * 5
    assert all(compare(drawn(n), drawn(n + 100)).judgement != "slower" for n in range(5))
    assert compare(drawn(1, 1.2), drawn(2)).judgement == "faster"


def test_too_little_is_said_to_be_too_little() -> None:
    assert compare(drawn(1, each=3), drawn(2, 2.0)).judgement == "not enough data"
    assert compare(drawn(1, blocks=3, each=100), drawn(2, 2.0)).judgement == "not enough data"


def test_runs_that_differ_by_themselves_widen_the_interval(spec: Specification) -> None:
    rule = spec.load.regression
    history = [drawn(n, factor) for n, factor in enumerate((1.0, 1.4, 0.8, 1.2))]
    assert run_spread(history[:2], "health", rule) == rule.run_spread
    assert run_spread(history, "health", rule) > 2 * rule.run_spread
    found = Comparer(rule, 1, history).compare([history[0]], [drawn(9, 1.2)])[0]
    assert found.judgement == "not enough data"


def test_with_runs_enough_the_runs_are_the_sample(spec: Specification) -> None:
    rule, chance = spec.load.regression, random.Random(5)
    old = [drawn(n, math.exp(chance.gauss(0, 0.05)), blocks=8) for n in range(rule.repeats)]
    same = [drawn(n + 50, math.exp(chance.gauss(0, 0.05)), blocks=8) for n in range(rule.repeats)]
    slow = [drawn(n + 100, 1.2 * math.exp(chance.gauss(0, 0.05)), blocks=8) for n in range(rule.repeats)]
    assert Comparer(rule, 1, old).compare(old, same)[0].judgement != "slower"
    assert Comparer(rule, 1, old).compare(old, slow)[0].judgement == "slower"


def test_what_the_machine_became_slower_by_is_taken_off(spec: Specification) -> None:
    def beside_another(seed: int, factor: float) -> LoadRecord:
        run = drawn(seed, factor)
        others = [block.model_copy(update={"task": BESIDE + "health"}) for block in drawn(seed + 7, factor).blocks]
        return run.model_copy(update={"blocks": [*run.blocks, *others]})

    rule = spec.load.regression
    found = Comparer(rule, 1).compare([beside_another(1, 1.0)], [beside_another(2, 1.5)])[0]
    assert found.ratios[0].ratio == pytest.approx(1, abs=0.1)
    assert beside_another(1, 1.0).tasks() == ["health"]


def test_generators_parts_add_up_and_later_parts_replace_earlier_ones() -> None:
    one, other, parts = Recorder(1.0), Recorder(1.0), Parts()
    one.end(one.begin("health", 0.1, 0.1), 0.2, 100, None)
    parts.add("one", one.part())
    one.end(one.begin("health", 0.5, 0.6), 0.7, 100, "503 instead of 200")
    parts.add("one", one.part())
    other.end(other.begin("health", 0.3, 0.3), 1.3, 1000, None)
    parts.add("other", other.part())
    record = a_record(**dict(parts.whole()))
    assert record.requests == 3
    assert record.errors() == {"503 instead of 200": 1}
    assert record.done == {0: 2, 1: 1}
    assert record.latencies("health").percentile(100) == pytest.approx(1000, rel=0.001)
    assert record.schedule_lag().percentile(100) == pytest.approx(100, rel=0.001)


def test_thresholds_become_verdicts(spec: Specification) -> None:
    good, slow = drawn(1), drawn(2, 100)
    assert judge(good, spec, []).exit_code == 0
    judged = judge(slow, spec, [])
    assert (judged.verdict, judged.exit_code) == ("fail", 1)
    assert judged.broken[0].expected.startswith("health under load: p95 below 200 ms")
    assert judge(a_record(aborted="silent"), spec, []).exit_code == 6
    lost = judge(drawn(1, lost=[LostWorker(name="w2", at=3.0)]), spec, [])
    assert lost.verdict == "invalid"
    assert "w2 was lost after 3 s" in lost.problems[0]


def test_the_baseline_is_chosen_by_release_file_or_the_last_one(tmp_path: Path) -> None:
    history = tmp_path / "loads.jsonl"
    assert baseline("last", "compare", "twin", "new", history) == []
    with pytest.raises(ConfigurationError, match="no such file"):
        baseline("abc", "compare", "twin", "new", history)
    for release in ("old", "older", "new"):
        store(drawn(1, release=release), history)
    store(drawn(1, release="broken", faults=["F30"]), history)
    assert [run.release for run in baseline("last", "compare", "twin", "new", history)] == ["older"]
    assert [run.release for run in baseline("ol", "compare", "twin", "new", history)] == ["old", "older"]
    assert len(baseline(str(history), "compare", "another", "new", history)) == 4
    with pytest.raises(ConfigurationError, match="no stored run of profile nightly"):
        baseline("old", "nightly", "twin", "new", history)
    history.write_text("{}\n")
    with pytest.raises(ConfigurationError, match="line 1"):
        baseline("old", "compare", "twin", "new", history)


def test_the_knee_is_found_by_growing_and_halving(spec: Specification) -> None:
    rule = spec.load.stress
    steps = find_knee(rule, lambda rate: Step(rate, rate <= 100, "", {}))
    best = max(step.rate for step in steps if step.holds)
    assert 100 / (1 + rule.precision) <= best <= 100
    assert not any(step.holds for step in find_knee(rule, lambda rate: Step(rate, False, "", {})))


def test_the_worker_is_linear_or_not() -> None:
    def level(parallel: int, per_minute: float) -> Level:
        return Level(parallel, Documents(uploaded=4, done=4, per_minute=per_minute))

    assert "is linear" in linearity([level(1, 10), level(2, 19), level(4, 37)], 0.25)
    assert "is not linear" in linearity([level(1, 10), level(2, 11)], 0.25)
    assert "not enough data" in linearity([level(1, 0), level(2, 11)], 0.25)


def test_the_page_stands_alone_and_shows_what_attacks_it_as_text(session: Session, tmp_path: Path) -> None:
    record = drawn(1, due={0: 40}, done={0: 40}, lag_by_block={0: 0.3})
    record.blocks[0].errors["<script>alert(1)</script>"] = 1
    session.masking.learn("A_SECRET", "a-long-secret")
    record.blocks[0].errors["a-long-secret"] = 1
    judged = judge(record, session.spec, [compare(drawn(3), record)])
    text = page.write(session, record, judged, [drawn(3)], tmp_path).read_text()
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "a-long-secret" not in text
    assert "[A_SECRET]" in text
    assert not re.search(r"(src|href)=\"(?!#)", text)
    assert text.count("<svg") == 4


def test_the_pages_of_stress_and_worker_are_drawn(session: Session, tmp_path: Path) -> None:
    steps = [
        Step(20, True, "", {"health": 2.0}),
        Step(32, False, "health: p95 below 200 ms, observed 300 ms", {"health": 300.0}),
    ]
    text = page.write_stress(session, steps, 20, tmp_path).read_text()
    assert "Knee at 20 requests a second" in text
    assert f"release {'c' * 12}," in text
    assert text.count("<svg") == 1
    samples = [Sample(at=0.5, queue=2, oldest_seconds=1.0, connections=5, connections_allowed=100)]
    levels = [Level(n, Documents(uploaded=4, done=4, per_minute=10.0 * n, seconds=[1.0] * 4), samples) for n in (1, 2)]
    text = page.write_worker(session, levels, linearity(levels, 0.25), tmp_path).read_text()
    assert "20 documents a minute" in text
    assert "throughput is linear" in text
    assert text.count("<svg") == 3


def test_the_release_is_the_one_expected_of_the_target_else_the_checkout(session: Session, tmp_path: Path) -> None:
    assert release_under_test(session) == "c" * 40
    values = {"API_BASE_URL": "http://127.0.0.1:9"}
    other = Session(Run(new_run_id(), "live", tmp_path / "other", values), Staging())
    assert re.fullmatch(r"[0-9a-f]{40}|unknown", release_under_test(other))
    other.close()


def test_a_plan_reaches_the_other_processes_unchanged(session: Session) -> None:
    with pytest.raises(ConfigurationError, match="no load run was planned"):
        LoadPlan.read(session.shared)
    plan = LoadPlan.of(session.spec, session.spec.load.gate_profile, seconds=3, rate=2)
    plan.save(session.shared)
    assert LoadPlan.read(session.shared) == plan


def test_a_generators_part_survives_its_way_to_the_master() -> None:
    recorder = Recorder(1.0)
    recorder.end(recorder.begin("health", 0.5, 0.6), 1.7, 100, "503 instead of 200")
    part = recorder.part()
    assert Part.model_validate_json(part.model_dump_json()) == part


def test_locust_is_told_the_runs_folder_by_an_option() -> None:
    assert [command.count("--run-folder") for command in processes.commands("folder", 2, 0)] == [1, 1, 1]
    single = processes.commands("folder", 1, 0)
    assert len(single) == 1
    assert not {"--master", "--worker"} & set(single[0])
    remote = processes.commands("folder", 0, 2)
    assert len(remote) == 1
    assert ["0.0.0.0", "--master-bind-port", str(processes.REMOTE_PORT)] == remote[0][-9:-6]


def test_documents_are_counted_by_their_jobs(spec: Specification) -> None:
    pipeline = spec.pipeline
    stages = {stage: float(number) for number, stage in enumerate(pipeline.stages)}
    complete = Job(0.0, pipeline.final_state, stages | {pipeline.final_status: 9.0})
    found = documents_of([complete, Job(3.0, pipeline.failed_state), Job(5.0, "queued")], spec)
    assert (found.uploaded, found.done, found.failed) == (3, 1, 1)
    assert found.seconds == [9.0]
    assert found.per_minute == pytest.approx(60 / 9, abs=0.1)
    assert found.stages[pipeline.stages[0]] == [1.0]
    assert documents_of([], spec) == Documents()
