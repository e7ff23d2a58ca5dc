"""Measurements begin when the run's own documents are through, so that they measure the target and not the run."""

import pytest

from fixtures.expect import Blocked
from fixtures.journeys import Journeys


@pytest.fixture(scope="session", autouse=True)
def quiet_worker(journeys: Journeys) -> None:
    """Wait for every document of the run, whatever becomes of it; a run that only reads has sent none."""
    if journeys.run.read_only:
        return
    for name in journeys.run.spec.documents:
        try:
            journeys.result(name)
        except Blocked:
            continue
