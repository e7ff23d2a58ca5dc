"""The frame of the conformance cases: answers are held against the vendor's description, outcomes become a page."""

import json
from pathlib import Path
from textwrap import dedent

import httpx
import pytest

from proof.conformance import page
from proof.conformance.clients import Clients
from proof.conformance.marks import operation
from proof.conformance.recorded import Answer, Recorder, problems
from proof.conformance.results import Case, Results

FRAME = Path(page.__file__).parent
MODELS = "https://vendor.test/v1/models"
pytest_plugins = ["pytester"]


def asked(url: str, body: object, method: str = "GET", kind: str = "application/json") -> list[Answer]:
    """What is kept of one answer of a vendor."""
    recorder = Recorder()
    recorder.knows("https://vendor.test/v1", "openai")
    transport = httpx.MockTransport(
        lambda _: httpx.Response(200, stream=httpx.ByteStream(json.dumps(body).encode()), headers={"content-type": kind})
    )
    with httpx.Client(transport=transport, event_hooks={"response": [recorder.record]}) as client:
        client.request(method, url)
    return recorder.answers


def answered(body: object, method: str = "GET", path: str = "/models") -> Answer:
    """An answer of OpenAI's."""
    (answer,) = asked(f"https://vendor.test/v1{path}", body, method)
    return answer


def test_an_answer_as_described_has_no_problem() -> None:
    model = {"id": "one", "object": "model", "created": 1, "owned_by": "openai"}
    assert problems(answered({"object": "list", "data": [model]})) == []


def test_an_answer_that_lacks_what_is_described_is_a_problem() -> None:
    (problem,) = problems(answered({"object": "list", "data": [{"id": "one"}]}))
    assert problem.startswith("GET /models 200: ")


def test_what_the_description_does_not_have_is_no_problem() -> None:
    assert problems(answered({}, path="/nothing")) == []
    assert problems(answered({}, "PATCH")) == []


def test_only_answers_in_json_of_a_described_vendor_are_kept() -> None:
    assert [(answer.description, answer.path) for answer in asked(MODELS, {})] == [("openai", "/models")]
    assert asked(MODELS, {}, kind="text/event-stream") == []
    assert asked("https://other.test/v1/models", {}) == []


def test_an_unknown_vendor_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown vendor 'Nobody'"):
        operation("Nobody", "list models")


def test_a_description_is_kept_with_its_licence() -> None:
    for path in (FRAME / "descriptions").glob("*.json"):
        assert json.loads(path.read_text())["paths"]
        assert path.with_suffix(".LICENSE").read_text()


def test_urls_have_defaults_and_keys_may_be_missing() -> None:
    made = Clients.of({"SUPABASE_URL": "https://project.test/"}, is_live=True)
    assert made.urls.supabase == "https://project.test"
    assert made.urls.openai.endswith("/v1")
    assert not made.keys.render


def test_outcomes_are_those_of_body_and_fixtures(pytester: pytest.Pytester) -> None:
    results = Results()
    pytester.makeconftest(
        """
        from proof.conformance.results import note_operation
        def pytest_itemcollected(item): note_operation(item)
        """
    )
    pytester.makepyfile(
        dedent(
            """
            import pytest
            def about(text): return pytest.mark.operation("OpenAI", text)
            @pytest.fixture
            def late():
                yield
                assert False
            @about("passes")
            def test_a(): pass
            @about("fails")
            def test_b(): assert False
            @about("fails afterwards")
            def test_c(late): pass
            @about("is left out")
            @pytest.mark.skip(reason="no key")
            def test_d(): pass
            """
        )
    )
    pytester.inline_run("-p", "no:cacheprovider", plugins=[results])
    assert [(case.operation, case.outcome, case.reason) for case in results.cases] == [
        ("passes", "passed", ""),
        ("fails", "failed", ""),
        ("fails afterwards", "failed", ""),
        ("is left out", "skipped", "no key"),
    ]


def test_the_page_counts_and_lists() -> None:
    text = page.markdown([Case("OpenAI", "list models", False, "passed"), Case("Render", "list services", True, "failed")])
    assert "1 of 2 (50.0 %)" in text
    assert "| list services | stranger | failed |" in text
    assert "had not read the doubles: 0 of 1" in text
