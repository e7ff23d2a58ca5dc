"""8.2.2 Test API endpoints functionality: what two ways of asking say is the same (contract: Progress, in three ways)."""

from collections.abc import Callable, Mapping
from functools import partial

import pytest

from fixtures.api import Api, job_ids
from fixtures.database import Database
from fixtures.document_run import DocumentRun
from fixtures.document_runs import DocumentRuns
from fixtures.documents import Document
from fixtures.pipeline import Pipeline
from fixtures.queue.extra import RETRIED
from fixtures.queue.resources import ExtraRuns
from fixtures.standing_jobs import StandingJobs
from fixtures.uploads import Accepted
from fixtures.users import User
from fixtures.ways import Ways
from gate.failures import not_applicable
from gate.http import Reply, expect
from gate.selection import each, promised
from spec import Specification, observer_entries

NewDocument = Callable[[], Document]
pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.2"),
    pytest.mark.component("api"),
    pytest.mark.needs("api", "database"),
    pytest.mark.about("http.value"),
    promised("pipeline", "database"),
]


def ask(api: Api, run: DocumentRun, endpoint: str, query: Mapping[str, str] | None = None) -> Reply:
    """An endpoint that shows a document of the run or its job, asked by its owner."""
    path = api.session.spec.endpoint(endpoint).path
    at = {name: value for name, value in (("job_id", run.job_id), ("document_id", run.document_id)) if f"{{{name}}}" in path}
    return api.as_page().as_(run.owner).call(endpoint, at=at, params=query or {})


def require_same(database: Database, api: Api, run: DocumentRun, endpoint: str) -> None:
    """Raises Failure where an endpoint shows a job otherwise than its rows do; a listing also by the job's state."""
    spec = database.session.spec
    ways, kind = Ways(database), spec.observing.shows_jobs[endpoint]
    is_listing = "{" not in spec.endpoint(endpoint).path
    for query in ({}, {"state": run.state}) if is_listing else ({},):
        expect(ways.require_same(run.job_id, kind, partial(ask, api, run, endpoint, query))).success()


@each("name", observer_entries.compared)
@each("endpoint", observer_entries.shows_jobs)
@pytest.mark.about("http.value", "endpoint {endpoint}")
def test_each_way_shows_what_the_database_holds(
    database: Database, document_runs: DocumentRuns, api: Api, name: str, endpoint: str
) -> None:
    """contract Progress can be read in three ways: every field of a job or document is that of its row (F07)."""
    require_same(database, api, document_runs.queued(name), endpoint)


@each("endpoint", observer_entries.shows_jobs)
@pytest.mark.about("http.value", "endpoint {endpoint}")
def test_each_way_shows_the_same_of_a_retried_job(database: Database, extra_runs: ExtraRuns, api: Api, endpoint: str) -> None:
    """contract Progress can be read in three ways: also of a job that was retried, and of a user with two jobs (F07)."""
    require_same(database, api, extra_runs.completed(RETRIED), endpoint)


@each("endpoint", observer_entries.shows_jobs)
@pytest.mark.about("http.value", "endpoint {endpoint}")
def test_each_way_shows_a_job_as_it_stands(
    database: Database, standing_jobs: StandingJobs, spec: Specification, endpoint: str
) -> None:
    """contract Progress can be read in three ways: also of a job that waits, is tried again, was given up or is a duplicate."""
    ways, kind = Ways(database), spec.observing.shows_jobs[endpoint]
    for standing, replies, stored in standing_jobs.seen:
        at = f"{standing.status}, {standing.state}"
        reply = expect(replies[endpoint]).success(f"its owner asks for a job that is {at}")
        shown = "shown" if ways.shows_job(kind, reply, stored) else "left out"
        expect(shown, f"a job that is {at} in {reply}", subject=reply.subject, of=reply).equals("shown")
        ways.require_as_stored(kind, reply, stored)


def test_a_job_is_listed_in_its_own_state_alone(standing_jobs: StandingJobs) -> None:
    """contract GET …/jobs: all jobs of the caller, or where a state is named those in it, whichever state that is."""
    for standing, state, reply in standing_jobs.listings:
        what = f"jobs in {state or 'any'} state of a user whose only job is {standing.status}, {standing.state}"
        listed = len(job_ids(expect(reply).success(f"the jobs in {state or 'any'} state are asked for")))
        expect(listed, what, subject=reply.subject, of=reply).equals(int(state in ("", standing.state)))


@each("endpoint", observer_entries.shows_jobs)
@pytest.mark.about("http.value", "endpoint {endpoint}")
def test_progress_does_not_go_back_from_stage_to_stage(standing_jobs: StandingJobs, spec: Specification, endpoint: str) -> None:
    """contract Progress can be read in three ways: a job's percentage is that of its status, and grows with it."""
    percent = standing_jobs.percentages(endpoint)
    subject = f"endpoint {spec.endpoint(endpoint).method} {spec.endpoint(endpoint).path}"
    expect(percent, "percentages of a job from stage to stage", subject=subject).equals(sorted(percent))


@each("name", observer_entries.compared)
@pytest.mark.about("http.value")
def test_all_ways_show_the_same_progress(
    database: Database, document_runs: DocumentRuns, api: Api, spec: Specification, name: str
) -> None:
    """contract Progress can be read in three ways: what the routes alone show is the same by each (F07)."""
    run = document_runs.queued(name)
    asked = {endpoint: partial(ask, api, run, endpoint) for endpoint in spec.observing.shows_jobs}
    Ways(database).require_alike(run.job_id, asked)


def test_a_duplicate_is_named_as_it_is_stored(
    database: Database, api: Api, pipeline: Pipeline, new_user: User, new_document: NewDocument
) -> None:
    """contract POST …/upload: 409 has the title and the time of the document that is there, whatever it is called now."""
    document, caller = new_document(), api.as_(new_user)
    accepted = Accepted(caller.request_upload(document))
    pipeline.finish_job(accepted.job_id)
    ask_again = partial(caller.request_upload, document, filename=f"other-{document.filename}")
    refused = ask_again()
    if refused.status not in refused.known().error("duplicate"):
        not_applicable("a duplicate is accepted; a check of its own says so")
    Ways(database).require_same(accepted.job_id, "duplicate", ask_again)
