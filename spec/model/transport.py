"""§6 Network Security: what is promised of TLS, of plain http, of the database's connections, and of headers."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from spec.model.base import Entry, Sectioned


class TlsHost(Entry):
    """A host that is asked over https: the setting with its URL, the part at fault, and what must work before."""

    name: str
    setting: str
    component: str
    prerequisite: str
    # Whether everybody is sent from plain http to https here, and the setting with the address of plain http.
    redirects: bool = False
    plain_setting: str = ""


class WeakCiphers(Entry):
    """Ciphers that no server accepts any more: in OpenSSL's words, and as a pattern of the standard's names."""

    name: str
    openssl: str
    pattern: str

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        re.compile(pattern)
        return pattern


class Scanner(Entry):
    """The external scanner: connections to a host at once, seconds of one connection and of the whole scan of a host."""

    connections: int = Field(gt=0)
    connection_seconds: int = Field(gt=0)
    seconds: float = Field(gt=0)


class PlainHttp(Entry):
    """What answers without TLS: the usual port, and which redirects are followed how far."""

    port: int = Field(gt=0, lt=65536)
    redirects: list[int] = Field(min_length=1)
    hops: int = Field(gt=0)


class DatabaseTls(Entry):
    """The database's connections: the setting with its authority, and whether connections without TLS are refused."""

    setting: str
    authority: str
    refuses_plain: bool
    # Whether a database on this machine is judged although the operator names no authority for it.
    judges_loopback: bool = False


class Tls(Sectioned):
    """What a handshake must and must not show."""

    handshake_seconds: float = Field(gt=0)
    hosts: list[TlsHost]
    # Beside those of [networking], which Python's own OpenSSL can still offer.
    older_versions: list[str]
    longest_life_days: float = Field(gt=0)
    longest_own_life_days: float = Field(gt=0)
    # Smallest size by type of key; a type that is not named is refused.
    key_bits: dict[str, int] = Field(min_length=1)
    refused_signatures: list[str]
    weak_ciphers: list[WeakCiphers]
    # How the names of ciphers with forward secrecy begin, in OpenSSL's words.
    forward_secret: list[str] = Field(min_length=1)
    scanner: Scanner
    plain_http: PlainHttp
    database: DatabaseTls | None = None


class Hsts(Entry):
    """Strict-Transport-Security: where it is promised, and the shortest time wherever it is sent."""

    promised_by: list[str]
    shortest_seconds: int = Field(gt=0)


class HeaderRule(Entry):
    """A header whose value, wherever it is sent, must have this form; where it is promised, it must be there."""

    name: str
    pattern: str
    promised_by: list[str] = []

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        re.compile(pattern)
        return pattern


class Headers(Sectioned):
    """Headers that tell a browser how to treat an answer."""

    hsts: Hsts
    rules: list[HeaderRule]
