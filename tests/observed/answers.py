"""Exchanges for the observers of what is in answers: times, ids, numbers, and what other answers say."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from gate.observers import Exchanged
from gate.session import Session
from tests.observed.cases import ALICE, BOB, Case, answered, rows, token_of
from tests.recorded import SPEC

JOB, OTHER_JOB = "0a000000-0000-4000-8000-000000000001", "0a000000-0000-4000-8000-000000000009"
DOCUMENT, OTHER = "0a000000-0000-4000-8000-000000000002", "0a000000-0000-4000-8000-000000000008"
CONVERSATION = "0a000000-0000-4000-8000-000000000003"
LIFETIME = SPEC.limits.signed_url_ttl_seconds
SETTLE = SPEC.observing.settle_seconds


# Later than any session of these tests begins.
BASE = time.time() + 3600
WHOLE = datetime(2100, 1, 1, tzinfo=UTC)


def at(seconds: float = 0.0) -> datetime:
    """So many seconds from the moment at which the exchanges take place."""
    return datetime.fromtimestamp(BASE + seconds, UTC)


def iso(seconds: float = 0.0) -> str:
    """The same as text, with its zone."""
    return at(seconds).isoformat()


def as_uploaded(session: Session) -> None:
    """A job and a document, as they are first seen."""
    session.observers.see(rows({"job_id": JOB, "status": "uploaded", "updated_at": at(0.25)}))
    session.observers.see(rows({"document_id": DOCUMENT, "processing_status": "uploaded", "document_updated_at": at(0.5)}))


def later(exchange: Exchanged, seconds: float) -> Exchanged:
    """The same exchange, so many seconds later."""
    return replace(exchange, at=BASE + seconds)


def job(after: float = 1.0, **fields: Any) -> Exchanged:
    """The job by its own route, so many seconds after the row was seen."""
    shown = {"job_id": JOB, "document_id": DOCUMENT, "status": "parsed", "state": "queued", "updated_at": iso()} | fields
    return later(answered("job", shown, user=ALICE, at={"job_id": JOB}), after)


def listed(after: float = 1.0, **fields: Any) -> Exchanged:
    """The job in the listing."""
    shown = {"job_id": JOB, "document_id": DOCUMENT, "status": "parsed", "state": "queued", "updated_at": iso()} | fields
    return later(answered("jobs", {"jobs": [shown], "limit": 20}, user=ALICE), after)


def document(after: float = 1.0, **fields: Any) -> Exchanged:
    """The document by its route."""
    shown = {"job_id": JOB, "document_id": DOCUMENT, "status": "parsed", "state": "queued"} | fields
    return later(answered("document_status", shown, user=ALICE, at={"document_id": DOCUMENT}), after)


def row(after: float = 0.0, **fields: Any) -> Exchanged:
    """The job's row."""
    shown = {"job_id": JOB, "document_id": DOCUMENT, "filename": "a.pdf", "created_at": at(0.25), "updated_at": at()}
    return later(rows(shown | {"status": "complete", "state": "done"} | fields), after)


def plant_row(session: Session) -> None:
    """A finished job in the database."""
    session.observers.see(row())


BOBS = {"id": BOB, "email": "Bob@Example.test", "name": "Bob  Łuk"}


def plant_facts(session: Session) -> None:
    """A finished job in the database, and a user who has just registered."""
    plant_row(session)
    session.observers.see(row(document_created_at=at(0.25)))
    sent = {"json": {"email": "bob@example.test", "password": "x", "name": " Bob Łuk"}}
    session.observers.see(answered("register", {"user": {"id": BOB, "created_at": iso()}}, sent=sent))
    consent = {"email": "alice@example.test", "password": "x", "consent_version": "2.0", "consent_timestamp": iso()}
    session.observers.see(answered("signup", {"user": {"id": ALICE}}, status=201, sent={"json": consent}))


def signed_in(**metadata: str) -> Exchanged:
    """The sign-in of somebody who has signed up, with a token that has this in it."""
    sent = {"json": {"email": "alice@example.test", "password": "x"}}
    return answered("auth_login", {"access_token": token_of(ALICE, user_metadata=metadata)}, sent=sent)


def plant_ids(session: Session) -> None:
    """A conversation of a user."""
    session.observers.see(answered("chat", {"conversation_id": CONVERSATION}, user=ALICE))


def health(after: float, made: float, checked: float | None = None) -> Exchanged:
    """The health body, asked so many seconds later, with the time at which it was made, and its database asked."""
    services = {"database": {"last_check": iso(made if checked is None else checked)}}
    return later(answered("health", {"status": "healthy", "timestamp": iso(made), "services": services}), after)


def plant_health(session: Session) -> None:
    """An old health body."""
    session.observers.see(health(0, made=-100))


def chat(**fields: Any) -> Exchanged:
    """An answer to a question."""
    return answered("chat", {"text": "Yes."} | fields, user=BOB)


METADATA = dict.fromkeys(SPEC.chat.metadata, 0.01)


QUOTED = "Your plan covers two visits to the dentist each year"


def spoken(response: str, **more: Any) -> Exchanged:
    """An answer whose second text is this."""
    body = {"text": QUOTED, "response": response, "metadata": METADATA}
    return answered("chat_alias", body, user=BOB, sent={"json": {"message": "Which?"} | more})


def routed(*tried: tuple[str, str, float], route: str = "primary", provider: str = "openai", **more: Any) -> Exchanged:
    """An answer whose metadata tell of these attempts."""
    attempts = [{"provider": name, "outcome": outcome, "seconds": seconds} for name, outcome, seconds in tried]
    return chat(metadata=METADATA | {"route": route, "provider": provider, "attempts": attempts} | more)


def asked(named: str, shown: str, user: str = ALICE) -> Exchanged:
    """A question with the id of a conversation, and that of its answer."""
    sent = {"json": {"message": "Is it?"} | ({"conversation_id": named} if named else {})}
    return answered("chat_alias", {"text": "Yes.", "conversation_id": shown}, user=user, sent=sent)


def plant_conversations(session: Session) -> None:
    """A conversation that the service has begun, and one that it has taken from its user."""
    for named, shown in (("", CONVERSATION), (JOB, JOB)):
        session.observers.see(asked(named, shown))


def now(refused: Sequence[Exchanged], accepted: Sequence[Exchanged]) -> Case:
    """The case of exchanges that take place at that moment."""
    return Case([later(each, 0) for each in refused], [later(each, 0) for each in accepted])


LOCAL = at().astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat(sep=" ")
ANSWERS: Mapping[str, Case] = {
    "times": now(
        [
            answered("status", {"timestamp": iso(3600)}),
            answered("status", {"timestamp": iso(-3600)}),
            answered("login", {"access_token": token_of(ALICE, exp=BASE + 3600), "expires_in": 3_600_000}),
            chat(timestamp=BASE - 600),
            chat(timestamp=BASE - SPEC.health.cache_seconds),
            answered("jobs", {"jobs": [{"created_at": iso(-4 * 3600)}]}, user=ALICE),
            answered("jobs", {"jobs": [{"updated_at": iso(3600)}]}, user=ALICE),
            answered("upload", {"last_uploaded": iso(7200)}, status=409, user=ALICE),
            answered("upload", {"upload_expires_at": iso(24 * 3600)}, user=ALICE),
            answered("upload", {"upload_expires_at": iso(-60)}, user=ALICE),
            answered("upload", {"upload_expires_at": iso(LIFETIME / 5)}, user=ALICE),
            rows({"status": "parsed", "updated_at": at(1800)}),
        ],
        [
            answered("status", {"timestamp": iso()}),
            answered("health", {"timestamp": iso(-29), "services": {"database": {"last_check": iso(-600)}}}),
            answered("jobs", {"jobs": [{"created_at": iso(-0.1), "updated_at": LOCAL, "not_before": iso(9000)}]}, user=ALICE),
            answered("upload", {"upload_expires_at": iso(LIFETIME)}, user=ALICE),
            answered("login", {"expires_at": 4102444800, "user": {"created_at": iso(-9_000_000)}}),
            answered("login", {"access_token": token_of(ALICE, exp=BASE + 3600), "expires_in": "3600"}),
            answered("login", {"access_token": token_of(ALICE), "expires_in": 3600}),
            chat(timestamp=round(BASE * 1000)),
            rows({"created_at": at(-9_000_000), "updated_at": datetime(2100, 1, 1)}),
        ],
    ),
    "health_age": Case(
        [health(0.2, made=0.1), health(0.2, made=-100, checked=-200)],
        [health(0.1, -100), health(5, 4.9), health(30, 4.9), health(30.2, 30.1), health(90, 90, checked=80)],
        plant_health,
    ),
    "last_changes": Case(
        [
            rows({"job_id": JOB, "status": "parsed", "updated_at": at(0.25)}),
            rows({"document_id": DOCUMENT, "processing_status": "parsed", "document_updated_at": at(0.5)}),
        ],
        [
            rows({"job_id": JOB, "status": "uploaded", "updated_at": at(0.25)}),
            rows(
                {"job_id": JOB, "status": "parsed", "updated_at": at(0.75)}, {"job_id": JOB, "status": "", "updated_at": None}
            ),
            rows({"job_id": OTHER_JOB, "status": "uploaded", "updated_at": WHOLE}),
            rows({"job_id": OTHER_JOB, "status": "parsed", "updated_at": WHOLE}),
            rows({"job_id": JOB, "status": "complete", "updated_at": at(0.75)}, claims={"sub": ALICE}),
        ],
        as_uploaded,
    ),
    "zones": Case(
        [
            answered("status", {"timestamp": "2026-11-26T13:00:00.123456"}),
            answered("jobs", {"jobs": [{"updated_at": "2026-11-26 13:00:00"}]}, user=ALICE),
            answered("upload", {"upload_expires_at": "2026-11-26T13:00:00"}, user=ALICE),
        ],
        [
            answered("status", {"timestamp": "2026-11-26T13:00:00Z"}),
            answered("jobs", {"jobs": [{"updated_at": "2026-11-26 13:00:00.123456000+0530", "created_at": LOCAL}]}, user=ALICE),
            answered("status", {"timestamp": 1_790_000_000.5}),
            answered("status", {"timestamp": "just now"}),
        ],
    ),
    "whole_ids": Case(
        [
            answered("jobs", {"jobs": [{"job_id": JOB[:8]}]}, user=ALICE),
            chat(sources=[{"document_id": DOCUMENT, "chunk_id": "17"}]),
            answered("upload", {"job_id": "00000000-0000-0000-0000-000000000000"}, user=ALICE),
            answered("upload", {"job_id": 7}, user=ALICE),
            answered("me", {"id": ALICE[:-1]}, user=ALICE),
            answered("login", {"user": {"id": "alice"}}),
        ],
        [
            answered("jobs", {"jobs": [{"job_id": JOB.upper(), "document_id": f"urn:uuid:{DOCUMENT}"}]}, user=ALICE),
            chat(sources=[{"document_id": f"{{{DOCUMENT}}}", "chunk_id": None}, "system"], conversation_id="conv_1"),
            answered("login", {"user": {"id": ALICE}, "session": {"id": None}, "models": [{"id": "gpt-4o-mini"}]}),
        ],
    ),
    "ids_of_one_user": Case(
        [answered("chat_alias", {"conversation_id": CONVERSATION}, user=BOB)],
        [
            answered("chat", {"conversation_id": CONVERSATION}, user=ALICE),
            answered("chat", {"conversation_id": OTHER}, user=BOB),
            answered(
                "chat", {"conversation_id": CONVERSATION}, user=BOB, sent={"json": {"conversation_id": CONVERSATION.upper()}}
            ),
        ],
        plant_ids,
    ),
    "ranges": Case(
        [
            job(retry_count=-1),
            listed(retry_count=40),
            job(retry_count=0.5),
            job(progress={"percent": 104}),
            job(cost_cents=-0.01),
            chat(sources=[{"similarity": 1.2}]),
            chat(metadata={"retrieval_seconds": 31.4}),
            chat(metadata={"retrieval_seconds": 0.015}),
            chat(metadata={"processing_time": -0.2}),
            chat(metadata={"processing_time": 0.001, "retrieval_seconds": 0.006}),
            chat(metadata={"confidence": float("nan")}),
            chat(metadata={"confidence": 1.7}, sources=[{"confidence": share} for share in (0.4, 0.5, 0.8)]),
            chat(metadata={"processing_time": 9.0}, sources=[{"processing_time": took} for took in (0.001, 0.002, 0.005)]),
        ],
        [
            job(retry_count=4, progress={"percent": 100}, cost_cents=1.5),
            job(retry_count=0.0, progress=42, cost_cents=None),
            chat(sources=[{"similarity": "+0.8123"}, {"similarity": "81.23 %"}], metadata={"processing_time": "0.812 s"}),
            chat(metadata={"retrieval_seconds": 0.01, "processing_time": 9.0, "confidence": 83}),
            chat(metadata={"confidence": 0.0}, sources=[{"confidence": share} for share in (1, 40.5, 0.5, 80)]),
        ],
    ),
    "chat_answers": Case(
        [
            chat(metadata=METADATA | {"error_type": "RateLimitError"}),
            chat(metadata=METADATA | {"error": "no vector"}),
            chat(metadata=METADATA, sources=["system"]),
            chat(metadata=METADATA, success=False),
            chat(metadata=METADATA, text=" "),
            chat(metadata={"processing_time": 0.01, "confidence": 0.5}),
            chat(metadata=None),
            routed(("openai", "success", 0.001), degraded=True),
            routed(
                ("openai", "timeout", 0.001),
                ("anthropic", "success", 0.001),
                route="fallback",
                provider="anthropic",
                degraded=False,
            ),
            routed(("openai", "success", 0.001), ("openai", "success", 0.001)),
            routed(("openai", "success", 0.001), ("openai", "timeout", 0.001)),
            routed(("anthropic", "success", 0.001)),
            routed(),
            routed(("openai", "success", 4.1)),
            spoken("Nothing is said about glasses there"),
        ],
        [
            chat(metadata=METADATA, sources=[], success=True),
            routed(("openai", "success", 0.01), degraded=False, unavailable=None),
            routed(("openai", "success", 0.01), degraded=True, unavailable="database"),
            routed(("openai", "timeout", 0.001), ("openai", "success", 0.001), degraded=True),
            routed(("anthropic", "success", 0.001), provider="Anthropic", route="fallback", degraded=True),
            routed(route="direct", provider="ours", degraded=True),
            routed(route="none", provider="none"),
            spoken(f"{QUOTED}, and one cleaning."),
            spoken("Nothing is said about glasses there", user_language="fr"),
            spoken("No."),
            chat(metadata=METADATA | {"error": None, "error_type": ""}, sources=["user", "system"]),
            answered("chat_alias", {"detail": "empty message"}, status=400, user=BOB),
        ],
    ),
    "conversations": Case(
        [
            asked(CONVERSATION, OTHER_JOB),
            asked(OTHER_JOB, DOCUMENT),
            asked("", JOB),
            asked(OTHER_JOB, OTHER_JOB[:32]),
        ],
        [
            asked(CONVERSATION.upper(), CONVERSATION),
            asked(CONVERSATION, OTHER, user=BOB),
            asked("", DOCUMENT),
            asked(OTHER, OTHER),
        ],
        plant_conversations,
    ),
    "finite_numbers": Case(
        [chat(sources=[{"similarity": float("nan")}]), answered("limits", {"a": {"b": [1, float("inf")]}})],
        [chat(text="NaN is no number", metadata={"confidence": 0.5})],
    ),
    "same_progress": Case(
        [
            job(updated_at=iso(-1)),
            listed(updated_at=iso(-30)),
            listed(status="complete", state="working", updated_at=iso(-1)),
            document(after=SETTLE + 1),
            document(after=SETTLE + 1, status="complete"),
            later(rows({"job_id": JOB, "status": "parsed", "state": "queued", "updated_at": at(-2)}), 1),
        ],
        [
            job(status="complete", state="done"),
            job(after=-1, status="parsed", updated_at=iso(-9)),
            document(),
            document(after=SETTLE + 1, status="completed", state="done"),
            row(after=2, status="uploaded", state="queued", updated_at=at(3)),
            listed(after=3, status="failed_parse", state="deadletter"),
            listed(after=4, status="uploaded", state="queued", updated_at=iso(-60)),
            listed(after=5, job_id=OTHER_JOB, status="parsed"),
        ],
        plant_row,
    ),
    "same_facts": Case(
        [
            job(document_id=OTHER),
            listed(created_at=iso(-3600)),
            row(created_at=at(0.75)),
            row(document_created_at=at(0.75)),
            document(filename="b.pdf"),
            job(job_id=OTHER_JOB),
            answered("me", {"id": BOB}, user=ALICE),
            answered("login", {"access_token": token_of(ALICE), "user": {"id": BOB}}),
            answered("me", BOBS | {"name": "Bob ?uk"}, user=BOB),
            answered("auth_user", BOBS | {"name": ""}, user=BOB),
            answered("login", {"user": BOBS | {"email": "b.ob@example.test"}}),
            answered("login", {"user": BOBS | {"id": OTHER}}),
            answered("login", {"user": BOBS | {"created_at": iso(60)}}),
            signed_in(consent_version="1"),
            signed_in(consent_timestamp=iso(5)),
        ],
        [
            job(document_id=DOCUMENT.upper(), created_at=iso(0.5)),
            listed(created_at=None),
            row(document_created_at=at(-600)),
            document(filename=" a.pdf"),
            answered("me", {"id": f"{{{ALICE}}}"}, user=ALICE),
            answered("login", {"access_token": token_of(ALICE), "user": {"id": ALICE}}),
            answered("me", BOBS, user=BOB),
            answered("login", {"user": BOBS | {"name": None}}),
            answered("login", {"user": BOBS | {"created_at": iso(0.4)}}),
            signed_in(consent_version="2.0 ", consent_timestamp=LOCAL, other="x"),
            answered("me", {"id": ALICE, "name": ""}, user=ALICE),
        ],
        plant_facts,
    ),
}
