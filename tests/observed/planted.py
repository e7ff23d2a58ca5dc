"""Exchanges for the observers of what is planted."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import replace

from fixtures.observers.belongings import Belongings
from fixtures.webhooks import signature_of
from gate.session import Session
from tests.observed.cases import ALICE, BOB, Case, address_of, answered, log_of, rows, token_of
from tests.recorded import VALUES

PASSWORD = "Gate-a-password-of-alice"
CODED = base64.b64encode(f"{address_of(ALICE)}:{PASSWORD}".encode()).decode()
HASHED = hashlib.sha256(PASSWORD.encode()).hexdigest()
SIGNED_IN = {"access_token": token_of(ALICE), "token_type": "bearer", "user": {"id": ALICE}}
SIGNATURE = "a-signature-that-cannot-be-guessed-by-anybody"
LINK = f"https://storage.example.test/object/upload/sign/files/key?token={SIGNATURE}"
SECRET = "5ec4e7" * 5
CALLBACK = b'{"status": "completed"}'
WRONG_SIGNATURE = signature_of("another secret", CALLBACK)
JOB, DOCUMENT = "0a000000-0000-4000-8000-000000000001", "0a000000-0000-4000-8000-000000000002"
UPLOADED = {"job_id": JOB, "document_id": DOCUMENT, "signed_url": LINK}
DATABASE_PASSWORD = VALUES["DATABASE_URL"].partition("@")[0].rpartition(":")[2]


def plant_password(session: Session) -> None:
    """A password of a user."""
    Belongings.of(session).plant("password", PASSWORD, address_of(ALICE))


def plant_token(session: Session) -> None:
    """A token, by the answer that hands it out."""
    session.observers.see(answered("login", SIGNED_IN))


def name_of(session: Session) -> str:
    """The name of a file of the run."""
    return f"{session.tag}-policy.pdf"


def plant_upload(session: Session) -> None:
    """What belongs to the user who registers a document."""
    session.observers.see(answered("upload", UPLOADED, user=ALICE, sent={"json": {"filename": name_of(session)}}))


def plant_secret(session: Session) -> None:
    """A webhook secret, by the row that holds it."""
    session.observers.see(rows({"job_id": JOB, "webhook_secret": SECRET}))


def plant_sentence(session: Session) -> None:
    """What is printed in a user's document alone, and the name of her file."""
    Belongings.of(session).plant("sentence", "call 555-014-2718", ALICE)
    Belongings.of(session).plant("file name", "run-policy.pdf", ALICE)
    Belongings.of(session).plant("address", address_of(ALICE), address_of(ALICE))


REFUSED = {"detail": "no"}
PLANTED: Mapping[str, Case] = {
    "passwords": Case(
        [
            answered("register", {"detail": f"taken: {PASSWORD}"}, status=409),
            answered("login", {"user": {}, "trace": CODED}),
            answered("me", {"id": ALICE, "hint": HASHED}, user=ALICE),
            answered("login", REFUSED, status=401, headers={"X-Asked": PASSWORD}),
            rows({"last_error": {"reason": f"refused {PASSWORD}"}}),
        ],
        [
            answered("login", SIGNED_IN),
            answered("me", {"hint": "0" * 64}, user=ALICE),
            # Logs are judged by a check of their own (fixtures/logged.py).
            log_of(f"sign-in with {PASSWORD}"),
        ],
        plant_password,
    ),
    "tokens": Case(
        [
            answered("me", {"id": ALICE, "auth": token_of(ALICE)}, user=ALICE),
            answered("me", {"id": BOB, "seen": token_of(ALICE)}, user=BOB),
            answered("me", REFUSED, status=401, headers={"WWW-Authenticate": f'Bearer x="{token_of(BOB)}"'}, user=BOB),
            answered("login", {"user": {"id": BOB}, "access_token": token_of(BOB), "last": token_of(ALICE)}),
        ],
        [answered("login", SIGNED_IN), answered("me", {"id": ALICE}, user=ALICE), log_of(f"Bearer {token_of(ALICE)}")],
        plant_token,
    ),
    "signed_links": Case(
        [
            answered("limits", {"example": LINK}),
            answered("me", {"id": BOB, "link": LINK}, user=BOB),
            answered("upload", {"detail": f"finish {LINK}"}, status=429, user=ALICE),
            log_of(f"PUT {LINK}"),
        ],
        [answered("upload", UPLOADED, user=ALICE), answered("limits", {}), rows({"job_id": JOB})],
        plant_upload,
    ),
    "keys": Case(
        [
            answered("health", {"database_url": VALUES["DATABASE_URL"]}),
            answered("health", {"detail": f"password {DATABASE_PASSWORD} refused"}, status=503),
            answered("me", REFUSED, status=401, headers={"X-Upstream": VALUES["DATABASE_URL"]}),
            log_of(f"connecting to {VALUES['DATABASE_URL']}"),
            rows({"status": "failed_parse", "last_error": {"reason": f"no answer of {VALUES['DATABASE_URL']}"}}),
        ],
        [
            answered("health", {"status": "healthy"}),
            log_of("connecting to the database"),
            rows({"last_error": {"reason": "no answer of the database"}}),
            replace(rows({"value": VALUES["DATABASE_URL"]}), subject="table settings"),
        ],
    ),
    "webhook_secrets": Case(
        [
            answered("webhook", {"detail": f"expected HMAC under {SECRET}"}, status=401),
            rows({"type": "parsed", "payload": {"key": SECRET}, "webhook_secret": SECRET}),
            log_of(f"callback signed with {SECRET}"),
            answered("webhook", {"detail": f"not {signature_of(SECRET, CALLBACK)}"}, status=401, sent={"content": CALLBACK}),
        ],
        [
            answered("webhook", REFUSED, status=401),
            answered("webhook", {"detail": f"not {WRONG_SIGNATURE}"}, status=401, sent={"content": CALLBACK}),
            rows({"status": "parsed", "webhook_secret": SECRET}),
        ],
        plant_secret,
    ),
    "sentences": Case(
        [
            answered("chat", {"text": "You can call 555-014-2718."}, user=BOB),
            answered("health", {"status": "healthy", "last": "call 555-014-2718"}),
            rows({"text": "call 555-014-2718"}, claims={"sub": BOB, "role": "authenticated"}),
        ],
        [
            answered("chat", {"text": "You can call 555-014-2718."}, user=ALICE),
            answered(
                "chat", {"text": "You asked about 555-014-2718."}, user=BOB, sent={"json": {"message": "call 555-014-2718"}}
            ),
            rows({"text": "call 555-014-2718"}),
            rows({"text": "call 555-014-2718"}, claims={"sub": ALICE, "role": "authenticated"}),
        ],
        plant_sentence,
    ),
    "contents": Case(
        [
            rows({"last_error": {"reason": "cannot read: call 555-014-2718"}}),
            rows({"status": "parsed", "payload": "call 555-014-2718"}),
        ],
        [rows({"last_error": {"reason": "cannot read the file"}}), rows({"last_error": None, "payload": "parsed"})],
        plant_sentence,
    ),
    "file_names": Case(
        [
            answered(
                "document_status", {"detail": "run-policy.pdf is not yours"}, status=404, user=BOB, at={"document_id": DOCUMENT}
            ),
            answered("jobs", {"jobs": [{"filename": "run-policy.pdf"}]}),
        ],
        [
            answered("document_status", {"filename": "run-policy.pdf"}, user=ALICE, at={"document_id": DOCUMENT}),
            answered("document_status", {"filename": "run-policy.pdf.pdf"}, user=BOB, at={"document_id": DOCUMENT}),
        ],
        plant_sentence,
    ),
    "ids_of_others": Case(
        [
            answered("jobs", {"jobs": [{"job_id": JOB}]}, user=BOB),
            answered("upload", {"detail": f"the queue waits for {JOB}"}, status=429, user=BOB),
        ],
        [
            answered("jobs", {"jobs": [{"job_id": JOB}]}, user=ALICE),
            answered("job", {"detail": f"no job {JOB}"}, status=404, user=BOB, at={"job_id": JOB}),
        ],
        plant_upload,
    ),
    "addresses": Case(
        [
            answered("status", {"status": "ok", "last_seen": address_of(ALICE)}),
            answered("me", {"email": address_of(ALICE)}, user=BOB),
        ],
        [
            answered("me", {"email": address_of(ALICE)}, user=ALICE),
            answered("register", {"user": {"email": address_of(ALICE)}}, sent={"json": {"email": address_of(ALICE).upper()}}),
        ],
        plant_sentence,
    ),
}
