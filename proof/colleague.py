"""A twin that a colleague works on as well: what is theirs must stay as it was, no matter what a run of the gate does."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from fixtures.api import Api
from fixtures.cleanup import Sweeper
from fixtures.database import Database
from fixtures.documents import make
from fixtures.pipeline import Pipeline
from fixtures.supabase import Supabase
from gate.session import Session
from proof.targets import Target, operator_of, running
from spec.model import DocumentKind

COLLEAGUES = 3
MOST_FILES = 1000
SETTLE_SECONDS = 60.0
POLL_SECONDS = 0.2
PAUSE_SECONDS = 0.5


def populate(session: Session) -> None:
    """A colleague's users and documents, which carry no tag; waits until the worker is through with them."""
    api, supabase, pipeline = Api(session).silent(), Supabase(session).for_operator(), Pipeline(Database(session))
    final = session.spec.pipeline.final_state
    jobs = [_upload(api, supabase, number) for number in range(COLLEAGUES)]
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline and any((row := pipeline.job(job)) is None or row["state"] != final for job in jobs):
        time.sleep(POLL_SECONDS)  # the job's row is the only sign


def _upload(api: Api, supabase: Supabase, number: int) -> str:
    """One user with one document; returns the job's id."""
    email, password = f"colleague-{number}@example.org", f"Colleague-{os.urandom(9).hex()}"
    supabase.auth.create(email, password, "a colleague")
    token = str(supabase.auth.sign_in(email, password).object()["access_token"])
    document = make(f"colleague-{number}", DocumentKind(kind="policy", outcome="complete"), "untagged", [])
    reply = api.as_(token).request_upload(document).object()
    api.send(api.absolute(reply["signed_url"]), document.body)
    return str(reply["job_id"])


def _work(api: Api, supabase: Supabase, stop: threading.Event, done: list[str]) -> None:
    while not stop.is_set():
        done.append(_upload(api, supabase, COLLEAGUES + len(done)))
        email = f"visitor-{len(done)}@example.org"
        user = str(supabase.auth.create(email, f"Visitor-{os.urandom(9).hex()}", "a visitor").object()["id"])
        api.call("health")
        supabase.auth.delete(user)
        stop.wait(PAUSE_SECONDS)


@contextmanager
def works_meanwhile(target: Target, stop: threading.Event) -> Iterator[Callable[[], int]]:
    """Others who register, upload and leave all the time; yields how many documents they have uploaded so far."""
    done: list[str] = []
    with operator_of(target) as session:
        api, supabase = Api(session).silent(), Supabase(session).for_operator()
        worker = threading.Thread(target=_work, args=(api, supabase, stop, done))
        worker.start()
        try:
            yield lambda: len(done)
        finally:
            stop.set()
            worker.join()


def fingerprint(session: Session) -> dict[str, str]:
    """Checksums of all rows, users and files."""
    database, supabase = Database(session), Supabase(session).for_operator()
    found: dict[str, str] = {}
    for table in (table.name for table in session.spec.database.tables):
        rows = database.fetch(f"SELECT t::text AS line FROM {database.schema}.{table} t ORDER BY 1")
        found[table] = _checksum([str(row["line"]) for row in rows])
    found["users"] = _checksum(sorted(user.email + user.id for user in supabase.auth.all_users()))
    entries = supabase.storage.listing("", limit=MOST_FILES).json()
    found["files"] = _checksum(sorted(str(entry["name"]) for entry in entries))
    database.close()
    return found


def _checksum(lines: list[str]) -> str:
    return f"{len(lines)}, {sha256(repr(lines).encode()).hexdigest()[:16]}"


def count_tagged(session: Session) -> int:
    """Users and documents that carry the tag of any run."""
    sweeper = Sweeper(session)
    try:
        return len(sweeper.tagged()) + len(sweeper.orphans(datetime.now(UTC)))
    finally:
        if sweeper.rows is not None:
            sweeper.rows.close()


@dataclass
class SharedTarget:
    """A twin that a colleague works on as well, and what it held before the runs."""

    target: Target
    session: Session
    before: dict[str, str]

    def differences(self) -> dict[str, tuple[str, str]]:
        """What is not as it was before the first run: before and after, by table, `users` or `files`."""
        after = fingerprint(self.session)
        return {key: (was, after[key]) for key, was in self.before.items() if was != after[key]}


@contextmanager
def shared_target() -> Iterator[SharedTarget]:
    """Such a twin, with a colleague's documents in it."""
    with running() as target, operator_of(target) as session:
        populate(session)
        yield SharedTarget(target, session, fingerprint(session))
