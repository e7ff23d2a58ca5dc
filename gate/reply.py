"""One answer over HTTP."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any, NoReturn

import httpx

from gate.failures import Exchange, Facts, Failure
from gate.readings import within
from spec.model import Call, Readings


def is_refusal(status: int) -> bool:
    """Whether a status is one of 400 to 499."""
    return 400 <= status < 500


def subject_of(method: str, url: str, rule: Call | None) -> str:
    """The endpoint as the contract names it, or as it was asked."""
    return rule.subject if rule is not None else f"endpoint {method} {httpx.URL(url).path}"


@dataclass(frozen=True)
class Reply:
    """One answer. `seconds` runs from the first byte sent to the last byte read.

    `rule` holds the statuses that are right, where the specification describes the request; `request_id` names it in the log.
    `own`: the service itself sent it; `with_token`: it carried one; `without_route`: it looks like the answer to a page
    that does not exist; `sent_again`: a kept connection was closed before it; `at` is when it came, in seconds since 1970.
    """

    method: str
    url: str
    status: int
    headers: httpx.Headers
    body: bytes
    seconds: float
    component: str
    rule: Call | None = None
    request_id: str = ""
    own: bool = True
    with_token: bool = False
    without_route: bool = False
    sent_again: bool = False
    readings: Readings = field(default_factory=Readings)
    at: float = field(default_factory=time.time)

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
        """The body as JSON; raises Failure for anything else, such as an HTML maintenance page."""
        __tracebackhide__ = True
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            code = "http.not_json" if not self.is_error else code_of_error(self)
            self.fail(code, "json", None)

    def object(self) -> dict[str, Any]:
        """The body as a JSON object; raises Failure for anything else."""
        __tracebackhide__ = True
        body = self.json()
        if not isinstance(body, dict):
            self.fail("http.fields", "object", None)
        return body

    def object_with(self, *names: str) -> dict[str, Any]:
        """The body, or of an error what it holds in an accepted envelope, where that has these fields."""
        __tracebackhide__ = True
        return within(self.object(), names, self.readings.error_envelopes if self.is_error else ())

    def fail(
        self,
        code: str,
        relation: str,
        expected: Any,
        because: str = "",
        subject: str = "",
        missing: Any = None,
        component: str | None = None,
    ) -> NoReturn:
        """Raises Failure with this exchange as what was observed."""
        __tracebackhide__ = True
        found = Facts(status=self.status, body=self.text)
        if code == "http.not_json":
            found["content_type"] = self.content_type or "no content type"
        if missing:
            found["missing"] = missing
        raise Failure(
            code,
            subject or self.subject,
            expected=expected,
            observed=found,
            relation=relation,
            what=str(self),
            because=because,
            hint=self.hint,
            component=component or self.component,
            is_stated=component is not None,
            exchange=self.exchange,
        )

    def require_service(self) -> None:
        """Raises Failure where a web page of something in front responded in the service's place."""
        __tracebackhide__ = True
        if not self.own and self.content_type == HTML:
            code = code_of_error(self) if self.is_error else "http.not_json"
            self.fail(code, "json", None)

    @property
    def content_type(self) -> str:
        """Media type of the body, without its parameters."""
        return str(self.headers.get("content-type", "")).partition(";")[0].strip()

    @property
    def subject(self) -> str:
        """The endpoint as the contract names it, or as it was asked."""
        return subject_of(self.method, self.url, self.rule)

    @property
    def exchange(self) -> Exchange:
        """What is kept of it beside a failure."""
        seconds, at = round(self.seconds, 4), round(self.at, 3)
        return Exchange(self.method, self.url, self.status, self.content_type, seconds, self.request_id, self.own, at)

    @property
    def hint(self) -> str:
        """Where to look when this answer is wrong."""
        where = f"the {self.component} log" + (f" of request id {self.request_id}" if self.request_id else "")
        options = "-I" if self.method == "HEAD" else f"-i -X {self.method}"
        return f"{where}; repeat, with the check's own headers and body, by: curl {options} '{self.url}'"

    def __str__(self) -> str:
        return f"{self.method} {httpx.URL(self.url).path}"


BEHIND_A_PROXY = (502, 503, 504)
HTML = "text/html"


def code_of_error(reply: Reply) -> str:
    """The engine's code of a response that is an error although a success was due."""
    if reply.status in BEHIND_A_PROXY and not reply.own:
        return "http.proxy_error"
    if reply.is_server_error:
        return "http.server_error"
    if reply.without_route:
        return "route.missing"
    if reply.status == 401 and reply.with_token:
        return "auth.refused"
    return "http.limited" if reply.status == 429 else "http.refused"


def code_of(reply: Reply, wants_success: bool) -> str:
    """The engine's code of a response with a wrong status."""
    if 300 <= reply.status < 400:
        return "http.redirect"
    if not reply.own and not reply.is_error and reply.content_type == HTML:
        return "http.not_json"
    if wants_success:
        return code_of_error(reply) if reply.is_error else "http.status"
    if reply.is_server_error:
        return "http.unhandled" if reply.own or reply.status not in BEHIND_A_PROXY else "http.proxy_error"
    if reply.without_route:
        return "route.missing"
    if reply.status == 401 and reply.with_token:
        return "auth.refused"
    return "http.status" if reply.is_error else "http.accepted"
