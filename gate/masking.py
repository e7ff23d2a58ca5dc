"""Secrets are masked before anything leaves the process: logs, evidence, messages, reports."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus

from gate.lookup import Lookup

MIN_LENGTH = 6
SHORT = 100
CUT = "…"
# Letters by which the beginning of a secret is known where a text was cut off.
LEAD = 4


class Masking:
    """The secrets that one run knows, each under a name that may be shown."""

    def __init__(self) -> None:
        # The secrets' names by their forms, and the forms by their first letters.
        self._names: dict[str, str] = {}
        self._by_lead: dict[str, list[str]] = {}
        self._longest = 0
        self._lookup, self._leads = Lookup(), Lookup()
        # Short texts that hold no known secret: names and labels, of which a run masks the same ones thousands of times.
        self._harmless: set[str] = set()

    def learn(self, name: str, value: str | None) -> None:
        """Remember a secret; values shorter than 6 characters cannot be masked."""
        if value is None or len(value.strip()) < MIN_LENGTH:
            return
        for form in forms(value.strip()):
            if form not in self._names:
                self._names[form] = name
                self._by_lead.setdefault(form[:LEAD], []).append(form)
                self._leads.add(form[:LEAD])
                self._longest = max(self._longest, len(form))
                self._lookup.add(form)
        self._harmless.clear()

    def mask(self, text: str) -> str:
        """The text without any known secret, and without the beginning of one that was cut off."""
        if len(text) < MIN_LENGTH or text in self._harmless:
            return text
        masked = self._masked(text)
        if masked == text and len(text) <= SHORT:
            self._harmless.add(text)
        return masked

    def _masked(self, text: str) -> str:
        # The longest first: one secret may be a part of another.
        for form in sorted(self._lookup.found_in(text), key=len, reverse=True):
            text = text.replace(form, f"[{self._names[form]}]")
        return self._mask_before_cuts(text) if CUT in text else text

    def _mask_before_cuts(self, text: str) -> str:
        parts = text.split(CUT)
        return CUT.join([*map(self._without_beginning, parts[:-1]), parts[-1]])

    def _without_beginning(self, text: str) -> str:
        """The text without the beginning of a secret that ends it: the earliest, if several could."""
        first, last = max(0, len(text) - self._longest + 1), len(text) - MIN_LENGTH
        begun: dict[int, str] = {}
        for lead in self._leads.found_in(text[first:]):
            at = text.find(lead, first)
            while 0 <= at <= last:
                for form in tuple(self._by_lead[lead]):
                    if form.startswith(text[at:]):
                        begun.setdefault(at, form)
                at = text.find(lead, at + 1)
        if not begun:
            return text
        at = min(begun)
        return f"{text[:at]}[{self._names[begun[at]]}]"

    def mask_logs(self) -> Callable[[], None]:
        """Mask all further log records of this process; returns a function that ends this."""
        usual = logging.getLogRecordFactory()
        masks = True

        def masked(*arguments: object, **more: object) -> logging.LogRecord:
            record = usual(*arguments, **more)
            if not masks:
                return record
            try:
                record.msg, record.args = self.mask(record.getMessage()), None
            except (TypeError, ValueError):
                record.msg, record.args = self.mask(f"{record.msg} {record.args}"), None
            if record.exc_info and record.exc_info[0] is not None:
                record.exc_text = self.mask("".join(traceback.format_exception(*record.exc_info)).rstrip())
            return record

        logging.setLogRecordFactory(masked)

        def restore() -> None:
            nonlocal masks
            masks = False
            # Another session may have put its own factory over this one; then it stays, and hands on.
            if logging.getLogRecordFactory() is masked:
                logging.setLogRecordFactory(usual)

        return restore


def forms(value: str) -> Iterable[str]:
    raw = value.encode()
    yield value
    yield quote(value, safe="")
    yield quote_plus(value)
    for variant in (base64.b64encode(raw), base64.urlsafe_b64encode(raw)):
        yield variant.decode().rstrip("=")
    # Base64 of a longer text that holds the value: only the middle is the same at each of three alignments.
    for lead in range(3):
        middle = base64.b64encode(b"\0" * lead + raw).decode().rstrip("=")[4 if lead else 0 : -3]
        if len(middle) >= 12:
            yield middle
