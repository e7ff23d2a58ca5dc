"""7.2 Rollback Procedures: a broken release N+1 is taken back to N, rehearsed with the program that does it in earnest."""

import pytest

from fixtures.rollback.rehearsal import Rehearsed
from gate.selection import promised

pytestmark = [
    pytest.mark.resilience,
    pytest.mark.checklist("7.2"),
    pytest.mark.component("render"),
    promised("rollback", "platform", "project", "steady_state"),
]


@pytest.mark.about("rollback.failed")
def test_the_program_carries_every_step_out(rehearsed: Rehearsed) -> None:
    """§7 Rollback Procedures: each step is done and verified within its deadline, or its failure is named first."""
    rehearsed.require("program")


@pytest.mark.about("rollback.release")
def test_every_service_runs_the_earlier_release(rehearsed: Rehearsed) -> None:
    """§7 Service Rollback: the earlier commit is live everywhere, and the service says so itself."""
    rehearsed.require("service")


@pytest.mark.about("rollback.environment")
def test_every_variable_is_back(rehearsed: Rehearsed) -> None:
    """§7 Environment Rollback: no variable is the later release's, no secret either."""
    rehearsed.require("environment")


@pytest.mark.about("rollback.database")
def test_the_database_fits_the_earlier_release(rehearsed: Rehearsed) -> None:
    """§7 Database Rollback: migrations and schema are the earlier release's; rows before it are there, rows since are lost."""
    rehearsed.require("database")


@pytest.mark.about("rollback.unhealthy")
def test_the_earlier_release_is_in_its_steady_state(rehearsed: Rehearsed) -> None:
    """§7 Rollback Procedures: health, sign-in, upload, job, retrieval and chat work, and stored data keeps its invariants."""
    rehearsed.require("steady state")


@pytest.mark.about("rollback.stuck", "step restart")
def test_services_can_be_restarted(rehearsed: Rehearsed) -> None:
    """§7 Service Restart: every instance is replaced, and the service responds."""
    rehearsed.require("restart")


@pytest.mark.about("rollback.environment")
def test_the_configuration_can_be_reset(rehearsed: Rehearsed) -> None:
    """§7 Configuration Reset: what was changed by hand is the specification's again, and the services run with it."""
    rehearsed.require("reset")
