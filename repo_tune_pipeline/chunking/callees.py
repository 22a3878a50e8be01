"""The name of what a call calls."""

from __future__ import annotations

import re
from functools import cache

from repo_tune_pipeline.chunking.parsing import SourceText

_SHORT_CALLEE = 60
"""Bytes."""
_LONGEST_RAW = _SHORT_CALLEE + 1


class CalleeNames:
    """Names of called things, each text looked at once.

    A short dotted name is kept as written; of anything else only the last identifier stays. A
    long text is never copied: in a chain of calls each callee holds all the calls before it.
    """

    def __init__(self, source: SourceText, marks: str = "") -> None:
        self._data = source.data
        self._dotted, self._last_name = _patterns(marks)
        self._known: dict[bytes, str] = {}

    def before(self, start: int, end: int) -> str:
        """The name in the bytes [start, end), or an empty string where there is none."""
        if end - start > _SHORT_CALLEE:
            start = max(self._data.rfind(b".", end - _SHORT_CALLEE, end), end - _LONGEST_RAW)
        raw = self._data[start:end]
        name = self._known.get(raw)
        if name is None:
            name = self._known[raw] = self._read(raw)
        return name

    def _read(self, raw: bytes) -> str:
        text = raw.decode("utf-8", "ignore").rstrip()
        if len(raw) <= _SHORT_CALLEE and self._dotted.fullmatch(text):
            return text
        last = self._last_name.search(text, text.rfind(".") + 1)
        return last.group() if last else ""


@cache
def _patterns(marks: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A dotted name and the last name of a text, where names may hold `marks`, too."""
    name = rf"[\w${re.escape(marks)}]+"
    return re.compile(rf"{name}(?:(?:\.|::){name})*"), re.compile(rf"{name}$")
