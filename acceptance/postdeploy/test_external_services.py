"""8.2.5 Test external API integrations, each vendor asked directly (§3 External Service Dependencies)."""

import pytest

from fixtures.controls import require_shown
from fixtures.document_run import DocumentRun
from fixtures.documents import make
from fixtures.stored import object_key
from fixtures.supabase import Supabase
from fixtures.users import User
from fixtures.vendor_answers import answers_of
from fixtures.vendors import LlamaParse, OpenAI
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import each, promised
from gate.session import Session
from spec import Specification, external_entries
from spec.model import DocumentKind

pytestmark = [pytest.mark.postdeploy, pytest.mark.checklist("8.2.5"), promised("pipeline", "chat")]
realtime = pytest.mark.component("realtime")


@pytest.mark.component("storage")
@pytest.mark.about("storage.differs")
@pytest.mark.parametrize("kind", ["raw", "parsed"])
def test_the_service_role_may_write_and_read(supabase: Supabase, user: User, spec: Specification, kind: str) -> None:
    """§3 Supabase storage: write, read and remove with the service key, documents and parsed texts (F04)."""
    rule, probe, storage = spec.pipeline, spec.probes.file.encode(), supabase.storage
    raw, parsed = (rule.raw_path, spec.limits.supported_mime_types[0]), (rule.parsed_path, rule.parsed_mime)
    path, mime = raw if kind == "raw" else parsed
    key = object_key(path, user.id, spec.probes.file_id)
    storage.require_permitted(storage.write(key, probe, mime))
    read = storage.require_permitted(storage.read(key), because="the worker reads documents with this key")
    expect(read.body, "bytes that were read back", subject=f"object {path}", of=read).equals(probe)
    storage.require_permitted(storage.remove(key))
    storage.require_removed(path, key)


@pytest.mark.component("storage")
def test_a_signed_read_url_works(supabase: Supabase, policy: DocumentRun, spec: Specification) -> None:
    """contract Storage: a signed URL shows the object for a while."""
    key = object_key(spec.pipeline.raw_path, policy.owner.id, policy.document_id)
    path = supabase.storage.signed_path(key, spec.limits.signed_url_ttl_seconds)
    supabase.storage.require_permitted(supabase.storage.open_signed(path))


@realtime
@pytest.mark.about("realtime.silent", "channel phx_join")
def test_realtime_lets_a_client_join(supabase: Supabase, user: User, session: Session) -> None:
    """§3 Supabase realtime: a signed-in client joins a channel."""
    changes = [{"event": "*", "schema": session.spec.database.schema_name, "table": session.spec.pipeline.tables.jobs}]
    payload = {"config": {"postgres_changes": changes}, "access_token": user.token}
    status = supabase.realtime.ask(f"realtime:{session.run.run_id}", "phx_join", payload)
    expect(status, "status of the join", "Supabase's dashboard, Realtime").equals("ok")


@realtime
@pytest.mark.about("realtime.silent", "channel heartbeat")
def test_realtime_answers_heartbeats(supabase: Supabase) -> None:
    """§3 Supabase realtime: the socket is alive."""
    status = supabase.realtime.ask("phoenix", "heartbeat", {})
    expect(status, "status of the heartbeat").equals("ok")


@realtime
@pytest.mark.about("key.accepted", "key SUPABASE_ANON_KEY")
def test_realtime_refuses_a_wrong_key(supabase: Supabase, spec: Specification) -> None:
    """§6 API Keys: a key of no project opens no socket."""
    require_shown(supabase.realtime.accepts(supabase.anon_key), "a socket with the right key")
    expect(supabase.realtime.accepts(spec.probes.wrong_key), "a socket with a wrong key").equals(False)


@pytest.mark.component("llamaparse")
@pytest.mark.about("key.refused", "key LLAMAPARSE_API_KEY")
def test_llamaparse_takes_a_document(session: Session, llamaparse: LlamaParse) -> None:
    """§3 LlamaParse: it takes a PDF, handed in directly as the worker hands it in (F01)."""
    page = make("parser", DocumentKind(kind="policy", outcome="complete"), session.tag, [])
    reply = expect(llamaparse.submit(page.filename, page.body)).success(because="the worker hands in every document")
    expect(reply).fields("id")


@pytest.mark.component("llamaparse")
def test_llamaparse_knows_no_unknown_job(llamaparse: LlamaParse, spec: Specification) -> None:
    """§3 LlamaParse: the vendor answers; an unknown job is not found."""
    expect(llamaparse.job(spec.probes.unknown_id)).error("unknown")


@pytest.mark.component("openai")
@pytest.mark.about("key.refused", "key OPENAI_API_KEY")
def test_openai_completes_a_chat(openai: OpenAI, spec: Specification) -> None:
    """§3 OpenAI: a model answers one short message, asked directly with the key of the API (F02)."""
    usable = set(openai.models())
    model = next((name for name in spec.chat.models if name in usable), "")
    if not model:
        not_applicable("the key may use none of chat.models; which models it must be allowed to use is not specified")
    answer = openai.complete(spec.probes.text, model)
    expect(answer.strip(), f"answer of {model}", code="http.value", subject="endpoint OpenAI chat").is_not_empty()


@pytest.mark.component("openai")
@pytest.mark.about("key.refused", "key OPENAI_API_KEY")
def test_similar_texts_are_near(openai: OpenAI, spec: Specification) -> None:
    """§3 OpenAI: embeddings carry meaning."""
    model = spec.pipeline.embed_model
    question, near, far = openai.embed([*spec.probes.similar_texts, spec.probes.different_text], model)
    dimensions, what = {len(vector) for vector in (question, near, far)}, f"dimensions of embeddings of {model}"
    expect(dimensions, what, code="vectors.wrong", subject=f"vectors {model}").has_length(1)
    nearer, what = round(_dot(question, near) - _dot(question, far), 4), "how much nearer the similar text is"
    expect(nearer, what, code="vectors.wrong", subject=f"vectors {model}").is_above(0)


@pytest.mark.component("openai")
@pytest.mark.about("vendor.headroom")
@promised("external_apis")
@each("vendor, limit", external_entries.vendor_limits)
def test_the_run_left_room_below_the_limit(session: Session, spec: Specification, vendor: str, limit: str) -> None:
    """§3 External Service Dependencies: what the vendors said beside their answers; nothing more is asked."""
    room = answers_of(session, vendor).least.get(limit)
    if room is None:
        not_applicable(f"no answer of {vendor} to this run named the limit of {limit}; the suite `maintenance` asks for it")
    if room.limit < spec.external_apis.smallest_limit:
        not_applicable(f"{vendor}'s limit of {limit} is so small ({room.limit:g}) that this run alone uses it up")
    what = f"share of {vendor}'s limit of {limit} that is left ({room.remaining:g} of {room.limit:g})"
    subject = f"limit {vendor} {limit}"
    expect(round(room.share, 4), what, subject=subject, component=vendor).is_at_least(spec.external_apis.headroom_share)


def _dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))
