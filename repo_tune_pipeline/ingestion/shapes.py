"""Texts that no person wrote for people: minified, or nested beyond what a parser should follow."""

from __future__ import annotations

import re
from itertools import accumulate

_MINIFIED = re.compile(r"[.-]min\.[a-z]+$|\.bundle\.[mc]?js$|\.(?:js|css|ts)\.map$")
_LONGEST_LINE = 10_000
_LONGEST_AVERAGE = {"JavaScript": 110, "TypeScript": 110}
_DEFAULT_AVERAGE = 400
_AVERAGE_FROM = 2_000
_PROSE = ("Markdown", "reStructuredText")
_DEEPEST = 2_000
_NO_BRACKETS = bytes(code for code in range(256) if code not in b"([{}])")
_STEPS = {code: 1 if code in b"([{" else -1 for code in b"([{}])"}


def is_minified_name(name: str) -> bool:
    """Whether a lower-case file name says that the file was made for machines."""
    return _MINIFIED.search(name) is not None


def is_minified(text: str, language: str) -> bool:
    """Whether one line, or the average line, is far too long for people."""
    if _has_line_beyond(text, _LONGEST_LINE):
        return True
    if len(text) < _AVERAGE_FROM or language in _PROSE:
        return False
    return len(text) / (text.count("\n") + 1) > _LONGEST_AVERAGE.get(language, _DEFAULT_AVERAGE)


def is_pathological(text: str) -> bool:
    """Whether brackets nest deeper than a parser should be asked to follow.

    Brackets count wherever they stand, in strings as well: this is a cheap bound.
    """
    brackets = text.encode().translate(None, _NO_BRACKETS)
    if len(brackets) <= _DEEPEST:
        return False
    return max(accumulate(map(_STEPS.__getitem__, brackets))) > _DEEPEST


def _has_line_beyond(text: str, limit: int) -> bool:
    start = 0
    while len(text) - start > limit:
        end = text.rfind("\n", start, start + limit + 1)
        if end < 0:
            return True
        start = end + 1
    return False
