"""One exchange of the run as observers see it."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import httpx

from gate.failures import Exchange, Failure

if TYPE_CHECKING:
    from gate.reply import Reply
    from spec.model import Call

Kind = Literal["http", "frame", "rows"]
BEARER = "bearer "
# No answer of a service is as long; stored files are, which consist of what the run itself has sent.
MOST_BYTES = 2**18


@dataclass(frozen=True)
class Exchanged:
    """One request and its answer; one frame of a websocket; the rows of one query.

    `component` is the part that was asked: "api", "storage", "auth", "rest", "database", "realtime", or a vendor. `subject` is
    that of a failure ("endpoint GET /health"). `sent_headers` and `sent` are the request's; only answers are judged. `own`: the
    service itself sent it, and no proxy in front of it. `sent_again`: a kept connection was closed before it. `rows` are those
    of a query; as whom it was made is in `claims` (None: as the services' own role). `at` is when it ended, seconds since 1970.
    """

    kind: Kind
    component: str
    subject: str
    method: str = ""
    url: str = ""
    status: int = 0
    headers: httpx.Headers = field(default_factory=httpx.Headers)
    body: bytes = b""
    seconds: float = 0.0
    own: bool = True
    rule: Call | None = None
    request_id: str = ""
    sent_headers: Mapping[str, str] = field(default_factory=dict)
    sent: Mapping[str, Any] = field(default_factory=dict)
    rows: tuple[Mapping[str, Any], ...] = ()
    claims: Mapping[str, Any] | None = None
    at: float = field(default_factory=time.time)
    sent_again: bool = False

    @classmethod
    def of(cls, reply: Reply, headers: Mapping[str, str], sent: Mapping[str, Any]) -> Exchanged:
        """The exchange of a reply, and what was sent."""
        return cls(
            "http", reply.component, reply.subject, reply.method, reply.url, reply.status, reply.headers, reply.body,
            reply.seconds, reply.own, reply.rule, reply.request_id, headers, sent, at=reply.at,
            sent_again=reply.sent_again,
        )  # fmt: skip

    @cached_property
    def body_text(self) -> str:
        """The body's beginning, or the frame, as text; broken UTF-8 is replaced. Of rows what they hold, bounded."""
        return self.body[:MOST_BYTES].decode("utf-8", "replace") if self.kind != "rows" else text_of(self.rows)

    @cached_property
    def headers_text(self) -> str:
        """The headers of the answer, a line each."""
        return "\n".join(f"{name}: {value}" for name, value in self.headers.multi_items())

    @cached_property
    def text(self) -> str:
        """Headers and body as text."""
        return f"{self.headers_text}\n\n{self.body_text}"

    @cached_property
    def data(self) -> Any:
        """The body as JSON; None for anything else."""
        if not self.body:
            return None
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @cached_property
    def content_type(self) -> str:
        """Media type of the body in lower case, without its parameters."""
        return str(self.headers.get("content-type", "")).partition(";")[0].strip().lower()

    @property
    def is_error(self) -> bool:
        """Whether the status is one of 400 to 599."""
        return self.status >= 400

    @property
    def is_server_error(self) -> bool:
        """Whether the status is one of 500 to 599."""
        return self.status >= 500

    @property
    def is_redirect(self) -> bool:
        """Whether the status is one of 300 to 399."""
        return 300 <= self.status < 400

    @cached_property
    def path(self) -> str:
        """Path of the address; empty where it has none."""
        try:
            return httpx.URL(self.url).path
        except httpx.InvalidURL:
            return ""

    @cached_property
    def bearer(self) -> str:
        """The token or key with which it was asked; empty without one."""
        for name, value in self.sent_headers.items():
            if name.lower() == "authorization" and value.lower().startswith(BEARER):
                return value[len(BEARER) :].strip()
        return ""

    @cached_property
    def caller(self) -> str:
        """Id of the user who asked, by the token that was sent or the claims of a query; empty for anybody else."""
        claims = self.claims if self.claims is not None else claims_in(self.bearer)
        found = claims.get("sub")
        return found if isinstance(found, str) else ""

    @property
    def address(self) -> str:
        """E-mail address of that user, as the token or the claims name it."""
        claims = self.claims if self.claims is not None else claims_in(self.bearer)
        found = claims.get("email")
        return found if isinstance(found, str) else ""

    @property
    def role(self) -> str:
        """The role that the token or the claims name; empty where none does."""
        claims = self.claims if self.claims is not None else claims_in(self.bearer)
        found = claims.get("role")
        return found if isinstance(found, str) else ""

    def failure(
        self,
        code: str,
        *,
        expected: object = None,
        observed: object = None,
        relation: str = "",
        what: str = "",
        because: str = "",
        hint: str = "",
        subject: str = "",
        component: str = "",
    ) -> Failure:
        """A failure that was seen in this exchange."""
        return Failure(
            code, subject or self.subject, expected=expected, observed=observed, relation=relation, what=what, because=because,
            hint=hint or self.hint, component=component or self.component, exchange=self.exchange,
        )  # fmt: skip

    @property
    def hint(self) -> str:
        """Where to look when this exchange is wrong."""
        return f"the {self.component} log" + (f" of request id {self.request_id}" if self.request_id else "")

    @property
    def exchange(self) -> Exchange:
        """What is kept of it beside a failure."""
        seconds, at = round(self.seconds, 4), round(self.at, 3)
        return Exchange(self.method, self.url, self.status, self.content_type, seconds, self.request_id, self.own, at)

    def __str__(self) -> str:
        return f"{self.method} {self.path}".strip() or self.subject


MOST_ROWS = 200
MOST_LETTERS = 20_000
# Letters of a list of numbers that is longer than any other than an embedding.
EMBEDDING = 2000


def text_of(rows: tuple[Mapping[str, Any], ...]) -> str:
    """What rows hold as text; numbers and long values, such as embeddings, are left out."""
    found = (value for row in rows[:MOST_ROWS] for value in row.values() if value is not None)
    texts = (value if isinstance(value, str) else json.dumps(value, default=str) for value in found if says(value))
    return "\n".join(text for text in texts if len(text) <= MOST_LETTERS)


def says(value: object) -> bool:
    """Whether a value of a row can say something: numbers and embeddings, also as text, cannot."""
    if isinstance(value, str):
        return not (len(value) > EMBEDDING and value[0] == "[" and value[1] in "-.0123456789")
    return isinstance(value, dict | UUID) or (isinstance(value, list) and len(value) <= MOST_ROWS)


def claims_in(token: str) -> Mapping[str, Any]:
    """The claims of a JWT, unverified; empty for anything else."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
