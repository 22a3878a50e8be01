"""The name of what a call calls."""

from __future__ import annotations

import re

from tree_sitter import Node

from repo_tune_pipeline.chunking.parsing import SourceText

_DOTTED = re.compile(r"[\w$]+(?:(?:\.|::)[\w$]+)*")
_LAST_NAME = re.compile(r"([\w$]+)\s*$")
_SHORT_CALLEE = 60
"""Bytes."""
_LONGEST_RAW = _SHORT_CALLEE + 1


class CalleeNames:
    """Names of called things, each text looked at once.

    A short dotted name is kept as written; of anything else only the last identifier stays. A
    long text is never copied: in a chain of calls each callee holds all the calls before it.
    """

    def __init__(self, source: SourceText) -> None:
        self._data = source.data
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

    @staticmethod
    def _read(raw: bytes) -> str:
        text = raw.decode("utf-8", "ignore")
        if len(raw) <= _SHORT_CALLEE and _DOTTED.fullmatch(text):
            return text
        last = _LAST_NAME.search(text)
        return last.group(1) if last else ""
