"""The name of what a call calls."""

from __future__ import annotations

import re
from functools import cache

from tree_sitter import Node

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

    def of(self, node: Node) -> str:
        """The name that a called expression has, or an empty string where it has none."""
        return self.before(node.start_byte, node.end_byte)

    def before(self, start: int, end: int) -> str:
        """The name in the bytes [start, end), or an empty string where there is none."""
        raw = self._data[start if end - start <= _LONGEST_RAW else end - _LONGEST_RAW : end]
        name = self._known.get(raw)
        if name is None:
            name = self._known[raw] = self._read(raw)
        return name

    def _read(self, raw: bytes) -> str:
        text = raw.decode("utf-8", "ignore").rstrip()
        if len(raw) <= _SHORT_CALLEE and self._dotted.fullmatch(text):
            return text
        last = self._last_name.search(text)
        return last.group() if last else ""


@cache
def _patterns(marks: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A dotted name and the last name of a text, where names may hold `marks`, too."""
    name = rf"[\w${re.escape(marks)}]+"
    return re.compile(rf"{name}(?:(?:\.|::){name})*"), re.compile(rf"{name}$")
