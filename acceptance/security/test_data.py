"""6.3 Data Security: isolation of storage and database, and no secret in any response (§6 Data Security)."""

from collections.abc import Callable
from functools import partial

import pytest

from fixtures.accounts import ACCOUNT_REQUESTS, malformed
from fixtures.api import Api
from fixtures.database import Database
from fixtures.document_run import DocumentRun
from fixtures.documents import Document
from fixtures.further_pages import changes_of_another, of_another, shown_of
from fixtures.leaks import expect_no_leak
from fixtures.logged import Logged
from fixtures.observers.belongings import SECRET, Belongings
from fixtures.pipeline import Pipeline
from fixtures.planted import plant
from fixtures.recorded_rows import recorded_of_run
from fixtures.stored import object_key
from fixtures.supabase import Supabase
from fixtures.uploads import Accepted
from fixtures.users import User, Users
from fixtures.violations import of_a_hidden_page
from gate.failures import not_applicable
from gate.http import Timed, expect
from gate.selection import each, promised
from gate.session import Session
from spec import Specification, entries

pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.maintenance,
    pytest.mark.checklist("6.3"),
    pytest.mark.component("api"),
]
needs_api = pytest.mark.needs("api")
UP = "%2E%2E"
# A path to another user's folder that holds one's own: as it is sent, and where it leads.
ASTRAY: dict[str, Callable[[str, str], tuple[str, str]]] = {
    "up": lambda own, other: ("/".join([*own.split("/")[:-1], *[UP] * (len(own.split("/")) - 1), other]), other),
    "own folder inside": lambda own, other: (f"{other}/{own}", f"{other}/{own}"),
}


@needs_api
@each("endpoint", entries.open_pages)
def test_no_secret_is_shown_to_a_stranger(session: Session, api: Api, endpoint: str) -> None:
    """§6 Data Security: no key, no connection string, no environment in an open answer (F21)."""
    reply = api.call(endpoint)
    expect_no_leak(reply, session)
    expect(reply).success(because="what was not shown cannot be judged")


@needs_api
@each("endpoint", entries.own_reads)
def test_no_secret_is_shown_to_a_user(session: Session, api: Api, caller_token: str, endpoint: str) -> None:
    """§6 Service Role Keys: never shown to a client (F21)."""
    reply = api.as_(caller_token).call(endpoint)
    expect_no_leak(reply, session, own=caller_token)
    expect(reply).success(because="what was not shown cannot be judged")


@promised("pipeline")
@needs_api
def test_no_secret_is_in_the_answer_to_an_upload(
    session: Session, api: Api, new_user: User, new_document: Callable[[], Document]
) -> None:
    """§6 Service Role Keys: what a client gets to upload with is no key of the project (F21)."""
    reply = api.as_(new_user).request_upload(new_document())
    expect_no_leak(reply, session, own=new_user.token, with_token=True)
    expect(reply).success(because="what was not shown cannot be judged")


@promised("pipeline", "chat")
@needs_api
def test_no_secret_is_in_an_answer(session: Session, api: Api, policy: DocumentRun) -> None:
    """§6 Service Role Keys: neither the text nor the metadata of an answer shows one (F21)."""
    reply = api.as_(policy.owner).ask(policy.facts[0][0])
    expect_no_leak(reply, session, own=policy.owner.token)
    expect(reply).success(because="what was not shown cannot be judged")


@promised("pipeline")
@needs_api
def test_no_secret_is_in_a_job(session: Session, api: Api, policy: DocumentRun, pipeline: Pipeline) -> None:
    """contract Database: webhook_secret stays inside."""
    reply = api.as_(policy.owner).call("job", at={"job_id": policy.job_id})
    secret, job = pipeline.webhook_secret(policy.job_id), reply.object()
    # The release may have deleted the secret after its use: then the field itself is all that can be seen.
    shown = ["webhook_secret"] if (secret and secret in reply.text) or job.get("webhook_secret") else []
    expect(shown, "secrets of the job as the owner sees it", code="secret.shown", subject=reply.subject, of=reply).is_empty()
    expect_no_leak(reply, session, own=policy.owner.token)
    expect(reply).success(because="what was not shown cannot be judged")


@promised("pipeline")
@pytest.mark.component("api")
@pytest.mark.about("secret.shown", "table events")
def test_no_secret_is_in_the_events_of_a_job(policy: DocumentRun, pipeline: Pipeline, database: Database) -> None:
    """§6 Data Security: no event of the run's jobs holds the key that signs callbacks, a token, a signed link or a password."""
    secret, events = pipeline.webhook_secret(policy.job_id), recorded_of_run(database)
    if not events:
        not_applicable("the release keeps no events of the job")
    planted = Belongings.of(database.session)
    planted.plant("webhook_secret", secret)
    found = [f"a {kind}" for kind in SECRET if any(planted.of_kind(kind).found_in(events))]
    # Only the API knows what its callers come with, and what they are given; the worker makes the secret of a callback.
    what, part = "secrets in the events of the run's jobs", "worker" if found == ["a webhook_secret"] else "api"
    expect(found, what, "what writes the payload of an event", component=part).is_empty()


@needs_api
@pytest.mark.about("page.open", "page {path}")
@each("path", entries.debug_paths)
def test_no_debug_page_is_left(session: Session, api: Api, spec: Specification, path: str) -> None:
    """§1 DEBUG=false: no debug or test endpoint answers (F21, F22)."""
    reply = api.get(path)
    expect_no_leak(reply, session, subject=f"page {path}")
    page = of_a_hidden_page(reply, spec, f"page {path}")
    page.status(*spec.security.hidden_statuses, because="this path belongs to no release")


@needs_api
@promised("endpoints.openapi")
@pytest.mark.about("endpoint.open")
def test_every_described_endpoint_wants_a_token(session: Session, api: Api, spec: Specification) -> None:
    """contract HTTP API: what openapi.json describes beyond the open endpoints needs a token (F22)."""
    opened = api.open_without_token(list(entries.open_paths(spec)))
    what, hint = "endpoints that answer without a token", "test endpoints that were left in the release"
    found = [subject for subject, _ in opened]
    seen = ", ".join(f"{subject} answered {reply.status}" for subject, reply in opened)
    # Debug pages last: another check judges them too, and here they would hide the others.
    for kind in ("endpoint", "page"):
        of_kind = [(subject, reply) for subject, reply in opened if subject.startswith(kind)]
        for subject, reply in of_kind:
            expect_no_leak(reply, session, subject=subject)
        for subject, reply in of_kind:
            expect(found, what, hint, seen, subject=subject, facts={"status": reply.status}, of=reply).is_empty()


@needs_api
@promised("pipeline", "endpoints.openapi")
@pytest.mark.about("isolation.read", "endpoint of another name")
def test_further_pages_show_nothing_of_others(api: Api, policy: DocumentRun, another_user: User) -> None:
    """§6 Data Security: what a release has beside the contract's endpoints shows a user nothing of another's document."""
    for subject, reply in of_another(api, policy, another_user.token):
        expect(shown_of(reply, policy), f"what {subject} shows of another user", subject=subject, of=reply).is_empty(
            "it belongs to its owner"
        )


@needs_api
@promised("pipeline", "database", "endpoints.openapi")
@pytest.mark.about("isolation.write", "endpoint of another name")
def test_further_endpoints_change_nothing_of_others(
    api: Api, database: Database, new_user: User, another_user: User, new_document: Callable[[], Document]
) -> None:
    """§6 Data Security: what a release has beside the contract's endpoints changes nothing of another user's job."""
    owned = partial(plant, api.session, api, database, new_user)
    for change in changes_of_another(api, lambda: owned(new_document()), another_user.token):
        what, hint = f"what {change.subject} changes of another user's job", "whose job or document it is"
        expect(change.seen(database), what, hint, subject=change.subject, of=change.reply).is_empty("it belongs to its owner")


@needs_api
@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"\xff\xfe", b"null", b"[" * 100_000], ids=["cut", "list", "bytes", "null", "deep"]
)
def test_nonsense_does_not_break_the_service(
    session: Session, api: Api, caller_token: str, spec: Specification, body: bytes
) -> None:
    """§6 Data Security: a malformed body is refused without showing the inside (F21)."""
    caller = api.as_(caller_token)
    reply = caller.call(spec.security.json_endpoint, content=body, headers={"Content-Type": "application/json"})
    expect_no_leak(reply, session)
    expect(reply).refusal("the body is nonsense")


@needs_api
@promised("pipeline")
@pytest.mark.parametrize("endpoint", ACCOUNT_REQUESTS)
def test_no_secret_is_repeated_in_a_refusal(api: Api, users: Users, endpoint: str) -> None:
    """§6 Data Security: no refusal of an account's request repeats the password that was sent (F21)."""
    email, password, name = users.credentials("echo")
    whole = ACCOUNT_REQUESTS[endpoint](email, password, name)
    for request in malformed(whole, "password"):
        reply = api.call(endpoint, **request)
        repeated = ["the password"] if password in reply.text else []
        expect(
            repeated, f"secrets in the refusal of {reply}", reply.hint, code="secret.shown", subject=reply.subject, of=reply
        ).is_empty("a password belongs in no log and on no screen")
        expect(reply).error("malformed")


@needs_api
@promised("pipeline")
@each("name", entries.hostile_names)
def test_a_hostile_file_name_leads_nowhere(
    session: Session, api: Api, pipeline: Pipeline, new_user: User, new_document: Callable[[], Document], name: str
) -> None:
    """contract Storage: the key is made of ids; a name that attacks is refused or is nothing but a name (F21, F23)."""
    reply = api.as_(new_user).request_upload(new_document(), filename=session.spec.security.hostile_names[name])
    if reply.succeeded:
        accepted = Accepted(reply)
        key = object_key(session.spec.pipeline.raw_path, new_user.id, accepted.document_id)
        stored = pipeline.raw_path(accepted.job_id)
        column = f"column {session.spec.pipeline.tables.documents}.raw_path"
        wanted = f"{session.spec.pipeline.bucket}/{key}"
        expect(stored, "place of the document in storage", code="data.wrong", subject=column, of=reply).equals(wanted)
    else:
        expect_no_leak(reply, session, own=new_user.token)
        expect(reply).refusal("the name attacks the part that stores or shows it")


@needs_api
@promised("pipeline")
@pytest.mark.about("isolation.write", "endpoint of the upload proxy")
@pytest.mark.parametrize("way", ASTRAY)
def test_no_detour_leads_the_proxy_into_another_folder(
    session: Session, api: Api, supabase: Supabase, new_user: User, another_user: User, way: str
) -> None:
    """contract PUT …/upload-file-proxy: the caller's own folder only, however the path to another one is written (F23)."""
    rule, mime = session.spec.pipeline, session.spec.limits.supported_mime_types[0]
    own, other = (object_key(rule.raw_path, user.id, f"{way} of {new_user.id}") for user in (new_user, another_user))
    asked, led_to = ASTRAY[way](own, other)
    for key in {asked, led_to}:
        session.journal.record("object", key=key)
    sent: Timed = {"content": session.spec.probes.file.encode(), "headers": {"Content-Type": mime}}
    reply = api.as_(new_user).call("upload_proxy", at={"bucket": rule.bucket, "key": asked}, **sent)
    # One that is taken may be kept under the name as it is written, in the caller's own folder.
    arrived = supabase.storage.read(led_to)
    what, hint = f"whether the file lies at {led_to}", "how the proxy compares a path with the caller's folder"
    expect(arrived.succeeded, what, hint, subject=reply.subject, of=reply).equals(False, "that folder is another user's")


@needs_api
def test_an_unknown_page_shows_nothing(session: Session, api: Api, spec: Specification) -> None:
    """§6 Data Security: 404 without a traceback."""
    reply = api.get(spec.probes.unknown_page)
    expect_no_leak(reply, session)
    expect(reply).status(*spec.security.unknown_page_statuses)


@promised("evidence", "platform", "pipeline")
@each("service", entries.services)
@pytest.mark.about("secret.shown", "log {service}")
def test_no_line_of_the_log_holds_a_secret(logged: Logged, service: str) -> None:
    """§6 Data Security: no password, no token and no sentence of a document is logged (F21)."""
    logged.require_nothing_planted(service)
