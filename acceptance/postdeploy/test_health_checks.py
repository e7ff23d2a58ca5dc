"""8.2.1 Run health checks on all services (§4 Staging Service Health Checks, §5 Monitoring)."""

import pytest

from fixtures.api import Api
from fixtures.database import Database
from fixtures.document_runs import DocumentRuns
from fixtures.health import HealthReport
from fixtures.render import Render
from fixtures.supabase import Supabase
from fixtures.vendors import LlamaParse, OpenAI
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import each, promised
from gate.session import Session
from spec import Specification, entries

pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.maintenance,
    pytest.mark.checklist("8.2.1"),
    pytest.mark.component("api"),
]
WORKER_HINT = "the worker's log at Render; its DATABASE_URL, keys and start-up"
needs_api = pytest.mark.needs("api")


@pytest.fixture
def health(api: Api, spec: Specification) -> HealthReport:
    """The health body, asked now."""
    return HealthReport(expect(api.call("health", timeout=spec.health.timeout_seconds)).success(), spec.health)


@needs_api
def test_the_health_endpoint_answers_in_time(api: Api, spec: Specification) -> None:
    """§4 API Service Health Checks: /health answers 200 within the timeout."""
    reply = expect(api.call("health", timeout=spec.health.timeout_seconds)).success()
    expect(reply.seconds, "seconds of GET /health").is_at_most(spec.health.timeout_seconds)


@needs_api
@promised("endpoints.health_head")
def test_head_is_answered_like_get(api: Api) -> None:
    """contract HTTP API: HEAD /health answers 200 without a body."""
    reply = expect(api.call("health_head")).success(because="load balancers probe with HEAD")
    expect(len(reply.body), "bytes in the body of HEAD /health").equals(0)


@needs_api
def test_the_body_says_what_is_agreed(health: HealthReport, spec: Specification) -> None:
    """contract HTTP API: status, timestamp, version and services."""
    rule = spec.health
    expect(health.reply).fields(rule.status_field, rule.timestamp_field, rule.version_field, rule.services_field)
    expect(health.status, "status in the health body").is_one_of(spec.health.statuses)


@needs_api
def test_the_service_is_healthy(health: HealthReport, spec: Specification) -> None:
    """§4 API Service Health Checks: /health reports the status healthy."""
    expect(health.status, "status in the health body", health.reply.hint, health.summary()).equals(spec.health.required_status)


@needs_api
@each("name", entries.dependencies)
def test_the_dependency_is_healthy(health: HealthReport, name: str) -> None:
    """§3 External Service Dependencies: each dependency that the health body names is healthy (F10)."""
    health.naming(name).require(name)


@needs_api
def test_the_health_body_names_dependencies(health: HealthReport, spec: Specification) -> None:
    """contract HTTP API: the body names the database at least."""
    expect(health.services, "services in the health body").contains(spec.health.named_service)


@needs_api
def test_the_answer_is_fresh(health: HealthReport, spec: Specification) -> None:
    """contract HTTP API: a body older than the cache's 30 s hides an outage (F19)."""
    age = health.age_seconds()
    expect(age, "age of the health body in seconds", "the health cache").is_at_most(
        spec.health.cache_seconds + spec.health.clock_skew_seconds
    )
    expect(age, "age of the health body in seconds", "the API host's clock").is_at_least(-spec.health.clock_skew_seconds)


@needs_api
def test_the_version_is_the_specified_one(health: HealthReport, spec: Specification) -> None:
    """§1 APP_VERSION: the deployed version (F07)."""
    expect(health.version, "version in the health body", "the last deploy at Render").equals(spec.version)


@needs_api
@promised("endpoints.status")
def test_the_status_page_agrees(api: Api, spec: Specification) -> None:
    """contract HTTP API: /api/v1/status names version and environment (F07, F26)."""
    body = expect(api.call("status")).fields(*spec.endpoint("status").fields)
    expect(body["version"], "version on the status page").equals(spec.version)
    expect(body["environment"], "environment on the status page").equals(spec.identity.environment)


@needs_api
@promised("platform")
def test_the_deployed_commit_is_the_release(session: Session, api: Api, render: Render, spec: Specification) -> None:
    """§7 Deployment Process: the live commit is the one that was released (F07)."""
    expected = session.settings.text("HARNESS_EXPECTED_COMMIT")
    if not expected:
        not_applicable("HARNESS_EXPECTED_COMMIT is not set, so any live commit is accepted")
    live = expect(api.call("status")).success().object().get("commit") or render.live_commit(spec.services[spec.service].name)
    expect(live, "commit that is live", "Render's deploys of the API").equals(expected)


@promised("platform")
@each("service", entries.services)
@pytest.mark.component("render")
def test_the_last_deploy_is_live(render: Render, spec: Specification, service: str) -> None:
    """§7 Deployment Process: the newest deploy of each service went live (F14, F17)."""
    name = spec.services[service].name
    deploy = render.last_deploy(render.service(name)["id"])
    expect(deploy.get("status"), f"status of the newest deploy of {name}", "Render's deploy log").equals(spec.platform.live)


@needs_api
@promised("database")
@pytest.mark.needs("database")
def test_health_and_database_agree(health: HealthReport, database: Database) -> None:
    """contract HTTP API: what health says of the database is true now (F19)."""
    expect(database.answers(), "the database itself to return a row").is_true()
    health.require("database")


@needs_api
@promised("pipeline")
@pytest.mark.component("supabase")
def test_health_and_supabase_agree(health: HealthReport, supabase: Supabase) -> None:
    """contract HTTP API: what health says of Supabase Auth is true now (F19)."""
    expect(supabase.anon.call("health")).success()
    health.naming("supabase_auth").require("supabase_auth")


@needs_api
@promised("pipeline")
@pytest.mark.component("openai")
def test_health_and_openai_agree(health: HealthReport, openai: OpenAI) -> None:
    """contract HTTP API: what health says of OpenAI is true now (F19)."""
    expect(openai.models(), "models of OpenAI").is_not_empty()
    health.naming("openai").require("openai")


@needs_api
@promised("pipeline")
@pytest.mark.component("llamaparse")
def test_health_and_llamaparse_agree(health: HealthReport, llamaparse: LlamaParse) -> None:
    """contract HTTP API: what health says of LlamaParse is true now (F19)."""
    expect(llamaparse.projects()).success()
    health.naming("llamaparse").require("llamaparse")


@promised("pipeline")
@pytest.mark.component("worker")
def test_the_worker_is_alive(document_runs: DocumentRuns, spec: Specification) -> None:
    """§4 Worker Service Health Checks: the worker takes a job within its poll interval (F03, F14, F17)."""
    sent = [document_runs.accepted(name) for name in document_runs.expected_to("complete")]
    taken = [document_run.name for document_run in sent if document_run.was_claimed(spec.pipeline.states.waiting)]
    expect(taken, "documents that the worker took", WORKER_HINT, f"none; policy: {sent[0].describe()}").is_not_empty()


@needs_api
@pytest.mark.component("api")
def test_every_response_can_be_traced(api: Api, spec: Specification) -> None:
    """§5 Performance Monitoring: request id and process time on each response."""
    reply = expect(api.call("health")).success()
    expect(reply).header(spec.monitoring.request_id_header).matches(r"\S+")
    expect(reply).header(spec.monitoring.process_time_header).matches(r"\d+(\.\d+)?")
    shown = float(reply.headers[spec.monitoring.process_time_header])
    expect(shown, "process time in seconds by the API itself", reply.hint).is_at_most(round(reply.seconds, 4))


@needs_api
def test_request_ids_differ(api: Api, spec: Specification) -> None:
    """§5 Performance Monitoring: a request id names one request."""
    header = spec.monitoring.request_id_header
    ids = {expect(api.call("health")).success().headers.get(header) for _ in range(2)}
    expect(ids, f"values of {header} on two requests").has_length(2)
