"""8.2.5 Test external API integrations: the model that questions are embedded with (§1 RAG_EMBEDDING_MODEL)."""

import pytest

from fixtures.answers import Answer
from fixtures.api import Api
from fixtures.controls import require_shown
from fixtures.planted import Planted
from fixtures.vendors import OpenAI
from gate.failures import not_applicable
from gate.http import expect
from gate.selection import each, promised
from spec import Specification, entries

pytestmark = [
    pytest.mark.postdeploy,
    pytest.mark.checklist("8.2.5"),
    pytest.mark.component("rag"),
    pytest.mark.needs("api", "database"),
    promised("pipeline", "chat"),
]


@each("model", entries.other_embedding_models)
@pytest.mark.about("vectors.foreign", "vectors questions")
def test_questions_are_not_embedded_by_another_model(
    api: Api, planted: Planted, openai: OpenAI, spec: Specification, model: str
) -> None:
    """§1 RAG_EMBEDDING_MODEL: a passage that only another model's vectors would find is not found (F11)."""
    if model not in openai.models():
        not_applicable(f"the key may not use {model}")
    question = spec.probes.foreign_question
    [vector] = openai.embed([question], model, dimensions=spec.vectors.dimension)
    if len(vector) != spec.vectors.dimension:
        not_applicable(f"the vendor's vectors of {model} have {len(vector)} dimensions, and cannot be stored")
    planted.chunk(0, f"{spec.probes.text} {planted.document_id}", [-value for value in vector])
    # Another text of theirs is being embedded when they ask.
    planted.bare_chunk(3, spec.probes.text)
    first = Answer(expect(api.as_(planted.owner).ask(question)).success())
    first.require_no_fault(spec.chat)
    if _finds(first, planted):
        not_applicable("retrieval finds what is far below its threshold, so that what it finds proves nothing")
    planted.chunk(1, f"{spec.probes.text} {planted.document_id}", vector)
    answer = Answer(expect(api.as_(planted.owner).ask(question)).success())
    found = _finds(answer, planted)
    if not found:
        [own] = openai.embed([question], spec.pipeline.embed_model)
        planted.chunk(2, f"{spec.probes.text} {planted.document_id}", own)
        asked = Answer(expect(api.as_(planted.owner).ask(question)).success())
        require_shown(_finds(asked, planted), "a passage by its vector of the specified model")
    hint = "RAG_EMBEDDING_MODEL of the API: the worker embeds chunks with another model"
    expect(found, f"a question found by its vector of {model}", hint, facts={"model": model}, of=answer.reply).equals(False)


def _finds(answer: Answer, planted: Planted) -> bool:
    return planted.document_id in answer.document_ids() or answer.mentions(planted.document_id)
