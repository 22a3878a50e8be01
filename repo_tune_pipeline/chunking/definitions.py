"""One source file to chunks: every function, method, type and test that its query finds."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tree_sitter import Parser

from repo_tune_pipeline.chunking.candidates import Candidate, Origin, chunk_of, rejection
from repo_tune_pipeline.chunking.docstrings import Doc, Head, body_doc, head_above
from repo_tune_pipeline.chunking.languages import (
    CODE_LANGUAGES,
    CodeLanguage,
    grammar_of,
    query_of,
)
from repo_tune_pipeline.chunking.outline import FUNCTIONS, Definition, Outline, last_row, outline
from repo_tune_pipeline.chunking.parsing import SourceText, matches, parse
from repo_tune_pipeline.chunking.signatures import read_signature
from repo_tune_pipeline.records import ChunkKind
from repo_tune_pipeline.settings import ChunkingSettings

_STUB_BODY = re.compile(r"[\s{};:]*(?:\.\.\.|pass)?[\s{};]*")
_LONGEST_STUB = 40
_KINDS: dict[str, ChunkKind] = {
    "function": "function",
    "method": "method",
    "type": "type",
    "test": "test",
}


@dataclass(frozen=True, slots=True)
class _View:
    """A parsed file and what is asked of each of its definitions."""

    origin: Origin
    language: CodeLanguage
    found: Outline
    call_starts: list[int]
    settings: ChunkingSettings


def code_candidates(origin: Origin, settings: ChunkingSettings) -> Iterator[Candidate]:
    """Every definition of a file in one of `CODE_LANGUAGES`, kept or not.

    Functions inside functions stay inside; methods are found beside their types.

    Raises:
        UnparsedError: parsing took longer than the settings allow, or wouldn't end well.
    """
    name = origin.file.language
    source = SourceText(origin.file.text)
    tree = parse(Parser(grammar_of(name)), source, settings.parse_timeout_seconds)
    found = outline(source, matches(query_of(name), tree, source), CODE_LANGUAGES[name])
    call_starts = [start for start, _callee in found.callees]
    view = _View(origin, CODE_LANGUAGES[name], found, call_starts, settings)
    for definition, symbol, kind in _qualified(found, view.language.separator):
        yield _candidate(view, definition, symbol, kind)


def _qualified(found: Outline, separator: str) -> Iterator[tuple[Definition, str, ChunkKind]]:
    """Definitions outside functions, with the symbol that the ones around them make."""
    around: list[Definition] = []
    for definition in found.definitions:
        while around and around[-1].node.end_byte <= definition.node.start_byte:
            around.pop()
        if around and around[-1].role in FUNCTIONS:
            continue
        kind = _KINDS.get(definition.role)
        if kind == "function" and around and around[-1].role in ("type", "owner"):
            kind = "method"
        around.append(definition)
        if kind is not None:
            yield definition, separator.join(part for each in around for part in each.names), kind


def _candidate(view: _View, definition: Definition, symbol: str, kind: ChunkKind) -> Candidate:
    found, source = view.found, view.found.source
    top, end_row = definition.outer.start_point.row, last_row(definition.outer)
    in_body = view.language.doc_in_body
    head = Head(top, None) if in_body else head_above(found, top)
    signature = read_signature(found, definition)
    rows = (head.first_row, end_row)
    reason = _reason(view, definition, rows, signature.start)
    if reason:
        return rejection(view.origin, reason, rows=rows, symbol=symbol)
    doc = body_doc(source, definition.body) if in_body and definition.body else head.doc
    if kind in FUNCTIONS:
        head_text = source.text[source.starts[head.first_row] : source.starts[signature.row + 1]]
        kind = "test" if view.language.test.holds(definition.name, head_text) else kind
    return chunk_of(
        view.origin,
        source,
        rows,
        kind=kind,
        symbol=symbol,
        signature=signature.text,
        doc=doc,
        cut_rows=_cut_rows(found, signature.row, end_row, doc),
        callees=_callees(view, definition),
        imports=found.imports,
    )


def _cut_rows(found: Outline, signature_row: int, end_row: int, doc: Doc | None) -> Sequence[int]:
    rows = found.statement_rows
    inside = rows[bisect_right(rows, signature_row) : bisect_right(rows, end_row)]
    if doc is None:
        return inside
    return [row for row in inside if not doc.first_row <= row <= doc.last_row]


def _callees(view: _View, definition: Definition) -> tuple[str, ...]:
    if definition.body is None:
        return ()
    first = bisect_left(view.call_starts, definition.body.start_byte)
    after = bisect_left(view.call_starts, definition.node.end_byte)
    return tuple(sorted({name for _start, name in view.found.callees[first:after] if name}))


def _reason(
    view: _View, definition: Definition, rows: tuple[int, int], signature_start: int
) -> str:
    source, body = view.found.source, definition.body
    if definition.node.has_error:
        return "syntax_error"
    if body is None or _is_stub(source, body.start_byte, definition.node.end_byte):
        return "trivial"
    if not _has_two_lines(source.data, signature_start, definition.outer.end_byte):
        return "trivial"
    return "too_long" if source.size(*rows) > view.settings.max_chunk_chars else ""


def _is_stub(source: SourceText, start: int, end: int) -> bool:
    return end - start <= _LONGEST_STUB and bool(
        _STUB_BODY.fullmatch(source.bytes_text(start, end))
    )


def _has_two_lines(data: bytes, start: int, end: int) -> bool:
    """Whether anything but blanks follows the first line's end."""
    line_end = data.find(b"\n", start, end)
    return line_end >= 0 and bool(data[line_end:end].strip())
