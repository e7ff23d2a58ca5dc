"""What a run may use is counted by all its processes together, and ends the run cleanly where it is reached."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from fixtures.system import Staging
from gate.exit_codes import ExitCode
from gate.failures import Blocked
from gate.session import Session
from gate.settings import ConfigurationError
from load.budget import reserve
from load.plan import LoadPlan
from proof.gate_run import read_verdict
from spec import DEFAULT, load
from tests.conftest import Pytest

FEW = 60


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A specification file that allows a run few requests."""
    text = DEFAULT.read_text()
    path = tmp_path / "small.toml"
    path.write_text(text.replace("requests = 12000,", f"requests = {FEW},"))
    assert path.read_text() != text
    return path


def spend_many(folder: Path, count: int) -> None:
    """As one process of a run does."""
    budget = Session.attach(folder, Staging()).budget
    for _ in range(count):
        budget.spend(requests=1, tokens=10)


def test_processes_count_together(session: Session) -> None:
    session.run.save()
    with ProcessPoolExecutor(4) as pool:
        list(pool.map(partial(spend_many, session.run.folder), [25] * 4))
    used = session.budget.used()
    assert (used.requests, used.tokens) == (100, 1000)
    assert used.peak <= session.spec.budget.gate.requests_per_second


@pytest.mark.parametrize("name", ["requests", "documents", "tokens"])
def test_a_limit_that_is_reached_blocks(session: Session, name: str) -> None:
    limit = getattr(session.spec.budget.gate, name)
    spend: Callable[..., None] = partial(session.budget.spend, paced=False)
    spend(**{name: limit})
    with pytest.raises(Blocked, match=f"{name} are used up"):
        spend(**{name: 1})


def test_money_is_counted_from_pages_and_questions(session: Session) -> None:
    rule = session.spec.budget
    pages = int(rule.gate.cents / rule.prices.cents_for_a_page)
    with pytest.raises(Blocked, match="cents are used up"):
        session.budget.spend(pages=pages, questions=1)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_used_up_budget_ends_the_run(gate: Pytest, tmp_path: Path, small: Path, workers: str) -> None:
    done = gate("-m", "postdeploy", "--target", "twin", "--spec", str(small), "-n", workers)
    assert done.returncode == ExitCode.BLOCKED, done.stdout
    found = read_verdict(tmp_path / "out")
    assert [finding.component for finding in found.findings] == ["harness"]
    assert f"{FEW} requests are used up" in found.findings[0].evidence
    assert found.residue == 0
    assert "Traceback" not in done.stdout


def test_a_load_faster_than_allowed_is_refused_elsewhere(session: Session) -> None:
    usual = max(segment.to_rate or segment.rate for segment in session.spec.load.profiles["smoke"].segments)
    plan = LoadPlan.of(session.spec, "smoke", 2, 2 * session.spec.budget.load.requests_per_second / usual)
    reserve(Session(replace(session.run, purpose="load"), session.system), plan)
    values = session.run.values | {"API_BASE_URL": "https://staging.example.com"}
    elsewhere = Session(replace(session.run, purpose="load", values=values), session.system)
    with pytest.raises(ConfigurationError, match="requests a second are more than"):
        reserve(elsewhere, plan)


def test_the_limits_are_the_specification_files(small: Path) -> None:
    assert load(small).budget.gate.requests == FEW
