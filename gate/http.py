"""HTTP with deadlines: every call ends, every answer is bounded, and what was exchanged is kept as evidence."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar, Unpack, overload

import httpx

from gate.breaks import break_of
from gate.client import ask, make_client
from gate.exchange import Received, Sent
from gate.expect import NOTHING, Expectation
from gate.expected_reply import ReplyExpectation
from gate.failures import Blocked, Exchange, Facts, Failure, needs_writing
from gate.observers import Exchanged
from gate.reply import Reply, is_refusal, subject_of
from gate.session import Session
from spec.model import Call

__all__ = ["Reply", "ReplyExpectation", "Service", "Timed", "expect", "is_refusal"]
USER_AGENT = "release-gate"
READING = ("GET", "HEAD", "OPTIONS")
T = TypeVar("T")
S = TypeVar("S", bound="Service")


@dataclass(frozen=True)
class Asked:
    """A request that was sent; `limit` is the seconds that it may take."""

    method: str
    url: str
    rule: Call | None
    limit: float

    @property
    def subject(self) -> str:
        """The endpoint as the contract names it, or as it was asked."""
        return subject_of(self.method, self.url, self.rule)


class Timed(Sent, total=False):
    """What a request carries, and the seconds that the call may take."""

    timeout: float | None


class Service:
    """An HTTP service of the target; `prerequisite` names the one that its silence makes unavailable.

    `only_reads` is a service in which no request changes anything.
    """

    only_reads = False

    def __init__(self, session: Session, base_url: str, component: str, prerequisite: str | None = None) -> None:
        self.session = session
        self.base_url = base_url.rstrip("/")
        self.component = component
        self.prerequisite = prerequisite
        self.headers: dict[str, str] = {"User-Agent": f"{USER_AGENT}/{session.run.run_id}"}
        self.client = make_client(session.transport)
        self.quiet = False
        self.counted = True

    def for_operator(self: S) -> S:
        """The same service, asked by the harness for itself: no evidence of a check, and no part of the run's budget."""
        other = copy.copy(self)
        other.quiet, other.counted = True, False
        return other

    def silent(self: S) -> S:
        """The same service without evidence of each call, for measurements."""
        other = copy.copy(self)
        other.quiet = True
        return other

    def having(self: S, headers: dict[str, str]) -> S:
        """The same service, asked with further headers (over the same connections)."""
        other = copy.copy(self)
        other.headers = self.headers | headers
        return other

    def request(
        self, method: str, path: str, *, timeout: float | None = None, rule: Call | None = None, **sent: Unpack[Sent]
    ) -> Reply:
        """One call within `timeout` seconds in all (default: spec safety.request_seconds); raises Failure, Blocked.

        `rule` describes the request, where the specification does.
        """
        __tracebackhide__ = True
        url = path if path.startswith("http") else self.base_url + path
        if method not in READING and not self.only_reads:
            needs_writing(self.session.read_only, f"{method} {httpx.URL(url).path}")
        limit = self.session.silence.patience(self.component, timeout or self.session.spec.safety.request_seconds)
        headers = self.headers | dict(sent.get("headers", {}))
        sent["headers"] = headers
        if self.prerequisite:
            self.session.prerequisites.require(self.prerequisite)
            self._require_sound(subject_of(method, url, rule), rule)
        if self.counted:
            self.session.budget.spend(requests=1)
        began, started = time.time(), time.perf_counter()
        asked = Asked(method, url, rule, limit)
        try:
            received = ask(self.client, method, url, limit, self.session.spec.readings.slash_redirects, **sent)
        except httpx.HTTPError as error:
            self.session.traffic.note(asked.subject, self.component, 0)
            self._no_answer(asked, time.perf_counter() - started, error)
        reply = self._reply(asked, received, (began, time.perf_counter() - started), "Authorization" in headers)
        self.session.traffic.note(asked.subject, self.component, reply.status)
        self.session.silence.broken(asked.subject)
        self.session.observers.see(Exchanged.of(reply, headers, sent))
        if not self.quiet:
            self.session.evidence.record_exchange(reply, headers, sent.get("json"), sent.get("content"))
        return reply

    def _require_sound(self, endpoint: str, rule: Call | None) -> None:
        """Raises Blocked where an endpoint has not answered for a while: it is asked again a little later."""
        __tracebackhide__ = True
        if self.prerequisite and rule is not None and (reason := self.session.silence.reason_to_spare(endpoint)):
            raise Blocked(self.prerequisite, reason)

    def _reply(self, asked: Asked, received: Received, took: tuple[float, float], with_token: bool) -> Reply:
        began, spent = took
        return Reply(
            asked.method,
            asked.url,
            received.status,
            received.headers,
            received.body,
            spent,
            self.component,
            asked.rule,
            received.headers.get(self.session.spec.monitoring.request_id_header, ""),
            own=self._is_own(received),
            # Only the service itself takes users' tokens; elsewhere the header carries a key.
            with_token=with_token and self.component == self.session.spec.service,
            without_route=self._is_without_route(received, httpx.URL(asked.url).path),
            sent_again=received.sent_again,
            readings=self.session.spec.readings,
            at=began + spent,
        )

    def _is_own(self, received: Received) -> bool:
        """Whether the service itself responded, and not something in front of it."""
        return True

    def _is_without_route(self, received: Received, path: str) -> bool:
        """Whether a response is that of a page that does not exist."""
        return False

    def _no_answer(self, asked: Asked, spent: float, error: httpx.HTTPError) -> NoReturn:
        __tracebackhide__ = True
        if self.prerequisite and (reason := self.session.prerequisites.confirm(self.prerequisite)):
            raise Blocked(self.prerequisite, reason) from None
        broken = break_of(error)
        if broken.is_silence:
            self.session.silence.note(self.component, asked.subject if asked.rule is not None else "")
        raise Failure(
            broken.code,
            asked.subject,
            expected=asked.limit,
            observed=Facts(error=broken.error, detail=broken.detail, **broken.facts),
            relation="within",
            what=f"{asked.method} {httpx.URL(asked.url).path}",
            hint=f"the {self.component} log and its host; a proxy in between",
            component=self.component,
            exchange=Exchange(asked.method, asked.url, seconds=round(spent, 3), own=False, at=round(time.time(), 3)),
        ) from None

    def get(self, path: str, **sent: Unpack[Timed]) -> Reply:
        """GET; see `request`."""
        __tracebackhide__ = True
        return self.request("GET", path, **sent)

    def head(self, path: str, **sent: Unpack[Timed]) -> Reply:
        """HEAD; see `request`."""
        __tracebackhide__ = True
        return self.request("HEAD", path, **sent)

    def post(self, path: str, **sent: Unpack[Timed]) -> Reply:
        """POST; see `request`."""
        __tracebackhide__ = True
        return self.request("POST", path, **sent)

    def put(self, path: str, **sent: Unpack[Timed]) -> Reply:
        """PUT; see `request`."""
        __tracebackhide__ = True
        return self.request("PUT", path, **sent)

    def delete(self, path: str, **sent: Unpack[Timed]) -> Reply:
        """DELETE; see `request`."""
        __tracebackhide__ = True
        return self.request("DELETE", path, **sent)

    def options(self, path: str, **sent: Unpack[Timed]) -> Reply:
        """OPTIONS; see `request`."""
        __tracebackhide__ = True
        return self.request("OPTIONS", path, **sent)


@overload
def expect(
    value: Reply, *, code: str = ..., refused: str = ..., subject: str = ..., component: str | None = ...
) -> ReplyExpectation: ...
@overload
def expect(
    value: T,
    what: str,
    hint: str = ...,
    seen: str = ...,
    *,
    code: str = ...,
    subject: str = ...,
    component: str | None = ...,
    facts: Mapping[str, object] = ...,
    of: Reply | None = ...,
) -> Expectation[T]: ...
def expect(
    value: T | Reply,
    what: str = "",
    hint: str = "",
    seen: str = "",
    *,
    code: str = "",
    refused: str = "",
    subject: str = "",
    component: str | None = None,
    facts: Mapping[str, object] = NOTHING,
    of: Reply | None = None,
) -> ReplyExpectation | Expectation[Any]:
    """Begin an assertion about an answer or a value.

    `what` names the value, `hint` says where to look next, `seen` says more of what was observed than the value does. `code`
    and `subject` (spec/codes.toml) take the place of the check's own, `refused` is the code where the answer is a refusal;
    `facts` are further facts for the diagnosis, `of` is the reply in which the value was seen; `component` is the part that is
    at fault, where the check can tell.
    """
    if isinstance(value, Reply):
        return ReplyExpectation(value, refused if refused and value.is_refusal else code, subject, component)
    seen_in = of.exchange if of is not None else None
    return Expectation(
        value, what, hint, seen, code=code, subject=subject, component=component, is_stated=component is not None, facts=facts,
        exchange=seen_in,
    )  # fmt: skip
