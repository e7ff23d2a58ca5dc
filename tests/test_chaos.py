"""Chaos: the story is a function of its seed, what came of it is judged by what was seen, and a short run on a twin."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import httpx
import pytest

from gate.exit_codes import ExitCode
from gate.failures import Failure
from gate.http import Reply
from gate.settings import ConfigurationError
from proof.chaos.__main__ import command_of, main, parse, story_of
from proof.chaos.answers import Answers, Known
from proof.chaos.happened import Asked, Happened, HealthSeen, Sent, Struck
from proof.chaos.judging import Judge, outcome_of
from proof.chaos.page import put_section
from proof.chaos.stored import Ended
from proof.chaos.story import Options, Planned, tell
from proof.chaos.summary import calm_recoveries, finding
from spec.model import Chaos
from tests.conftest import ROOT, without_settings
from tests.recorded import SPEC
from twin.control import kinds

RULE = SPEC.chaos
OPTIONS = Options.of(RULE, 60, 3)
STORY = tell(RULE, OPTIONS, 1)


# ── The story ────────────────────────────────────────────────────────────────────────────────────────────
def test_the_same_seed_tells_the_same_story() -> None:
    again = tell(Chaos.model_validate(RULE.model_dump()), Options.of(RULE, 60, 3), 1)
    assert json.dumps(again.as_data()) == json.dumps(STORY.as_data())
    assert again.id == STORY.id


def test_another_seed_or_another_option_tells_another_story() -> None:
    stories = [STORY, tell(RULE, OPTIONS, 2), *(tell(RULE, Options.of(RULE, *other), 1) for other in ((61, 3), (60, 4)))]
    assert len({story.id for story in stories}) == len(stories)
    assert all(one.disturbances != other.disturbances for one, other in combinations([stories[0], stories[1]], 2))


def test_more_documents_change_nothing_of_what_is_broken() -> None:
    assert tell(RULE, Options.of(RULE, 200, 3), 1).disturbances == STORY.disturbances


def test_nobody_sends_more_than_the_limits_allow() -> None:
    for story in (STORY, tell(RULE, Options.of(RULE), 3)):
        each = [sum(one.user == user for one in story.uploads) for user in range(story.options.users)]
        assert sum(each) == story.options.documents
        assert max(each) <= SPEC.limits.max_uploads_per_day_per_user
        assert min(each) > 0
    with pytest.raises(ConfigurationError, match="--users 10: each would send 6 documents, and 3 a day are allowed"):
        story_of(SPEC, parse(["--documents", "60", "--users", "10"]))


def test_disturbances_keep_to_the_specification() -> None:
    story = tell(RULE, Options.of(RULE), 5)
    assert len(story.disturbances) > 100
    assert {one.kind for one in story.disturbances} == {one.disturb.kind for one in RULE.disturbance}
    for one in story.disturbances:
        held = [other for other in story.disturbances if other.at <= one.at < other.until]
        assert len(held) <= RULE.at_once
        assert len({other.part for other in held}) == len(held)
        assert RULE.calm_seconds <= one.at < one.until <= story.options.seconds


def test_the_control_knows_every_disturbance() -> None:
    processes = ("api", *("worker", "worker2", "worker3")[: RULE.workers])
    for one in RULE.disturbance:
        kinds.read(one.disturb.options(1) | {"seconds_at_most": 10}, processes)


def test_no_disturbance_outlasts_what_the_control_allows() -> None:
    assert max(one.seconds[1] for one in RULE.disturbance) < kinds.SECONDS_AT_MOST


def test_the_story_is_told_without_a_twin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--story", "--seed", "1", "--documents", "60", "--minutes", "3", "--out", str(tmp_path)]) == ExitCode.PASS
    assert f"seed 1, story {STORY.id}: 60 documents of 30 users in 3 minutes" in capsys.readouterr().out
    assert json.loads((tmp_path / "story.json").read_text()) == json.loads(json.dumps(STORY.as_data()))


# ── The judge ────────────────────────────────────────────────────────────────────────────────────────────
def ended(number: int = 0, **changed: Any) -> Ended:
    """A complete document whose text is whole."""
    lines = (f"Chapter 1 of policy p-{number}: ambulance transport.", "A line that is long enough to be broken.")
    whole = Ended(
        number, number, f"user-{number}", f"p-{number}.pdf", f"policy p-{number}:", lines, True, True,
        f"d{number}", f"j{number}", "complete", "done",
        texts=(lines[0], "A line that is long\nenough to be broken."), charged=(4.0,),
    )  # fmt: skip
    return replace(whole, **changed)


def planned(number: int, **asked: str) -> Planned:
    """A disturbance of a story."""
    return Planned(number, asked.get("target", ""), 5, 5, asked)


def judge(*struck: Struck, disturbances: tuple[Planned, ...] = ()) -> Judge:
    """The judge of a run in which these disturbances struck."""
    story = replace(STORY, disturbances=disturbances)
    return Judge(story, RULE, SPEC.pipeline, Happened(struck=list(struck)))


def codes(found: Iterator[Failure]) -> list[str]:
    """The codes of failures."""
    return [failure.code for failure in found]


FAILED = {"status": "failed_parse", "state": "deadletter", "error": '{"reason": "no text"}', "texts": ()}


@pytest.mark.parametrize(
    ("changed", "outcome", "wanted"),
    [
        ({}, "complete", []),
        ({"document_id": "", "job_id": "", "status": "", "state": ""}, "missing", ["drill.not_accepted"]),
        ({"status": "chunks_stored", "state": "retryable"}, "unfinished", ["drill.lost"]),
        ({"state": "queued"}, "unfinished", ["drill.lost"]),
        ({"texts": ("Chapter 1 of policy p-0: ambulance transport.",)}, "complete", ["drill.lost"]),
        ({"was_sent": False}, "complete", ["drill.dishonest"]),
        ({"is_readable": False, "sentences": ()}, "complete", ["drill.dishonest"]),
        (FAILED | {"is_readable": False}, "failed", []),
        (FAILED, "failed", ["drill.failed"]),
    ],
)
def test_each_document_is_complete_or_failed(changed: dict[str, Any], outcome: str, wanted: list[str]) -> None:
    stored = [ended(**changed), ended(1), ended(2)]
    assert outcome_of(stored[0], SPEC.pipeline) == outcome
    assert codes(judge().documents(stored)) == wanted


def test_a_few_documents_may_fail() -> None:
    stored = [ended(0, **FAILED), *map(ended, range(1, 10))]
    assert not codes(judge().documents(stored))


KILLED = planned(0, kind="process", target="worker2", how="kill")
SLOW = planned(0, kind="vendor", target="openai", how="slow")


@pytest.mark.parametrize(
    ("charged", "disturbance", "struck", "is_right"),
    [
        ((4.0,), SLOW, Struck(0, 5, 10), True),
        ((4.0, 9.0), KILLED, Struck(0, 5, 6), True),
        ((4.0, 4.5), KILLED, Struck(0, 5, 6), False),  # before
        ((4.0, 90.0), KILLED, Struck(0, 5, 6), False),  # long after
        ((4.0, 9.0), KILLED, Struck(0, 5, 6, refused="worker2 does not run"), False),
        ((4.0, 9.0), SLOW, Struck(0, 5, 10), False),  # nothing that hides an answer of the parser
        ((4.0, *map(float, range(6, 13))), KILLED, Struck(0, 5, 12), False),  # too often
    ],
)
def test_a_document_is_charged_once_unless_something_explains_it(
    charged: tuple[float, ...], disturbance: Planned, struck: Struck, is_right: bool
) -> None:
    found = codes(judge(struck, disturbances=(disturbance,)).charges([ended(charged=charged), ended(1)]))
    assert found == ([] if is_right else ["drill.twice"])


# ── Answers ──────────────────────────────────────────────────────────────────────────────────────────────
OWN, OTHER = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"
ANSWERS = Answers(
    STORY,
    SPEC.chat,
    [Known(0, 0, OWN, "tag-chaos-0000.pdf", "555-014-1111"), Known(1, 1, OTHER, "tag-chaos-0001.pdf", "555-014-2222")],
    re.compile(r"tag-chaos-(\d+)"),
)
GROUNDED = {"text": "Call 555-014-1111.", "sources": [{"document_id": OWN, "text": "…", "similarity": 0.8}], "success": True}
SORRY = {
    "text": "I apologize.",
    "sources": ["system"],
    "success": False,
    "metadata": {"error_type": "NoProvider", "degraded": True},
}


def asked(body: object, status: int = 200, complete: frozenset[int] = frozenset({0}), afterwards: bool = False) -> Asked:
    """A question of user 0."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = "text/plain" if isinstance(body, bytes) else "application/json"
    headers = httpx.Headers({"content-type": kind})
    reply = Reply("POST", "/api/chat", status, headers, content, 0.1, "chat", SPEC.endpoint("chat"))
    return Asked(0, 5.0, 0.1, complete, reply, afterwards)


@pytest.mark.parametrize(
    ("question", "kind", "code"),
    [
        (asked(GROUNDED), "from documents", ""),
        (asked(SORRY), "apologies", ""),
        (asked(SORRY | {"success": True}), "apologies", "drill.dishonest"),
        (asked(SORRY | {"metadata": {"error_type": "NoProvider"}}), "apologies", "drill.dishonest"),
        (asked(GROUNDED | {"text": "Call 555-014-9999."}), "from documents", "drill.dishonest"),
        (asked(GROUNDED | {"text": "See tag-chaos-0001."}), "from documents", "isolation.read"),
        (asked(GROUNDED | {"sources": [{"document_id": OTHER, "text": "…"}]}), "from documents", "isolation.read"),
        (asked({"text": "Nothing.", "sources": [], "success": True}), "nothing known yet", "drill.dishonest"),
        (asked({"text": "Nothing.", "sources": [], "success": True}, complete=frozenset()), "nothing known yet", ""),
        (asked({"detail": "no"}, 503), "refused", ""),
        (asked(b"Internal Server Error", 500), "refused", ""),
        (asked(b"It works!"), "refused", "drill.response"),
        (asked(SORRY, afterwards=True), "apologies", "drill.unanswered"),
        (replace(asked(SORRY), reply=None), "without a response", ""),
    ],
)  # fmt: skip
def test_answers_are_honest(question: Asked, kind: str, code: str) -> None:
    seen = ANSWERS.look(question)
    assert (seen.kind, seen.code) == (kind, code), seen
    counted, failures = ANSWERS.judge([question])
    assert counted == {kind: 1}
    assert codes(iter(failures)) == ([code] if code else [])


# ── What is said of it ───────────────────────────────────────────────────────────────────────────────────
def test_a_recovery_counts_where_nothing_else_was_broken() -> None:
    story = replace(STORY, disturbances=(KILLED, replace(SLOW, number=1)))
    happened = Happened(struck=[Struck(0, 5, 6), Struck(1, 20, 25)], lifted=40)
    happened.looks = [
        HealthSeen(7, 200, "degraded", ("openai",)),
        HealthSeen(9, 200, "healthy"),
        HealthSeen(26, 200, "healthy"),
    ]
    assert calm_recoveries(story, happened, "healthy") == [(3, KILLED), (1, story.disturbances[1])]
    happened.struck[1] = Struck(1, 5.5, 8)
    assert calm_recoveries(story, happened, "healthy") == [(1, story.disturbances[1])]


def test_what_happened_is_written_in_the_order_of_time() -> None:
    happened = Happened()
    for one in (Sent(0, "upload", 2, 1, 503), Struck(0, 1, 4), Sent(0, "poll", 3, 1, 200), HealthSeen(0.5, 200, "healthy")):
        happened.note(one)
    assert [(one["event"], one["at"]) for one in happened.as_data()] == [("health", 0.5), ("disturbance", 1), ("request", 2)]


def test_a_finding_is_one_line() -> None:
    failure = next(judge().documents([ended(status="parsed", state="working")]))
    line = finding(failure)
    assert line.startswith("drill.lost at worker: ")
    assert "document 0 of user 0 is parsed, working" in line
    assert "\n" not in line


def test_the_page_has_a_section_for_each_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "chaos.md"
    page.write_text("# Chaos\n")
    monkeypatch.setattr("proof.chaos.page.PAGE", page)
    command = command_of(parse(["--seed", "1", "--documents", "60", "--minutes", "3"]))
    for verdict in ("FAIL, 1 findings", "PASS"):
        put_section(STORY, command, [("documents", "60 complete")], verdict)
    text = page.read_text()
    assert text.count("## Seed 1, 60 documents, 3 minutes") == 1
    assert "`python -m proof.chaos --seed 1 --documents 60 --minutes 3`" in text
    assert "| verdict | **PASS** |" in text
    assert "FAIL" not in text


# ── What chaos has found ─────────────────────────────────────────────────────────────────────────────────
LEASE = """
import asyncio
from backend.workers.lease import Leases

class Pool:
    renewing = asyncio.Event()

    async def execute(self, *_):
        self.renewing.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            # As the pool does where the connection of a cancelled statement is lost.
            raise OSError from None

async def main():
    async with Leases(Pool(), 6000).kept({"job_id": 1, "claim_id": 1}):
        await Pool.renewing.wait()

asyncio.run(asyncio.wait_for(main(), 5))
"""


def test_a_lease_ends_with_its_work_also_where_its_renewal_fails() -> None:
    command = [sys.executable, "-c", LEASE]
    done = subprocess.run(
        command, cwd=ROOT / "twin" / "source", env=without_settings(), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


# ── On a twin ────────────────────────────────────────────────────────────────────────────────────────────
def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A short run in a process of its own."""
    command = [sys.executable, "-m", "proof.chaos", "--documents", "12", "--minutes", "0.35", "--out", str(folder), *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=without_settings(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and output of a short run."""
    process = start(folder, *arguments)
    output, _ = process.communicate(timeout=420)
    return process.returncode, output


@pytest.mark.twin
def test_a_short_run_ends_well(tmp_path: Path) -> None:
    code, output = run(tmp_path, "--seed", "1")
    assert code == ExitCode.PASS, output
    assert "0 unfinished, 0 never accepted" in output
    story, events = (json.loads((tmp_path / name).read_text()) for name in ("story.json", "events.json"))
    assert story["story"] == events["story"] == tell(RULE, Options.of(RULE, 12, 0.35), 1).id
    struck = [one for one in events["events"] if one["event"] == "disturbance"]
    assert {one["number"] for one in struck} == {one["number"] for one in story["disturbances"]}


@pytest.mark.twin
@pytest.mark.parametrize(("fault", "code"), [("R39", "steady.across")])
def test_a_protection_that_is_missing_shows(tmp_path: Path, fault: str, code: str) -> None:
    exit_code, output = run(tmp_path, "--seed", "1", "--fault", fault)
    assert exit_code == ExitCode.FAIL, output
    assert f"finding       {code}" in output


@pytest.mark.twin
def test_ctrl_c_ends_it_and_its_twin(tmp_path: Path) -> None:
    process = start(tmp_path, "--seed", "1")
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("run "):
            break
    time.sleep(4)  # users are made, and nothing says so
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == ExitCode.INTERRUPTED, output
    assert "Traceback" not in output
