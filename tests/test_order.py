"""The order of findings, worst first; nothing about what was not judged, and no failure mode without proof."""

from __future__ import annotations

from reports import judgement
from tests.recorded import RULES, SPEC, check, concluded, worded

ME = "endpoint GET /me"
JOB = "endpoint GET /api/upload-pipeline/jobs/{job_id}"


# ── The order ────────────────────────────────────────────────────────────────────────────────────────────
def test_written_across_users_comes_first_and_drift_last() -> None:
    checks = [
        check("drift", code="header.version", subject="header Server", component="api"),
        *[check(f"out{n}", code="cors.missing", subject=f"origin o{n}", component="network") for n in range(9)],
        check("secret", code="secret.shown", subject="endpoint GET /debug", component="api"),
        check("shown", code="isolation.read", subject=JOB, component="auth"),
        check("written", code="isolation.write", subject="endpoint PUT /files", component="storage"),
        check("lost", code="data.lost", subject="document policy", component="worker"),
        check("value", code="http.value", subject=ME, component="api"),
        check("slow", code="target.slow", subject="target realtime", component="realtime"),
        check("promise", code="limit.missing", subject="limit chat", component="api"),
    ]
    found = concluded(checks)
    assert [f.harm for f in found] == [
        "written_across", "shown_across", "secrets", "data_lost", "outage", "wrong_answers", "broken_promise", "slow", "drift",
    ]  # fmt: skip


def test_among_equal_harm_reach_decides_and_then_confidence() -> None:
    few = check("few", code="cors.missing", subject="origin a", component="network")
    many = [check(f"m{n}", code="storage.missing", subject=f"bucket b{n}", component="storage") for n in range(3)]
    likely = check("likely", code="http.not_json", subject=ME, component="auth", observed={"status": 200})
    found = concluded([likely, few, *many])
    assert [(f.component, f.reach, f.confidence) for f in found] == [
        ("storage", 3, "observed"),
        ("network", 1, "proven"),
        ("auth", 1, "likely"),
    ]


# ── What was not judged ──────────────────────────────────────────────────────────────────────────────────
def test_nothing_is_asserted_about_what_was_not_judged() -> None:
    checks = [
        check(f"render-{n}", "not judged", "platform.differs", "service api", component="render",
              not_judged="set RENDER_API_KEY", to_set="RENDER_API_KEY")
        for n in range(3)
    ]  # fmt: skip
    assert concluded(checks) == []
    assert judgement.not_judged(checks) == [{"what": "set RENDER_API_KEY", "set": "RENDER_API_KEY", "checks": 3}]
    assert judgement.decide(checks, False, SPEC.service) == "pass"
    assert judgement.decide(checks, False, SPEC.service, wants_all=True) == "blocked"


def test_a_failure_mode_without_proof_is_a_possible_cause() -> None:
    # F04 is not proven where the bucket itself is missing.
    checks = [
        check("closed", code="storage.closed", subject="bucket files", component="storage"),
        check("missing", code="storage.missing", subject="bucket files", component="storage"),
    ]
    data = worded(checks, concluded(checks))
    assert {finding["failure_mode"] for finding in data} == {None}
    assert any(cause.startswith("possibly F04: ") for finding in data for cause in finding["causes"])


def test_a_rule_of_the_system_is_proven_by_its_own_fact_only() -> None:
    fresh = check(code="health.stale", subject="endpoint GET /health", observed={"seconds": -40})
    old = check(code="health.stale", subject="endpoint GET /health", observed={"seconds": 40})
    assert concluded([fresh], RULES)[0].failure_mode is None
    assert concluded([old], RULES)[0].failure_mode == "F19"
