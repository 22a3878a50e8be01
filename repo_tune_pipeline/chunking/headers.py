"""The top of a code file: what the module says of itself, its imports and constants."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from repo_tune_pipeline.chunking.candidates import Candidate, piece_of, refusal
from repo_tune_pipeline.chunking.docstrings import Doc, body_doc, comment_doc, is_inner
from repo_tune_pipeline.chunking.languages import CodeLanguage
from repo_tune_pipeline.chunking.outline import Outline, Span
from repo_tune_pipeline.chunking.parsing import SourceText
from repo_tune_pipeline.settings import ChunkingSettings

_FEWEST_ROWS = 3
_PRAGMA = re.compile(r"\{-#.*?#-\}", re.DOTALL)
"""What tells a Haskell compiler which language a file is in."""


def header_candidate(
    found: Outline,
    root: Node,
    language: CodeLanguage,
    after: int,
    settings: ChunkingSettings,
) -> Iterator[Candidate]:
    """The rows before row `after`, if they hold documentation or enough code to tell something.

    A licence at the top isn't part of it.
    """
    source = found.source
    first, doc = _opening(found, root, language, after)
    last = after - 1
    while first <= last and not source.lines[last].strip():
        last -= 1
    rows = (first, last)
    if last < first or (doc is None and _code_rows(found, rows) < _FEWEST_ROWS):
        return
    if root.has_error and _has_error(source, root, rows):
        yield refusal("syntax_error", rows)
    elif source.size(*rows) > settings.max_chunk_chars:
        yield refusal("too_long", rows)
    else:
        yield piece_of(
            source,
            rows,
            kind="module",
            symbol="",
            signature="",
            doc=doc,
            cut_rows=_cut_rows(source, root, rows, doc),
            imports=found.imports,
        )


def _opening(
    found: Outline, root: Node, language: CodeLanguage, after: int
) -> tuple[int, Doc | None]:
    """The row below the licence, and what documents the module."""
    source = found.source
    row, doc = 0, None
    for run in _runs(found, after):
        between = source.rows(row, run[0].first_row - 1) if run[0].first_row > row else ""
        if between.strip() and not _is_prologue(between):
            break
        read = comment_doc(source, run)
        if not read.text and not between.strip() and doc is None:
            row = run[-1].last_row + 1
        elif read.text and not (language.inner_doc and not is_inner(source, run[0])):
            doc = read
            break
    if language.doc_in_body:
        doc = body_doc(source, root)
    while row < after and not source.lines[row].strip():
        row += 1
    return row, doc


def _is_prologue(text: str) -> bool:
    """Whether only what has to stand first stands there: an interpreter's line, `"use strict"`."""
    return all(
        not line.strip()
        or line.startswith(("#!", "<?php"))
        or line.lstrip().startswith(('"use ', "'use "))
        for line in _PRAGMA.sub("", text).split("\n")
    )


def _runs(found: Outline, after: int) -> Iterator[list[Span]]:
    """Comments above row `after`, each with those on the lines directly below it."""
    run: list[Span] = []
    for span in found.above.values():
        if span.first_row >= after or not span.is_comment:
            continue
        if run and span.first_row > run[-1].last_row + 1:
            yield run
            run = []
        run.append(span)
    if run:
        yield run


def _code_rows(found: Outline, rows: tuple[int, int]) -> int:
    """How many rows hold more than blanks and comments."""
    comments = {
        row
        for span in found.above.values()
        if span.is_comment and span.first_row <= rows[1]
        for row in range(span.first_row, span.last_row + 1)
    }
    lines = found.source.lines
    inside = range(rows[0], rows[1] + 1)
    return sum(1 for row in inside if row not in comments and lines[row].strip())


def _has_error(source: SourceText, root: Node, rows: tuple[int, int]) -> bool:
    first, after = source.byte_starts[rows[0]], source.byte_starts[rows[1] + 1]
    for node in root.children:
        if node.start_byte >= after:
            return False
        if node.end_byte >= first and (node.is_error or node.has_error):
            return True
    return False


def _cut_rows(source: SourceText, root: Node, rows: tuple[int, int], doc: Doc | None) -> list[int]:
    first = next((row for row in range(*rows) if source.lines[row].strip()), rows[0])
    cuts: set[int] = set()
    for node in root.named_children:
        at = node.start_byte
        row = source.row_of(at)
        if row > rows[1]:
            break
        if row <= first or node.is_extra or not source.begins_row(at, row):
            continue
        if doc is None or not doc.first_row <= row <= doc.last_row:
            cuts.add(row)
    return sorted(cuts)
