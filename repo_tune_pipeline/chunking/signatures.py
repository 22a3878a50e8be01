"""A definition's signature: what stands before its body, on one line."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from repo_tune_pipeline.chunking.outline import Definition, Outline, Span


class Signature(NamedTuple):
    """Its first byte in the file, its text and the row on which it ends."""

    start: int
    text: str
    row: int


def read_signature(found: Outline, definition: Definition) -> Signature:
    """The signature without the attributes before it and the comments within it."""
    source, start, end = found.source, definition.outer_start, definition.outer_end
    if definition.body is not None:
        end = definition.body.start_byte
    row = source.last_row(start, end)
    margins = _margins(found, start, end)
    if not margins:
        return Signature(start, _shown(source.bytes_text(start, end)), row)
    parts: list[str] = []
    at = start
    for span in margins:
        leading = not parts and not source.data[at : span.start].strip()
        if span.end <= at or not (span.is_comment or leading):
            continue
        if leading:
            start = span.end
        else:
            parts.append(source.bytes_text(at, span.start))
        at = span.end
    if at != definition.outer_start:
        start = end - len(source.data[start:end].lstrip())
    parts.append(source.bytes_text(at, end))
    return Signature(start, _shown(" ".join(parts)), row)


def _shown(written: str) -> str:
    return _on_one_line(written).rstrip(" {:;,").removesuffix(" =")


def attributes_above(found: Outline, row: int, end: int) -> tuple[str, ...]:
    """The attributes between the beginning of a row and a byte, as written, a line each."""
    source = found.source
    at, texts = source.byte_starts[row], list[str]()
    for span in _margins(found, at, end):
        if span.is_comment or span.start < at:
            continue
        texts.append(_on_one_line(source.bytes_text(span.start, span.end)))
        at = span.end
    return tuple(texts)


def _margins(found: Outline, start: int, end: int) -> Sequence[Span]:
    starts = found.margin_starts
    first = bisect_left(starts, start)
    return found.margins[first : bisect_left(starts, end, lo=first)]


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
