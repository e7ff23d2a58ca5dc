"""Measurements begin when the run's own documents are through, so that they measure the target and not the run."""

import pytest

from fixtures.document_runs import DocumentRuns


@pytest.fixture(scope="session", autouse=True)
def quiet_worker(document_runs: DocumentRuns) -> None:
    """Wait for the end of every document of the run; a run that only reads has sent none."""
    if not document_runs.session.read_only:
        document_runs.wait_for_all()
