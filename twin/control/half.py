"""An answer that ends in the middle: which of the bytes that pass belong to an answer, seen without reading them.

Of TLS only the length and the type of its records are seen. A server of TLS 1.3 sends two tickets after the handshake, which
are no answer yet. A server writes the head of an answer and its body one after the other: the head passes, half of the body
does.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

HEAD = 5
DATA = 23
TICKETS = 2
# After this time without another record, an answer is complete in one.
QUIET_SECONDS = 0.3
# PostgreSQL's ReadyForQuery: what comes before the first of them is the log-in.
READY = b"Z\0\0\0\5"


@dataclass
class Records:
    """Cuts what arrives into records of TLS."""

    rest: bytes = b""

    def cut(self, data: bytes) -> list[bytes]:
        """The records that are complete now."""
        self.rest += data
        found = []
        while len(self.rest) >= HEAD:
            end = HEAD + struct.unpack_from(">H", self.rest, 3)[0]
            if len(self.rest) < end:
                break
            found.append(self.rest[:end])
            self.rest = self.rest[end:]
        return found


@dataclass
class Half:
    """One connection. `is_new` while its handshake is still to come; `is_plain` for PostgreSQL's protocol without TLS."""

    is_new: bool
    is_plain: bool
    held: bytes = b""
    is_over: bool = False
    _sent: Records = field(default_factory=Records)
    _received: Records = field(default_factory=Records)
    _asked: bool = False
    _tickets: int = 0

    def __post_init__(self) -> None:
        self._asked = not self.is_new

    def see_request(self, data: bytes) -> None:
        """Bytes of the client."""
        if not self.is_plain and any(record[0] == DATA for record in self._sent.cut(data)):
            self._asked = True

    def of_answer(self, data: bytes) -> bytes:
        """What passes of the server's bytes; sets `is_over` when the connection is to be closed after it."""
        return self._of_plain(data) if self.is_plain else b"".join(map(self._of_record, self._received.cut(data)))

    def after_quiet(self) -> bytes:
        """What passes of an answer of which nothing else has come."""
        self.is_over = bool(self.held)
        return self.held[: len(self.held) // 2]

    def _of_plain(self, data: bytes) -> bytes:
        if self._asked:
            self.is_over = True
            return data[: len(data) // 2]
        self._asked = READY in data[-8:]
        return data

    def _of_record(self, record: bytes) -> bytes:
        if self.is_over:
            return b""
        if record[0] != DATA:
            return record
        if not self._asked:
            # Only 1.3 encrypts its handshake in records of this type.
            self._tickets = TICKETS
            return record
        if self._tickets:
            self._tickets -= 1
            return record
        if not self.held:
            self.held = record
            return b""
        self.is_over = True
        return self.held + record[: len(record) // 2]
