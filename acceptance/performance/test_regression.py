"""8.3.1 Measure API response times: no slower than the last release, also inside the target (failure mode F31)."""

import pytest

from gate.http import expect
from gate.selection import each, promised
from gate.session import Session
from load.checks import Regression, against_baseline
from spec import entries

pytestmark = [
    pytest.mark.performance,
    pytest.mark.checklist("8.3.1"),
    pytest.mark.component("api"),
    pytest.mark.needs("api", "supabase"),
    promised("load"),
]


@pytest.fixture(scope="module")
def regression(session: Session, baseline: str) -> Regression:
    """Load runs of cheap requests, compared with the stored runs of an earlier release."""
    return against_baseline(session, baseline)


@each("task", entries.compared_tasks)
@pytest.mark.about("load.slower", "task {task}")
def test_the_task_is_no_slower_than_in_the_last_release(regression: Regression, task: str) -> None:
    """contract Response-time targets: no regression against the last release (F31)."""
    comparison = regression.of(task)
    expect(
        comparison.judgement, f"{task} against the baseline", seen=comparison.describe(), facts=comparison.facts()
    ).differs_from("slower")
