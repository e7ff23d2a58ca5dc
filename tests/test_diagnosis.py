"""From facts to findings: clusters, the dependency graph, the worst first, and nothing about what was not judged."""

from __future__ import annotations

import pytest

from reports.diagnosis import Diagnosis
from reports.model import Check
from reports.rules import Rules
from reports.wording import Target, Words
from spec import load
from tests.conftest import ROOT
from tests.recorded import SPEC, asking, check, concluded, worded

NO_RULES = Rules()
CHAT = "endpoint POST /api/chat"
ME = "endpoint GET /me"
LOGIN = "endpoint POST /login"
JOB = "endpoint GET /api/upload-pipeline/jobs/{job_id}"


def missing(number: int) -> Check:
    """A check that met a 405 on one route."""
    return check(f"test_{number}", code="route.missing", subject=CHAT, component="chat", observed={"status": 405})


# ── Clusters ─────────────────────────────────────────────────────────────────────────────────────────────
def test_equal_facts_are_one_finding_without_any_rule() -> None:
    (found,) = concluded([missing(n) for n in range(20)], NO_RULES)
    assert (found.code, found.reach, found.failure_mode) == ("route.missing", 20, None)
    (data,) = worded([], [found])
    assert data["title"] == "routes missing: POST /api/chat"
    assert [(fact["observed"], fact["checks"]) for fact in data["facts"]] == [("405", 20)]


def test_another_status_of_the_same_endpoint_is_another_finding() -> None:
    checks = [
        check(f"t{n}", code="http.status", subject=ME, observed={"status": status}) for n, status in enumerate((200, 201))
    ]
    assert len(concluded(checks, NO_RULES)) == 2
    same = [check(f"t{n}", code="http.status", subject=ME, observed={"status": 201}) for n in range(2)]
    assert len(concluded(same, NO_RULES)) == 1


def test_codes_of_a_whole_component_list_their_subjects() -> None:
    checks = [
        check(name, code="env.missing", subject=f"variable api {name}", component="configuration") for name in ("ONE", "TWO")
    ]
    (found,) = concluded(checks, NO_RULES)
    assert worded(checks, [found])[0]["title"] == "variables are missing: api ONE, api TWO"


def test_an_unknown_failure_has_a_title_made_of_facts() -> None:
    seen = {"error": "timeout", "detail": "not finished within 20 s"}
    failed = check(
        code="http.no_answer", subject=CHAT, component="api", observed=seen, what="POST /api/chat", relation="within"
    )
    checks = [asking(failed, CHAT, 4, 3), asking(check("good", "passed"), CHAT, 5)]
    found = concluded(checks, NO_RULES)
    (data,) = worded(checks, found)
    assert data["title"] == "POST /api/chat: no complete answer, 3 of 9 requests"
    assert (data["failure_mode"], data["confidence"]) == (None, "likely")
    assert data["component"] in SPEC.harness.parts
    assert data["next_step"]
    assert data["causes"]


def test_a_system_without_rules_gets_its_findings_by_the_same_facts() -> None:
    clinic = load(ROOT / "spec" / "clinic" / "specification.toml")
    name = f"endpoint {clinic.endpoints[0].method} {clinic.endpoints[0].path}"
    seen = {"error": "connection broken", "detail": "peer closed"}
    failed = check(code="http.reset", subject=name, component=clinic.service, observed=seen)
    checks = [asking(failed, name, 3, 1, clinic.service), check("t", "blocked", blocked_by="no such part", component="none")]
    found = Diagnosis(checks, NO_RULES, clinic, lambda _: None).conclude()
    words = Words(Target.of("https://clinic.example", clinic, checks))
    titles = {(f.code, f.component): words.title(f) for f in found}
    assert set(titles) == {("http.reset", clinic.service), ("part.unavailable", "none")}
    assert titles["http.reset", clinic.service].endswith("the connection breaks before a response, 1 of 3 requests")


def test_every_failed_or_blocked_check_belongs_to_one_finding() -> None:
    checks = [
        check("idle", code="pipeline.idle", subject="queue jobs", component="worker"),
        check("stuck", code="pipeline.stuck", subject="stage parsed", component="worker"),
        check("other"),
        check("error", code="check.error", subject=ME, observed={"error": "KeyError"}),
        check("one", "blocked", blocked_by="worker"),
        check("two", "blocked", blocked_by="database"),
    ]
    found = concluded(checks, errors={"worker": "", "database": "InvalidPasswordError"})
    named = [name for finding in found for name in (*finding.checks, *dict.fromkeys(finding.blocked))]
    assert sorted(named) == sorted(c.nodeid for c in checks)


def test_a_failed_check_without_facts_is_a_finding_too() -> None:
    failed = check("died")
    failed.facts = type(failed.facts)(component="api")
    assert [f.code for f in concluded([failed])] == ["check.error"]


# ── Prerequisites ────────────────────────────────────────────────────────────────────────────────────────
def test_a_dead_database_is_one_finding() -> None:
    checks = [check(f"test_{n}", "blocked", blocked_by="database") for n in range(50)]
    checks.append(check("health", code="health.unhealthy", subject="part database", component="database"))
    (found,) = concluded(checks, errors={"database": "InvalidPasswordError"})
    assert (found.component, found.failure_mode, found.reach) == ("database", "F10", 51)


def test_an_unavailable_prerequisite_without_a_rule_is_a_finding_of_its_part() -> None:
    checks = [check("x", "blocked", blocked_by="source")]
    found = concluded(checks, errors={"source": ""})
    assert [(f.component, f.failure_mode) for f in found] == [("build", None)]
    assert worded(checks, found)[0]["title"].startswith("source is unavailable")


def test_a_target_of_which_nothing_responds_is_one_finding() -> None:
    checks = [check(f"test_{n}", "blocked", blocked_by="target") for n in range(4)]
    assert [(f.component, f.code, f.reach) for f in concluded(checks, errors={"target": ""})] == [
        ("target", "part.unavailable", 4)
    ]


def test_a_used_up_budget_says_so() -> None:
    found = concluded([check("x", "blocked", blocked_by="budget")], errors={"budget": ""})
    assert [(f.component, f.code, f.harm) for f in found] == [("harness", "harness.budget", "unjudged")]


# ── The graph ────────────────────────────────────────────────────────────────────────────────────────────
KEY = check("key", code="key.refused", subject="key OPENAI_API_KEY", component="openai", observed={"status": 401})


def test_a_symptom_downstream_of_a_cause_is_explained_by_it() -> None:
    symptom = check("chat", code="chat.failed", subject="answer chat", component="chat")
    (found,) = concluded([symptom, KEY], NO_RULES)
    assert (found.component, [fact.code for fact in found.explained]) == ("openai", ["chat.failed"])


@pytest.mark.parametrize(
    "other",
    [
        # Downstream, and no symptom of an outage.
        check("leak", code="isolation.read", subject="endpoint GET /api/chat", component="chat"),
        # A symptom, and not downstream.
        check("realtime", code="health.unhealthy", subject="part realtime", component="realtime"),
        check("auth", code="http.server_error", subject=LOGIN, component="auth", observed={"status": 500}),
    ],
    ids=lambda c: str(c.name),
)
def test_anything_else_stays_a_finding_of_its_own(other: Check) -> None:
    found = concluded([KEY, other], NO_RULES)
    assert sorted(f.facts[0].check for f in found) == sorted([KEY.nodeid, other.nodeid])
    assert not any(f.explained for f in found)


def test_a_slow_part_explains_slowness_and_nothing_else() -> None:
    index = check("index", code="db.index_missing", subject="index embedding", component="database")
    slow = check("slow", code="target.slow", subject="target chat", component="chat")
    broken = check("broken", code="chat.failed", subject="answer chat", component="chat")
    found = {f.code: f for f in concluded([index, slow, broken])}
    assert found["db.index_missing"].failure_mode == "F27"
    assert [fact.code for fact in found["db.index_missing"].explained] == ["target.slow"]
    assert set(found) == {"db.index_missing", "chat.failed"}


def test_one_broken_endpoint_explains_no_other_part() -> None:
    one = check("one", code="http.server_error", subject=JOB, component="api", observed={"status": 500})
    chat = check("chat", code="chat.ungrounded", subject="answer chat", component="chat")
    assert len(concluded([one, chat], NO_RULES)) == 2


def test_many_broken_endpoints_explain_what_lies_downstream() -> None:
    many = [
        check(f"t{n}", code="http.server_error", subject=f"endpoint GET /{n}", component="api", observed={"status": 500})
        for n in range(4)
    ]
    chat = check("chat", code="chat.ungrounded", subject="answer chat", component="chat")
    (found,) = concluded([*many, chat], NO_RULES)
    assert [fact.code for fact in found.explained] == ["chat.ungrounded"]


# ── Where a fault lies ───────────────────────────────────────────────────────────────────────────────────
UPLOAD = "endpoint POST /api/upload-pipeline/upload"
PROXY = "endpoint PUT /api/upload-pipeline/upload-file-proxy/{bucket}/{key}"


@pytest.mark.parametrize(
    ("broken", "works", "part"),
    [
        ([UPLOAD, PROXY], [ME, JOB], "storage"),
        # One endpoint may be broken by itself.
        ([PROXY], [ME], "api"),
        # The database and storage are both left.
        ([UPLOAD, PROXY], [], "api"),
        # Everything that they need works elsewhere: it is the service's own.
        ([JOB, ME], [CHAT], "api"),
    ],
)
def test_the_part_behind_the_broken_endpoints_is_named(broken: list[str], works: list[str], part: str) -> None:
    failed = [
        asking(check(f"bad-{n}", code="http.server_error", subject=name, observed={"status": 500}), name, 2, 1)
        for n, name in enumerate(broken)
    ]
    good = [asking(check(f"good-{n}", "passed"), name, 1) for n, name in enumerate(works)]
    (found,) = concluded([*failed, *good], NO_RULES)
    assert found.component == part


def test_a_part_that_the_service_says_it_can_use_is_not_at_fault() -> None:
    failed = [
        asking(check(f"bad-{n}", code="http.server_error", subject=name, observed={"status": 500}), name, 2, 1)
        for n, name in enumerate((UPLOAD, PROXY))
    ]
    good = [asking(check("me", "passed"), ME, 1), asking(check("job", "passed"), JOB, 1)]
    usable = check("health", "passed", code="health.unhealthy", subject="part storage")
    assert [f.component for f in concluded([*failed, *good, usable], NO_RULES)] == ["api"]
    unhealthy = check("health", code="health.unhealthy", subject="part storage")
    assert "storage" in [f.component for f in concluded([*failed, *good, unhealthy], NO_RULES)]


def test_an_endpoint_that_failed_once_clears_no_part() -> None:
    failed = asking(check("bad", code="http.server_error", subject=CHAT, observed={"status": 500}), CHAT, 1, 1)
    shaky = asking(check("good", "passed"), JOB, 9, 1)
    assert [f.component for f in concluded([failed, shaky], NO_RULES)] == ["api"]
