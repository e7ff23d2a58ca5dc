"""Inputs that the harness makes up, and what tokens hold."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from spec.model.base import Entry, Sectioned


class Probes(Entry):
    """Inputs of the checks: ids and keys that nothing has, and texts to embed and to ask."""

    # An id that nothing has, and another one.
    unknown_id: str
    other_id: str
    # A path that no release has.
    unknown_page: str
    # A method that no endpoint has.
    unused_method: str = ""
    # What is no token, no key and no signing key of this system.
    wrong_token: str
    # What no header is expected to hold.
    odd_value: str = ""
    wrong_key: str = ""
    no_key: str = ""
    foreign_signing_key: str = Field(default="", max_length=200)
    foreign_audience: str = ""
    foreign_issuer: str = ""
    # Bytes of a stored file.
    file: str = ""
    # What a document's key is made of where no document is.
    file_id: str = ""
    # A text to embed; a text, one that means the same, and one that does not.
    text: str = ""
    similar_texts: list[str] = []
    different_text: str = ""
    # A question that no document answers.
    foreign_question: str = ""
    short_question: str = ""


class TokenRules(Sectioned):
    """contract: Auth: what access tokens and keys hold."""

    claims: list[str] = Field(min_length=1)
    audience: str
    # Of tokens that a shared secret signs; of those that a private key signs, whose public half the project publishes.
    algorithm: str
    published_algorithms: list[str] = Field(min_length=1)
    # How opaque keys begin, by the role that they stand for.
    key_prefixes: dict[Literal["anonymous", "service"], str]
    # Claim that names the project, and the domain whose hosts name it.
    project_claim: str
    project_domain: str
    # Names of cookies in which front ends keep tokens; one that the service sets itself may be as good as its header.
    cookies: list[str] = Field(min_length=1)
