"""Rows that are too long for one chunk, cut where statements begin."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from repo_tune_pipeline.chunking.parsing import SourceText

_DEEPEST_LEVEL = 12
_TAB = 4

Rows = tuple[int, int]
"""The first and the last row, from 0."""


def split_rows(source: SourceText, rows: Rows, cut_rows: Sequence[int], limit: int) -> list[Rows]:
    """`rows` in parts of at most `limit` characters that follow each other without a gap.

    Args:
        cut_rows: ascending rows on which a statement begins, so that a part may. Those indented
            least are taken as long as they do.

    Returns:
        Nothing, where no choice of these rows makes the parts short enough.
    """
    if source.size(*rows) <= limit:
        return [rows]
    inside = [row for row in cut_rows if rows[0] < row <= rows[1]]
    indents = {row: _indent(source.lines[row]) for row in inside}
    levels = sorted(set(indents.values()))[:_DEEPEST_LEVEL]
    pieces = [rows]
    for level in levels:
        pieces = [
            part for piece in pieces for part in _at_level(source, piece, indents, level, limit)
        ]
    if any(source.size(*piece) > limit for piece in pieces):
        return []
    return _joined(source, pieces, limit)


def _at_level(
    source: SourceText, piece: Rows, indents: dict[int, int], level: int, limit: int
) -> list[Rows]:
    first, last = piece
    if source.size(first, last) <= limit:
        return [piece]
    cuts = [row for row, indent in indents.items() if first < row <= last and indent == level]
    return [(start, after - 1) for start, after in pairwise([first, *cuts, last + 1])]


def _joined(source: SourceText, pieces: list[Rows], limit: int) -> list[Rows]:
    """Neighbours put together as long as they fit."""
    parts = pieces[:1]
    for first, last in pieces[1:]:
        if source.size(parts[-1][0], last) <= limit:
            parts[-1] = (parts[-1][0], last)
        else:
            parts.append((first, last))
    return parts


def _indent(line: str) -> int:
    return len(line.expandtabs(_TAB)) - len(line.expandtabs(_TAB).lstrip())
