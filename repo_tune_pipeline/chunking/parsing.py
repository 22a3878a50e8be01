"""Text to syntax tree and captures, within a time limit."""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate, count, groupby
from operator import add, attrgetter
from typing import Literal

from tree_sitter import Node, Parser, Query, QueryCursor, QueryPredicate, Tree

MAX_DEPTH = 1_000
"""A query's cost explodes on trees some 33,000 levels deep, and it can't be interrupted."""
MAX_TOKEN_RUN = 5_000
"""A query's cost grows with the square of a run of tokens that lie side by side in one node."""
_ASCII = bytes(range(128)) + b"x" * 128
_UNWATCHED = 32 * 1024
_WINDOW = 8 * 1024
_LAST_BLANK = ord(" ")

Captures = dict[str, list[Node]]

_is_named = attrgetter("is_named")


class UnparsedError(Exception):
    """A file that can't be cut, for the reason that its rejection shows. Stays in this stage."""


class SourceText:
    """One file's text with what turns tree-sitter's bytes into rows and characters.

    Rows count from 0 and end at ``"\\n"`` alone, as tree-sitter has them. `starts[row]` is the
    character that a row begins with, `byte_starts[row]` the byte; both have an entry more, for
    where a row below the last one would begin.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.data = text.encode("utf-8", "replace")
        self.lines = text.split("\n")
        self.starts = _line_starts(self.lines)
        self._is_ascii = len(self.data) == len(text)
        self.byte_starts = self.starts if self._is_ascii else _line_starts(self.data.split(b"\n"))

    def rows(self, first: int, last: int) -> str:
        """The rows `first` to `last`, inclusive, without the last one's end."""
        return self.text[self.starts[first] : self.starts[last + 1] - 1]

    def size(self, first: int, last: int) -> int:
        """How many characters `rows` has."""
        return self.starts[last + 1] - 1 - self.starts[first]

    def row_of(self, byte: int) -> int:
        """The row that a byte stands on."""
        return bisect_right(self.byte_starts, byte) - 1

    def rows_of(self, starts: Iterable[int]) -> set[int]:
        """The rows that begin with some bytes."""
        every = self.byte_starts
        return {bisect_left(every, start) for start in starts}

    def last_row(self, start: int, end: int) -> int:
        """The row of the last character in the bytes [start, end) that isn't blank.

        Some nodes include a line's end, and a block that indentation closes may reach further.
        """
        if end > start and self.data[end - 1] <= _LAST_BLANK:
            end = start + len(self.data[start:end].rstrip())
        return bisect_right(self.byte_starts, end - 1 if end > start else start) - 1

    def begins_row(self, byte: int, row: int) -> bool:
        """Whether nothing but blanks stands before a byte of a row."""
        start = self.byte_starts[row]
        return byte == start or self.data[start:byte].isspace()

    def character(self, byte: int) -> int:
        """The place of a byte, counted in characters."""
        if self._is_ascii:
            return byte
        row = self.row_of(byte)
        return self.starts[row] + len(self.bytes_text(self.byte_starts[row], byte))

    def bytes_text(self, start: int, end: int) -> str:
        """The text of a range of bytes."""
        if self._is_ascii:
            return self.text[start:end]
        return self.data[start:end].decode("utf-8", "ignore")


def _line_starts(lines: Sequence[str] | Sequence[bytes]) -> list[int]:
    """Where each line and the one below the last begin, if an end of one character joins them."""
    return list(map(add, accumulate(map(len, lines), initial=0), count()))


def parse(parser: Parser, source: SourceText, seconds: float, *, ascii_only: bool = False) -> Tree:
    """The tree of a text.

    Args:
        parser: not to be used for another file, should this raise.
        source: the file.
        seconds: how much of this thread's processor time a text of more than 32 KiB may take. A
            busy machine must not change which files are cut. Shorter ones aren't watched, which
            would cost as much as parsing them does: whoever needs a bound there puts one on the
            process.
        ascii_only: show the parser an ``x`` for each byte of any other character. The tree's
            places are those of the file all the same.

    Raises:
        UnparsedError: it took longer, or the tree has a shape that no query would get through.
    """
    try:
        data = source.data.translate(_ASCII) if ascii_only else source.data
        tree = _parse(parser, data, seconds)
    except ValueError:
        parser.reset()
        raise UnparsedError("parse_timeout") from None
    if _has_token_run(tree.root_node):
        raise UnparsedError("pathological")
    return tree


def _parse(parser: Parser, data: bytes, seconds: float) -> Tree:
    if len(data) <= _UNWATCHED:
        return parser.parse(data)
    deadline = time.thread_time() + seconds
    is_late = False

    def window(offset: int, _point: object) -> bytes:
        """What follows a byte; nothing, which ends the parse, where it takes too long."""
        nonlocal is_late
        is_late = is_late or time.thread_time() > deadline
        return b"" if is_late else data[offset : offset + _WINDOW]

    tree = parser.parse(window)
    if is_late:
        raise ValueError
    return tree


def _has_token_run(root: Node) -> bool:
    """Whether a node holds more than `MAX_TOKEN_RUN` tokens with no named node between them."""
    large = [root] if root.descendant_count > MAX_TOKEN_RUN else []
    while large:
        children = large.pop().children
        if len(children) > MAX_TOKEN_RUN:
            runs = (len(list(run)) for named, run in groupby(children, _is_named) if not named)
            if max(runs, default=0) > MAX_TOKEN_RUN:
                return True
        large.extend(child for child in children if child.descendant_count > MAX_TOKEN_RUN)
    return False


def matches(query: Query, root: Node, source: SourceText) -> list[tuple[int, Captures]]:
    """Every match of a query below a node, down to `MAX_DEPTH`: the pattern's number, the captures.

    Queries may ask ``(#called? @name "one" "or another")`` or ``#not-called?``. Tree-sitter's own
    ``#eq?`` and its like read the tree's text, which a tree that was parsed through a callback
    doesn't have, and end the process.
    """
    cursor = QueryCursor(query)
    cursor.set_max_start_depth(MAX_DEPTH)
    return cursor.matches(root, called_in(source))


def called_in(source: SourceText) -> QueryPredicate:
    """The predicates that queries may ask, for one file."""

    def called(
        predicate: str,
        args: list[tuple[str, Literal["capture", "string"]]],
        pattern_index: int,  # noqa: ARG001
        captures: Captures,
    ) -> bool:
        (capture, _kind), *allowed = args
        node = captures[capture][0]
        text = source.bytes_text(node.start_byte, node.end_byte)
        return any(text == each for each, _kind in allowed) == (predicate == "called?")

    return called
