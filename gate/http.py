"""HTTP with deadlines: every call ends, every answer is bounded, and what was exchanged is kept as evidence."""

from __future__ import annotations

import copy
import json
import time
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar, Unpack, overload

import httpx

from gate.bounded import Sent, exchange
from gate.expect import Expectation
from gate.failures import Blocked, CheckFailed, needs_writing, shorten
from gate.session import Session
from spec.model import Call

USER_AGENT = "navigator-acceptance"
READING = ("GET", "HEAD", "OPTIONS")
T = TypeVar("T")
S = TypeVar("S", bound="Service")


class Timed(Sent, total=False):
    """What a request carries, and the seconds that the call may take."""

    timeout: float | None


def is_refusal(status: int) -> bool:
    """Whether a status is one of 400 to 499."""
    return 400 <= status < 500


@dataclass(frozen=True)
class Reply:
    """One answer. `seconds` runs from the first byte sent to the last byte read.

    `rule` holds the statuses that are right for the request, where the specification describes it.
    """

    method: str
    url: str
    status: int
    headers: httpx.Headers
    body: bytes
    seconds: float
    component: str
    rule: Call | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the status is one of the request's successes; raises LookupError where no rule describes it."""
        return self.status in self.known().accepted

    @property
    def is_refusal(self) -> bool:
        """Whether the status is one of 400 to 499: refused, neither accepted nor broken."""
        return is_refusal(self.status)

    @property
    def is_server_error(self) -> bool:
        """Whether the status is one of 500 to 599."""
        return self.status >= 500

    @property
    def is_error(self) -> bool:
        """Whether the status is one of 400 to 599."""
        return self.status >= 400

    def known(self) -> Call:
        """The rule of the request; raises LookupError where there is none."""
        if self.rule is None:
            raise LookupError(f"{self}: the specification does not describe this request")
        return self.rule

    @property
    def text(self) -> str:
        """The body as text; broken UTF-8 is replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON; raises CheckFailed for anything else, such as an HTML maintenance page."""
        __tracebackhide__ = True
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            kind = self.headers.get("content-type", "no content type")
            raise CheckFailed(
                f"{self} to answer JSON", f"{self.status} {kind}: {shorten(self.text, 160)}", self.hint, self.component
            ) from None

    def object(self) -> dict[str, Any]:
        """The body as a JSON object; raises CheckFailed for anything else."""
        __tracebackhide__ = True
        body = self.json()
        if not isinstance(body, dict):
            raise CheckFailed(f"{self} to answer a JSON object", shorten(body), self.hint, self.component)
        return body

    @property
    def hint(self) -> str:
        """Where to look when this answer is wrong."""
        request_id = self.headers.get("x-request-id")
        where = f"the {self.component}'s log around request id {request_id}" if request_id else f"the {self.component}'s log"
        return f"{where}; repeat with: curl -i -X {self.method} '{self.url}'"

    def __str__(self) -> str:
        return f"{self.method} {httpx.URL(self.url).path}"


class ReplyExpectation:
    """What is expected of one answer."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply

    def _fail(self, expected: str, observed: str) -> NoReturn:
        __tracebackhide__ = True
        raise CheckFailed(expected, observed, self.reply.hint, self.reply.component)

    def status(self, *allowed: int, because: str = "") -> Reply:
        """The status is one of these; returns the reply."""
        __tracebackhide__ = True
        if self.reply.status not in allowed:
            wanted = " or ".join(map(str, allowed))
            reason = f", because {because}" if because else ""
            self._fail(f"{self.reply} to answer {wanted}{reason}", f"{self.reply.status} {shorten(self.reply.text, 200)}")
        return self.reply

    def success(self, because: str = "") -> Reply:
        """The request succeeded, by the specification's statuses; returns the reply."""
        __tracebackhide__ = True
        return self.status(*self.reply.known().accepted, because=because)

    def error(self, name: str, because: str = "") -> Reply:
        """The request was answered with the error of this name, by the specification's statuses; returns the reply."""
        __tracebackhide__ = True
        return self.status(*self.reply.known().error(name), because=because)

    def handled(self, because: str = "") -> Reply:
        """The status is below 500: the service accepted or refused the request, and did not break."""
        __tracebackhide__ = True
        if self.reply.is_server_error:
            expected = f"{self.reply} to answer without a server error" + (f", because {because}" if because else "")
            self._fail(expected, f"{self.reply.status} {shorten(self.reply.text, 200)}")
        return self.reply

    def refusal(self, because: str = "") -> Reply:
        """The status is one of 400 to 499: refused, neither accepted nor broken."""
        __tracebackhide__ = True
        if not self.reply.is_refusal:
            expected = f"{self.reply} to be refused (4xx), because {because}"
            self._fail(expected, f"{self.reply.status} {shorten(self.reply.text, 200)}")
        return self.reply

    def header(self, name: str) -> Expectation[str | None]:
        """Go on with the value of a header (None when absent)."""
        return Expectation(self.reply.headers.get(name), f"header {name} of {self.reply}", self.reply.hint)

    def fields(self, *names: str) -> dict[str, Any]:
        """The body is a JSON object with these fields; returns it."""
        __tracebackhide__ = True
        body = self.reply.object()
        if missing := [name for name in names if name not in body]:
            observed = f"{self.reply.status} without {', '.join(missing)}: {shorten(body, 200)}"
            self._fail(f"{self.reply} to answer the fields {', '.join(names)}", observed)
        return body


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
        # Redirects are not followed, and proxies of the machine not used.
        self.client = httpx.Client(transport=session.transport, follow_redirects=False, trust_env=False)
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

    def request(self, method: str, path: str, *, timeout: float | None = None, **sent: Unpack[Sent]) -> Reply:
        """One call within `timeout` seconds in all (default: spec safety.request_seconds); raises CheckFailed, Blocked."""
        __tracebackhide__ = True
        url = path if path.startswith("http") else self.base_url + path
        if method not in READING and not self.only_reads:
            needs_writing(self.session.read_only, f"{method} {httpx.URL(url).path}")
        limit = self.session.silence.patience(self.component, timeout or self.session.spec.safety.request_seconds)
        headers = self.headers | dict(sent.get("headers", {}))
        sent["headers"] = headers
        if self.prerequisite:
            self.session.prerequisites.require(self.prerequisite)
        if self.counted:
            self.session.budget.spend(requests=1)
        started = time.perf_counter()
        try:
            received = exchange(self.client, method, url, limit, **sent)
        except httpx.HTTPError as error:
            self._no_answer(method, url, limit, error)
        spent = time.perf_counter() - started
        reply = Reply(method, url, received.status, received.headers, received.body, spent, self.component)
        if not self.quiet:
            self.session.evidence.record_exchange(reply, headers, sent.get("json"), sent.get("content"))
        return reply

    def _no_answer(self, method: str, url: str, limit: float, error: httpx.HTTPError) -> NoReturn:
        __tracebackhide__ = True
        if self.prerequisite and (reason := self.session.prerequisites.confirm(self.prerequisite)):
            raise Blocked(self.prerequisite, reason) from None
        if isinstance(error, httpx.TimeoutException):
            self.session.silence.note(self.component)
        kind = "no complete answer" if isinstance(error, httpx.TimeoutException) else "the connection broke"
        raise CheckFailed(
            f"{method} {httpx.URL(url).path} to answer within {limit:g} s",
            f"{kind}: {type(error).__name__} {error}",
            f"the {self.component}'s log and its host; a proxy in between",
            self.component,
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
def expect(value: Reply) -> ReplyExpectation: ...
@overload
def expect(value: T, what: str, hint: str = ..., seen: str = ...) -> Expectation[T]: ...
def expect(value: T | Reply, what: str = "", hint: str = "", seen: str = "") -> ReplyExpectation | Expectation[Any]:
    """Begin an assertion about an answer or a value.

    `what` names the value, `hint` says where to look next, `seen` says more of what was observed than the value does.
    """
    return ReplyExpectation(value) if isinstance(value, Reply) else Expectation(value, what, hint, seen)
