"""Checks whose outcome the environment chooses, for runs of the calendar that are compared."""

import os

import pytest

from fixtures.measure import Measure, Samples
from gate.failures import Facts, Failure, NotConfigured
from gate.session import Session

pytestmark = [pytest.mark.predeploy, pytest.mark.checklist("8.2.1"), pytest.mark.component("api")]
STATE = os.environ.get("TEST_STATE", "")


@pytest.mark.about("env.value", "variable api LOG_LEVEL")
def test_a_variable(session: Session) -> None:
    """§1 Application Configuration: LOG_LEVEL."""
    session.observe("plan of the api", "standard" if "plan" in STATE else "starter")
    session.observe("run's own", f"user of {session.run.run_id}")
    if "level" in STATE:
        raise Failure(expected="INFO", observed="DEBUG" if "debug" in STATE else "WARN")


@pytest.mark.about("http.status", "endpoint GET /health")
def test_health(session: Session) -> None:
    """§4 API Service Health Checks: /health."""
    if "unset" in STATE:
        raise NotConfigured("RENDER_API_KEY")
    if "sick" in STATE:
        seconds = 9.0 if "slow" in STATE else 8.0
        seen = Facts(status=503, body=f"run {session.run.run_id}", seconds=seconds)
        raise Failure(observed=seen, relation="status", expected=200)


@pytest.mark.about("target.slow", "target GET /me")
def test_a_response_time(session: Session) -> None:
    """§5 Performance Monitoring: GET /me."""
    Measure(session).hold(Samples("GET /me", [60.0, 60.0, 60.0] if "slower" in STATE else [40.0, 40.0, 40.0]), "me", "api")


@pytest.mark.checklist("6.1")
def test_of_another_item() -> None:
    """§6 Authentication: left out of the daily run."""
    raise Failure("page.open", "page /debug", observed=200)


if "more" in STATE:

    def test_that_came() -> None:
        """§4: a new check."""
