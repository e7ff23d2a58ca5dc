"""Requests and the statuses that are right for them: the endpoints of a system, and those of the vendors behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from spec.model.base import Entry

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class Call(Entry):
    """One request: its method, its path with parameters in braces, and the statuses that are right for each error."""

    method: Method = "GET"
    path: str = Field(pattern=r"^/")
    # Statuses that are right for an error, by the error's name.
    errors: dict[str, list[int]] = {}

    @property
    def accepted(self) -> tuple[int, ...]:
        """Statuses of a request that succeeded."""
        raise NotImplementedError

    def error(self, name: str) -> tuple[int, ...]:
        """Statuses that are right for an error of this name; raises KeyError."""
        return tuple(self.errors[name])

    def statuses(self, answer: str) -> tuple[int, ...]:
        """Statuses that are right for `success` or for an error of this name; raises KeyError."""
        return self.accepted if answer == "success" else self.error(answer)

    @property
    def subject(self) -> str:
        """The endpoint as failures and rules name it."""
        return f"endpoint {self.method} {self.path}"

    def path_with(self, values: Mapping[str, str] | None = None) -> str:
        """The path with its parameters filled in."""
        path = self.path
        for name, value in (values or {}).items():
            path = path.replace(f"{{{name}}}", value)
        return path


class Endpoint(Call):
    """contract: HTTP API; one row."""

    name: str
    method: Method
    auth: Literal["none", "bearer", "hmac"]
    success: int
    fields: list[str] = []
    # Fields of the body of an error, by the error's name.
    error_fields: dict[str, list[str]] = {}
    # What a field of the body holds, where that is fixed: of a success, and of an error by the error's name.
    values: dict[str, str] = {}
    error_values: dict[str, dict[str, str]] = {}

    # Response-time target; left out, it is the one of any endpoint without an external call.
    target: str | None = None
    # Whether its response time is measured by itself.
    is_timed: bool = False
    # Parts without which it does not succeed, beside the service itself.
    needs: list[str] = []
    # Fields of the request's body that may be left out, each with a value that is right for it.
    optional: dict[str, Any] = {}

    @property
    def accepted(self) -> tuple[int, ...]:
        """Statuses of a request that succeeded."""
        return (self.success,)

    @property
    def held_to(self) -> str:
        """The response-time target that it is held to."""
        return self.target or "endpoint"


class VendorCall(Call):
    """One request to a vendor, as the vendor describes it."""

    success: list[int] = Field(default=[200], min_length=1)

    @property
    def accepted(self) -> tuple[int, ...]:
        """Statuses of a request that succeeded."""
        return tuple(self.success)


class Vendor(Entry):
    """A third party: headers of every request, with `{key}` for its key, and its requests by name."""

    headers: dict[str, str] = {}
    # Path that all its requests lie below, where that differs from the root of its host.
    root: str = ""
    calls: dict[str, VendorCall] = Field(min_length=1)

    def headers_with(self, key: str) -> dict[str, str]:
        """The headers with a key filled in."""
        return {name: text.replace("{key}", key) for name, text in self.headers.items()}


class Case(Entry):
    """One request to an endpoint and what is right for it: `success`, or one of the endpoint's errors.

    A filler body of `body_bytes` bytes is sent where set.
    """

    endpoint: str
    name: str
    promise: str
    answer: str
    caller: Literal["anonymous", "user"] = "user"
    at: dict[str, str] = {}
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    json_body: dict[str, str | int | float | bool | None] | None = Field(default=None, alias="json")
    body_bytes: int | None = Field(default=None, gt=0)
