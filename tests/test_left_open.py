"""What the contract leaves open: other forms pass as far as the specification accepts them, and what does harm never does."""

import dataclasses
from hashlib import sha256

import httpx
import pytest

from fixtures.certificates import days_wanted
from fixtures.network import is_sent_home, shown_to
from fixtures.open_routes import may_be_open
from fixtures.stored import Chunk, is_nearest, wrongly_hashed
from gate.reply import Reply
from spec import load
from spec.model import Readings

SPEC = load()
HOME = "https://api.test"
OWN, FOREIGN = SPEC.networking.cors_origins[0], "https://evil.example"
BLANK = dict.fromkeys(("chunker_name", "chunker_version", "embed_model", "embed_version", "vector"))


def reply(status: int = 200, body: str = "{}", **headers: str) -> Reply:
    named = httpx.Headers({name.replace("_", "-"): value for name, value in headers.items()})
    return Reply("GET", f"{HOME}/health", status, named, body.encode(), 0.01, "api", readings=SPEC.readings)


def chunks(*pairs: tuple[str, str | None]) -> list[Chunk]:
    return [Chunk(BLANK | {"chunk_ord": n, "text": text, "chunk_sha": sha}) for n, (text, sha) in enumerate(pairs)]


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def test_an_origin_of_the_front_end_opens_nothing_to_another_page() -> None:
    allowed = SPEC.networking.cors_origins
    found = reply(access_control_allow_origin=OWN)
    assert shown_to(found, FOREIGN, allowed) is None
    assert shown_to(dataclasses.replace(found, readings=Readings()), FOREIGN, allowed) == OWN
    assert shown_to(reply(), FOREIGN, allowed) is None
    for opening in ("*", FOREIGN, "https://another.example"):
        assert shown_to(reply(access_control_allow_origin=opening), FOREIGN, allowed) == opening


@pytest.mark.parametrize(
    ("status", "location", "home"),
    [
        (301, f"{HOME}/health", True),
        (308, "https://staging.accessa.ai/health", True),
        (301, "https://evil.example/health", False),
        (301, "http://api.test/health", False),
        (301, "https://api.test.evil.example/", False),
        (301, "https://[", False),
        (200, f"{HOME}/health", False),
    ],
)
def test_a_foreign_host_may_be_sent_home_only(status: int, location: str, home: bool) -> None:
    assert is_sent_home(reply(status, location=location), HOME, SPEC.networking.trusted_hosts) is home


@pytest.mark.parametrize(("begun", "wanted"), [("Jan  1 00:00:00 2026 GMT", 1.5), ("Oct  9 00:00:00 2025 GMT", 7)])
def test_a_certificate_of_a_few_days_needs_a_share_of_them(begun: str, wanted: float) -> None:
    found = {"notBefore": begun, "notAfter": "Jan  7 00:00:00 2026 GMT"}
    assert days_wanted(found, SPEC.networking) == wanted


def test_a_hash_of_more_than_the_text_is_one_that_no_other_text_has() -> None:
    plain, more = Readings(), SPEC.readings
    right = chunks(("a", digest("a")), ("b", digest("b")))
    assert wrongly_hashed(right, plain) == wrongly_hashed(right, more) == []
    salted = chunks(("a", digest("1a")), ("b", f"sha256:{digest('1b')}"))
    assert (wrongly_hashed(salted, plain), wrongly_hashed(salted, more)) == ([0, 1], [])
    same = chunks(("a", digest("x")), ("b", digest("x")), ("c", digest("c")))
    assert wrongly_hashed(same, more) == [0, 1]
    assert wrongly_hashed(chunks(("a", None), ("b", ""), ("c", digest("")), ("d", "the text d")), more) == [0, 1, 2, 3]


def test_words_around_a_chunk_may_be_embedded_with_it() -> None:
    chunk = Chunk(BLANK | {"chunk_ord": 0, "text": "a", "chunk_sha": "", "vector": "[0.9,0.3,0.3]"})
    assert is_nearest(chunk, [1, 0, 0], [[0, 1, 0], [0, 0, 1]])
    assert is_nearest(chunk, [1, 0, 0], [])
    assert not is_nearest(chunk, [0, 1, 0], [[1, 0, 0]])


@pytest.mark.parametrize(
    "path", ["/livez", "/version", "/api/v1/version", "/auth/password-reset", "/auth/confirm", "/robots.txt"]
)
def test_further_pages_may_be_open(path: str) -> None:
    assert may_be_open(SPEC, path, reply(body='{"status": "ok"}'))
    assert may_be_open(SPEC, path, reply(422))
    assert not may_be_open(SPEC, path, reply(body='{"email": "someone@test.example"}'))
    assert not may_be_open(SPEC, path, reply(body='{"id": "8cedf099-e78f-4247-9a2b-8fdc823720dc"}'))
    narrow = SPEC.model_copy(update={"readings": Readings()})
    assert not may_be_open(narrow, path, reply(body='{"status": "ok"}'))


@pytest.mark.parametrize(
    "path",
    [
        "/debug/config",
        "/test/chat",
        "/api/workflow/run",
        "/api/upload-pipeline/test-upload",
        "/api/upload-pipeline/status",
        "/api/health",
        "/chat/history",
        "/me/plan",
        "/documents/recent",
        "/admin/users",
        "/upload-document-backend-no-auth",
        "/plans/{plan_id}",
    ],
)
def test_pages_of_developers_and_of_users_are_not(path: str) -> None:
    assert not may_be_open(SPEC, path, reply(body='{"status": "ok"}'))
