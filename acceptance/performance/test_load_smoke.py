"""8.3.1 Measure API response times under a short load (contract: Response-time targets, error rate)."""

import pytest

from fixtures.http import expect
from fixtures.load import LoadResult, run_locust
from fixtures.measure import Measure
from fixtures.run import Run
from spec import Specification, current

SPEC = current()
TASKS = list(SPEC.load.tasks)
pytestmark = [
    pytest.mark.performance,
    pytest.mark.checklist("8.3.1"),
    pytest.mark.component("api"),
    pytest.mark.needs("api", "supabase"),
]


@pytest.fixture(scope="module")
def load(run: Run) -> LoadResult:
    """A short headless Locust run of open arrivals with the tasks of load/locustfile.py."""
    return run_locust(run)


def test_no_request_fails_under_load(load: LoadResult, spec: Specification) -> None:
    """contract Response-time targets: error rate under load."""
    expect(load.requests, "requests that were made").is_above(0)
    expect(load.failure_ratio, f"share of failed requests ({load.describe_failures()})").is_at_most(
        spec.targets["load_error_rate"].max_ratio or 0
    )


@pytest.mark.component("harness")
def test_the_generator_kept_its_schedule(load: LoadResult) -> None:
    """contract Response-time targets: figures count only when the generator itself kept up."""
    expect(load.schedule.get("valid"), "schedule kept by the generator", "load on this machine", str(load.schedule)).equals(
        True
    )


@pytest.mark.parametrize("task", TASKS)
def test_the_task_holds_its_target_under_load(load: LoadResult, measure: Measure, spec: Specification, task: str) -> None:
    """contract Response-time targets: each endpoint under load."""
    expect(load.count(task), f"requests of task {task}").is_above(0)
    measure.hold(load.samples(task), spec.load.tasks[task].target, "api")
