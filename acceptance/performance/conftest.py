"""Measurements begin when the run's own documents are through, so that they measure the target and not the run."""

import pytest

from fixtures.document_runs import DocumentRuns
from gate.failures import Blocked


@pytest.fixture(scope="session", autouse=True)
def quiet_worker(document_runs: DocumentRuns) -> None:
    """Wait for the end of every document of the run; a run that only reads has sent none."""
    if document_runs.session.read_only:
        return
    for name in document_runs.session.spec.documents:
        try:
            document_runs.result(name)
        except Blocked:
            continue
