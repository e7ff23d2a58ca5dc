"""Observers: what every exchange of a run is held to, whoever asked for it."""

from __future__ import annotations

from pydantic import Field

from spec.model.base import Entry, Promised


class ObserverRule(Promised):
    """One observer, by the name of its class's entry in fixtures/observers; its check has this section and promise."""

    name: str


class InsidePattern(Entry):
    """Something of the inside that no answer shows; `lead` stands in all that the pattern matches."""

    name: str
    lead: str = Field(min_length=2)
    pattern: str


class Observing(Entry):
    """What the observers know of the system. Requests are named as failures name them: "endpoint POST /login"."""

    # Requests whose answers hand out a user's token, and a link to storage.
    tokens_from: list[str] = []
    links_from: list[str] = []
    # Fields of an answer that are ids of what the caller alone may see, by the endpoint's name.
    own_ids: dict[str, list[str]] = {}
    # Endpoints, by name, that answer with a page; that describe the API, with examples; that have a form of error of their own.
    pages: list[str] = []
    descriptions: list[str] = []
    own_errors: list[str] = []
    # Refusals that a host in front of the service makes itself, by a page of its own.
    host_refusals: list[int] = []
    # An error's object has one of these.
    error_fields: list[str] = []
    inside: list[InsidePattern] = []
    # Columns that users are shown, and that errors are written into.
    shown_columns: list[str] = []
    # What is a version in a header that names software.
    version: str = r"(?!)"
