"""What is expected of one answer over HTTP."""

from __future__ import annotations

from typing import Any, NoReturn

from gate.expect import Expectation
from gate.reply import BEHIND_A_PROXY, Reply, code_of, code_of_error


class ReplyExpectation:
    """What is expected of one answer; `code`, `subject` and `component` are a failure's where they are not the engine's own."""

    def __init__(self, reply: Reply, code: str = "", subject: str = "", component: str | None = None) -> None:
        self.reply = reply
        self.code, self.subject, self.component = code, subject, component

    def _fail(self, relation: str, expected: object, wants_success: bool, because: str) -> NoReturn:
        __tracebackhide__ = True
        code = self.code or code_of(self.reply, wants_success)
        self.reply.fail(code, relation, expected, because, self.subject, component=self.component)

    def status(self, *allowed: int, because: str = "") -> Reply:
        """The status is one of these; returns the reply."""
        __tracebackhide__ = True
        if self.reply.status not in allowed:
            self._fail("status", list(allowed), any(200 <= status < 300 for status in allowed), because)
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
            self._fail("handled", None, True, because)
        return self.reply

    def passed_on(self, because: str = "") -> Reply:
        """As `handled`, where the service may also say itself that a part behind it did not take the request (502 to 504)."""
        __tracebackhide__ = True
        if self.reply.is_server_error and not (self.reply.own and self.reply.status in BEHIND_A_PROXY):
            self._fail("handled", None, True, because)
        return self.reply

    def refusal(self, because: str = "") -> Reply:
        """The status is one of 400 to 499: refused, neither accepted nor broken."""
        __tracebackhide__ = True
        if not self.reply.is_refusal:
            self._fail("refusal", None, False, because)
        return self.reply

    def header(self, name: str) -> Expectation[str | None]:
        """Go on with the value of a header (None when absent); raises Failure where a page of something else responded."""
        __tracebackhide__ = True
        self.reply.require_service()
        return Expectation(
            self.reply.headers.get(name),
            f"header {name} of {self.reply}",
            self.reply.hint,
            code=self.code or "http.header",
            subject=self.subject or f"header {name}",
            component=self.reply.component,
            exchange=self.reply.exchange,
        )

    def fields(self, *names: str) -> dict[str, Any]:
        """The body is a JSON object with these fields, of an error also in an accepted envelope; returns that object."""
        __tracebackhide__ = True
        body = self.reply.object_with(*names)
        if missing := [name for name in names if name not in body]:
            code = self.code or ("http.fields" if not self.reply.is_error else code_of_error(self.reply))
            self.reply.fail(code, "fields", list(names), "", self.subject, missing)
        return body
