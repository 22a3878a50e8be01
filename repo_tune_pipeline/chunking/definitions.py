"""One source file to chunks: every function, method, type and test that its query finds."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from tree_sitter import Parser

from repo_tune_pipeline.chunking.candidates import Candidate, piece_of, refusal
from repo_tune_pipeline.chunking.docstrings import Doc, Head, body_doc, head_above, inner_doc
from repo_tune_pipeline.chunking.headers import header_candidate
from repo_tune_pipeline.chunking.joining import joined
from repo_tune_pipeline.chunking.languages import (
    CODE_LANGUAGES,
    CodeLanguage,
    grammar_of,
    queries_of,
)
from repo_tune_pipeline.chunking.outline import FUNCTIONS, Definition, Outline, last_row, outline
from repo_tune_pipeline.chunking.parsing import SourceText, captures, matches, parse
from repo_tune_pipeline.chunking.signatures import Signature, attributes_above, read_signature
from repo_tune_pipeline.chunking.splitting import Rows, split_rows
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

    language: CodeLanguage
    found: Outline
    call_starts: list[int]
    settings: ChunkingSettings


def code_candidates(
    name: str, source: SourceText, settings: ChunkingSettings
) -> Iterator[Candidate]:
    """The header and every definition of a text in one of `CODE_LANGUAGES`, kept or not.

    Functions inside functions stay inside; methods are found beside their types.

    Raises:
        UnparsedError: parsing took longer than the settings allow, or wouldn't end well.
    """
    language, queries = CODE_LANGUAGES[name], queries_of(name)
    tree = parse(
        Parser(grammar_of(name)),
        source,
        settings.parse_timeout_seconds,
        ascii_only=language.ascii_only,
    )
    found = outline(
        source,
        matches(queries.definitions, tree, source),
        captures(queries.details, tree, source),
        language,
    )
    if language.joins:
        found = replace(found, definitions=joined(found.definitions, partial(_begins, found)))
    view = _View(language, found, [start for start, _callee in found.callees], settings)
    root = tree.root_node
    first = next((each for each in found.definitions if each.node != root), None)
    after = len(source.lines) if first is None else _first_row(view, first)
    yield from header_candidate(found, root, language, after, settings)
    for definition, symbol, kind, stop in _qualified(found, language):
        yield from _candidates(view, definition, symbol, kind, stop)


def _begins(found: Outline, definition: Definition) -> bool:
    """Whether an attribute, or documentation in its form, stands above a definition."""
    span = found.above.get(definition.outer.start_point.row - 1)
    while span is not None and not found.source.data.startswith(b"@", span.start):
        span = found.above.get(span.first_row - 1)
    return span is not None


def _first_row(view: _View, definition: Definition) -> int:
    top = definition.outer.start_point.row
    return top if view.language.doc_in_body else head_above(view.found, top).first_row


def _qualified(
    found: Outline, language: CodeLanguage
) -> Iterator[tuple[Definition, str, ChunkKind, Definition | None]]:
    """Definitions outside functions, with the symbol that the ones around them make and the
    first definition inside them.
    """
    around: list[Definition] = []
    following = (*found.definitions[1:], None)
    for definition, after in zip(found.definitions, following, strict=False):
        while around and around[-1].node.end_byte <= definition.node.start_byte:
            around.pop()
        if around and around[-1].role in FUNCTIONS:
            continue
        kind = _KINDS.get(definition.role)
        in_type = bool(around) and around[-1].role in ("type", "owner")
        if kind == "function" and in_type and language.has_methods:
            kind = "method"
        around.append(definition)
        if kind is not None:
            symbol = language.separator.join(part for each in around for part in each.names)
            within = after is not None and after.node.end_byte <= definition.node.end_byte
            yield definition, symbol, kind, after if within else None


def _candidates(
    view: _View, definition: Definition, symbol: str, kind: ChunkKind, inner: Definition | None
) -> Iterator[Candidate]:
    """One definition: a piece, its parts, or the reason why there is none."""
    found, source = view.found, view.found.source
    top, end_row = definition.outer.start_point.row, last_row(definition.outer)
    in_body = view.language.doc_in_body
    head = Head(top, None) if in_body else head_above(found, top)
    signature = read_signature(found, definition)
    rows = (head.first_row, end_row)
    reason = _reason(view, definition, signature.start)
    if reason:
        yield refusal(reason, rows, symbol)
        return
    doc = body_doc(source, definition.body) if in_body and definition.body else head.doc
    if kind == "type" and doc is None and definition.body is not None:
        doc = inner_doc(found, definition.body)
    if doc is not None and view.language.doc_markup is not None:
        doc = replace(doc, text=view.language.doc_markup.sub("", doc.text).strip())
    cuts = _cut_rows(found, signature.row, end_row, doc)
    parts = _parts(view, rows, cuts, None if kind in FUNCTIONS else inner, signature)
    if not parts:
        yield refusal("too_long", rows, symbol)
    if kind in FUNCTIONS and view.language.test is not None:
        head_text = source.text[source.starts[head.first_row] : source.starts[signature.row + 1]]
        kind = "test" if view.language.test.holds(definition.name, head_text) else kind
    for number, (first, last) in enumerate(parts, 1):
        yield piece_of(
            source,
            (first, last),
            kind=kind,
            symbol=symbol,
            signature=signature.text,
            doc=doc if number == 1 else None,
            cut_rows=[row for row in cuts if first < row <= last],
            callees=_callees(view, definition, first, last),
            imports=found.imports,
            attributes=attributes_above(found, head.first_row, signature.start),
            part=(number, len(parts)),
        )


def _parts(
    view: _View, rows: Rows, cuts: Sequence[int], inner: Definition | None, signature: Signature
) -> list[Rows]:
    """The rows of one definition, cut where they are too long.

    Of a long type that holds definitions, which are chunks themselves, only what stands above the
    first one is kept.
    """
    source, limit = view.found.source, view.settings.max_chunk_chars
    first, last = rows
    if source.size(first, last) > limit and inner is not None:
        last = _first_row(view, inner) - 1
        while last > first and not source.lines[last].strip():
            last -= 1
        if last <= signature.row:
            return []
        cuts = [row for row in cuts if row <= last]
    return split_rows(source, (first, last), cuts, limit)


def _cut_rows(found: Outline, signature_row: int, end_row: int, doc: Doc | None) -> Sequence[int]:
    rows = found.statement_rows
    inside = rows[bisect_right(rows, signature_row) : bisect_right(rows, end_row)]
    if doc is None:
        return inside
    return [row for row in inside if not doc.first_row <= row <= doc.last_row]


def _callees(view: _View, definition: Definition, first: int, last: int) -> tuple[str, ...]:
    """What is called in the body, as far as it stands on the rows `first` to `last`."""
    if definition.body is None:
        return ()
    starts = view.found.source.byte_starts
    begin = max(definition.body.start_byte, starts[first])
    end = min(definition.node.end_byte, starts[last + 1])
    calls = view.found.callees[
        bisect_left(view.call_starts, begin) : bisect_left(view.call_starts, end)
    ]
    return tuple(sorted({name for _start, name in calls if name}))


def _reason(view: _View, definition: Definition, signature_start: int) -> str:
    source, body = view.found.source, definition.body
    if definition.node.has_error:
        return "syntax_error"
    if body is None or _is_stub(source, body.start_byte, definition.node.end_byte):
        return "trivial"
    if not _has_two_lines(source.data, signature_start, definition.outer.end_byte):
        return "trivial"
    return ""


def _is_stub(source: SourceText, start: int, end: int) -> bool:
    return end - start <= _LONGEST_STUB and bool(
        _STUB_BODY.fullmatch(source.bytes_text(start, end))
    )


def _has_two_lines(data: bytes, start: int, end: int) -> bool:
    """Whether anything but blanks follows the first line's end."""
    line_end = data.find(b"\n", start, end)
    return line_end >= 0 and bool(data[line_end:end].strip())
