"""Small logic of the fixtures: percentiles, tokens, documents, source trees, answers."""

import dataclasses
import io
from pathlib import Path

import httpx
import jwt
import pypdf
import pytest

from fixtures.answers import Answer
from fixtures.document_run import DocumentRun
from fixtures.documents import make
from fixtures.leaks import leaks_in
from fixtures.measure import Samples, percentile
from fixtures.paths import matches
from fixtures.retrieval import in_reading_order
from fixtures.stored import Chunk, object_key, pages_missing
from fixtures.system import Staging
from fixtures.tokens import SigningKeys, Tokens, claims_of, role_of
from fixtures.users import User
from gate.http import Reply
from gate.run import Run, new_run_id
from gate.session import Session
from spec import load
from spec.model import DocumentKind

SPEC = load()
SECRET = "a-signing-key-that-is-long-enough-to-sign"
TOKEN = jwt.encode({"sub": "u", "role": "authenticated", "aud": "authenticated"}, SECRET, algorithm="HS256")
BLANK = dict.fromkeys(("chunk_sha", "chunker_name", "chunker_version", "embed_model", "embed_version", "vector"))
USER = User("u", "e@example.com", "n", "p", TOKEN)


def reply(body: bytes, status: int = 200, **headers: str) -> Reply:
    """An answer made up for a test."""
    return Reply("GET", "https://host/x", status, httpx.Headers(headers), body, 0.1, "api")


@pytest.mark.parametrize(("fraction", "wanted"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100)])
def test_percentiles_are_real_samples(fraction: float, wanted: float) -> None:
    assert percentile([float(n) for n in range(100, 0, -1)], fraction) == wanted


def test_figures_of_samples() -> None:
    figures = Samples("x", [1.0, 2.0, 3.0, 10.0]).figures()
    assert figures == {"median_ms": 2.5, "mean_ms": 4.0, "p95_ms": 10.0, "max_ms": 10.0}


def test_forged_tokens_do_not_verify() -> None:
    tokens = Tokens(SPEC, SigningKeys(SECRET))
    forged = [tokens.foreign(USER), tokens.unsigned(USER), tokens.altered(USER), tokens.cut(USER), tokens.expired(USER)]
    for token in forged:
        with pytest.raises(jwt.PyJWTError):
            jwt.decode(token, SECRET, algorithms=["HS256"], audience="authenticated")


def test_signed_tokens_carry_the_change() -> None:
    token = Tokens(SPEC, SigningKeys(SECRET)).signed(USER, aud="other", role=None)
    assert claims_of(token)["aud"] == "other"
    assert role_of(token) == ""
    assert claims_of("nonsense") == {}


def text_of(body: bytes) -> list[str]:
    """Text of each page, in one line."""
    return [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(body)).pages]


def test_a_policy_is_a_real_pdf_with_its_facts() -> None:
    document = make("policy", DocumentKind(kind="policy", outcome="complete", pages=3), "r1", SPEC.facts)
    pages = text_of(document.body)
    assert len(pages) == 3
    assert all(line in page for lines, page in zip(document.pages, pages, strict=True) for line in lines.splitlines())
    assert all(answer in " ".join(pages) for _, answer in document.facts)


def test_two_runs_send_different_content() -> None:
    kind = DocumentKind(kind="policy", outcome="complete")
    assert make("a", kind, "r1", []).sha256 != make("a", kind, "r2", []).sha256


def test_bad_documents_are_bad() -> None:
    made = {name: make(name, kind, "r1", []) for name, kind in SPEC.documents.items() if kind.outcome == "failed"}
    assert text_of(made["no_text"].body) == [""]
    assert not made["not_a_pdf"].body.startswith(b"%PDF")
    assert made["truncated"].body.startswith(b"%PDF")
    with pytest.raises(pypdf.errors.PyPdfError):
        text_of(made["truncated"].body)


@pytest.mark.parametrize(
    ("path", "pattern", "wanted"),
    [
        ("api/x.py", "api/**", True),
        ("apix/x.py", "api/**", False),
        ("README.md", "*.md", True),
        ("Dockerfile", "Dockerfile", True),
        ("a/Dockerfile", "Dockerfile", False),
    ],
)
def test_build_filter_patterns(path: str, pattern: str, wanted: bool) -> None:
    assert matches(path, pattern) is wanted


@pytest.mark.parametrize(
    "body",
    [
        b'{"text": "ok", "metadata": {"error_type": "X"}}',
        b'{"text": "ok", "metadata": {"error": "X"}}',
        b'{"text": "ok", "sources": ["system"]}',
        b'{"text": "I apologize, but no.", "sources": []}',
        b'{"text": "", "sources": []}',
        b'{"text": "ok", "success": false}',
    ],
)
def test_a_failure_behind_a_200_is_seen(body: bytes) -> None:
    assert Answer(reply(body)).failure(SPEC.chat)


def test_a_good_answer_is_good() -> None:
    answer = Answer(reply(b'{"text": "It is $10 per month, call 1-800-559-3500.", "sources": [{"document_id": "d"}]}'))
    assert answer.failure(SPEC.chat) is None
    assert answer.mentions("1 (800) 559 3500")
    assert answer.document_ids() == {"d"}


def read(body: bytes) -> Answer:
    """An answer as the specification lets it be read."""
    return Answer(dataclasses.replace(reply(body), readings=SPEC.readings))


def test_either_text_may_be_the_whole_answer() -> None:
    body = b'{"text": "It is...", "response": "It is $10 per month.", "sources": []}'
    assert read(body).mentions("$10")
    assert read(body).failure(SPEC.chat) is None
    assert not Answer(reply(body)).mentions("$10")
    assert read(b'{"text": "It is $10.", "response": "I apologize, but no."}').failure(SPEC.chat)


def test_passages_are_told_from_what_is_listed_beside_them() -> None:
    body = b'{"text": "a", "sources": [{"similarity": 0.5, "text": "p"}, {"filename": "f"}, "system"]}'
    assert read(body).passages == [{"similarity": 0.5, "text": "p"}]
    assert len(Answer(reply(body)).passages) == 3
    assert read(b'{"text": "a", "sources": ["p. 1", {"page": 2}]}').passages == ["p. 1", {"page": 2}]


@pytest.mark.parametrize(("texts", "wanted"), [("ac", True), ("ca", False), ("a ", False), ("ad", False)])
def test_reading_order_is_that_of_the_document(texts: str, wanted: bool) -> None:
    chunks = [Chunk(BLANK | {"chunk_ord": number, "text": text}) for number, text in enumerate("abc")]
    assert in_reading_order(list(texts), chunks) is wanted


def test_leaks_are_named_not_shown(tmp_path: Path, values: dict[str, str]) -> None:
    session = Session(Run(new_run_id(), "live", tmp_path / "run", values), Staging(), SPEC)
    found = leaks_in(reply(b"password a-long-password here"), session)
    assert found == ["SUPABASE_DB_PASSWORD"]
    assert leaks_in(reply(b"postgresql://u:p@host/db"), session)
    assert not leaks_in(reply(b"nothing"), session)
    session.close()


@pytest.mark.parametrize("shared", [0, 20, 60])
def test_pages_are_found_however_the_text_was_cut(shared: int) -> None:
    pages = [f"Chapter {number} of the policy begins here." for number in range(40)]
    text = " ".join(pages)
    cuts = [text[max(0, start - shared) : start + 150] for start in range(0, len(text), 150)]
    chunks = [Chunk(BLANK | {"chunk_ord": number, "text": cut}) for number, cut in enumerate(cuts)]
    assert pages_missing(pages, chunks) == []
    assert pages_missing(pages, chunks[:-2])[-5:] == [36, 37, 38, 39, 40]


def test_keys_of_stored_files() -> None:
    assert object_key("user/{user_id}/raw/{name}.pdf", "u", "d").startswith("user/u/raw/")


@pytest.mark.parametrize(
    ("stages", "claimed"),
    [
        ([("uploaded", "queued", 0.0)], False),
        ([("uploaded", "queued", 0.0), ("uploaded", "retryable", 1.0)], True),
        ([("parse_queued", "working", 0.0)], True),
    ],
)
def test_a_claim_is_seen_in_the_stages(stages: list[tuple[str, str, float]], claimed: bool) -> None:
    assert DocumentRun("x", stages=stages).was_claimed(SPEC.pipeline.states.waiting) is claimed
