"""Plain http: closed, refused and redirected are right; served, circles and foreign hosts are not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from fixtures.plain_http import Walk, follow, plain_address
from fixtures.security_headers import hsts_seconds
from gate.session import Session
from spec.model import TlsHost
from tests.conftest import with_values

OWN = ["api.test", "*.render.com"]


@pytest.fixture
def server() -> Iterator[tuple[str, dict[str, tuple[int, str]]]]:
    """A server on plain http: its address, and status and Location by path."""
    pages: dict[str, tuple[int, str]] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, location = pages[self.path]
            self.send_response(status)
            self.send_header("Content-Length", "0")
            if location:
                self.send_header("Location", location)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    found = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{found.server_port}", pages
    found.shutdown()
    found.server_close()


@pytest.mark.parametrize(
    ("pages", "serves", "wrong"),
    [
        ({"/": (200, "")}, True, ""),
        ({"/": (204, "")}, True, ""),
        ({"/": (426, "")}, False, ""),
        ({"/": (403, "")}, False, ""),
        ({"/": (301, "/a"), "/a": (200, "")}, True, ""),
        ({"/": (301, "/a"), "/a": (404, "")}, False, "stays at http"),
        ({"/": (302, "/a"), "/a": (302, "/")}, False, "loop"),
        ({"/": (301, "/")}, False, "loop"),
        ({"/": (308, "https://127.0.0.1:9/")}, False, ""),
        ({"/": (308, "https://elsewhere.invalid:9/")}, False, "foreign host"),
    ],
)
def test_what_answers_plain_http_is_followed(
    server: tuple[str, dict[str, tuple[int, str]]],
    session: Session,
    pages: dict[str, tuple[int, str]],
    serves: bool,
    wrong: str,
) -> None:
    server[1].update(pages)
    walk = follow(f"{server[0]}/", session.spec.tls.plain_http, 5)
    assert (walk.serves_plainly, walk.stray(["127.0.0.1"])) == (serves, wrong)


def test_a_closed_port_is_right(session: Session) -> None:
    walk = follow("http://127.0.0.1:9/", session.spec.tls.plain_http, 5)
    assert walk.closed
    assert not walk.serves_plainly
    assert not walk.stray([])


def test_https_that_leads_back_is_a_downgrade() -> None:
    assert Walk(["http://api.test/", "https://api.test/", "http://api.test/in"]).is_downgraded()
    assert not Walk(["http://api.test/", "https://api.test/", "https://api.test/in"]).is_downgraded()


def test_hosts_of_the_service_are_patterns() -> None:
    assert Walk(["http://api.test/", "https://a.render.com/"], 200).stray(OWN) == ""
    assert Walk(["http://api.test/", "https://render.com.evil.test/"], 200).stray(OWN) == "foreign host"


def test_where_plain_http_is_asked(session: Session) -> None:
    host = TlsHost(
        name="api",
        setting="API_BASE_URL",
        component="network",
        prerequisite="api",
        redirects=True,
        plain_setting="HARNESS_HTTP_URL",
    )
    remote = with_values(session, API_BASE_URL="https://api.test:8443")
    assert plain_address(remote, host) == "http://api.test:80/"
    given = with_values(session, HARNESS_HTTP_URL="http://127.0.0.1:8080")
    assert plain_address(given, host) == "http://127.0.0.1:8080/"
    with pytest.raises(pytest.skip.Exception, match="HARNESS_HTTP_URL"):
        plain_address(session, host)
    for one in (remote, given):
        one.close()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("max-age=31536000; includeSubDomains", 31536000),
        ('includeSubDomains; Max-Age="63072000"', 63072000),
        ("max-age=0", 0),
        ("includeSubDomains", 0),
        ("max-age=year", 0),
        (None, 0),
    ],
)
def test_the_time_of_hsts_is_read(value: str | None, seconds: int) -> None:
    assert hsts_seconds(value) == seconds
