"""A definition's signature: what stands before its body, on one line."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

from repo_tune_pipeline.chunking.outline import Definition, Outline, Span

_BLANKS = re.compile(r"\s+")
_start = attrgetter("start")


class Signature(NamedTuple):
    """Its first byte in the file, its text and the row on which it ends."""

    start: int
    text: str
    row: int


def read_signature(found: Outline, definition: Definition) -> Signature:
    """The signature without the attributes before it and the comments within it."""
    source = found.source
    start = definition.outer.start_byte
    end = definition.body.start_byte if definition.body else definition.outer.end_byte
    parts: list[str] = []
    at = start
    for span in _margins(found, start, end):
        leading = not parts and not source.data[at : span.start].strip()
        trailing = not span.is_comment and not source.data[span.end : end].strip()
        if span.end <= at or not (span.is_comment or leading or trailing):
            continue
        if leading:
            start = span.end
        else:
            parts.append(source.bytes_text(at, span.start))
        at = span.end
    parts.append(source.bytes_text(at, end))
    text = _BLANKS.sub(" ", " ".join(parts)).strip().rstrip(" {:;,").removesuffix(" =")
    return Signature(_skip_blanks(source.data, start, end), text, _end_row(found, definition, end))


def attributes_above(found: Outline, row: int, end: int) -> tuple[str, ...]:
    """The attributes between the beginning of a row and a byte, as written, a line each."""
    source = found.source
    at, texts = source.byte_starts[row], list[str]()
    for span in _margins(found, at, end):
        if span.is_comment or span.start < at:
            continue
        texts.append(_BLANKS.sub(" ", source.bytes_text(span.start, span.end)).strip())
        at = span.end
    return tuple(texts)


def _margins(found: Outline, start: int, end: int) -> Sequence[Span]:
    spans = found.margins
    first = bisect_left(spans, start, key=_start)
    return spans[first : bisect_left(spans, end, lo=first, key=_start)]


def _skip_blanks(data: bytes, start: int, end: int) -> int:
    return end - len(data[start:end].lstrip())


def _end_row(found: Outline, definition: Definition, end: int) -> int:
    """The row of the last character before the body that isn't blank."""
    first = definition.outer.start_byte
    head = found.source.data[first:end].rstrip()
    return definition.outer.start_point.row + head.count(b"\n")
