"""Secrets are masked before anything leaves the process: logs, evidence, messages, reports."""

from __future__ import annotations

import base64
import logging
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import quote, quote_plus

MIN_LENGTH = 6
SHORT = 100
CUT = "…"
# Letters by which secrets are found: all those of a kind begin alike, so that most texts are done with after a few searches.
LEAD = 4


class Masking:
    """The secrets that one run knows, each under a name that may be shown."""

    def __init__(self) -> None:
        # The forms of all secrets with the secrets' names, by the first letters of the form.
        self._by_lead: dict[str, dict[str, str]] = {}
        # Short texts that hold no known secret: names and labels, of which a run masks the same ones thousands of times.
        self._harmless: set[str] = set()

    def learn(self, name: str, value: str | None) -> None:
        """Remember a secret; values shorter than 6 characters cannot be masked."""
        if value is None or len(value.strip()) < MIN_LENGTH:
            return
        for form in forms(value.strip()):
            self._by_lead.setdefault(form[:LEAD], {}).setdefault(form, name)
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
        found = [
            (form, name)
            for lead in leads_in(text, self._by_lead)
            for form, name in list(self._by_lead[lead].items())
            if form in text
        ]
        # The longest first: one secret may be a part of another.
        for form, name in sorted(found, key=lambda one: len(one[0]), reverse=True):
            text = text.replace(form, f"[{name}]")
        return self._mask_before_cuts(text) if CUT in text else text

    def _mask_before_cuts(self, text: str) -> str:
        parts = text.split(CUT)
        return CUT.join([*map(self._without_beginning, parts[:-1]), parts[-1]])

    def _without_beginning(self, text: str) -> str:
        places = [place for lead, known in list(self._by_lead.items()) if (place := _cut_off(text, lead, list(known.items())))]
        if not places:
            return text
        at, name = min(places)
        return f"{text[:at]}[{name}]"

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


def leads_in(text: str, known: Mapping[str, object]) -> list[str]:
    """Which of these groups of LEAD letters stand in a text."""
    if len(text) > len(known):
        return [lead for lead in list(known) if lead in text]
    return [lead for lead in {text[at : at + LEAD] for at in range(len(text) - LEAD + 1)} if lead in known]


def _cut_off(text: str, lead: str, known: Sequence[tuple[str, str]]) -> tuple[int, str] | None:
    """Where the beginning of a secret ends a text, and the secret's name: the earliest place."""
    at = text.find(lead, max(0, len(text) - max(len(form) for form, _ in known) + 1))
    while at >= 0 and len(text) - at >= MIN_LENGTH:
        name = next((name for form, name in known if form.startswith(text[at:])), None)
        if name is not None:
            return at, name
        at = text.find(lead, at + 1)
    return None


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
