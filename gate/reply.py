"""One answer over HTTP, and what is expected of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn

import httpx

from gate.expect import Expectation
from gate.failures import CheckFailed, shorten
from spec.model import Call


def is_refusal(status: int) -> bool:
    """Whether a status is one of 400 to 499."""
    return 400 <= status < 500


@dataclass(frozen=True)
class Reply:
    """One answer. `seconds` runs from the first byte sent to the last byte read.

    `rule` holds the statuses that are right for the request, where the specification describes it; `request_id` names it in
    the service's log.
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
        where = f"the {self.component} log" + (f" of request id {self.request_id}" if self.request_id else "")
        options = "-I" if self.method == "HEAD" else f"-i -X {self.method}"
        return f"{where}; repeat, with the check's own headers and body, by: curl {options} '{self.url}'"

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
