"""8.2.2 Test API endpoints functionality: the webhook (contract: HTTP API)."""

import json
import secrets
from collections.abc import Callable
from functools import partial

import pytest

from fixtures.api import Api
from fixtures.at_once import in_parallel
from fixtures.controls import require_known
from fixtures.database import Database
from fixtures.document_runs import DocumentRuns
from fixtures.documents import Document
from fixtures.late_callbacks import LateCallbacks
from fixtures.pipeline import Pipeline
from fixtures.planted import Planted
from fixtures.queue.ends import says_why
from fixtures.queue.secrets_of_jobs import secrets_of
from fixtures.rows_of_callbacks import left_by_callback, where_it_was_lost
from fixtures.stored import object_key, sha256, words_missing
from fixtures.supabase import Supabase
from fixtures.uploads import Accepted
from fixtures.users import User
from fixtures.webhooks import WRONG, forged, signed
from gate.failures import not_applicable
from gate.http import Reply, expect
from gate.readings import digest
from gate.selection import each, promised
from spec import Specification, entries

NewDocument = Callable[[], Document]
pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.2"),
    pytest.mark.component("api"),
    pytest.mark.needs("api"),
    pytest.mark.about("webhook.unsigned"),
    promised("pipeline"),
]


def refusals_of(reply: Reply) -> list[int]:
    """The statuses that refuse a callback for a job that has gone on: a release may have deleted its secret."""
    return [*reply.known().error("unauthorized"), *reply.known().error("unknown")]


def test_the_webhook_refuses_a_missing_signature(
    api: Api, new_user: User, new_document: NewDocument, spec: Specification
) -> None:
    """contract POST …/webhook/llamaparse/{job_id}: 401 for a missing signature."""
    job_id = Accepted(api.as_(new_user).request_upload(new_document())).job_id
    expect(api.call("webhook", at={"job_id": job_id}, json=spec.webhook.completed)).error("unauthorized")


def test_the_webhook_refuses_a_wrong_signature(
    api: Api, new_user: User, new_document: NewDocument, spec: Specification
) -> None:
    """contract POST …/webhook/llamaparse/{job_id}: 401 for a wrong signature; an empty key is none, if a job has none yet."""
    job_id = Accepted(api.as_(new_user).request_upload(new_document())).job_id
    expect(api.call("webhook", at={"job_id": job_id}, **signed(spec.webhook, spec.probes.no_key))).error("unauthorized")


def test_the_webhook_refuses_another_key_than_the_jobs(api: Api, planted: Planted, spec: Specification) -> None:
    """contract POST …/webhook/llamaparse/{job_id}: 401 for a signature under another key than the job has."""
    planted.callback(next(iter(spec.webhook.results)))
    reply = api.call("webhook", at={"job_id": planted.job_id}, **signed(spec.webhook, spec.probes.wrong_key))
    expect(reply).error("unauthorized")


def test_the_webhook_compares_the_whole_signature(api: Api, planted: Planted, supabase: Supabase, spec: Specification) -> None:
    """contract POST …/webhook/llamaparse/{job_id}: 401 for an empty, cut or longer signature; nonsense breaks nothing."""
    right = planted.callback(next(iter(spec.webhook.results))).request
    for how in WRONG:
        reply = api.call("webhook", at={"job_id": planted.job_id}, **forged(spec.webhook, right, how))
        expect(reply).error("unauthorized")
    for odd in planted.odd_callbacks():
        expect(api.call("webhook", at={"job_id": planted.job_id}, **odd)).handled("it is no callback, or none of the parser's")
    stored = supabase.storage.read(object_key(spec.pipeline.parsed_path, planted.owner.id, planted.document_id))
    what = "whether the text of a callback that was refused is stored"
    expect(stored.succeeded, what, subject=reply.subject, of=reply).equals(False, "its signature is wrong")


def test_the_webhook_does_not_know_an_unknown_job(api: Api, planted: Planted, spec: Specification) -> None:
    """contract POST …/webhook/llamaparse/{job_id}: 404 for an unknown job."""
    callback = signed(spec.webhook, spec.probes.wrong_key)
    require_known(api.call("webhook", at={"job_id": planted.job_id}, **callback))
    expect(api.call("webhook", at={"job_id": spec.probes.unknown_id}, **callback)).error("unknown")


@pytest.mark.component("worker")
@pytest.mark.needs("database")
def test_each_job_has_a_secret_of_its_own(document_runs: DocumentRuns, database: Database, spec: Specification) -> None:
    """contract Worker: the job's webhook_secret signs its callback, and nobody can know it by another one or by its ids."""
    runs = [document_runs.queued(name) for name in document_runs.expected_to("complete")]
    found = secrets_of(database, [run.job_id for run in runs])
    if not found.jobs:
        not_applicable("the release deletes a secret when its callback has come")
    subject = f"column {spec.pipeline.jobs_table}.webhook_secret"
    hint, facts = "how the worker makes the secret of a callback", {"jobs": found.jobs}
    for wrong, what in (
        (found.jobs - found.secrets, "jobs with the secret of another one"),
        (found.guessed, "secrets that are short, or hold an id or the hash of what everybody may know"),
    ):
        expect(wrong, what, hint, code="data.wrong", subject=subject, facts=facts).equals(0)


@each("form", entries.callback_results)
@pytest.mark.about("webhook.refused")
def test_the_webhook_stores_every_page(
    api: Api, planted: Planted, supabase: Supabase, pipeline: Pipeline, spec: Specification, form: str
) -> None:
    """contract POST …/webhook/llamaparse/{job_id}: a result as text, or as a list of pages, is stored whole, and hashed."""
    callback = planted.callback(form)
    acknowledged = expect(api.call("webhook", at={"job_id": planted.job_id}, **callback.request)).success()
    path = spec.pipeline.parsed_path
    stored = planted.parsed_text(supabase, acknowledged)
    code, subject = where_it_was_lost(stored, pipeline, planted.job_id, spec.pipeline)
    text = expect(stored, code=code, subject=subject).success().text
    missing = [page for page in callback.pages if page not in text]
    facts = {"failed": len(missing), "of": len(callback.pages)}
    what, subject = f"pages that the stored text lacks, sent as {form}", f"object {path}"
    expect(missing, what, code="data.lost", subject=subject, facts=facts).is_empty()
    order = sorted(callback.pages, key=text.find)
    what = f"pages in the order in which the stored text has them, sent as {form}"
    expect(order, what, code="data.wrong", subject=subject).equals([*callback.pages])
    unknown = words_missing(spec.webhook.words, text)
    what, facts = f"words in other scripts that the stored text lacks, sent as {form}", {"failed": len(unknown)}
    expect(unknown, what, code="data.lost", subject=f"{subject} in other scripts", facts=facts).is_empty()
    ends, word = text.split(), spec.webhook.words.split()[-1]
    what = f"pages whose last word stands by itself, of {len(callback.full)} that were sent as {form}"
    expect(ends.count(word), what, code="data.wrong", subject=subject).is_at_least(len(callback.full))
    kept = digest(left_by_callback(pipeline, planted.job_id, "parsed_sha256"), spec.readings)
    what, column = f"parsed_sha256 of a text that was sent as {form}", f"column {spec.pipeline.tables.documents}.parsed_sha256"
    expect(kept, what, code="data.wrong", subject=column).equals(sha256(stored.body), "it is the hash of the stored text")


@pytest.mark.parametrize("how", ["unsigned", *WRONG])
def test_the_webhook_checks_the_signature_of_a_job_that_has_gone_on(
    api: Api, planted: Planted, spec: Specification, how: str
) -> None:
    """contract POST …/webhook/llamaparse/{job_id}: a wrong signature is refused in every status of the job."""
    right = planted.callback(next(iter(spec.webhook.results))).request
    refused = refusals_of(expect(api.call("webhook", at={"job_id": planted.job_id}, **right)).success())
    forgery = forged(spec.webhook, right, how)
    expect(api.call("webhook", at={"job_id": planted.job_id}, **forgery)).status(*refused)


def test_the_webhook_checks_the_signature_of_a_job_that_is_over(planted: Planted, late_callbacks: LateCallbacks) -> None:
    """contract POST …/webhook/llamaparse/{job_id}: in any status of a job a wrong signature is refused and changes nothing."""
    for late in late_callbacks.forged_for(planted):
        reply = late.reply
        expect(reply).status(*refusals_of(reply), because=f"the job is {late.status}, and the callback is {late.said}")
        what = f"columns of a {late.status} job that changed with a callback that was refused ({late.said})"
        expect(late.changed, what, subject=reply.subject, of=reply).is_empty("whoever sent it may be anybody")


@pytest.mark.about("webhook.refused")
def test_the_webhook_acknowledges_a_rightly_signed_repeat(
    api: Api, planted: Planted, pipeline: Pipeline, spec: Specification
) -> None:
    """contract POST …/webhook/llamaparse/{job_id}: 200 for the right signature; the same callback twice harms nothing."""
    callback = planted.callback(next(iter(spec.webhook.results)))
    # Who repeats a callback that was slow may do so while the first is worked on.
    request = partial(Api.call, name="webhook", at={"job_id": planted.job_id}, **callback.request)
    for reply in in_parallel(api, [request] * 2):
        planted.require_in_time(expect(reply).success())
    after = pipeline.existing_job(planted.job_id)["status"]
    column = f"column {spec.pipeline.jobs_table}.status"
    failed = spec.pipeline.has_failed(after)
    expect(failed, f"failure after a repeated callback ({after})", code="job.state", subject=column).equals(False)
    times, what = pipeline.times_at(planted.job_id, spec.pipeline.parsed_stage), "times that a repeated callback took effect"
    expect(times, what, code="job.twice", subject=column).is_at_most(1)


@pytest.mark.needs("database")
@pytest.mark.about("data.reason")
def test_a_callback_of_a_failed_parse_counts(api: Api, planted: Planted, pipeline: Pipeline, spec: Specification) -> None:
    """contract POST …/webhook/llamaparse/{job_id}: `failed`, with its error, is taken note of as `completed` is."""
    word = secrets.token_hex(6)
    request = planted.callback_with_failure(word)
    reply = expect(api.call("webhook", at={"job_id": planted.job_id}, **request)).success()
    column = f"column {spec.pipeline.jobs_table}.last_error"
    reason = left_by_callback(pipeline, planted.job_id, "last_error")
    expect(str(reason or ""), "reason of a parse that failed", subject=column, of=reply).is_not_empty()
    what, seen = "the reason of a parse that failed to say more than which step it was", json.dumps(reason, default=str)
    expect(says_why(reason, spec.pipeline), what, seen=seen, subject=column, of=reply).is_true()
    what, because = "the reason of a parse that failed", "it stands in the text that was read until then"
    expect(seen, what, code="words.shown", subject=column, of=reply).lacks(word, because)
    # The reason may be left out of a callback.
    bare = api.call("webhook", at={"job_id": planted.job_id}, **planted.callback_with_failure(word, without="error"))
    expect(bare, refused="webhook.refused").success("a callback that says no reason is one as well")


@pytest.mark.about("job.again")
def test_a_callback_that_nobody_waits_for_changes_nothing(
    planted: Planted, late_callbacks: LateCallbacks, supabase: Supabase, spec: Specification
) -> None:
    """contract Callbacks: one that comes late, for a job that is over, is acknowledged (200) and changes nothing."""
    for late in late_callbacks.sent_to(planted):
        reply = late.reply
        expect(reply, refused="webhook.refused").success("it is rightly signed")
        what = f"columns of a {late.status} job that changed with a callback that says {late.said}"
        facts = {"detail": f"a {late.status} job changes with a late callback: {', '.join(late.changed)}"}
        expect(late.changed, what, subject=reply.subject, facts=facts, of=reply).is_empty("the job waits for none")
    stored = supabase.storage.read(object_key(spec.pipeline.parsed_path, planted.owner.id, planted.document_id))
    what, subject = "whether the text of a late callback was stored", f"object {spec.pipeline.parsed_path}"
    expect(stored.succeeded, what, subject=subject).equals(False)
