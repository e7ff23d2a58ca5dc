"""8.2.1 Run health checks on all services (§4 Staging Service Health Checks, §5 Monitoring)."""

import pytest

from fixtures.api import Api
from fixtures.database import Database
from fixtures.document_runs import DocumentRuns
from fixtures.health import HealthReport
from fixtures.network import KINDS_OF_RESPONSES, response_of
from fixtures.process_time import expect_true_process_time
from fixtures.release import commit_in
from fixtures.render import Render
from fixtures.supabase import Supabase
from fixtures.vendors import LlamaParse, OpenAI
from gate.failures import not_applicable
from gate.http import expect
from gate.readings import version_in
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
@pytest.mark.about("target.slow", "target health")
def test_the_health_endpoint_answers_in_time(api: Api, spec: Specification) -> None:
    """§4 API Service Health Checks: /health answers 200 within the timeout."""
    reply = expect(api.call("health", timeout=spec.health.timeout_seconds)).success()
    expect(reply.seconds, "seconds of GET /health", of=reply).is_at_most(spec.health.timeout_seconds)


@needs_api
@promised("endpoints.health_head")
def test_head_is_answered_like_get(api: Api) -> None:
    """contract HTTP API: HEAD /health answers 200 without a body."""
    reply = expect(api.call("health_head")).success(because="load balancers probe with HEAD")
    what = "bytes in the body of HEAD /health"
    expect(len(reply.body), what, code="http.value", subject=reply.subject, of=reply).equals(0)


@needs_api
@pytest.mark.about("health.shape")
def test_the_body_says_what_is_agreed(health: HealthReport, spec: Specification) -> None:
    """contract HTTP API: status, timestamp, version and services; Resilience: circuits and what is degraded, where shown."""
    rule, subject = spec.health, f"field {spec.health.status_field} of {health.reply}"
    body = expect(health.reply, code="health.shape")
    body.fields(rule.status_field, rule.timestamp_field, rule.version_field, rule.services_field)
    expect(health.status, "status in the health body", subject=subject, of=health.reply).is_one_of(rule.statuses)
    for name, odd in health.contradictions(spec.resilience_section).items():
        what, subject = f"what the health body says under {name} against the rest of it", f"field {name} of {health.reply}"
        expect(odd, what, subject=subject, of=health.reply).is_empty()


@needs_api
@pytest.mark.about("health.unhealthy")
def test_the_service_is_healthy(health: HealthReport, spec: Specification) -> None:
    """§4 API Service Health Checks: /health reports the status healthy."""
    # Dependencies by which the body explains its status are at fault; without any, the service is.
    part = next(map(health.part, health.unhealthy), health.reply.component)
    status = expect(
        health.status,
        "status in the health body",
        health.reply.hint,
        health.summary(),
        subject=f"part {part}",
        component=part,
        facts={"services": health.unhealthy},
        of=health.reply,
    )
    status.satisfies(lambda _: health.is_well, f"to be {spec.health.required_status}, optional parts aside")


@needs_api
@each("name", entries.dependencies)
def test_the_dependency_is_healthy(health: HealthReport, name: str) -> None:
    """§3 External Service Dependencies: each dependency that the health body names is healthy (F10)."""
    health.naming(name).require(name)


@needs_api
@pytest.mark.about("health.shape")
def test_the_health_body_names_dependencies(health: HealthReport, spec: Specification) -> None:
    """contract HTTP API: the body names the database at least."""
    subject = f"field {spec.health.services_field} of {health.reply}"
    services = expect(health.services, "services in the health body", subject=subject, of=health.reply)
    services.contains(spec.health.named_service)


@needs_api
@pytest.mark.about("health.stale")
def test_the_answer_is_fresh(health: HealthReport) -> None:
    """contract HTTP API: a body older than the cache's 30 s hides an outage (F19)."""
    health.require_fresh()


@needs_api
@pytest.mark.about("release.differs", "release version")
def test_the_version_is_the_specified_one(health: HealthReport, spec: Specification) -> None:
    """§1 APP_VERSION: the deployed version (F07)."""
    shown = version_in(health.version, spec.version, spec.readings)
    expect(shown, "version in the health body", "the last deploy at Render", of=health.reply).equals(spec.version)


@needs_api
@promised("endpoints.status")
@pytest.mark.about("release.differs", "release version")
def test_the_status_page_agrees(api: Api, spec: Specification) -> None:
    """contract HTTP API: /api/v1/status names version and environment (F07, F26)."""
    reply = api.call("status")
    body = expect(reply).fields(*spec.endpoint("status").fields)
    shown = version_in(body["version"], spec.version, spec.readings)
    expect(shown, "version on the status page", of=reply).equals(spec.version)
    subject = f"field environment of {reply}"
    environment = expect(body["environment"], "environment on the status page", code="http.value", subject=subject, of=reply)
    environment.satisfies(spec.identity.is_environment, f"to be {spec.identity.environment}, in upper or lower case")


@needs_api
@promised("platform")
@pytest.mark.about("release.differs", "release commit")
def test_the_deployed_commit_is_the_release(session: Session, api: Api, render: Render, spec: Specification) -> None:
    """§7 Deployment Process: the live commit is the one that was released (F07)."""
    expected = session.settings.text("HARNESS_EXPECTED_COMMIT")
    if not expected:
        not_applicable("HARNESS_EXPECTED_COMMIT is not set, so any live commit is accepted")
    shown = commit_in(expect(api.call("status")).success().object().get("commit"), expected)
    live = shown or render.live_commit(spec.services[spec.service].name)
    expect(live, "commit that is live", "Render's deploys of the API").equals(expected)


@promised("platform")
@each("service", entries.services)
@pytest.mark.about("deploy.failed", "service {service}")
def test_the_last_deploy_is_live(render: Render, spec: Specification, service: str) -> None:
    """§7 Deployment Process: the newest deploy of each service went live (F14, F17)."""
    name = spec.services[service].name
    deploy = render.last_deploy(render.service(name)["id"])
    part = service if service in spec.harness.parts else None
    what, hint = f"status of the newest deploy of {name}", "Render's deploy log"
    expect(deploy.get("status"), what, hint, component=part).equals(spec.platform.live)


@needs_api
@promised("database")
@pytest.mark.needs("database")
@pytest.mark.about("health.unhealthy", "part database")
def test_health_and_database_agree(health: HealthReport, database: Database) -> None:
    """contract HTTP API: what health says of the database is true now (F19)."""

    def probe() -> None:
        what = "the database itself to return a row"
        expect(database.answers(), what, code="db.unreachable", subject="part database", component="database").is_true()

    health.require_agreement("database", probe)


@needs_api
@promised("pipeline")
@pytest.mark.about("health.unhealthy", "part supabase")
def test_health_and_supabase_agree(health: HealthReport, supabase: Supabase) -> None:
    """contract HTTP API: what health says of Supabase Auth is true now (F19)."""
    health.require_agreement("supabase_auth", lambda: expect(supabase.anon.call("health")).success())


@needs_api
@promised("pipeline")
@pytest.mark.about("health.unhealthy", "part openai")
def test_health_and_openai_agree(health: HealthReport, openai: OpenAI) -> None:
    """contract HTTP API: what health says of OpenAI is true now (F19)."""

    def probe() -> None:
        models = openai.models()
        found = expect(models, "models of OpenAI", code="key.refused", subject="key OPENAI_API_KEY", component="openai")
        found.is_not_empty()

    health.require_agreement("openai", probe)


@needs_api
@promised("pipeline")
@pytest.mark.about("health.unhealthy", "part llamaparse")
def test_health_and_llamaparse_agree(health: HealthReport, llamaparse: LlamaParse) -> None:
    """contract HTTP API: what health says of LlamaParse is true now (F19)."""
    health.require_agreement("llamaparse", lambda: expect(llamaparse.projects()).success())


@promised("pipeline")
@pytest.mark.component("worker")
@pytest.mark.about("pipeline.idle", "service worker")
def test_the_worker_is_alive(document_runs: DocumentRuns, spec: Specification) -> None:
    """§4 Worker Service Health Checks: the worker takes a job within its poll interval (F03, F14, F17)."""
    sent = [document_runs.accepted(name) for name in document_runs.expected_to("complete")]
    taken = [document_run.name for document_run in sent if not document_run.is_untouched(spec.pipeline)]
    what, subject = "documents that the worker took", f"queue {spec.pipeline.jobs_table}"
    facts, seen = {"waiting": len(sent), "of": len(sent)}, f"none; policy: {sent[0].describe()}"
    expect(taken, what, WORKER_HINT, seen, subject=subject, facts=facts).is_not_empty()


@needs_api
@pytest.mark.about("http.header")
def test_every_response_can_be_traced(api: Api, spec: Specification) -> None:
    """§5 Performance Monitoring: request id and process time on each response."""
    reply = expect(api.call("health")).success()
    expect(reply).header(spec.monitoring.request_id_header).matches(r"\S+")
    expect_true_process_time(reply, spec.monitoring.process_time_header)


@needs_api
@pytest.mark.parametrize("kind", KINDS_OF_RESPONSES)
def test_every_kind_of_response_can_be_traced(api: Api, spec: Specification, kind: str) -> None:
    """contract HTTP API: every response carries request id and process time, refusals and pre-flights too."""
    reply = response_of(api, kind)
    for header in (spec.monitoring.request_id_header, spec.monitoring.process_time_header):
        expect(reply, subject=f"header {header} of a {kind}").header(header).matches(r"\S+")


@needs_api
@pytest.mark.about("http.header")
def test_request_ids_differ(api: Api, spec: Specification) -> None:
    """§5 Performance Monitoring: a request id names one request."""
    header = spec.monitoring.request_id_header
    replies = [expect(api.call("health")).success() for _ in range(2)]
    first, second = (reply.headers.get(header) for reply in replies)
    expect(second, f"{header} of the second of two requests", subject=f"header {header}", of=replies[-1]).differs_from(first)
