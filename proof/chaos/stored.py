"""What is stored of the users' documents in the end, and what a vendor has charged for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fixtures.database import Database
from fixtures.drills.scope import mark_of
from fixtures.drills.undisturbed import undisturbed
from fixtures.vendors import LlamaParse
from gate.http import expect
from gate.session import Session
from proof.chaos.people import Mine, Person

PAGE_SIZE = "1000"


@dataclass(frozen=True)
class Ended:
    """A document of the story with what is stored of it; without a `document_id` there is no row.

    `texts` are those of its chunks; `charged` are the times of the calls that were charged for it (seconds of the run).
    """

    number: int
    user: int
    user_id: str
    filename: str
    mark: str
    sentences: tuple[str, ...]
    is_readable: bool
    was_sent: bool
    document_id: str = ""
    job_id: str = ""
    status: str = ""
    state: str = ""
    retries: int = 0
    error: str = ""
    texts: tuple[str, ...] = ()
    charged: tuple[float, ...] = ()

    @property
    def text(self) -> str:
        """Everything that is stored of its text."""
        return "\n".join(self.texts)


class Stored:
    """Reads what is stored; `began_at` is when the run began, in seconds since 1970."""

    def __init__(self, session: Session, began_at: float) -> None:
        self._session = undisturbed(session)
        self._began_at = began_at
        self._database = Database(self._session)
        self._tables = session.spec.pipeline.tables

    def read(self, people: list[Person]) -> list[Ended]:
        """All documents of all users; raises Failure where the database or the vendor does not answer."""
        rows, texts, charged = self._rows(people), self._texts(people), self._charged()
        found = [
            self._ended(person, one, rows.get((person.user.id, one.document.sha256)), texts, charged)
            for person in people
            for one in person.mine
        ]
        return sorted(found, key=lambda ended: ended.number)

    def unfinished(self, people: list[Person]) -> int:
        """Documents whose jobs have not ended; raises Failure."""
        open_states = self._session.spec.pipeline.states.unfinished
        return sum(row["state"] in open_states for row in self._rows(people).values())

    def _rows(self, people: list[Person]) -> dict[tuple[str, str], Any]:
        schema = self._database.schema
        found = self._database.fetch(
            f"""SELECT d.user_id::text AS user_id, d.file_sha256, d.document_id::text AS document_id, j.job_id::text AS job_id,
                    j.status, j.state, j.retry_count, j.last_error
                FROM {schema}.{self._tables.documents} d JOIN {schema}.{self._tables.jobs} j USING (document_id)
                WHERE d.user_id::text = ANY($1)""",
            [person.user.id for person in people],
        )
        return {(row["user_id"], row["file_sha256"]): row for row in found}

    def _texts(self, people: list[Person]) -> dict[str, tuple[str, ...]]:
        schema, found = self._database.schema, dict[str, tuple[str, ...]]()
        rows = self._database.fetch(
            f"""SELECT c.document_id::text AS document_id, c.text FROM {schema}.{self._tables.chunks} c
                JOIN {schema}.{self._tables.documents} d USING (document_id)
                WHERE d.user_id::text = ANY($1) ORDER BY c.document_id, c.chunk_ord""",
            [person.user.id for person in people],
        )
        for row in rows:
            found[row["document_id"]] = (*found.get(row["document_id"], ()), row["text"])
        return found

    def _charged(self) -> dict[str, tuple[float, ...]]:
        """When the parser accepted each document, by the name of its file."""
        found: dict[str, tuple[float, ...]] = {}
        for item in self._parsed():
            at = datetime.fromisoformat(str(item["created_at"])).timestamp() - self._began_at
            found[item["name"]] = tuple(sorted((*found.get(item["name"], ()), round(at, 2))))
        return found

    def _parsed(self) -> Iterator[dict[str, Any]]:
        vendor, token = LlamaParse(self._session).for_operator(), ""
        while True:
            params = {"page_size": PAGE_SIZE} | ({"page_token": token} if token else {})
            body = expect(vendor.call("list_jobs", params=params)).success().object()
            yield from body["items"]
            token = body.get("next_page_token") or ""
            if not token:
                return

    def _ended(self, person: Person, one: Mine, row: Any, texts: dict[str, tuple[str, ...]], charged: Any) -> Ended:
        document, kind = one.document, self._session.spec.chaos.sent[one.plan.kind].document
        lines = [line for page in document.pages for line in page.splitlines()]
        known = Ended(
            one.number,
            person.number,
            person.user.id,
            document.filename,
            mark_of(document.filename) if document.pages else "",
            tuple(lines),
            kind.outcome == "complete",
            one.sent,
        )
        if row is None:
            return known
        return replace(
            known,
            document_id=row["document_id"],
            job_id=row["job_id"],
            status=row["status"],
            state=row["state"],
            retries=row["retry_count"],
            error=_text_of(row["last_error"]),
            texts=texts.get(row["document_id"], ()),
            charged=charged.get(document.filename, ()),
        )


def _text_of(error: object) -> str:
    if isinstance(error, str):
        error = json.loads(error)
    return json.dumps(error) if error else ""
