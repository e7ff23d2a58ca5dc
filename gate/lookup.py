"""Which of many known texts stand in a text: thousands of secrets are looked for in everything that the run sees or shows."""

from __future__ import annotations

import threading

from ahocorasick_rs import BytesAhoCorasick

# Letters by which a text is found first. The last ones: tokens of one kind begin alike, and end differently.
END = 8
# So many ends are looked for one by one; then they are put together.
SINGLE = 12
# So many are put together anew with those that come; then they join the others, which cost more to put together.
FEW = 200


class Ends:
    """Ends of texts that are looked for together."""

    def __init__(self, ends: tuple[bytes, ...] = ()) -> None:
        self.ends = ends
        self._search = BytesAhoCorasick(ends) if ends else None

    def found_in(self, text: bytes) -> set[bytes]:
        """Those that stand in a text."""
        if self._search is None:
            return set()
        return {self.ends[which] for which, _, _ in self._search.find_matches_as_indexes(text, overlapping=True)}


class Lookup:
    """The known texts; more may be added at any time, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_end: dict[bytes, list[str]] = {}
        self._added: list[bytes] = []
        self._new, self._old = Ends(), Ends()

    def add(self, known: str) -> None:
        """Look for it from now on; raises ValueError for an empty text."""
        if not known:
            raise ValueError("an empty text stands in every text")
        end = _encoded(known[-END:])
        with self._lock:
            if end not in self._by_end:
                self._by_end[end] = []
                self._added.append(end)
            if known not in self._by_end[end]:
                self._by_end[end].append(known)

    def found_in(self, text: str) -> list[str]:
        """Those that stand in a text."""
        with self._lock:
            if len(self._added) > SINGLE:
                self._take_added()
            new, old, added = self._new, self._old, tuple(self._added)
        raw = _encoded(text)
        ends = old.found_in(raw) | new.found_in(raw) | {end for end in added if end in raw}
        return [known for end in ends for known in tuple(self._by_end[end]) if known in text]

    def _take_added(self) -> None:
        new = (*self._new.ends, *self._added)
        self._added = []
        if len(new) > FEW:
            self._old, new = Ends((*self._old.ends, *new)), ()
        self._new = Ends(new)


def _encoded(text: str) -> bytes:
    # JSON may hold halves of surrogate pairs.
    return text.encode("utf-8", "surrogatepass")
