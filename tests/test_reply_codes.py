"""What a wrong response is called: by its status, by who sent it, and by what a page looks like that does not exist."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from fixtures.api import Api
from gate.failures import Failure
from gate.http import expect
from gate.reply import Reply, code_of
from gate.session import Session
from tests.conftest import with_values
from tests.recorded import SPEC
from tests.servers import accepting

JSON, HTML = "application/json", "text/html; charset=utf-8"
CALL = SPEC.endpoint("me")


def a_reply(status: int, content_type: str = JSON, **more: Any) -> Reply:
    """A response of the service."""
    headers = httpx.Headers({"content-type": content_type})
    return Reply("GET", "https://x/me", status, headers, b"{}", 0.1, "api", CALL, **more)


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (a_reply(500), "http.server_error"),
        (a_reply(500, own=False), "http.server_error"),
        # A body in JSON says nothing of who sent it.
        (a_reply(502, own=True), "http.server_error"),
        (a_reply(502, own=False), "http.proxy_error"),
        (a_reply(503, own=False), "http.proxy_error"),
        (a_reply(504, HTML, own=False), "http.proxy_error"),
        (a_reply(301), "http.redirect"),
        (a_reply(200, HTML, own=False), "http.not_json"),
        (a_reply(204), "http.status"),
        (a_reply(404), "http.refused"),
        (a_reply(404, without_route=True), "route.missing"),
        (a_reply(405, without_route=True), "route.missing"),
        (a_reply(401), "http.refused"),
        (a_reply(401, with_token=True), "auth.refused"),
        (a_reply(403, with_token=True), "http.refused"),
        (a_reply(422, with_token=True), "http.refused"),
        (a_reply(429), "http.limited"),
    ],
    ids=lambda value: f"{value.status}" if isinstance(value, Reply) else value,
)
def test_where_a_success_was_due(reply: Reply, code: str) -> None:
    assert code_of(reply, wants_success=True) == code


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (a_reply(200), "http.accepted"),
        (a_reply(500), "http.unhandled"),
        (a_reply(503, own=True), "http.unhandled"),
        (a_reply(502, own=False), "http.proxy_error"),
        (a_reply(302), "http.redirect"),
        (a_reply(200, HTML, own=False), "http.not_json"),
        (a_reply(404, without_route=True), "route.missing"),
        (a_reply(400), "http.status"),
    ],
    ids=lambda value: f"{value.status}" if isinstance(value, Reply) else value,
)
def test_where_a_refusal_was_due(reply: Reply, code: str) -> None:
    assert code_of(reply, wants_success=False) == code


def test_a_failure_carries_its_exchange_and_its_facts() -> None:
    with pytest.raises(Failure) as caught:
        expect(a_reply(500, request_id="r-1")).success()
    failure = caught.value
    assert (failure.code, failure.subject, failure.component) == ("http.server_error", "endpoint GET /me", "api")
    assert (failure.expected, failure.observed["status"]) == ([200], 500)
    assert failure.exchange is not None
    assert (failure.exchange.request_id, failure.exchange.own) == ("r-1", True)


def test_an_expectation_may_name_its_own_code_and_subject() -> None:
    with pytest.raises(Failure) as caught:
        expect(a_reply(200), code="endpoint.open", subject="page /debug").refusal()
    assert (caught.value.code, caught.value.subject) == ("endpoint.open", "page /debug")


@pytest.mark.parametrize(("code", "subject"), [("http.sttus", ""), ("", "pge /x"), ("http.status", "nothing")])
def test_a_failure_of_an_undeclared_name_cannot_be_raised(code: str, subject: str) -> None:
    with pytest.raises(LookupError, match=r"codes\.toml"):
        Failure(code, subject)


# ── As the API is asked ──────────────────────────────────────────────────────────────────────────────────
Answers = Callable[[str], tuple[int, str, str, bool]]
NOT_FOUND = (404, JSON, '{"detail": "Not Found"}', True)
OK = (200, JSON, '{"id": 1}', True)


def asked(session: Session, answers: Answers) -> str:
    """The code of asking for the caller's own user, when the API's responses are (status, content type, body, is own)."""

    def act(connection: socket.socket) -> None:
        path = connection.recv(65536).split(b" ")[1].decode()
        status, kind, body, is_own = answers(path)
        own = "x-request-id: r1\r\n" if is_own else ""
        head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n{own}\r\n"
        connection.sendall((head + body).encode())

    with accepting(act) as port:
        found = with_values(session, API_BASE_URL=f"http://127.0.0.1:{port}")
        try:
            expect(Api(found).call("me")).success().object()
        except Failure as failure:
            return failure.code
        finally:
            found.close()
    return ""


@pytest.mark.parametrize(
    ("of_me", "of_unknown", "code"),
    [
        (OK, NOT_FOUND, ""),
        ((502, JSON, '{"error": "bad gateway"}', True), NOT_FOUND, "http.server_error"),
        ((502, JSON, '{"error": "bad gateway"}', False), NOT_FOUND, "http.proxy_error"),
        ((502, HTML, "<h1>Bad Gateway</h1>", False), NOT_FOUND, "http.proxy_error"),
        ((405, JSON, '{"detail": "Method Not Allowed"}', True), NOT_FOUND, "route.missing"),
        ((404, JSON, '{"detail": "Not Found"}', True), NOT_FOUND, "route.missing"),
        # The handler is there, and does not find its row.
        ((404, JSON, '{"detail": "Not Found", "user_id": "u1"}', True), NOT_FOUND, "http.refused"),
        ((404, JSON, '{"detail": "Not Found"}', True), (404, HTML, "<h1>Not Found</h1>", False), "http.refused"),
        ((404, JSON, "[" * 9000, True), NOT_FOUND, "http.refused"),
        ((301, HTML, "", False), NOT_FOUND, "http.redirect"),
        ((200, HTML, "<h1>Down for maintenance</h1>", False), NOT_FOUND, "http.not_json"),
    ],
)
def test_a_wrong_response_of_the_api_is_told_apart(
    session: Session, of_me: tuple[int, str, str, bool], of_unknown: tuple[int, str, str, bool], code: str
) -> None:
    assert asked(session, lambda path: of_me if path == "/me" else of_unknown) == code
