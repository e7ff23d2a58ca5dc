"""Exchanges for the observers of what headers permit: caches, cookies, browsers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import httpx

from gate.observers import Exchanged
from gate.session import Session
from tests.observed.cases import ALICE, TOOK, Case, answered, token_of
from tests.recorded import SPEC

SIGNED_IN = {"access_token": token_of(ALICE), "user": {"id": ALICE}}
COOKIE = "session=7f3a; Path=/; Secure; HttpOnly; SameSite=Lax"
PARSED = SPEC.pipeline.parsed_path.format(user_id=ALICE, name="0badcafe")
AGAIN = replace(answered("me", {}), sent_again=True)


def handed_out(
    key: str, caching: str, *, call: str = "read", status: int = 200, bucket: str = SPEC.pipeline.bucket, token: str = "key"
) -> Exchanged:
    """A file as storage hands it out, to the holder of a token or to anybody."""
    rule = SPEC.call("storage", call)
    url = "https://project.example.test/storage/v1" + rule.path_with({"bucket": bucket, "key": key})
    return Exchanged(
        "http", "storage", rule.subject, rule.method, url, status, httpx.Headers({"Cache-Control": caching}), b"text", TOOK,
        rule=rule, sent_headers={"Authorization": f"Bearer {token}"} if token else {},
    )  # fmt: skip


def plant_calls_that_were_sent_again(session: Session) -> None:
    """One less than are too many, with none beside them."""
    assert SPEC.observing.lasting is not None
    for _ in range(SPEC.observing.lasting.fewest - 1):
        session.observers.see(AGAIN)


HEADERS: Mapping[str, Case] = {
    "lasting_connections": Case([AGAIN], [answered("me", {})], plant_calls_that_were_sent_again),
    "private_caching": Case(
        [
            answered("me", {}, user=ALICE, headers={"Cache-Control": "public, max-age=300"}),
            answered("me", {}, user=ALICE, headers={"Cache-Control": "max-age=0, s-maxage=60"}),
            answered("jobs", {}, user=ALICE, headers={"Cache-Control": "max-age=60, must-revalidate"}),
            answered("jobs", {}, user=ALICE, headers={"CDN-Cache-Control": "max-age=60"}),
            answered("login", SIGNED_IN, headers={"Cache-Control": "Public"}),
            handed_out(PARSED, "max-age=31536000, public, immutable"),
            handed_out("another/place.txt", "s-maxage=60", call="read_head"),
        ],
        [
            answered("me", {}, user=ALICE),
            answered("me", {}, user=ALICE, headers={"Cache-Control": "private, max-age=300"}),
            answered("me", {}, user=ALICE, headers={"Cache-Control": "max-age=300"}),
            answered("me", {}, user=ALICE, headers={"Cache-Control": "public, no-cache"}),
            answered("me", {}, user=ALICE, headers={"Cache-Control": "public, max-age=9", "Vary": "Origin, Authorization"}),
            answered(
                "me", {}, user=ALICE, headers={"Cache-Control": "no-store, must-revalidate", "Surrogate-Control": "no-store"}
            ),
            answered("health", {}, headers={"Cache-Control": "public, max-age=30"}),
            answered("health", {}, user=ALICE, headers={"Cache-Control": "public, max-age=30"}),
            handed_out(PARSED, "max-age=3600"),
            handed_out(PARSED, "no-cache"),
            handed_out(PARSED, "public, max-age=60", status=404),
            handed_out(PARSED, "public, max-age=60", bucket="pictures"),
            handed_out(PARSED, "public, max-age=60", call="read_public"),
            handed_out(PARSED, "public, max-age=60", token=""),
        ],
    ),
    "cookies": Case(
        [
            answered("login", SIGNED_IN, headers={"Set-Cookie": "session=7f3a; Path=/; HttpOnly; SameSite=Lax"}),
            answered("login", SIGNED_IN, headers={"Set-Cookie": "session=7f3a; Secure; SameSite=Lax"}),
            answered("me", {}, status=401, headers={"Set-Cookie": "session=7f3a; Secure; HttpOnly"}),
        ],
        [
            answered("login", SIGNED_IN, headers={"Set-Cookie": COOKIE}),
            answered("login", SIGNED_IN, headers={"Set-Cookie": "csrftoken=1; secure; samesite=none"}),
            answered("me", {}, status=401, headers={"Set-Cookie": 'session=""; Max-Age=0; Path=/'}),
        ],
    ),
    "browser_headers": Case(
        [
            answered("me", {}, headers={"Strict-Transport-Security": "max-age=0"}),
            answered("me", {}, status=404, headers={"X-Content-Type-Options": "sniff"}),
            answered("docs", "", headers={"X-Frame-Options": "ALLOWALL"}),
        ],
        [
            answered("me", {}),
            answered("me", {}, headers={"Strict-Transport-Security": "max-age=63072000; includeSubDomains"}),
            answered("me", {}, headers={"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff"}),
        ],
    ),
}
