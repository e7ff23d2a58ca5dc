"""8.3.4 Test external API response times (contract: Response-time targets; §5 External API Calls)."""

import pytest

from fixtures.answers import Answer
from fixtures.api import Api
from fixtures.document_run import DocumentRun
from fixtures.documents import Document, make
from fixtures.measure import Measure
from fixtures.supabase import Supabase
from fixtures.users import User
from fixtures.vendors import Anthropic, LlamaParse, OpenAI
from gate.failures import not_applicable
from gate.fields import text_in
from gate.http import expect
from gate.selection import promised
from gate.session import Session
from spec import Specification
from spec.model import DocumentKind

pytestmark = [
    pytest.mark.performance,
    pytest.mark.checklist("8.3.4"),
    pytest.mark.about("target.slow"),
    promised("pipeline"),
]
of_openai = pytest.mark.component("openai")
of_llamaparse = pytest.mark.component("llamaparse")
of_supabase = pytest.mark.component("supabase")


@pytest.fixture(scope="module")
def page(session: Session) -> Document:
    """A one-page PDF."""
    return make("latency", DocumentKind(kind="policy", outcome="complete"), session.tag, [])


@of_openai
def test_one_embedding_holds_its_target(openai: OpenAI, measure: Measure, spec: Specification) -> None:
    """contract Response-time targets: OpenAI embeddings, p95 (F30)."""
    count = measure.samples_for(spec.targets["embeddings"], costly=True)

    def work() -> float:
        return measure.clock(lambda: openai.embed([spec.probes.text], spec.pipeline.embed_model))

    measure.hold(measure.take("OpenAI embedding of one text", work, count, "embeddings"), "embeddings", "openai")


@of_openai
def test_a_batch_of_embeddings_holds_its_target(openai: OpenAI, measure: Measure, spec: Specification) -> None:
    """contract Response-time targets: OpenAI embeddings for a batch of chunks, p95 (F30)."""
    texts = [f"chapter {number} of the policy" for number in range(spec.sampling.batch_texts)]

    def work() -> float:
        return measure.clock(lambda: openai.embed(texts, spec.pipeline.embed_model))

    measure.hold(measure.take("OpenAI embedding of a batch", work, spec.sampling.batches, "embeddings"), "embeddings", "openai")


@of_openai
def test_the_model_list_is_quick(openai: OpenAI, measure: Measure, spec: Specification) -> None:
    """§5 External API Calls: OpenAI answers at all within the target."""

    def work() -> float:
        return measure.clock(openai.models)

    measure.hold(measure.take("OpenAI models", work, spec.sampling.batches, "embeddings"), "embeddings", "openai")


@of_llamaparse
def test_handing_in_a_document_holds_its_target(
    llamaparse: LlamaParse, page: Document, measure: Measure, spec: Specification
) -> None:
    """contract Response-time targets: LlamaParse submit, p95 (F30)."""

    def work() -> float:
        # Longer than other checks wait: what is slow is measured, and not taken for silent.
        return expect(llamaparse.submit(page.filename, page.body, spec.safety.chat_seconds)).success().seconds

    samples = measure.take("LlamaParse submit", work, spec.sampling.vendor_documents, "llamaparse_submit")
    measure.hold(samples, "llamaparse_submit", "llamaparse")


@of_llamaparse
def test_asking_for_a_parse_is_quick(llamaparse: LlamaParse, page: Document, measure: Measure, spec: Specification) -> None:
    """§5 External API Calls: LlamaParse's job status."""
    patience = spec.safety.chat_seconds
    job = text_in(expect(llamaparse.submit(page.filename, page.body, patience)).success(), "id")

    def work() -> float:
        return expect(llamaparse.job(job, patience)).success().seconds

    measure.hold(
        measure.take("LlamaParse job", work, spec.sampling.batches, "llamaparse_submit"), "llamaparse_submit", "llamaparse"
    )


@pytest.mark.component("anthropic")
def test_anthropic_answers_in_time(anthropic: Anthropic, measure: Measure, spec: Specification) -> None:
    """§3 Anthropic (optional): a fallback that answers in time."""

    def work() -> float:
        return expect(anthropic.models()).success().seconds

    measure.hold(measure.take("Anthropic models", work, spec.sampling.batches, "embeddings"), "embeddings", "anthropic")


@of_supabase
def test_supabase_auth_answers_in_time(supabase: Supabase, user: User, measure: Measure, spec: Specification) -> None:
    """§5 External API Calls: the check of a token, p95."""

    def work() -> float:
        return expect(supabase.auth.user_of(user.token)).success().seconds

    measure.hold(measure.take("Supabase Auth user", work, spec.sampling.mean_minimum, "supabase"), "supabase", "supabase")


@of_supabase
def test_signing_in_at_supabase_is_quick(supabase: Supabase, user: User, measure: Measure, spec: Specification) -> None:
    """§5 External API Calls: sign-in, p95."""

    def work() -> float:
        return expect(supabase.auth.sign_in(user.email, user.password)).success().seconds

    measure.hold(measure.take("Supabase Auth sign-in", work, spec.sampling.mean_minimum, "supabase"), "supabase", "supabase")


@pytest.mark.component("storage")
def test_storage_answers_in_time(supabase: Supabase, measure: Measure, spec: Specification) -> None:
    """§5 External API Calls: the bucket's description, p95."""

    def work() -> float:
        return expect(supabase.storage.describe()).success().seconds

    measure.hold(measure.take("Supabase Storage bucket", work, spec.sampling.mean_minimum, "supabase"), "supabase", "storage")


@pytest.mark.component("rag")
def test_retrieval_holds_its_target(api: Api, policy: DocumentRun, measure: Measure, spec: Specification) -> None:
    """contract Response-time targets: retrieval (question to chunks), mean."""
    caller = api.as_(policy.owner).silent()

    def one() -> float:
        answer = Answer(expect(caller.ask(policy.facts[0][0])).success())
        if answer.retrieval_seconds is None:
            not_applicable("this release does not say how long retrieval took; the whole answer has a target of its own")
        return answer.retrieval_seconds

    samples = measure.take("retrieval", one, spec.sampling.mean_minimum, "retrieval")
    measure.hold(samples, "retrieval", "rag")
