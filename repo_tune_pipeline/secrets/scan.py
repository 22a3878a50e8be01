"""One text, made fast to ask where a mark stands and what long runs of characters it has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

MIN_RUN = 20
"""Characters. A provider's token has a run as long as this, with a digit or a capital in it."""
_RUN_CHARS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_%-"
_RUNS = bytes(65 if code in _RUN_CHARS else 32 for code in range(256))
_SIGNS = bytes(
    48 if 48 <= code <= 57 else 65 if 65 <= code <= 90 else 45 if code in b" -" else 46
    for code in range(256)
)  # Digits are 0, capitals A, blanks and dashes a dash, all else is a dot.
_LONG = b"A" * MIN_RUN
_BEFORE, _AFTER = 16, 9  # Characters around a run that its marks may stand in.
_CARDS = (b"0" * 14, b"0000-0000-0000-0", b"0000-000000-00000")
_IBAN = re.compile(rb"AA00(?:[A0]{11}|-[A0]{4}-[A0]{4}-)")
_SHAPED_RUN = 34

Place = tuple[int, int]
"""Where something stands: its first character, and the one behind its last."""


class Scan:
    """A text with a copy in lower-case ASCII, in which each character has the same place."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.raw = text.encode("ascii", "replace")
        self.lowered = self.raw.lower()
        self._hits: dict[bytes, list[int]] = {}
        self._near: dict[bytes, bool] = {}

    def hits(self, mark: bytes) -> list[int]:
        """Each place where `mark`, in lower case, stands."""
        if mark not in self._hits:
            self._hits[mark] = list(_finds(self.lowered, mark))
        return self._hits[mark]

    def is_near_run(self, mark: bytes) -> bool:
        """Whether `mark`, in lower case, stands in or near a long run."""
        if mark not in self._near:
            self._near[mark] = mark in self.lowered_gist
        return self._near[mark]

    def lines_with(self, marks: Iterable[bytes]) -> list[Place]:
        """Each line that holds one of `marks`, in order, without its end."""
        return self.lines_of(sorted((at, at) for mark in marks for at in self.hits(mark)))

    def line_at(self, at: int) -> Place:
        """The line that the character at `at` stands in."""
        end = self.raw.find(b"\n", at)
        return self.raw.rfind(b"\n", 0, at) + 1, end if end >= 0 else len(self.raw)

    def lines_of(self, places: Iterable[Place]) -> list[Place]:
        """Each line that one of `places`, which are in order, begins in."""
        found: list[Place] = []
        for start, _ in places:
            if not found or start > found[-1][1]:
                found.append(self.line_at(start))
        return found

    @cached_property
    def _signs(self) -> bytes:
        return self.raw.translate(_SIGNS)

    @cached_property
    def runs(self) -> list[Place]:
        """Each run of at least `MIN_RUN` characters that tokens and base64 are made of."""
        marked, signs = self.raw.translate(_RUNS), self._signs
        found: list[Place] = []
        at = marked.find(_LONG)
        while at >= 0:
            end = marked.find(b" ", at + MIN_RUN)
            end = end if end >= 0 else len(marked)
            if signs.find(b"0", at, end) >= 0 or signs.find(b"A", at, end) >= 0:
                found.append((at, end))
            at = marked.find(_LONG, end)
        return found

    @cached_property
    def gist(self) -> bytes:
        """The runs with a little around each: where a token's marks are, far less than the text."""
        return self._gist_of(self.runs)

    def _gist_of(self, runs: Iterable[Place]) -> bytes:
        raw = self.raw
        parts = (raw[max(start - _BEFORE, 0) : end + _AFTER] for start, end in runs)
        return b"\n".join((b"", *parts))

    @cached_property
    def lowered_gist(self) -> bytes:
        """The gist in lower case."""
        return self.gist.lower()

    @cached_property
    def long_gist(self) -> bytes:
        """The gist of the runs that tokens without marks could be."""
        return self._gist_of(run for run in self.runs if run[1] - run[0] >= _SHAPED_RUN)

    def card_lines(self) -> list[Place]:
        """Each line in which digits stand as in a card's number."""
        ats = (at for card in _CARDS for at in _finds(self._signs, card))
        return self.lines_of(sorted((at, at) for at in ats))

    def iban_lines(self) -> list[Place]:
        """Each line in which capitals and digits stand as in a bank account's number."""
        ats = _finds(self._signs, b"AA00")
        return self.lines_of((at, at) for at in ats if _IBAN.match(self._signs, at))


def _finds(text: bytes, part: bytes) -> Iterator[int]:
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + len(part))
