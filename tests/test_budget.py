"""What a run may use is counted by all its processes together, and ends the run cleanly where it is reached."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from gate.budget import Budget
from gate.expect import Blocked
from gate.run import Run
from gate.settings import ConfigurationError
from load.budget import reserve
from load.plan import LoadPlan
from proof.gate_run import read_verdict
from spec import loader
from tests.conftest import ROOT, Pytest
from tests.test_command_line import BLOCKED

FEW = 60


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A specification file that allows a run few requests."""
    text = (ROOT / "spec" / "staging.toml").read_text()
    path = tmp_path / "small.toml"
    path.write_text(text.replace("requests = 12000,", f"requests = {FEW},"))
    assert path.read_text() != text
    return path


def spend_many(budget: Budget, count: int) -> None:
    """As one process of a run does."""
    for _ in range(count):
        budget.spend(requests=1, tokens=10)


def test_processes_count_together(run: Run) -> None:
    with ProcessPoolExecutor(4) as pool:
        list(pool.map(partial(spend_many, Budget(run)), [25] * 4))
    used = Budget(run).used()
    assert (used.requests, used.tokens) == (100, 1000)
    assert used.peak <= run.spec.budget.gate.requests_per_second


@pytest.mark.parametrize("name", ["requests", "documents", "tokens"])
def test_a_limit_that_is_reached_blocks(run: Run, name: str) -> None:
    limit = getattr(run.spec.budget.gate, name)
    spend: Callable[..., None] = partial(Budget(run).spend, paced=False)
    spend(**{name: limit})
    with pytest.raises(Blocked, match=f"{name} are used up"):
        spend(**{name: 1})


def test_money_is_counted_from_pages_and_questions(run: Run) -> None:
    budget = Budget(run)
    pages = int(run.spec.budget.gate.cents / run.spec.budget.prices.cents_for_a_page)
    with pytest.raises(Blocked, match="cents are used up"):
        budget.spend(pages=pages, questions=1)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_used_up_budget_ends_the_run(gate: Pytest, tmp_path: Path, small: Path, workers: str) -> None:
    done = gate("-m", "postdeploy", "--target", "twin", "--spec", str(small), "-n", workers)
    assert done.returncode == BLOCKED, done.stdout
    found = read_verdict(tmp_path / "out")
    assert [finding["component"] for finding in found["findings"]] == ["harness"]
    assert f"{FEW} requests are used up" in found["findings"][0]["evidence"]
    assert found["residue"] == {"before": dict.fromkeys(found["residue"]["before"], 0), "after": found["residue"]["before"]}
    assert "Traceback" not in done.stdout


def test_a_load_faster_than_allowed_is_refused_elsewhere(run: Run) -> None:
    usual = max(segment.to_rate or segment.rate for segment in run.spec.load.profiles["smoke"].segments)
    plan = LoadPlan.of(run.spec, "smoke", 2, 2 * run.spec.budget.load.requests_per_second / usual)
    reserve(replace(run, purpose="load"), plan)
    elsewhere = replace(run, purpose="load", values=run.values | {"API_BASE_URL": "https://staging.example.com"})
    with pytest.raises(ConfigurationError, match="requests a second are more than"):
        reserve(elsewhere, plan)


def test_the_limits_are_the_specification_files(small: Path) -> None:
    assert loader.load(small).budget.gate.requests == FEW
