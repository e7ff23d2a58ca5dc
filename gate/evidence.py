"""Evidence of a check: requests, answers, SQL and timings, masked and bounded, attached to the Allure result."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Protocol

import allure

from gate.masking import Masking

SHOWN_BODY = 2000


class Exchange(Protocol):
    """What is kept of one request and its answer; `seconds` is the whole call's time."""

    @property
    def method(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...
    @property
    def seconds(self) -> float: ...


class Evidence:
    """What is kept of the check that runs now in this process."""

    def __init__(self, masking: Masking) -> None:
        self._masking = masking
        self._checks_running: set[str] = set()

    @contextmanager
    def of(self, nodeid: str) -> Iterator[None]:
        """What is recorded within the block belongs to this check; between checks nothing is kept."""
        self._checks_running.add(nodeid)
        try:
            yield
        finally:
            self._checks_running.discard(nodeid)

    def _is_kept(self) -> bool:
        # Documents are driven in threads of their own; what they record belongs to no check.
        return bool(self._checks_running) and threading.current_thread() is threading.main_thread()

    def attach(self, name: str, text: str) -> None:
        """Attach masked text to the running check."""
        if self._is_kept():
            mask = self._masking.mask
            allure.attach(mask(text), name=mask(name), attachment_type=allure.attachment_type.TEXT)

    def attach_picture(self, name: str, svg: str) -> None:
        """Attach a plot (SVG) to the running check."""
        if self._is_kept():
            mask = self._masking.mask
            allure.attach(mask(svg), name=mask(name), attachment_type=allure.attachment_type.SVG)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One step of the running check."""
        with allure.step(self._masking.mask(title)) if self._is_kept() else nullcontext():
            yield

    def record_exchange(self, exchange: Exchange, headers: Mapping[str, str], json_body: object, content: object) -> None:
        """Keep one request and its answer."""
        if not self._is_kept():
            return
        sent = f"({len(content)} bytes)" if isinstance(content, bytes) else ""
        if json_body is not None:
            sent = json.dumps(json_body, default=str)[:SHOWN_BODY]
        asked = "".join(f"{name}: {value}\n" for name, value in headers.items())
        received = "".join(f"{name}: {value}\n" for name, value in exchange.headers.items())
        text = exchange.body[:SHOWN_BODY].decode("utf-8", "replace")
        with self.step(f"{exchange} → {exchange.status} in {exchange.seconds * 1000:.0f} ms"):
            head = f"{exchange.method} {exchange.url}\n{asked}\n{sent}\n\n"
            self.attach("exchange", f"{head}{exchange.status}\n{received}\n{text}")

    def record_query(self, sql: str, rows: int, seconds: float) -> None:
        """Keep one query; its result is not kept, since it may hold personal data."""
        with self.step(f"SQL, {rows} rows in {seconds * 1000:.1f} ms"):
            self.attach("query", sql)
